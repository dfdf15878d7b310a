"""Segmentation quality Q (Section 5.3 of the paper): confusion, IoU, mIoU, pixel accuracy."""

from __future__ import annotations

import warnings
from functools import lru_cache
from types import ModuleType

import numpy as np

from vlmis_utils.core.errors import UserError
from vlmis_utils.protocol.classes import IGNORE, TRAIN_CLASSES

__all__ = ["confusion", "confusion_within", "iou", "miou", "miou_image_mean", "pixel_accuracy"]


def confusion(
    labels: np.ndarray, predictions: np.ndarray, classes: int = len(TRAIN_CLASSES)
) -> np.ndarray:
    """Count pixels by true and predicted class.

    Args:
        labels, predictions: integer train ids of one shape, any number of dimensions; pixels where
            either is 255 (ignore) are left out.
        classes: number of classes.

    Returns:
        int64 (classes, classes); rows are the truth, columns the prediction.

    Raises:
        UserError: unequal shapes, or an id that is neither a class nor 255.

    >>> confusion(np.array([[0, 1, 255]]), np.array([[0, 0, 0]]), classes=2).tolist()
    [[1, 0], [1, 0]]
    """
    return _confusions(labels, predictions, None, classes)[0]


def confusion_within(
    labels: np.ndarray,
    predictions: np.ndarray,
    inside: np.ndarray,
    classes: int = len(TRAIN_CLASSES),
) -> tuple[np.ndarray, np.ndarray]:
    """Return `confusion` of all pixels and of those inside a mask, counted in one pass.

    Args:
        labels, predictions, classes: as of `confusion`.
        inside: bool, of the same shape.

    >>> whole, part = confusion_within([0, 1], [0, 0], np.array([True, False]), classes=2)
    >>> whole.tolist(), part.tolist()
    ([[1, 0], [1, 0]], [[1, 0], [0, 0]])
    """
    return _confusions(labels, predictions, np.asarray(inside, dtype=bool), classes)


def _confusions(
    labels: np.ndarray, predictions: np.ndarray, inside: np.ndarray | None, classes: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the counts of all pixels, and of those inside (of none without a mask)."""
    labels, predictions = np.asarray(labels), np.asarray(predictions)
    if labels.shape != predictions.shape:
        raise UserError(
            f"labels {labels.shape} and predictions {predictions.shape} differ in shape: "
            "resize the predictions to the labels first"
        )
    if inside is None:
        inside = np.zeros(0, dtype=bool)
    elif inside.shape != labels.shape:
        raise UserError(f"the mask {inside.shape} and labels {labels.shape} differ in shape")
    compiled = _compiled() if labels.dtype == predictions.dtype == np.uint8 else None
    if compiled is None or classes > IGNORE:
        whole = _by_numpy(labels, predictions, classes)
        some = inside if inside.shape == labels.shape else np.zeros(labels.shape, dtype=bool)
        return whole, _by_numpy(labels[some], predictions[some], classes)
    pairs = compiled.count_pairs(labels, predictions, inside)[:, :IGNORE, :IGNORE]
    for name, axis in (("labels", 2), ("predictions", 1)):
        (wrong,) = pairs.sum((0, axis))[classes:].nonzero()
        if len(wrong):
            raise UserError(_no_class(name, int(wrong[-1]) + classes, classes))
    pairs = pairs[:, :classes, :classes]
    return pairs.sum(0), pairs[1].copy()


def _by_numpy(labels: np.ndarray, predictions: np.ndarray, classes: int) -> np.ndarray:
    known = (labels != IGNORE) & (predictions != IGNORE)
    rows, columns = labels[known].astype(np.int64), predictions[known].astype(np.int64)
    for name, ids in (("labels", rows), ("predictions", columns)):
        if ids.size and not 0 <= ids.min() <= ids.max() < classes:
            raise UserError(_no_class(name, ids.min() if ids.min() < 0 else ids.max(), classes))
    counts = np.bincount(rows * classes + columns, minlength=classes * classes)
    return counts.reshape(classes, classes).astype(np.int64)


def _no_class(name: str, wrong: int, classes: int) -> str:
    return f"{name} hold the id {wrong}: use 0 to {classes - 1}, or {IGNORE}"


@lru_cache(maxsize=1)
def _compiled() -> ModuleType | None:
    """Import the compiled count, None where numba fails; once in a process, on first use."""
    try:
        from vlmis_utils.metrics import counting
    except Exception:
        return None
    return counting


def iou(confusion: np.ndarray) -> np.ndarray:
    """Return each class's intersection over union.

    Args:
        confusion: counts (..., C, C); add the images of a data set first for the usual data-set
            IoU, or keep them on a leading axis for the IoU of each image.

    Returns:
        float64 (..., C), in [0, 1]; NaN where a class is neither in truth nor in prediction.

    >>> iou(np.array([[3, 1], [0, 4]])).tolist()
    [0.75, 0.8]
    """
    counts = np.asarray(confusion, dtype=np.float64)
    hits = np.diagonal(counts, axis1=-2, axis2=-1)
    union = counts.sum(-1) + counts.sum(-2) - hits
    return np.divide(hits, union, out=np.full_like(union, np.nan), where=union > 0)


def miou(confusion: np.ndarray) -> float | np.ndarray:
    """Return the mean IoU over the classes present in the truth.

    A class that is only predicted is not averaged; its pixels already count against the classes
    they were taken from. The official Cityscapes evaluator averages it as 0; where the truth holds
    all classes, as the whole validation split does, the two means are the same.

    Args:
        confusion: counts (..., C, C).

    Returns:
        float, or float64 (...) for leading axes; NaN where no pixel is labelled.

    >>> miou(np.array([[3, 1, 0], [0, 4, 0], [0, 0, 0]]))
    0.775
    """
    counts = np.asarray(confusion, dtype=np.float64)
    scores = np.where(counts.sum(-1) > 0, iou(counts), np.nan)
    return _nanmean(scores)


def _nanmean(scores: np.ndarray) -> float | np.ndarray:
    """Mean over the last axis without NaN; NaN where nothing is left."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        mean = np.nanmean(scores, axis=-1)
    return float(mean) if mean.ndim == 0 else mean


def miou_image_mean(confusions: np.ndarray) -> float:
    """Return the mean over images of each image's own `miou`.

    Args:
        confusions: counts (N, C, C), one matrix an image; images without a labelled pixel are left
            out.

    >>> miou_image_mean(np.array([[[1, 0], [0, 1]], [[1, 1], [0, 0]]]))
    0.75
    """
    return _nanmean(np.atleast_1d(miou(confusions)))


def pixel_accuracy(confusion: np.ndarray) -> float | np.ndarray:
    """Return the share of labelled pixels that are predicted right.

    Args:
        confusion: counts (..., C, C).

    Returns:
        float, or float64 (...) for leading axes; NaN where no pixel is labelled.

    >>> pixel_accuracy(np.array([[3, 1], [0, 4]]))
    0.875
    """
    counts = np.asarray(confusion, dtype=np.float64)
    total = counts.sum((-2, -1))
    hits = np.trace(counts, axis1=-2, axis2=-1)
    share = np.divide(hits, total, out=np.full_like(total, np.nan), where=total > 0)
    return float(share) if share.ndim == 0 else share
