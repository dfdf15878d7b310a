"""Where results came from: versions, machine, source digests."""

from __future__ import annotations

import hashlib
import os
import platform
from collections.abc import Iterable
from functools import lru_cache
from importlib import metadata
from pathlib import Path

__all__ = ["OPTIONAL", "PACKAGES", "cores", "file_facts", "machine", "source_digest", "versions"]

# The packages whose version a reader of the results may ask for.
PACKAGES: tuple[str, ...] = (
    "torch", "torchvision", "transformers", "open_clip_torch", "kornia", "numba", "trimesh",
    "embreex", "numpy", "pandas", "pyarrow", "scipy", "scikit-learn", "pingouin", "matplotlib",
    "seaborn", "statsmodels", "papermill", "jupytext", "myst-nb", "jupyter-book", "Sphinx",
    "openai", "tenacity", "pydantic", "pillow", "tokenizers", "timm", "safetensors",
    "huggingface_hub", "fsspec",
)  # fmt: skip
# Those that only some studies need: named where they are installed.
OPTIONAL: tuple[str, ...] = (
    "accelerate", "ai-edge-litert", "onnxruntime", "ray", "s3fs", "socksio", "triton",
    "universal_pathlib",
)  # fmt: skip


@lru_cache(maxsize=1)
def versions() -> dict[str, str]:
    """Return the versions of Python, of `PACKAGES`, and of those of `OPTIONAL` that are there."""
    found = {"python": platform.python_version()}
    for name in (*PACKAGES, *OPTIONAL):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            if name in PACKAGES:
                found[name] = "not installed"
    return found


def machine() -> dict[str, object]:
    """Return system, processor, cores this process may use, and memory in GiB."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    pages, size = os.sysconf("SC_PHYS_PAGES"), os.sysconf("SC_PAGE_SIZE")
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "processor": names[0] if names else platform.processor() or "unknown",
        "cores": cores(),
        "memory_gib": round(pages * size / 2**30, 1),
    }


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@lru_cache(maxsize=32)
def source_digest(*modules: str) -> str:
    """Return the digest of source files of this package, by name such as ``protocol/classes``.

    A folder stands for all modules in it; no name at all stands for the whole package.
    """
    root = Path(__file__).resolve().parents[1]
    paths = [root / name for name in modules] or [root]
    files: list[Path] = []
    for path in paths:
        files += sorted(path.rglob("*.py")) if path.is_dir() else [path.with_suffix(".py")]
    digest = hashlib.sha256()
    for file in files:
        digest.update(str(file.relative_to(root)).encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


def file_facts(paths: Iterable[Path]) -> list[list[object]]:
    """Return [path, bytes, time of last change in ns] for each file, folders walked."""
    found: list[Path] = []
    for path in paths:
        found += sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
    facts = []
    for path in found:
        stat = path.stat()
        facts.append([str(path), stat.st_size, stat.st_mtime_ns])
    return facts
