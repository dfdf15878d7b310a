"""The classes of the study: Cityscapes' 19, their names in language, and which are critical.

Class order, names and palette are those of the official Cityscapes label table (Cordts et al.
2016).
The critical classes and the mapping from *person* to pedestrian and *rider* to cyclist follow
Sections 3.4 and 4.2 of the paper.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from vlmis_utils.core.errors import UserError, closest

__all__ = [
    "CRITICAL_CLASSES", "IGNORE", "LANGUAGE_CLASSES", "LANGUAGE_NAMES", "MIN_SHARE",
    "OBJECT_CLASSES", "PALETTE", "PRESENCE_CLASSES", "TRAIN_CLASSES", "check_classes",
    "check_critical", "pixel_counts", "present_classes",
]  # fmt: skip

TRAIN_CLASSES: tuple[str, ...] = (
    "road", "sidewalk", "building", "wall", "fence", "pole", "traffic light", "traffic sign",
    "vegetation", "terrain", "sky", "person", "rider", "car", "truck", "bus", "train",
    "motorcycle", "bicycle",
)  # fmt: skip

IGNORE = 255

PALETTE = np.array(
    [
        [128, 64, 128], [244, 35, 232], [70, 70, 70], [102, 102, 156], [190, 153, 153],
        [153, 153, 153], [250, 170, 30], [220, 220, 0], [107, 142, 35], [152, 251, 152],
        [70, 130, 180], [220, 20, 60], [255, 0, 0], [0, 0, 142], [0, 0, 70],
        [0, 60, 100], [0, 80, 100], [0, 0, 230], [119, 11, 32],
    ],
    dtype=np.uint8,
)  # fmt: skip

# Cityscapes' "rider" is anyone on a bicycle or motorcycle; language says "cyclist" (Section 4.2).
LANGUAGE_NAMES: dict[str, str] = {
    name: {"person": "pedestrian", "rider": "cyclist"}.get(name, name) for name in TRAIN_CLASSES
}
LANGUAGE_CLASSES: tuple[str, ...] = tuple(LANGUAGE_NAMES.values())

# Countable things: the vocabulary of HR and COR, and of the contrastive models' Top-K.
OBJECT_CLASSES: tuple[str, ...] = (
    "pedestrian", "cyclist", "car", "truck", "bus", "train", "motorcycle", "bicycle",
    "traffic light", "traffic sign",
)  # fmt: skip

# The presence prompts: the eight keys of the paper's Figure 4, and the cyclist of Section 4.2.
PRESENCE_CLASSES: tuple[str, ...] = (
    "car", "truck", "bus", "motorcycle", "bicycle", "pedestrian", "cyclist", "traffic light",
    "traffic sign",
)  # fmt: skip

CRITICAL_CLASSES: tuple[str, ...] = ("pedestrian", "cyclist", "traffic light", "traffic sign")

# A class counts as present when its visible pixels reach this share of the image
# (52 pixels at 256x512, 839 at 1024x2048): below it no model, and few people, could name it.
MIN_SHARE = 0.0004


def pixel_counts(labels: np.ndarray) -> np.ndarray:
    """Count the pixels of each train class in a label map.

    Args:
        labels: train ids, uint8 (H, W), 255 = ignore.

    Returns:
        int64 (19,).
    """
    return np.bincount(labels.ravel(), minlength=256)[: len(TRAIN_CLASSES)].astype(np.int64)


def present_classes(
    counts: np.ndarray | list[int], total: int, min_share: float = MIN_SHARE
) -> frozenset[str]:
    """Return the language classes whose pixels reach ``min_share`` of an image of ``total`` pixels.

    >>> counts = np.zeros(19, dtype=int); counts[[0, 11]] = 1000, 3
    >>> present_classes(counts, 100 * 100) == {"road"}
    True
    """
    floor = max(1.0, min_share * total)
    return frozenset(
        LANGUAGE_CLASSES[index] for index, count in enumerate(counts) if count >= floor
    )


def check_classes(
    names: Iterable[str], known: tuple[str, ...] = LANGUAGE_CLASSES
) -> tuple[str, ...]:
    """Return ``names`` as a tuple, or raise `UserError` that names the unknown class."""
    names = tuple(names)
    for name in names:
        if name not in known:
            raise UserError(f"unknown class {name!r}{closest(name, known)}")
    return names


def check_critical(names: Iterable[str]) -> None:
    """Refuse critical classes that no answer can mention: their omission would be certain.

    Raises:
        UserError: an unknown class, or one that is not of `OBJECT_CLASSES`.

    >>> check_critical(["pedestrian", "traffic light"])
    """
    for name in check_classes(names):
        if name not in OBJECT_CLASSES:
            raise UserError(
                f"critical_classes: {name!r} cannot be mentioned, so every answer would omit it; "
                f"choose among {', '.join(OBJECT_CLASSES)}"
            )
