"""The interval of Spearman's coefficient solves its equation; Fisher's is shorter."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import optimize, stats

from vlmis_utils.statistics import fisher_interval, spearman_interval


@pytest.mark.parametrize(("r", "n", "confidence"), [(0.6, 10, 0.95), (-0.9, 50, 0.9), (0, 7, 0.99)])
def test_bounds_are_where_the_statistic_meets_its_quantile(
    r: float, n: int, confidence: float
) -> None:
    error = math.sqrt((1 + r**2 / 2) / (n - 3))

    def beyond(rho: float, level: float) -> float:
        return stats.norm.cdf((np.arctanh(r) - np.arctanh(rho)) / error) - level

    tail = (1 - confidence) / 2
    low, high = (optimize.brentq(beyond, -0.9999, 0.9999, args=(q,)) for q in (1 - tail, tail))
    assert spearman_interval(r, n, confidence) == pytest.approx((low, high), abs=1e-6)


def test_it_is_wider_than_fishers_and_equal_at_zero() -> None:
    assert spearman_interval(0.0, 20) == pytest.approx(fisher_interval(0.0, 20))
    for r in (-0.9, 0.4, 0.8):
        wide, short = spearman_interval(r, 20), fisher_interval(r, 20)
        assert wide[0] < short[0] < r < short[1] < wide[1]


def test_no_interval_without_pairs_and_no_width_at_one() -> None:
    assert np.isnan(spearman_interval(0.5, 3)).all()
    assert np.isnan(spearman_interval(math.nan, 20)).all()
    assert spearman_interval(-1.0, 20) == (-1.0, -1.0)
