"""Which datasets there are, their splits, and which classes their labels can show."""

from __future__ import annotations

from pathlib import Path

from vlmis_utils.core.errors import UserError, closest
from vlmis_utils.protocol.class_map import load_class_map
from vlmis_utils.protocol.classes import LANGUAGE_CLASSES, LANGUAGE_NAMES

__all__ = ["CAMVID_CLASSES", "CAMVID_DUSK", "CAMVID_EXCLUDED", "DATASETS", "DATASET_NAMES",
           "NOT_RENDERED", "SPLITS", "annotated_classes", "check_dataset"]  # fmt: skip

SPLITS: tuple[str, ...] = ("train", "val", "test")
NOT_RENDERED = (
    "streetworld is rendered at 256 x 512 pixels, a size is for frames on disk: remove it"
)
# Dataset -> how readers know it.
DATASET_NAMES: dict[str, str] = {
    "streetworld": "StreetWorld",
    "cityscapes": "Cityscapes",
    "camvid": "CamVid",
    "folder": "a folder of photographs",
}
DATASETS: tuple[str, ...] = tuple(DATASET_NAMES)

# CamVid's eleven labels in order from 0, each with the train class it becomes; 11 is unlabelled
# (Badrinarayanan, Kendall and Cipolla, PAMI 39, 2017).
CAMVID_CLASSES: dict[str, str] = {
    "Sky": "sky",
    "Building": "building",
    "Pole": "pole",
    "Road": "road",
    "Pavement": "sidewalk",
    "Tree": "vegetation",
    "SignSymbol": "traffic sign",
    "Fence": "fence",
    "Car": "car",
    "Pedestrian": "person",
    "Bicyclist": "rider",
}

# The recording that was driven at dusk; the others were driven by day (Brostow, Fauqueur and
# Cipolla, Pattern Recognition Letters 30, 2009). A frame's name begins with it.
CAMVID_DUSK = "0001TP"

# Language classes with no label of their own in CamVid. Such objects are drawn as a neighbour class
# (a bicycle as Bicyclist, one region with its rider; a traffic light as SignSymbol) or unlabelled,
# so whether one is in the picture cannot be known: they are left out of every mean, and never count
# as missed.
CAMVID_EXCLUDED: frozenset[str] = frozenset(LANGUAGE_CLASSES) - {
    LANGUAGE_NAMES[train] for train in CAMVID_CLASSES.values()
}


def annotated_classes(name: str, class_map: str | Path | None = None) -> frozenset[str]:
    """Return the language classes that a dataset's labels can show.

    A class outside is never present there, however many there are in the pictures: leave it out of
    the vocabulary when hallucinations are counted, and out of every mean over classes.

    Args:
        name: one of `DATASETS`.
        class_map: that of a folder.

    Raises:
        UserError: an unknown dataset, or a class map that is wrong, missing or not used.

    >>> "truck" in annotated_classes("cityscapes"), "truck" in annotated_classes("camvid")
    (True, False)
    """
    check_dataset(name, class_map)
    if class_map is not None:
        return load_class_map(class_map).annotated
    excluded = CAMVID_EXCLUDED if name == "camvid" else frozenset()
    return frozenset(LANGUAGE_CLASSES) - excluded


def check_dataset(name: str, class_map: str | Path | None) -> None:
    """Check that a dataset is known and comes with a class map if, and only if, it needs one.

    Raises:
        UserError: it is not, or does not.
    """
    if name not in DATASETS:
        raise UserError(f"unknown dataset {name!r}{closest(name, DATASETS)}")
    if name == "folder" and class_map is None:
        raise UserError(
            "dataset folder needs class_map: a file such as params/class_maps/bdd100k.yaml"
        )
    if name != "folder" and class_map is not None:
        raise UserError(f"class_map is for 'dataset: folder'; {name} has its own: remove it")
