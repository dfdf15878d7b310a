"""Datasets in miniature, written in the layout in which the real ones are distributed.

Cityscapes' licence forbids passing it on, so tests that need its folders write their own: scenes of
StreetWorld enlarged to 1024 x 2048 pixels, their labels in the official ids.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from vlmis_utils.datasets.cityscapes import TRAIN_IDS
from vlmis_utils.datasets.registry import open_dataset
from vlmis_utils.protocol.classes import IGNORE

__all__ = ["CITIES", "make_cityscapes", "official_ids", "save"]

CITIES = ("frankfurt", "lindau", "munster")
HEIGHT, WIDTH = 1024, 2048
OUT_OF_ROI = 3


def make_cityscapes(
    root: Path,
    scenes: int = 3,
    split: str = "val",
    size: tuple[int, int] = (HEIGHT, WIDTH),
    labels: Sequence[str] = ("labelIds",),
) -> Path:
    """Write a miniature Cityscapes and return its folder.

    Args:
        root: folder for ``leftImg8bit`` and ``gtFine``.
        scenes: how many, dealt out to `CITIES` in turn.
        split: ``train`` or ``val``.
        size: height and width.
        labels: which label maps: ``labelIds``, ``labelTrainIds``, ``instanceIds``.
    """
    for number, scene in enumerate(open_dataset("streetworld", split="val", limit=scenes)):
        city = CITIES[number % len(CITIES)]
        stem = f"{split}/{city}/{city}_{number:06d}_000019"
        picture = Image.fromarray(scene.image()).resize(size[::-1], Image.Resampling.BICUBIC)
        save(np.asarray(picture), root / f"leftImg8bit/{stem}_leftImg8bit.png")
        train, things = enlarged(scene.labels(), size), enlarged(scene.instances(), size)
        ids = official_ids(train)
        counted = (ids >= 24) & (things > 0)
        maps = {
            "labelIds": ids,
            "labelTrainIds": train,
            "instanceIds": np.where(counted, 1000 * ids.astype(np.int32) + things, ids).astype(
                np.uint16
            ),
        }
        for kind in labels:
            save(maps[kind], root / f"gtFine/{stem}_gtFine_{kind}.png")
    return root


def official_ids(train: np.ndarray) -> np.ndarray:
    """Return train ids as official label ids, ignored pixels as "out of roi"."""
    table = np.full(256, OUT_OF_ROI, np.uint8)
    for own, number in TRAIN_IDS.items():
        if number != IGNORE:
            table[number] = own
    return table[train]


def enlarged(array: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Return a map at another size, each pixel the nearest of the old ones."""
    rows = np.arange(size[0]) * array.shape[0] // size[0]
    columns = np.arange(size[1]) * array.shape[1] // size[1]
    return np.ascontiguousarray(array[rows][:, columns])


def save(array: np.ndarray, path: Path) -> None:
    """Write an array as an image, with its folders."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array).save(path)
