"""An interval for Spearman's coefficient that keeps its level where the correlation is strong."""

from __future__ import annotations

import math

__all__ = ["spearman_interval"]


def spearman_interval(r: float, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """Return an interval for Spearman's coefficient, after Bonett and Wright.

    tanh(atanh(r) ± z sqrt((1 + r² / 2) / (n - 3))) (Psychometrika 65, 2000). Fisher's interval,
    made for Pearson's r, leaves out r² / 2 and gets too short: at a true coefficient of 0.9 it
    holds the truth in about 91 of 100 samples. Assumes independent pairs.

    Args:
        r: Spearman's coefficient in [-1, 1].
        n: number of pairs.
        confidence: in (0, 1).

    Returns:
        (low, high); NaN when n < 4 or r is NaN; (r, r) when r is 1 or -1.

    >>> [round(bound, 3) for bound in spearman_interval(-0.6, 10)]
    [-0.905, 0.111]
    """
    if math.isnan(r) or n < 4:
        return math.nan, math.nan
    if abs(r) >= 1:
        return float(r), float(r)
    from scipy.special import ndtri

    reach = float(ndtri((1 + confidence) / 2)) * math.sqrt((1 + r * r / 2) / (n - 3))
    return math.tanh(math.atanh(r) - reach), math.tanh(math.atanh(r) + reach)
