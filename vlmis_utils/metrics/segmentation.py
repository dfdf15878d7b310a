"""Segmentation quality Q (Section 5.3 of the paper): IoU, mIoU, recall and pixel accuracy.

Every measure follows from three counts a class: hits, pixels of the truth, pixels of the prediction
(`class_counts`). They add up over images, so the same formulas serve an image, a data set and a
bootstrap resample.
"""

from __future__ import annotations

import numpy as np

__all__ = [
    "class_counts", "class_iou", "class_recall", "iou", "mean_over", "miou", "miou_image_mean",
    "miou_of_counts", "pixel_accuracy",
]  # fmt: skip


def class_counts(confusion: np.ndarray) -> np.ndarray:
    """Return hits, pixels of the truth and pixels of the prediction of each class.

    Args:
        confusion: counts (..., C, C), rows truth.

    Returns:
        float64 (..., 3, C).
    """
    counts = np.asarray(confusion)
    hits = np.diagonal(counts, axis1=-2, axis2=-1)
    return np.stack([hits, counts.sum(axis=-1), counts.sum(axis=-2)], axis=-2).astype(np.float64)


def class_iou(counts: np.ndarray) -> np.ndarray:
    """Return hits / (truth + prediction - hits) of each class: (..., 3, C) to (..., C).

    NaN where a class is neither in truth nor in prediction.
    """
    hits, truth, predicted = np.moveaxis(np.asarray(counts, dtype=np.float64), -2, 0)
    return _share(hits, truth + predicted - hits)


def class_recall(counts: np.ndarray) -> np.ndarray:
    """Return hits / truth of each class: (..., 3, C) to (..., C); NaN without a true pixel."""
    hits, truth, _ = np.moveaxis(np.asarray(counts, dtype=np.float64), -2, 0)
    return _share(hits, truth)


def mean_over(scores: np.ndarray, present: np.ndarray) -> np.ndarray:
    """Return the mean over the classes that are present: (..., C) and bool (..., C) to (...).

    NaN where none is.
    """
    return _share(np.where(present, scores, 0.0).sum(axis=-1), present.sum(axis=-1))


def miou_of_counts(counts: np.ndarray) -> np.ndarray:
    """Return mIoU over the classes in the truth: counts (..., 3, C) to float64 (...)."""
    return mean_over(class_iou(counts), counts[..., 1, :] > 0)


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
    return class_iou(class_counts(confusion))


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
    return _scalar(miou_of_counts(class_counts(confusion)))


def miou_image_mean(confusions: np.ndarray) -> float:
    """Return the mean over images of each image's own `miou`.

    Args:
        confusions: counts (N, C, C), one matrix an image; images without a labelled pixel are left
            out.

    >>> miou_image_mean(np.array([[[1, 0], [0, 1]], [[1, 1], [0, 0]]]))
    0.75
    """
    scores = np.atleast_1d(miou(confusions))
    return float(mean_over(scores, np.isfinite(scores)))


def pixel_accuracy(confusion: np.ndarray) -> float | np.ndarray:
    """Return the share of labelled pixels that are predicted right.

    Args:
        confusion: counts (..., C, C).

    Returns:
        float, or float64 (...) for leading axes; NaN where no pixel is labelled.

    >>> pixel_accuracy(np.array([[3, 1], [0, 4]]))
    0.875
    """
    hits, truth, _ = np.moveaxis(class_counts(confusion), -2, 0)
    return _scalar(_share(hits.sum(axis=-1), truth.sum(axis=-1)))


def _share(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """Return part / whole, NaN where the whole is 0."""
    part = np.asarray(part, dtype=np.float64)
    return np.divide(part, whole, out=np.full_like(part, np.nan), where=np.asarray(whole) > 0)


def _scalar(values: np.ndarray) -> float | np.ndarray:
    return float(values) if values.ndim == 0 else values
