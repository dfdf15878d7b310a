"""Scenes that lie on disk as an image file and a label-map file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
from PIL import Image

from vlmis_utils.core.errors import RunError
from vlmis_utils.core.sniff import what_is
from vlmis_utils.protocol.class_map import UNKNOWN
from vlmis_utils.protocol.classes import pixel_counts, present_classes
from vlmis_utils.protocol.ground_corridor import Camera, ground_rule
from vlmis_utils.protocol.image_corridor import image_rule
from vlmis_utils.protocol.timing import InTime

__all__ = ["PHOTOGRAPHS", "FileScene", "turned"]

# Endings of photographs, in lower case.
PHOTOGRAPHS: tuple[str, ...] = (".png", ".jpg", ".jpeg")

_SHOWN = 12

# How a camera was held, EXIF tag 274 -> what makes the picture upright (EXIF 2.32, 4.6.4 A).
_ORIENTATION = 274
_SMOOTH = Image.Resampling.BILINEAR
_TURNS: dict[int, Image.Transpose] = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


@dataclass(frozen=True)
class FileScene:
    """One scene of a dataset on disk; files are read when asked for.

    Attributes:
        scene_id: unique name.
        image_path: an RGB image of any format that Pillow reads; an EXIF orientation is applied.
        label_path: a one-channel label map of the upright image's size.
        table: int16, the train id of each value in the label map; see `protocol.class_map`.
        remedy: completes the message about a value that the table does not know.
        size: height and width to which image (bilinear, antialiased) and labels (nearest
            neighbour) are brought; None leaves them as they are.
        camera: that took the photograph; None where it is not known.
        in_time: where it stands in its sequence; None for a single picture.
    """

    scene_id: str
    image_path: Path
    label_path: Path
    table: np.ndarray = field(repr=False, compare=False)
    remedy: str = field(default="", repr=False, compare=False)
    size: tuple[int, int] | None = None
    camera: Camera | None = None
    in_time: InTime | None = None

    def image(self) -> np.ndarray:
        """Read the image, upright: uint8 (H, W, 3), RGB.

        Raises:
            RunError: the file is missing, damaged, no image, or has 16 bits a channel.
        """
        if _read(self.image_path, _is_wide, header_only=True):
            raise RunError(f"{self.image_path} has 16 bits a channel: save it with 8")
        return _read(self.image_path, lambda picture: np.asarray(self._upright(picture)))

    def _upright(self, picture: Image.Image) -> Image.Image:
        picture = _turned(picture).convert("RGB")
        return picture if self.size is None else picture.resize(self.size[::-1], _SMOOTH)

    def labels(self) -> np.ndarray:
        """Read the label map: train ids, uint8 (H, W), 255 = ignore.

        Raises:
            RunError: the file is missing, damaged, not a one-channel map, of another size than the
                image, or holds a value that the dataset does not define.
        """
        path = self.label_path
        ids = _read(path, lambda picture: np.asarray(_turned(picture)))
        if ids.ndim != 2:
            raise RunError(
                f"{path} has {ids.shape[-1]} channels: give a label map with one (ids, not colours)"
            )
        if ids.dtype.kind not in "bui":
            raise RunError(f"{path} holds {ids.dtype} values: give a label map of whole numbers")
        shape, turn = _read(self.image_path, _upright_size, header_only=True)
        if ids.shape != shape:
            how = f" once turned upright (its EXIF orientation is {turn})" if turn in _TURNS else ""
            raise RunError(
                f"{path} is {ids.shape[1]} x {ids.shape[0]} pixels, its image "
                f"{shape[1]} x {shape[0]}{how}: the two must be of one size"
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
        train = train.astype(np.uint8)
        if self.size is None:
            return train
        nearest = Image.Resampling.NEAREST
        return np.asarray(Image.fromarray(train).resize(self.size[::-1], nearest))

    def pixel_counts(self) -> np.ndarray:
        """Count the pixels of each train class: int64 (19,)."""
        return self._facts[0].copy()

    @property
    def present(self) -> frozenset[str]:
        """Language classes that reach `protocol.classes.MIN_SHARE` of the image."""
        return self._facts[1]

    @property
    def safe(self) -> bool:
        """Reference safety label: `ground_rule` where the camera is known, else `image_rule`."""
        return self._facts[2]

    @property
    def safety_reason(self) -> str:
        """Why the scene is safe or unsafe."""
        return self._facts[3]

    @cached_property
    def _facts(self) -> tuple[np.ndarray, frozenset[str], bool, str]:
        labels = self.labels()
        counts = pixel_counts(labels)
        judged = image_rule(labels) if self.camera is None else ground_rule(labels, self.camera)
        return counts, present_classes(counts, labels.size), *judged


def turned(scenes: Sequence[object]) -> str:
    """Return a sentence about images on disk that their EXIF orientation turns; empty of none.

    Only headers are read. Files that do not open are left out, as reading their scene names them.
    """
    found = []
    files = [scene.image_path for scene in scenes if isinstance(scene, FileScene)]
    for path in files:
        try:
            with Image.open(path) as picture:
                if _orientation(picture) in _TURNS:
                    found.append(path)
        except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
            continue
    if not found:
        return ""
    return (
        f"{len(found)} of {len(files)} images carry an EXIF orientation and are turned or mirrored "
        f"as it says ({found[0]}{', ...' if found[1:] else ''})"
    )


def _orientation(picture: Image.Image) -> int:
    """Return a picture's EXIF orientation; 1, upright, where it has none or a damaged one."""
    try:
        return int(picture.getexif().get(_ORIENTATION, 1))
    except Exception:  # EXIF is free-form bytes: Pillow raises what its parts raise
        return 1


def _turned(picture: Image.Image) -> Image.Image:
    turn = _TURNS.get(_orientation(picture))
    return picture if turn is None else picture.transpose(turn)


def _upright_size(picture: Image.Image) -> tuple[tuple[int, int], int]:
    """Return height and width of a picture once it is upright, and its orientation."""
    turn = _orientation(picture)
    return (picture.size if turn >= 5 and turn in _TURNS else picture.size[::-1]), turn


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
        if what := what_is(path):
            raise RunError(f"{path} is {what}") from error
        reason = " ".join(str(error).replace(str(path), "").split())
        raise RunError(f"cannot read {path} ({reason}): copy or download it again") from error
