"""What scenes and frames of StreetWorld share: arrays in the cache, and counts of their labels."""

from __future__ import annotations

import os
import zipfile
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vlmis_utils.protocol.classes import pixel_counts, present_classes
from vlmis_utils.streetworld.world import Frame

__all__ = ["UNREADABLE", "Rendered", "arrays_of", "cache_root", "depth_of", "write_arrays"]

# What reading a missing or damaged file raises.
UNREADABLE = (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile)


def cache_root() -> Path:
    """Where rendered frames are kept: $VLMIS_CACHE or build/cache."""
    return Path(os.environ.get("VLMIS_CACHE") or Path("build") / "cache")


class Rendered(ABC):
    """A rendered picture with labels; its kinds say where they come from."""

    @abstractmethod
    def labels(self) -> NDArray[np.uint8]:
        """Train ids, uint8 (H, W)."""

    def pixel_counts(self) -> NDArray[np.int64]:
        """Pixels of each train class, int64 (19,)."""
        return pixel_counts(self.labels())

    @property
    def present(self) -> frozenset[str]:
        """Language classes that reach `protocol.classes.MIN_SHARE` of the image."""
        labels = self.labels()
        return present_classes(pixel_counts(labels), labels.size)


def arrays_of(frame: Frame) -> dict[str, np.ndarray]:
    """Return a frame as the arrays that are kept of it; depth in half precision, -1 for the sky."""
    depth = np.where(np.isfinite(frame.depth), frame.depth, -1).astype(np.float16)
    return {
        "image": frame.image, "labels": frame.labels, "instances": frame.instances.astype(np.int16),
        "depth": depth, "safe": np.bool_(frame.safe), "reason": np.str_(frame.safety_reason),
    }  # fmt: skip


def depth_of(kept: np.ndarray) -> NDArray[np.float32]:
    """Return metres, inf for the sky, from depth as `arrays_of` keeps it."""
    depth = kept.astype(np.float32)
    depth[depth < 0] = np.inf
    return depth


def write_arrays(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write named arrays as one ``.npz``, lightly packed, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with zipfile.ZipFile(draft, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w") as stream:
                np.lib.format.write_array(stream, np.asanyarray(array), allow_pickle=False)
    draft.replace(path)
