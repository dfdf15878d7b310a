"""Confusion counts: pixels by true and predicted class, by numba where it works, else by numpy."""

from __future__ import annotations

from functools import lru_cache
from types import ModuleType

import numpy as np

from vlmis_utils.core.errors import UserError
from vlmis_utils.protocol.classes import IGNORE, TRAIN_CLASSES

__all__ = ["confusion", "confusion_within"]


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
