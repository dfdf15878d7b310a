"""Scenes that lie on disk as an image file and a label-map file."""

from __future__ import annotations

import hashlib
import os
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TypeVar

import numpy as np
from PIL import Image

from vlmis_utils.errors import RunError, UserError
from vlmis_utils.taxonomy import IGNORE, pixel_counts, present_classes

__all__ = ["FileScene", "dataset_folder", "label_table", "stratified"]

Item = TypeVar("Item")

# Marks a value that a label table does not know.
_UNKNOWN = -1


@dataclass(frozen=True)
class FileScene:
    """One scene of a dataset on disk; files are read when asked for.

    Attributes:
        scene_id: unique name.
        image_path: an RGB image of any format that Pillow reads.
        label_path: a one-channel label map of the image's size.
        table: int16 (256,), the train id of each value in the label map; see `label_table`.
    """

    scene_id: str
    image_path: Path
    label_path: Path
    table: np.ndarray = field(repr=False, compare=False)

    def image(self) -> np.ndarray:
        """Read the image: uint8 (H, W, 3), RGB.

        Raises:
            RunError: the file is missing, damaged or no image.
        """
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
        width, height = _read(self.image_path, lambda picture: picture.size, header_only=True)
        if ids.shape != (height, width):
            raise RunError(
                f"{path} is {ids.shape[1]} x {ids.shape[0]} pixels, its image {width} x {height}: "
                "the two must be of one size"
            )
        values = np.flatnonzero(np.bincount(ids.ravel().astype(np.int64)))
        wrong = [v for v in values.tolist() if v >= len(self.table) or self.table[v] == _UNKNOWN]
        if wrong:
            raise RunError(f"{path} holds the value {wrong[0]}, which is no label of this dataset")
        return self.table[ids].astype(np.uint8)

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
        from vlmis_utils.safety import image_rule

        labels = self.labels()
        counts = pixel_counts(labels)
        return counts, present_classes(counts, labels.size), *image_rule(labels)


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


def label_table(train_ids: Mapping[int, int]) -> np.ndarray:
    """Return a lookup table from a dataset's own ids to train ids.

    Args:
        train_ids: own id (0 to 255) -> train id (or 255); every id that may occur.

    Returns:
        int16 (256,), -1 where the dataset defines nothing.
    """
    table = np.full(256, _UNKNOWN, dtype=np.int16)
    for own, train in train_ids.items():
        table[own] = train
    table[IGNORE] = IGNORE
    return table


def dataset_folder(name: str, root: str | Path | None, variable: str, parts: Sequence[str]) -> Path:
    """Return the folder of a dataset, checked to hold ``parts``.

    Args:
        name: of the dataset, for the message.
        root: the folder, or None to take it from the environment.
        variable: name of that environment variable.
        parts: folders inside that must exist.

    Raises:
        UserError: no folder given, or a part of it missing.
    """
    root = root or os.environ.get(variable)
    if not root:
        raise UserError(f"{name} needs its folder: set data_root, or the variable {variable}")
    folder = Path(root).expanduser()
    if not folder.is_dir():
        raise UserError(f"no folder {folder}: set data_root (or {variable}) to that of {name}")
    for part in parts:
        if not (folder / part).is_dir():
            raise UserError(
                f"{folder} is not in the layout of {name}: the folder {folder / part} is missing"
            )
    return folder


def stratified(
    items: Sequence[Item], limit: int | None, seed: int, *, key: Callable[[Item], tuple[str, str]]
) -> list[Item]:
    """Choose ``limit`` items so that each stratum keeps its share, to within one item or so.

    Each stratum is shuffled and spread evenly over the unit interval, and the items that lie first
    are taken: a smaller limit chooses a part of what a larger one chooses, on every machine.

    Args:
        items: what to choose from.
        limit: how many; all when None or more than there are.
        seed: of the shuffle.
        key: gives an item's stratum and its name.

    Returns:
        the chosen items, ordered by name.

    >>> towns = [f"{town}{number}" for town in "ab" for number in range(6 if town == "a" else 3)]
    >>> chosen = stratified(towns, 3, 0, key=lambda item: (item[0], item))
    >>> [item[0] for item in chosen]
    ['a', 'a', 'b']
    """
    strata: dict[str, list[tuple[int, Item]]] = defaultdict(list)
    for item in items:
        stratum, name = key(item)
        draw = hashlib.sha256(f"{seed}/{stratum}/{name}".encode()).digest()
        strata[stratum].append((int.from_bytes(draw[:8], "big"), item))
    ranked = []
    for drawn in strata.values():
        for rank, (draw, item) in enumerate(sorted(drawn, key=lambda pair: pair[0])):
            ranked.append(((rank + 0.5) / len(drawn), draw, item))
    ranked.sort(key=lambda entry: entry[:2])
    return sorted((item for _, _, item in ranked[:limit]), key=lambda item: key(item)[1])
