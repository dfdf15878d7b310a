"""95 % intervals of what is measured, from resampled or left-out scenes of `statistics`."""

from __future__ import annotations

import warnings

import numpy as np

from vlmis_utils.metrics.segmentation import iou
from vlmis_utils.statistics import prediction
from vlmis_utils.statistics.intervals import Interval, from_draws, jackknife_reach
from vlmis_utils.statistics.resampling import percentiles, sample_and_resamples

__all__ = [
    "RESAMPLES", "auc_draws", "balanced_draws", "class_ious", "from_auc", "from_ratio",
    "mean_draws", "ratio_draws", "resampled",
]  # fmt: skip

RESAMPLES = 2000


def resampled(scenes: int, resamples: int = RESAMPLES) -> np.ndarray:
    """Return weights (1 + R, N): all scenes once, then how often each resample draws each."""
    return sample_and_resamples(scenes, resamples)


def class_ious(confusions: np.ndarray, confidence: float = 0.95) -> Interval:
    """Return the data-set IoU of each class with a jackknife interval over scenes.

    As `metrics.miou_intervals.jackknife_miou`, for one class: IoU ± t SE from leaving out a scene.

    Args:
        confusions: counts (N, K, K).

    Returns:
        `Interval` of arrays (K,), bounds in [0, 1]; NaN where a class is neither there nor seen.

    >>> found = class_ious(np.stack([np.diag([5, 5]), np.array([[3, 2], [2, 3]])] * 20))
    >>> found.value.round(3).tolist(), bool((found.low < found.value).all())
    ([0.667, 0.667], True)
    """
    counts = np.asarray(confusions, dtype=np.float64)
    whole = counts.sum(axis=0)
    value, reach = iou(whole), jackknife_reach(iou(whole[None] - counts), confidence)
    return Interval(value, np.clip(value - reach, 0, 1), np.clip(value + reach, 0, 1))


def auc_draws(truth: np.ndarray, score: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the area under the ROC curve in each resample, float64 (R, C); NaN for one kind.

    Args:
        truth: bool (N, C), one column a question.
        score: (N, C), higher for "there".
        weights: (R, N), of `resampled`.

    >>> auc_draws(np.array([[0], [1]]), np.array([[0.2], [0.9]]), np.ones((1, 2))).tolist()
    [[1.0]]
    """
    columns = [prediction.auc_draws(*pair, weights) for pair in zip(truth.T, score.T, strict=True)]
    return np.stack(columns, axis=1)


def balanced_draws(truth: np.ndarray, said: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the balanced accuracy in each resample, float64 (R, C).

    The mean of the shares of "yes" where the truth is yes, and of "no" where it is no.

    Args:
        truth: bool (N, C).
        said: (N, C): 1 for yes, 0 for no, NaN for neither, which is wrong either way.
        weights: (R, N).
    """
    truth = np.asarray(truth, dtype=bool)
    halves = [ratio_draws((said == kind) & (truth == kind), truth == kind, weights)
              for kind in (True, False)]  # fmt: skip
    return (halves[0] + halves[1]) / 2


def ratio_draws(over: np.ndarray, under: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return sum(over) / sum(under) in each resample, float64 (R, C); NaN for nothing under.

    Args:
        over, under: (N, C), counts of each scene.
        weights: (R, N).
    """
    top, bottom = weights @ np.asarray(over, float), weights @ np.asarray(under, float)
    return np.divide(top, bottom, out=np.full_like(top, np.nan), where=bottom > 0)


def mean_draws(draws: np.ndarray) -> np.ndarray:
    """Return the mean over classes (R, C) -> (R,), over those that have a value in all scenes."""
    known = np.isfinite(draws[0])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return np.nanmean(draws[:, known], axis=1)


def from_auc(draws: np.ndarray, scenes: int) -> Interval:
    """Return an AUC and its interval, Student's on the logit scale (`statistics.from_draws`).

    Where a resample is told perfectly its logit is infinite: then the percentile interval.

    Args:
        draws: (1 + R,), all scenes first.
        scenes: N.
    """
    if np.nanmin(draws) <= 0 or np.nanmax(draws) >= 1:
        return from_ratio(draws, scenes)
    found = from_draws(draws, scenes, scale="logit")
    return Interval(float(found.value), float(found.low), float(found.high))


def from_ratio(draws: np.ndarray, scenes: int) -> Interval:
    """Return a rate, or a difference of two, and its percentile interval; ``draws`` as there."""
    low, high = percentiles(draws[1:], scenes=scenes)
    return Interval(float(draws[0]), float(low), float(high))
