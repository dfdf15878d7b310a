"""Correlations, intervals and multiple-test correction for the paper's Section 6.3.

Correlations and corrections go through pingouin. Intervals of means and of mIoU are percentile
bootstraps over scenes: a resample draws whole scenes, with every condition of a scene together, so
that differences between conditions keep their pairing.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vlmis_utils.errors import UserError, closest
from vlmis_utils.quality import miou

__all__ = [
    "METHODS",
    "Interval",
    "bootstrap_interval",
    "bootstrap_miou",
    "correlation",
    "fisher_interval",
    "holm",
]

METHODS = ("pearson", "spearman")


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


def correlation(
    q: Sequence[float],
    l: Sequence[float],  # noqa: E741
    method: str = "pearson",
    confidence: float = 0.95,
) -> dict[str, object]:
    """Correlate segmentation quality with misalignment, through `pingouin.corr`.

    Pairs where either value is missing are left out.

    Args:
        q, l: N numbers each, say one for each condition or for each image.
        method: ``pearson`` or ``spearman``.
        confidence: of the interval, see `fisher_interval`; pingouin rounds its own to 2 decimals.

    Returns:
        ``method``; ``n`` pairs used; ``r``; ``low``, ``high``; two-sided ``p``; ``reason``: empty,
        or why the numbers are NaN (fewer than three pairs, a constant input).

    Raises:
        UserError: unequal lengths, or an unknown method.

    >>> result = correlation([1, 2, 3, 4], [2, 4, 5, 9])
    >>> result["n"], round(result["r"], 3), round(result["p"], 3)
    (4, 0.965, 0.035)
    >>> correlation([1, 1, 1], [1, 2, 3])["reason"]
    'the first input is constant'
    """
    if method not in METHODS:
        raise UserError(f"unknown correlation {method!r}{closest(method, METHODS)}")
    x, y = np.asarray(q, dtype=np.float64).ravel(), np.asarray(l, dtype=np.float64).ravel()
    if x.shape != y.shape:
        raise UserError(f"a correlation needs pairs, got {x.size} and {y.size} values")
    both = np.isfinite(x) & np.isfinite(y)
    x, y = x[both], y[both]
    nan = math.nan
    result = {"method": method, "n": int(x.size), "r": nan, "low": nan, "high": nan, "p": nan}
    reason = _no_correlation(x, y)
    if reason:
        return {**result, "reason": reason}
    import pingouin

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        row = pingouin.corr(x, y, method=method).iloc[0]
    low, high = fisher_interval(row["r"], x.size, confidence)
    r, p = float(row["r"]), float(row["p_val"])
    return {**result, "r": r, "low": low, "high": high, "p": p, "reason": ""}


def _no_correlation(x: np.ndarray, y: np.ndarray) -> str:
    """Return why no correlation can be computed, or an empty string."""
    if x.size < 3:
        return f"{x.size} pairs, at least 3 are needed"
    for name, values in (("first", x), ("second", y)):
        if np.ptp(values) <= 1e-13 * np.abs(values).max():
            return f"the {name} input is constant"
    return ""


def fisher_interval(r: float, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """Return an interval for a correlation by Fisher's z transform, as pingouin and scipy do.

    tanh(atanh(r) ± z / sqrt(n - 3)). It is made for Pearson's r of normal data; for Spearman's it
    is a little too short when the correlation is strong (Bonett and Wright, Psychometrika 65,
    2000).

    Args:
        r: correlation in [-1, 1].
        n: number of pairs.
        confidence: in (0, 1).

    Returns:
        (low, high); NaN when n < 4 or r is NaN; (r, r) when r is 1 or -1.

    >>> [round(bound, 3) for bound in fisher_interval(0.5, 20)]
    [0.074, 0.772]
    """
    if math.isnan(r) or n < 4:
        return math.nan, math.nan
    if abs(r) >= 1:
        return float(r), float(r)
    from scipy.special import ndtri

    reach = float(ndtri((1 + confidence) / 2)) / math.sqrt(n - 3)
    return math.tanh(math.atanh(r) - reach), math.tanh(math.atanh(r) + reach)


def _weights(scenes: int, resamples: int, seed: int) -> np.ndarray:
    """Return how often each resample draws each scene: float64 (resamples, scenes)."""
    if resamples < 1:
        raise UserError(f"bootstrap must be at least 1 resample, got {resamples}")
    rng = np.random.default_rng(seed)
    return rng.multinomial(scenes, np.full(scenes, 1 / scenes), size=resamples).astype(np.float64)


def _percentiles(samples: np.ndarray, confidence: float) -> tuple[np.ndarray, np.ndarray]:
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
    weights = np.vstack([np.ones(len(table)), _weights(len(table), resamples, seed)])
    sums, counts = weights @ filled, weights @ known.astype(np.float64)
    means = np.divide(sums, counts, out=np.full_like(sums, np.nan), where=counts > 0)
    return _interval(means[0], *_percentiles(means[1:], confidence), flat)


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
    weights = _weights(len(counts), resamples, seed)
    value = np.atleast_1d(miou(counts.sum(0)))
    samples = np.empty((resamples, counts.shape[1]))
    for column in range(counts.shape[1]):
        sums = weights @ counts[:, column].reshape(len(counts), -1)
        samples[:, column] = miou(sums.reshape(resamples, *counts.shape[2:]))
    return _interval(value, *_percentiles(samples, confidence), flat)


def holm(p: Sequence[float], alpha: float = 0.05) -> tuple[np.ndarray, np.ndarray]:
    """Correct p values for multiple tests by Holm's step-down, through `pingouin.multicomp`.

    Args:
        p: p values in [0, 1]; NaN entries are no tests and stay NaN.
        alpha: family-wise error rate.

    Returns:
        (adjusted, reject): float64 and bool arrays of p's length.

    >>> adjusted, reject = holm([0.01, 0.04, 0.03])
    >>> adjusted.round(3).tolist(), reject.tolist()
    ([0.03, 0.06, 0.06], [True, False, False])
    """
    values = np.asarray(p, dtype=np.float64).ravel()
    adjusted, reject = np.full(values.shape, np.nan), np.zeros(values.shape, dtype=bool)
    known = np.isfinite(values)
    if known.any():
        import pingouin

        reject[known], adjusted[known] = pingouin.multicomp(
            values[known], alpha=alpha, method="holm"
        )
    return adjusted, reject
