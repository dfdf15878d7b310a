"""Measures of segmentation quality Q besides mIoU: what a critic of mIoU would rather look at.

All follow from the recorded confusion counts, and for all of them higher is better. Of an image a
measure is defined where its classes are there: a class counts as present as it does for COR, from
``min_share`` of the image's pixels. Of a condition it is that of the summed counts of its images.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from vlmis_utils.analysis.results import Results
from vlmis_utils.metrics.segmentation import class_counts, class_iou, class_recall, mean_over
from vlmis_utils.protocol.classes import LANGUAGE_NAMES, TRAIN_CLASSES
from vlmis_utils.protocol.conditions import CONDITIONS
from vlmis_utils.protocol.safety_label import ROAD_USERS

__all__ = [
    "Measure", "measures", "quality_measures", "quality_measures_by_condition",
    "score",
]  # fmt: skip


@dataclass(frozen=True)
class Measure:
    """A measure of segmentation quality in [0, 1].

    Attributes:
        name: column of `quality_measures`.
        words: for figures and tables.
        kind: ``iou``, ``recall`` (hits over true pixels) or ``accuracy`` (hits over labelled
            pixels).
        classes: train classes it looks at; pixels of others count as errors only where taken for
            one of these.
        pooled: whether the pixels of all classes are added first; else the mean over classes.
        corridor: whether it looks only into the trapezoid of `image_corridor.corridor_mask`.
    """

    name: str
    words: str
    kind: str
    classes: tuple[str, ...]
    pooled: bool = False
    corridor: bool = False


def measures(critical_classes: Iterable[str]) -> tuple[Measure, ...]:
    """Return the measures, mIoU first.

    Args:
        critical_classes: language classes of COR; each gets its own IoU, all together a recall.

    >>> [m.name for m in measures(["pedestrian"])][:3]
    ['miou', 'iou_person', 'critical_recall']
    """
    wanted = set(critical_classes)
    critical = tuple(c for c in TRAIN_CLASSES if LANGUAGE_NAMES[c] in wanted)
    return (
        Measure("miou", "mIoU", "iou", TRAIN_CLASSES),
        *(Measure(f"iou_{c}", f"{c} IoU", "iou", (c,)) for c in critical),
        Measure("critical_recall", "critical pixel recall", "recall", critical, pooled=True),
        Measure("critical_class_recall", "critical class recall", "recall", critical),
        Measure(
            "corridor_accuracy", "corridor accuracy", "accuracy", TRAIN_CLASSES, True, True
        ),
        Measure(
            "corridor_road_users", "corridor user recall", "recall", ROAD_USERS, True, True
        ),
    )  # fmt: skip


def score(measure: Measure, counts: np.ndarray, floor: np.ndarray | float = 1.0) -> np.ndarray:
    """Return a measure of images, or of sums of images.

    Args:
        measure: which.
        counts: (..., 3, 19), from `metrics.segmentation.class_counts`; of the corridor for a
            measure of the corridor.
        floor: (...) or a number, pixels that make a class present. mIoU and accuracy are over
            every class with a pixel in the truth.

    Returns:
        float64 (...) in [0, 1]; NaN where none of its classes is present.

    >>> counts = np.zeros((3, 19)); counts[:, 11] = 6, 8, 10
    >>> float(score(measures(["pedestrian"])[1], counts))
    0.5
    """
    index = [TRAIN_CLASSES.index(c) for c in measure.classes]
    counts = np.asarray(counts)[..., index]
    hits, truth, _ = np.moveaxis(counts, -2, 0)
    whole = measure.classes == TRAIN_CLASSES
    present = truth >= (1.0 if whole else np.maximum(np.asarray(floor), 1.0)[..., None])
    if measure.pooled:
        known = present.any(axis=-1)
        return hits.sum(axis=-1) / np.where(known, truth.sum(axis=-1), np.nan)
    return mean_over(class_iou(counts) if measure.kind == "iou" else class_recall(counts), present)


def _counts(results: Results) -> pd.DataFrame:
    frame = results.segmentation
    size = len(TRAIN_CLASSES)
    corridor = np.stack(list(frame.corridor_confusion)).reshape(-1, size, size)
    table = frame[["segmenter", "condition", "scene_id"]].copy()
    table["image"] = list(class_counts(np.stack(list(frame.confusion))))
    table["corridor"] = list(class_counts(corridor))
    scenes = results.scenes.set_index("scene_id")
    pixels = (scenes.height * scenes.width).loc[frame.scene_id].to_numpy()
    return table.assign(floor=results.reading.min_share * pixels)


def quality_measures(results: Results) -> pd.DataFrame:
    """Return segmenter, condition, scene_id and a column for each of `measures`, by image."""
    table = _counts(results)
    frame = table[["segmenter", "condition", "scene_id"]].copy()
    for measure in measures(results.reading.critical_classes):
        counts = np.stack(list(table["corridor" if measure.corridor else "image"]))
        frame[measure.name] = score(measure, counts, table.floor.to_numpy())
    return frame


def quality_measures_by_condition(results: Results) -> pd.DataFrame:
    """Return segmenter, condition and the measures of the counts summed over all scenes."""
    table = _counts(results)
    rows = []
    for (segmenter, condition), group in table.groupby(["segmenter", "condition"], sort=False):
        row = {"segmenter": segmenter, "condition": condition}
        for measure in measures(results.reading.critical_classes):
            total = group["corridor" if measure.corridor else "image"].sum()
            row[measure.name] = float(score(measure, total))
        rows.append(row)
    order = {c: i for i, c in enumerate(CONDITIONS)}
    return pd.DataFrame(rows).sort_values(
        "condition", key=lambda c: c.map(order), kind="stable", ignore_index=True
    )
