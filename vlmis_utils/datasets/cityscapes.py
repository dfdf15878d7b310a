"""Cityscapes in its official folder layout (Cordts et al., CVPR 2016); Section 5.1 of the paper.

The files of one scene::

    <root>/leftImg8bit/<split>/<city>/<city>_<sequence>_<frame>_leftImg8bit.png
    <root>/gtFine/<split>/<city>/<city>_<sequence>_<frame>_gtFine_labelIds.png

Where there are no label ids, ``_gtFine_labelTrainIds.png`` (made by the official scripts) does as
well, or else ``_gtFine_instanceIds.png``, which holds the label id and, in the thousands, that of
an object. Nothing here tells objects of a class apart.

A folder with ``images/<split>`` and ``labels/<split>`` in its place holds the same scenes in the
layout of `datasets.folder`, with train ids as labels: a part of the data, at any size.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from vlmis_utils.core.errors import UserError
from vlmis_utils.datasets.files import FileScene
from vlmis_utils.datasets.folder import read_folder
from vlmis_utils.datasets.layout import by_name, dataset_folder, paired, stratified
from vlmis_utils.protocol.class_map import ClassMap, label_table
from vlmis_utils.protocol.classes import IGNORE, TRAIN_CLASSES

__all__ = ["LABEL_IDS", "TRAIN_IDS", "VARIABLE", "open_cityscapes"]

VARIABLE = "CITYSCAPES_DATASET"

# The official label ids, in order from 0; "license plate" has id -1 and is stored as 255.
LABEL_IDS: tuple[str, ...] = (
    "unlabeled", "ego vehicle", "rectification border", "out of roi", "static", "dynamic",
    "ground", "road", "sidewalk", "parking", "rail track", "building", "wall", "fence",
    "guard rail", "bridge", "tunnel", "pole", "polegroup", "traffic light", "traffic sign",
    "vegetation", "terrain", "sky", "person", "rider", "car", "truck", "bus", "caravan",
    "trailer", "train", "motorcycle", "bicycle",
)  # fmt: skip

# A label that is a train class keeps its name; every other one is ignored in evaluation.
TRAIN_IDS: dict[int, int] = {
    number: TRAIN_CLASSES.index(name) if name in TRAIN_CLASSES else IGNORE
    for number, name in enumerate(LABEL_IDS)
}

# Pixels of an object have 1000 times the label id, plus the object's number, in instanceIds.
_OBJECTS = range(LABEL_IDS.index("person"), len(LABEL_IDS))
_INSTANCES: dict[int, int] = TRAIN_IDS | {
    1000 * label + number: TRAIN_IDS[label] for label in _OBJECTS for number in range(1000)
}

_IMAGE = "_leftImg8bit.png"
# Label maps by the end of their name, the first that a scene has is read.
_LABELS: dict[str, dict[int, int]] = {
    "_gtFine_labelIds.png": TRAIN_IDS,
    "_gtFine_labelTrainIds.png": {number: number for number in range(len(TRAIN_CLASSES))},
    "_gtFine_instanceIds.png": _INSTANCES,
}
_TRAIN_ID_MAP = ClassMap({number: name for number, name in enumerate(TRAIN_CLASSES)})
_REMEDY = "unpack leftImg8bit and gtFine again, whole, into one folder"


def open_cityscapes(
    root: str | Path | None = None,
    split: str = "val",
    limit: int | None = None,
    seed: int = 0,
    size: tuple[int, int] | None = None,
) -> list[FileScene]:
    """Open a split of Cityscapes; called through `datasets.registry.open_dataset`.

    Args:
        root: folder with ``leftImg8bit`` and ``gtFine``, or with ``images`` and ``labels``; by
            default $CITYSCAPES_DATASET.
        split: ``train`` or ``val``; ``test`` too where the folder has it in the second layout.
        limit: at most so many scenes, a seeded choice in which each city keeps its share.
        seed: of the choice.
        size: as of `datasets.files.FileScene`.

    Returns:
        scenes ordered by name, ``cityscapes-<split>-<city>_<seq>_<frame>``, of 1024 x 2048 pixels
        in the official layout.

    Raises:
        UserError: a wrong folder, no images in it, images without label maps or the reverse.
    """
    given = Path(root or os.environ.get(VARIABLE) or "").expanduser()
    if (
        all((given / part).is_dir() for part in ("images", "labels"))
        and not (given / "leftImg8bit").is_dir()
    ):
        return read_folder(
            given, _TRAIN_ID_MAP, "the label maps", "cityscapes", split, limit, seed, size,
            stratum=lambda name: name.rpartition("/")[2].split("_")[0],
        )  # fmt: skip
    if split == "test" and (given / "leftImg8bit").is_dir():
        raise UserError(
            "cityscapes has no split 'test': its labels are not public (known: train, val)"
        )
    folder = dataset_folder("cityscapes", root, VARIABLE, [f"leftImg8bit/{split}"])
    places = folder / "leftImg8bit" / split, folder / "gtFine" / split
    images = _by_scene(places[0], _IMAGE)
    if not images:
        raise UserError(f"no image <city>/*{_IMAGE} in {places[0]}: unpack leftImg8bit there")
    labels: dict[str, Path] = {}
    tables: dict[str, np.ndarray] = {}
    for end, train_ids in reversed(_LABELS.items()):
        found = _by_scene(places[1], end)
        labels |= found
        tables |= dict.fromkeys(found, label_table(train_ids))
    if not labels:
        raise UserError(
            f"{places[0]} holds images without labels ({places[1]} has no label map): which "
            "classes are present and whether a scene is safe is read from labels, so unpack "
            "gtFine_trainvaltest.zip beside leftImg8bit"
        )
    cities = {name: path.parent.name for name, path in (labels | images).items()}
    names = paired(images, labels, places, _REMEDY, group=lambda name: cities[name])
    return [
        FileScene(f"cityscapes-{split}-{name}", images[name], labels[name], tables[name], size=size)
        for name in stratified(names, limit, seed, key=lambda name: (cities[name], name))
    ]


def _by_scene(folder: Path, end: str) -> dict[str, Path]:
    """Return <city>_<sequence>_<frame> -> file for the files of all cities with this ending."""
    return by_name(
        (path.name.removesuffix(end), path)
        for path in folder.glob(f"*/*{end}")
        if path.is_file() and not path.name.startswith(".")
    )
