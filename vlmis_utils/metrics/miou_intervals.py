"""Intervals of the mIoU of a data set, from resampled or left-out scenes.

mIoU is a mean over classes, and some classes are known from few scenes. A resample often misses
scenes of such a class or draws them twice, so resampled mIoU is biased once more by what the
estimate itself is biased by, and the percentile interval sits off its place: at 100 scenes it holds
the truth in 91 to 95 of 100 studies (`analysis.validation.coverage`). Student's interval with the
jackknife's standard error stays at 94 to 96; it needs no resampling and no seed, and is the one
that the book prints.

A confusion matrix of K classes takes part with 3 K sums, not K x K (`metrics.segmentation`); as
counts are whole numbers below 2^53, sums are exact.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vlmis_utils.metrics.segmentation import class_counts, miou_of_counts
from vlmis_utils.statistics.intervals import Interval, jackknife_reach
from vlmis_utils.statistics.resampling import percentiles, sample_and_resamples

__all__ = [
    "bootstrap_miou", "bootstrap_miou_change", "jackknife_miou", "jackknife_miou_change",
    "resampled_counts", "resampled_miou",
]  # fmt: skip


def resampled_counts(confusions: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the class counts that each resample adds up.

    Checked against: whole matrices added by numpy.einsum.

    Args:
        confusions: counts (N, ..., K, K), one row a scene.
        weights: (R, N), how often each resample draws each scene.

    Returns:
        float64 (R, ..., 3, K), see `metrics.segmentation.class_counts`.
    """
    counts = class_counts(confusions)
    sums = np.asarray(weights, dtype=np.float64) @ counts.reshape(len(counts), -1)
    return sums.reshape(-1, *counts.shape[1:])


