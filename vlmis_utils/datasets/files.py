"""Scenes that lie on disk as an image file and a label-map file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
from PIL import Image

from vlmis_utils.core.errors import RunError
from vlmis_utils.protocol.class_map import UNKNOWN
from vlmis_utils.protocol.classes import pixel_counts, present_classes

__all__ = ["PHOTOGRAPHS", "FileScene"]

# Endings of photographs, in lower case.
PHOTOGRAPHS: tuple[str, ...] = (".png", ".jpg", ".jpeg")

_SHOWN = 12


@dataclass(frozen=True)
class FileScene:
    """One scene of a dataset on disk; files are read when asked for.

    Attributes:
        scene_id: unique name.
        image_path: an RGB image of any format that Pillow reads.
        label_path: a one-channel label map of the image's size.
        table: int16, the train id of each value in the label map; see `protocol.class_map`.
        remedy: completes the message about a value that the table does not know.
    """

    scene_id: str
    image_path: Path
    label_path: Path
    table: np.ndarray = field(repr=False, compare=False)
    remedy: str = field(default="", repr=False, compare=False)

    def image(self) -> np.ndarray:
        """Read the image: uint8 (H, W, 3), RGB.

        Raises:
            RunError: the file is missing, damaged, no image, or has 16 bits a channel.
        """
        if _read(self.image_path, _is_wide, header_only=True):
            raise RunError(f"{self.image_path} has 16 bits a channel: save it with 8")
        return _read(self.image_path, lambda picture: np.asarray(picture.convert("RGB")))

    def labels(self) -> np.ndarray:
        """Read the label map: train ids, uint8 (H, W), 255 = ignore.

        Raises:
            RunError: the file is missing, damaged, not a one-channel map, of another size than the
                image, or holds a value that the dataset does not define.
        """
        path = self.label_path
        ids = _read(path, np.asarray)
        if ids.ndim != 2:
            raise RunError(
                f"{path} has {ids.shape[-1]} channels: give a label map with one (ids, not colours)"
            )
        if ids.dtype.kind not in "bui":
            raise RunError(f"{path} holds {ids.dtype} values: give a label map of whole numbers")
        width, height = _read(self.image_path, lambda picture: picture.size, header_only=True)
        if ids.shape != (height, width):
            raise RunError(
                f"{path} is {ids.shape[1]} x {ids.shape[0]} pixels, its image {width} x {height}: "
                "the two must be of one size"
            )
        wrong = ids[(ids < 0) | (ids >= len(self.table))]
        if not wrong.size:
            train = self.table[ids.astype(np.int64)]
            wrong = ids[train == UNKNOWN]
        if wrong.size:
            values = np.unique(wrong)
            some = ", ".join(map(str, values[:_SHOWN])) + (", ..." if len(values) > _SHOWN else "")
            them = "value" if len(values) == 1 else "values"
            raise RunError(f"{path} holds the {them} {some}, no label of this dataset{self.remedy}")
        return train.astype(np.uint8)

    def pixel_counts(self) -> np.ndarray:
        """Count the pixels of each train class: int64 (19,)."""
        return self._facts[0].copy()

    @property
    def present(self) -> frozenset[str]:
        """Language classes that reach `taxonomy.MIN_SHARE` of the image."""
        return self._facts[1]

    @property
    def safe(self) -> bool:
        """Reference safety label by `safety.image_rule`."""
        return self._facts[2]

    @property
    def safety_reason(self) -> str:
        """Why the scene is safe or unsafe."""
        return self._facts[3]

    @cached_property
    def _facts(self) -> tuple[np.ndarray, frozenset[str], bool, str]:
        from vlmis_utils.protocol.safety_label import image_rule

        labels = self.labels()
        counts = pixel_counts(labels)
        return counts, present_classes(counts, labels.size), *image_rule(labels)


def _is_wide(picture: Image.Image) -> bool:
    """Whether a picture just opened has 16 bits a channel or more, of which Pillow drops half."""
    stored = str(picture.tile[0][3]) if picture.tile else ""
    return picture.mode in ("I", "F") or ";16" in picture.mode or ";16" in stored


def _read(path: Path, use: Callable[[Image.Image], object], header_only: bool = False) -> object:
    """Open an image file, check that all of it is there, and return ``use`` of it."""
    try:
        with Image.open(path) as picture:
            if not header_only:
                picture.load()
            return use(picture)
    except FileNotFoundError as error:
        raise RunError(f"{path} is missing: restore it, or remove its scene") from error
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        reason = " ".join(str(error).replace(str(path), "").split())
        raise RunError(f"cannot read {path} ({reason}): copy or download it again") from error
