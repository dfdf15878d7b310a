"""Percentile bootstrap over scenes: a resample draws whole scenes, with all their conditions.

Differences between conditions therefore keep their pairing, and the ten images of one scene are
never taken for ten independent ones (Efron and Tibshirani, An Introduction to the Bootstrap, 1993).
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np

from vlmis_utils.errors import UserError
from vlmis_utils.quality import miou

__all__ = ["Interval", "bootstrap_interval", "bootstrap_miou", "percentiles", "scene_weights"]


@dataclass(frozen=True)
class Interval:
    """An estimate with its interval; each a float, or an array with one entry a condition.

    Attributes:
        value: the estimate from all scenes.
        low, high: bounds of the interval.
    """

    value: float | np.ndarray
    low: float | np.ndarray
    high: float | np.ndarray


def scene_weights(scenes: int, resamples: int, seed: int = 0) -> np.ndarray:
    """Return how often each resample draws each scene: float64 (resamples, scenes)."""
    if resamples < 1:
        raise UserError(f"bootstrap must be at least 1 resample, got {resamples}")
    rng = np.random.default_rng(seed)
    return rng.multinomial(scenes, np.full(scenes, 1 / scenes), size=resamples).astype(np.float64)


def percentiles(samples: np.ndarray, confidence: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
    """Return the bounds (C,) of samples (R, C); resamples without a value are left out."""
    tail = (1 - confidence) / 2
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        low, high = np.nanquantile(samples, [tail, 1 - tail], axis=0)
    return low, high


def _interval(value: np.ndarray, low: np.ndarray, high: np.ndarray, flat: bool) -> Interval:
    if flat:
        return Interval(float(value[0]), float(low[0]), float(high[0]))
    return Interval(value, low, high)


def bootstrap_interval(
    values: np.ndarray, *, resamples: int = 1000, confidence: float = 0.95, seed: int = 0
) -> Interval:
    """Return the mean over scenes with a percentile bootstrap interval.

    Args:
        values: (N,) or (N, C), one row a scene, say one column a condition. NaN marks a scene that
            a conditional mean leaves out. For a difference to clean pass
            ``values - values[:, :1]``.
        resamples: number of bootstrap resamples.
        confidence: in (0, 1).
        seed: of the resampling; equal N and seed give the same resamples.

    Returns:
        `Interval` of floats for (N,), of arrays (C,) for (N, C); NaN where no scene has a value.

    >>> interval = bootstrap_interval(np.arange(100) % 2)
    >>> interval.value, bool(0.35 < interval.low < 0.45 < 0.55 < interval.high < 0.65)
    (0.5, True)
    """
    table = np.asarray(values, dtype=np.float64)
    flat = table.ndim == 1
    table = table[:, None] if flat else table
    if not len(table):
        empty = np.full(table.shape[1], np.nan)
        return _interval(empty, empty, empty, flat)
    known = np.isfinite(table)
    filled = np.where(known, table, 0.0)
    weights = np.vstack([np.ones(len(table)), scene_weights(len(table), resamples, seed)])
    sums, counts = weights @ filled, weights @ known.astype(np.float64)
    means = np.divide(sums, counts, out=np.full_like(sums, np.nan), where=counts > 0)
    return _interval(means[0], *percentiles(means[1:], confidence), flat)


def bootstrap_miou(
    confusions: np.ndarray, *, resamples: int = 1000, confidence: float = 0.95, seed: int = 0
) -> Interval:
    """Return the data-set mIoU with a percentile bootstrap interval over scenes.

    Each resample adds the counts of the scenes it drew and takes the mean over the classes in its
    truth, as `vlmis_utils.metrics.miou` does.

    Args:
        confusions: counts (N, K, K), or (N, C, K, K) with one matrix a condition.
        resamples, confidence, seed: as in `bootstrap_interval`.

    Returns:
        `Interval` of floats for (N, K, K), of arrays (C,) for (N, C, K, K).

    >>> interval = bootstrap_miou(np.stack([np.diag([5, 5]), np.array([[3, 2], [2, 3]])] * 20))
    >>> round(interval.value, 3), bool(interval.low < interval.value < interval.high)
    (0.667, True)
    """
    counts = np.asarray(confusions, dtype=np.float64)
    flat = counts.ndim == 3
    counts = counts[:, None] if flat else counts
    if not len(counts):
        empty = np.full(counts.shape[1], np.nan)
        return _interval(empty, empty, empty, flat)
    weights = scene_weights(len(counts), resamples, seed)
    value = np.atleast_1d(miou(counts.sum(0)))
    samples = np.empty((resamples, counts.shape[1]))
    for column in range(counts.shape[1]):
        sums = weights @ counts[:, column].reshape(len(counts), -1)
        samples[:, column] = miou(sums.reshape(resamples, *counts.shape[2:]))
    return _interval(value, *percentiles(samples, confidence), flat)