def resampled_miou(confusions: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the data-set mIoU of each resample of scenes.

    Checked against: a loop that adds whole matrices.

    Args:
        confusions: counts (N, C, K, K), one row a scene, one column a condition.
        weights: (R, N), from `statistics.resampling`.

    Returns:
        float64 (R, C) in [0, 1]; NaN where no pixel is labelled.

    >>> resampled_miou(np.array([[[[3, 1], [0, 4]]]]), np.ones((2, 1))).tolist()
    [[0.775], [0.775]]
    """
    return miou_of_counts(resampled_counts(confusions, weights))


def bootstrap_miou(
    confusions: np.ndarray, *, resamples: int = 2000, confidence: float = 0.95, seed: int = 0
) -> Interval:
    """Return the data-set mIoU with a percentile bootstrap interval over scenes.

    Each resample adds the counts of the scenes it drew and takes the mean over the classes in its
    truth, as `metrics.segmentation.miou` does.

    Checked against: a loop over drawn scenes; simulated coverage.

    Args:
        confusions: counts (N, K, K), or (N, C, K, K) with one matrix a condition.
        resamples, confidence, seed: as in `statistics.resampling.bootstrap_interval`.

    Returns:
        `Interval` of floats for (N, K, K), of arrays (C,) for (N, C, K, K).

    >>> interval = bootstrap_miou(np.stack([np.diag([5, 5]), np.array([[3, 2], [2, 3]])] * 20))
    >>> round(interval.value, 3), bool(interval.low < interval.value < interval.high)
    (0.667, True)
    """
    counts = np.asarray(confusions)
    flat = counts.ndim == 3
    draws = _bootstrap(counts[:, None] if flat else counts, resamples, seed)
    found = Interval(draws[0], *percentiles(draws[1:], confidence, len(counts)))
    return found.first() if flat else found


def bootstrap_miou_change(
    confusions: np.ndarray,
    reference: int | Sequence[int] = 0,
    *,
    resamples: int = 2000,
    confidence: float = 0.95,
    seed: int = 0,
) -> Interval:
    """Return the loss of data-set mIoU from one condition to each, with a paired interval.

    ΔQ = mIoU(reference) - mIoU(condition), as in Section 5.3 of the paper: positive is a loss. A
    resample takes both from the same drawn scenes, so what makes a scene hard in every condition
    does not widen the interval.

    Checked against: a loop over drawn scenes; simulated coverage.

    Args:
        confusions: counts (N, C, K, K), one matrix a scene and condition.
        reference: index of the condition that changes are taken from, say the clean one; or (C,)
            one index for each condition.
        resamples, confidence, seed: as in `statistics.resampling.bootstrap_interval`.

    Returns:
        `Interval` of arrays (C,); 0 without width where a condition is its own reference.

    >>> clean, worse = np.diag([5, 5]), np.array([[3, 2], [2, 3]])
    >>> bootstrap_miou_change(np.array([[clean, worse]] * 4), resamples=9).value.round(3).tolist()
    [0.0, 0.571]
    """
    draws = _bootstrap(np.asarray(confusions), resamples, seed)
    loss = draws[:, np.broadcast_to(reference, draws.shape[1:])] - draws
    return Interval(loss[0], *percentiles(loss[1:], confidence, len(confusions)))


def _bootstrap(counts: np.ndarray, resamples: int, seed: int) -> np.ndarray:
    """Return mIoU (1 + R, C), that of all scenes first; NaN without a scene."""
    if not len(counts):
        return np.full((2, counts.shape[1]), np.nan)
    return resampled_miou(counts, sample_and_resamples(len(counts), resamples, seed))


def jackknife_miou(confusions: np.ndarray, *, confidence: float = 0.95) -> Interval:
    """Return the data-set mIoU with its jackknife interval over scenes.

    mIoU ± t SE, see `statistics.intervals.jackknife_reach`. On average SE² is a little too large
    (Efron and Stein, Annals of Statistics 9, 1981). Assumes that scenes are independent.

    Checked against: scipy.stats.ttest_1samp where mIoU is a mean; a loop; simulated coverage.

    Args:
        confusions: counts (N, K, K), or (N, C, K, K) with one matrix a condition.
        confidence: in (0, 1).

    Returns:
        `Interval` of floats for (N, K, K), of arrays (C,) for (N, C, K, K), bounds in [0, 1]; NaN
        bounds below two scenes.

    >>> counts = np.stack([np.diag([5, 5]), np.array([[3, 2], [2, 3]])] * 20)
    >>> found = jackknife_miou(counts)
    >>> round(found.value, 3), round(found.low, 2), round(found.high, 2)
    (0.667, 0.58, 0.76)
    """
    counts = np.asarray(confusions)
    flat = counts.ndim == 3
    scores = _leave_one_out(counts[:, None] if flat else counts)
    reach = jackknife_reach(scores[1:], confidence)
    bounds = (np.clip(scores[0] + sign * reach, 0, 1) for sign in (-1, 1))
    found = Interval(scores[0], *bounds)
    return found.first() if flat else found


def jackknife_miou_change(
    confusions: np.ndarray, reference: int | Sequence[int] = 0, *, confidence: float = 0.95
) -> Interval:
    """Return the loss of data-set mIoU from one condition to each, with its jackknife interval.

    ΔQ = mIoU(reference) - mIoU(condition), as in Section 5.3 of the paper: positive is a loss. A
    scene is left out of both, so the interval is paired; see `jackknife_miou`.

    Checked against: a loop that leaves out each scene; simulated coverage.

    Args:
        confusions: counts (N, C, K, K), one matrix a scene and condition.
        reference: index of the condition that changes are taken from, say the clean one; or (C,)
            one index for each condition.
        confidence: in (0, 1).

    Returns:
        `Interval` of arrays (C,); 0 without width where a condition is its own reference.

    >>> clean, worse = np.diag([5, 5]), np.array([[3, 2], [2, 3]])
    >>> jackknife_miou_change(np.array([[clean, worse]] * 4)).value.round(3).tolist()
    [0.0, 0.571]
    """
    scores = _leave_one_out(np.asarray(confusions))
    loss = scores[:, np.broadcast_to(reference, scores.shape[1:])] - scores
    reach = jackknife_reach(loss[1:], confidence)
    return Interval(loss[0], loss[0] - reach, loss[0] + reach)


def _leave_one_out(counts: np.ndarray) -> np.ndarray:
    """Return mIoU (1 + N, C), that of all scenes and that without each; NaN without a scene."""
    if not len(counts):
        return np.full((1, counts.shape[1]), np.nan)
    weights = np.vstack([np.ones(len(counts)), 1 - np.eye(len(counts))])
    return resampled_miou(counts, weights)
