"""What a checkpoint folder holds: its digest, its size in parameters, and which file is damaged."""

from __future__ import annotations

import hashlib
import json
import math
import re
from pathlib import Path

from vlmis_utils.core.errors import UserError
from vlmis_utils.core.sniff import what_is

__all__ = ["FILES", "count_parameters", "damaged_file", "folder_digest", "stated_parameters"]

# The files of a checkpoint folder that determine what a model computes.
FILES = ("*.json", "*.safetensors")

_LENGTH = 8  # bytes before a header, its length as a little-endian number
_LONGEST = 100_000_000  # bytes of a header; the format allows no more


def count_parameters(folder: str | Path) -> int:
    """Return the number of values in a folder's safetensors files; only headers are read.

    Args:
        folder: of the checkpoint; in parts where an index says so.

    Raises:
        UserError: no weights, a part of them missing, or a file that is cut off or none.
    """
    folder = Path(folder)
    files = sorted(folder.glob("*.safetensors"))
    if not files:
        raise UserError(f"no safetensors weights in {folder}: download or convert them again")
    for index in folder.glob("*.safetensors.index.json"):
        due = set(json.loads(index.read_text(encoding="utf-8")).get("weight_map", {}).values())
        for part in sorted(due):
            if not (folder / part).exists():
                raise UserError(f"{folder / part} is missing: download it again")
    return sum(map(_counted, files))


def _counted(path: Path) -> int:
    try:
        with path.open("rb") as stream:
            length = int.from_bytes(stream.read(_LENGTH), "little")
            header = json.loads(stream.read(min(length, _LONGEST)))
        header.pop("__metadata__", None)
        end = max((tensor["data_offsets"][1] for tensor in header.values()), default=0)
        whole = path.stat().st_size == _LENGTH + length + end
        count = sum(math.prod(tensor["shape"]) for tensor in header.values())
    except (OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError, MemoryError):
        whole, count = False, 0
    if what := what_is(path):
        raise UserError(f"{path} is {what}")
    if not whole:
        raise UserError(f"{path} is no safetensors file, or cut off: download it again")
    return count


def folder_digest(path: str | Path) -> str:
    """Return 16 hex digits of the SHA-256 of a checkpoint: its JSON and safetensors files.

    Args:
        path: the checkpoint's folder, or the checkpoint where it is one file.
    """
    path = Path(path)
    files = [path] if path.is_file() else {f for kind in FILES for f in path.glob(kind)}
    digest = hashlib.sha256()
    for file in sorted(files):
        if not file.name.startswith("."):
            digest.update(file.name.encode() + b"\0")
            with file.open("rb") as stream:
                digest.update(hashlib.file_digest(stream, "sha256").digest())
    return digest.hexdigest()[:16]


def damaged_file(folder: Path) -> Path:
    """Return the first safetensors file of ``folder`` that cannot be opened, else the folder."""
    from safetensors import SafetensorError, safe_open

    for path in sorted(folder.glob("*.safetensors")):
        try:
            with safe_open(path, framework="pt"):
                pass
        except (SafetensorError, OSError):
            return path
    return folder


def stated_parameters(words: str) -> float | None:
    """Return the number that the catalogue's words for a model's parameters begin with.

    >>> stated_parameters("151 M"), stated_parameters("not published")
    (151000000.0, None)
    """
    match = re.match(r"([\d.]+) ?([MB])\b", words)
    return float(match[1]) * {"M": 1e6, "B": 1e9}[match[2]] if match else None
