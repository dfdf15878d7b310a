"""What the GPU checks need on a machine without a network: wheels, and some scenes.

python tests/gpu/kit.py FOLDER      # where there is a network: fills the folder
make gpu KIT=FOLDER                 # on the machine with the GPU
"""

from __future__ import annotations

import argparse
import importlib.util
import subprocess
import sys
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

# Name in an import and name in the index: what a machine with torch, torchvision and transformers
# still lacks, with all that these need in turn. Not numba, larger than all others together:
# without it the CPU's bytes come from Kornia too.
PACKAGES: dict[str, str] = {
    "kornia": "kornia",
    "kornia_rs": "kornia_rs",
    "pydantic": "pydantic",
    "pydantic_core": "pydantic_core",
    "annotated_types": "annotated_types",
    "typing_inspection": "typing_inspection",
    "scipy": "scipy",  # of Mask2Former
    "pytest": "pytest",
    "pluggy": "pluggy",
    "iniconfig": "iniconfig",
}
SCENES = "scenes.npz"
COUNT = 8


def fill(folder: Path) -> None:
    """Put the wheels of the versions installed here, and `COUNT` test scenes, into a folder."""
    import numpy as np

    from vlmis_utils.datasets.registry import open_dataset

    pinned = [f"{name}=={metadata.version(name)}" for name in PACKAGES.values()]
    download = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", str(folder)]
    subprocess.run([*download, *pinned], check=True)
    scenes = open_dataset("streetworld", split="test", limit=COUNT, seed=0)
    np.savez_compressed(folder / SCENES, images=np.stack([scene.image() for scene in scenes]))


def install(folder: Path) -> list[str]:
    """Install from a folder what this Python lacks, beside its packages; return the names.

    Nothing that is installed is replaced, and no index is asked.
    """
    lacking = [name for package, name in PACKAGES.items() if not _there(package)]
    if lacking:
        target = folder / "installed"
        options = ["-q", "--no-deps", "--no-index", "--find-links", str(folder)]
        command = [sys.executable, "-m", "pip", "install", *options, "--target", str(target)]
        subprocess.run([*command, *lacking], check=True)
        sys.path.append(str(target))
    return lacking


def _there(package: str) -> bool:
    try:
        return importlib.util.find_spec(package) is not None
    except ModuleNotFoundError:
        return False


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    chosen = parser.parse_args().folder
    chosen.mkdir(parents=True, exist_ok=True)
    fill(chosen)
    print(f"{sum(p.stat().st_size for p in chosen.iterdir()) / 2**20:.0f} MiB in {chosen}")
