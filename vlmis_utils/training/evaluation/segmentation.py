"""How well a segmenter does on held-out scenes, and beside it three maps that never look."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import torch

from vlmis_utils.metrics.confusion import confusion
from vlmis_utils.metrics.miou_intervals import jackknife_miou, jackknife_miou_change
from vlmis_utils.metrics.segmentation import miou
from vlmis_utils.models.segmentation.segmenter import Segmenter
from vlmis_utils.protocol.classes import TRAIN_CLASSES
from vlmis_utils.training.data import TrainingData
from vlmis_utils.training.evaluation.goals import CRITICAL
from vlmis_utils.training.evaluation.intervals import class_ious

__all__ = [
    "GREY", "baseline_rows", "blind_maps", "confusions", "failures", "measures", "position_prior",
]  # fmt: skip

# Of the blank image, as in the study.
GREY = 128


def confusions(segmenter: Segmenter, data: TrainingData, batch: int = 4) -> np.ndarray:
    """Segment each scene, and return its counts, int64 (N, 19, 19), rows the truth."""
    found = []
    for start in range(0, len(data), batch):
        images = torch.from_numpy(np.array(data.images[start : start + batch])).permute(0, 3, 1, 2)
        maps = segmenter.predict(images).cpu().numpy()
        found += [confusion(t, p) for t, p in zip(data.labels[start:], maps, strict=False)]
    return np.stack(found)


def measures(counts: np.ndarray) -> list[dict[str, object]]:
    """Return mIoU and the IoU of each class: measure, class, value, low, high.

    Args:
        counts: of `confusions`.
    """
    overall, each = jackknife_miou(counts), class_ious(counts)
    rows = [{"measure": "mIoU", "class": "", "value": overall.value, "low": overall.low,
             "high": overall.high}]  # fmt: skip
    for index, name in enumerate(TRAIN_CLASSES):
        bounds = {"low": each.low[index], "high": each.high[index]}
        rows.append({"measure": "IoU", "class": name, "value": each.value[index], **bounds})
    return rows


def position_prior(labels: Iterable[np.ndarray]) -> np.ndarray:
    """Return the class that is most frequent at each pixel of given label maps, uint8 (H, W)."""
    labels = iter(labels)
    first = next(labels)
    counts = np.zeros((len(TRAIN_CLASSES) + 1, first.size), dtype=np.int32)
    places = np.arange(first.size)
    for each in (first, *labels):
        counts[np.minimum(each.ravel(), len(TRAIN_CLASSES)), places] += 1
    return counts[:-1].argmax(axis=0).astype(np.uint8).reshape(first.shape)


def blind_maps(segmenter: Segmenter, train: TrainingData) -> dict[str, np.ndarray]:
    """Return label maps (H, W) that do not depend on the scene, by baseline.

    The most frequent class everywhere, the class most frequent at each pixel, both of training
    scenes, and what the segmenter makes of a blank image.
    """
    frequent = np.uint8(train.counts.sum(axis=0).argmax())
    shape = train.labels.shape[1:]
    blank = torch.full((1, 3, *shape), GREY, dtype=torch.uint8)
    return {
        "constant": np.full(shape, frequent),
        "class prior": position_prior(train.labels),
        "blank image": segmenter.predict(blank)[0].cpu().numpy(),
    }


def baseline_rows(
    counts: np.ndarray, labels: np.ndarray, maps: dict[str, np.ndarray]
) -> list[dict[str, object]]:
    """Return the mIoU of each blind map, and by how much the segmenter is above it.

    Args:
        counts: of the segmenter, (N, 19, 19).
        labels: the truth, uint8 (N, H, W).
        maps: of `blind_maps`.

    Returns:
        baseline, measure, value, low, high, difference, difference_low, difference_high; the
        difference is paired over scenes.
    """
    rows = []
    for name, fixed in maps.items():
        blind = np.stack([confusion(truth, fixed) for truth in labels])
        own = jackknife_miou(blind)
        change = jackknife_miou_change(np.stack([counts, blind], axis=1))
        rows.append(
            {
                "baseline": name, "measure": "mIoU", "value": own.value, "low": own.low,
                "high": own.high, "difference": change.value[1], "difference_low": change.low[1],
                "difference_high": change.high[1],
            }
        )  # fmt: skip
    return rows


def failures(counts: np.ndarray, data: TrainingData) -> list[dict[str, object]]:
    """Return two failures: the scene of least mIoU, and the largest safety-critical thing missed.

    Missed is a class of `CRITICAL` of which the map shows less than a tenth.

    Returns:
        rule, scene, scene_id, about (a class, or ""), score.
    """
    each = miou(counts)
    worst = int(np.argmin(each))
    rows = [("worst scene", worst, "", float(each[worst]))]
    columns = [TRAIN_CLASSES.index(name) for name in CRITICAL]
    pixels = counts[:, columns].sum(axis=2)
    hits = counts[:, columns, columns]
    missed = np.where(hits < 0.1 * pixels, pixels, 0)
    missed[worst] = 0  # another scene than the first
    if missed.any():
        scene, column = np.unravel_index(int(missed.argmax()), missed.shape)
        rows.append(("largest miss", int(scene), CRITICAL[column], float(missed.max())))
    return [
        {"rule": rule, "scene": scene, "scene_id": data.scene_ids[scene], "about": about,
         "score": score}
        for rule, scene, about, score in rows
    ]  # fmt: skip
