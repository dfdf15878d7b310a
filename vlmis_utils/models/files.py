"""What both kinds of local VLM check about a checkpoint folder."""

from __future__ import annotations

from pathlib import Path

__all__ = ["damaged_file"]


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
