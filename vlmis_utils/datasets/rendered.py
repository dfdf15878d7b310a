"""What scenes and frames of StreetWorld share: arrays in the cache, and what is read of them."""

from __future__ import annotations

import os
import zipfile
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vlmis_utils.protocol.classes import pixel_counts, present_classes
from vlmis_utils.streetworld.world import Frame

__all__ = ["Rendered", "arrays_of", "cache_root", "depth_of", "write_arrays"]

# What reading a missing or damaged file raises.
_UNREADABLE = (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile)


def cache_root() -> Path:
    """Where rendered frames are kept: $VLMIS_CACHE or build/cache."""
    return Path(os.environ.get("VLMIS_CACHE") or Path("build") / "cache")


class Rendered(ABC):
    """A rendered picture: made when first looked at, then read from the cache, only what is asked.

    A missing or damaged file is rendered again.
    """

    @property
    @abstractmethod
    def path(self) -> Path:
        """The picture's file in the cache."""

    @abstractmethod
    def render(self) -> dict[str, np.ndarray]:
        """Render the arrays that are kept, those of `arrays_of` among them."""

    def read(self, *names: str) -> dict[str, np.ndarray]:
        """Return some of the arrays that are kept; the others are not unpacked."""
        try:
            return _unpacked(self.path, names)
        except _UNREADABLE:
            write_arrays(self.path, self.render())
            return _unpacked(self.path, names)

    def image(self) -> NDArray[np.uint8]:
        """The picture, uint8 (H, W, 3) sRGB."""
        return self.read("image")["image"]

    def labels(self) -> NDArray[np.uint8]:
        """Train ids, uint8 (H, W), 255 = ignore."""
        return self.read("labels")["labels"]

    def instances(self) -> NDArray[np.int32]:
        """Instance numbers, int32 (H, W), 0 = none."""
        return self.read("instances")["instances"].astype(np.int32)

    def depth(self) -> NDArray[np.float32]:
        """Depth in metres, float32 (H, W), kept in half precision; inf = sky."""
        return depth_of(self.read("depth")["depth"])

    @property
    def safe(self) -> bool:
        """The safety label."""
        return bool(self.read("safe")["safe"])

    @property
    def safety_reason(self) -> str:
        """Why, for example "pedestrian in corridor at 9.3 m", "red light" or "clear"."""
        return str(self.read("reason")["reason"])

    def pixel_counts(self) -> NDArray[np.int64]:
        """Pixels of each train class, int64 (19,)."""
        return pixel_counts(self.labels())

    @property
    def present(self) -> frozenset[str]:
        """Language classes that reach `protocol.classes.MIN_SHARE` of the image."""
        labels = self.labels()
        return present_classes(pixel_counts(labels), labels.size)


def _unpacked(path: Path, names: Iterable[str]) -> dict[str, np.ndarray]:
    with path.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
        return {name: file[name] for name in names}


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
