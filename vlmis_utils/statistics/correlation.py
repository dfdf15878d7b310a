"""Correlation of two lists of numbers, with its interval (Section 3.6 of the paper)."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence

import numpy as np

from vlmis_utils.core.errors import UserError, closest

__all__ = ["METHODS", "correlation", "fisher_interval", "spearman_interval"]

METHODS = ("pearson", "spearman")

# Means of the same numbers in another order differ in the last digits; ranks must not.
_DIGITS = 12


def correlation(
    q: Sequence[float],
    l: Sequence[float],  # noqa: E741
    method: str = "pearson",
    confidence: float = 0.95,
) -> dict[str, object]:
    """Correlate segmentation quality with misalignment, through `pingouin.corr`.

    Pairs where either value is missing are left out, and values are rounded to 12 digits, so that
    what is tied but for floating-point noise has one rank.

    Checked against: scipy.stats.pearsonr and spearmanr; pingouin.corr.

    Args:
        q, l: N numbers each, say one for each condition or for each image.
        method: ``pearson`` or ``spearman``.
        confidence: of the interval, see `fisher_interval` and `spearman_interval`; pingouin
            rounds its own to 2 decimals.

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
    x, y = x[both].round(_DIGITS), y[both].round(_DIGITS)
    nan = math.nan
    result = {"method": method, "n": int(x.size), "r": nan, "low": nan, "high": nan, "p": nan}
    reason = _no_correlation(x, y)
    if reason:
        return {**result, "reason": reason}
    import pingouin

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        row = pingouin.corr(x, y, method=method).iloc[0]
    interval = spearman_interval if method == "spearman" else fisher_interval
    low, high = interval(row["r"], x.size, confidence)
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

    Checked against: scipy.stats.pearsonr; simulated coverage.

    Args:
        r: correlation in [-1, 1].
        n: number of pairs.
        confidence: in (0, 1).

    Returns:
        (low, high); NaN when n < 4 or r is NaN; (r, r) when r is 1 or -1.

    >>> [round(bound, 3) for bound in fisher_interval(0.5, 20)]
    [0.074, 0.772]
    """
    return _interval_on_z(r, n, 1.0, confidence)


def spearman_interval(r: float, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """Return an interval for Spearman's coefficient, after Bonett and Wright.

    tanh(atanh(r) ± z sqrt((1 + r² / 2) / (n - 3))) (Psychometrika 65, 2000). Fisher's interval,
    made for Pearson's r, leaves out r² / 2 and gets too short: at a true coefficient of 0.9 it
    holds the truth in about 91 of 100 samples. Assumes independent pairs.

    Checked against: its equation solved by scipy; simulated coverage.

    Args:
        r, n, confidence: as of `fisher_interval`.

    Returns:
        (low, high); NaN when n < 4 or r is NaN; (r, r) when r is 1 or -1.

    >>> [round(bound, 3) for bound in spearman_interval(-0.6, 10)]
    [-0.905, 0.111]
    """
    return _interval_on_z(r, n, 1 + r * r / 2, confidence)


def _interval_on_z(r: float, n: int, factor: float, confidence: float) -> tuple[float, float]:
    """Return tanh(atanh(r) ± z sqrt(factor / (n - 3)))."""
    if math.isnan(r) or n < 4:
        return math.nan, math.nan
    if abs(r) >= 1:
        return float(r), float(r)
    from scipy.special import ndtri

    reach = float(ndtri((1 + confidence) / 2)) * math.sqrt(factor / (n - 3))
    return math.tanh(math.atanh(r) - reach), math.tanh(math.atanh(r) + reach)
