"""Correlations against scipy and pingouin, and a simulation of coverage."""

from __future__ import annotations

import math

import numpy as np
import pingouin
import pytest
from scipy import optimize, stats

from vlmis_utils.core.errors import UserError
from vlmis_utils.statistics import correlation, fisher_interval, spearman_interval


def pairs(seed: int, n: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    return x, 0.6 * x + rng.normal(size=n)


@pytest.mark.parametrize("n", [5, 10, 60])
def test_pearson_matches_scipy(n: int) -> None:
    x, y = pairs(n, n)
    got, expected = correlation(x, y), stats.pearsonr(x, y)
    interval = expected.confidence_interval(0.95)
    assert got["n"] == n and got["reason"] == ""
    assert got["r"] == pytest.approx(expected.statistic)
    assert got["p"] == pytest.approx(expected.pvalue)
    assert (got["low"], got["high"]) == pytest.approx((interval.low, interval.high))


@pytest.mark.parametrize("n", [5, 10, 60])
def test_spearman_matches_scipy_and_pingouin(n: int) -> None:
    x, y = pairs(n, n)
    y = y.round(1)
    got, expected = correlation(x, y, "spearman"), stats.spearmanr(x, y)
    assert got["r"] == pytest.approx(expected.statistic)
    assert got["p"] == pytest.approx(expected.pvalue)
    assert got["r"] == pytest.approx(pingouin.corr(x, y, method="spearman")["r"].iloc[0])
    low, high = fisher_interval(got["r"], n)
    assert got["low"] < low and high < got["high"]  # Bonett and Wright's is the wider


def test_order_and_units_do_not_matter() -> None:
    x, y = pairs(1, 30)
    base = correlation(x, y)
    order = np.random.default_rng(2).permutation(30)
    assert correlation(x[order], y[order])["r"] == pytest.approx(base["r"])
    assert correlation(3 * x - 1, 10 * y)["r"] == pytest.approx(base["r"])
    assert correlation(x, -y)["r"] == pytest.approx(-base["r"])
    assert correlation(y, x)["p"] == pytest.approx(base["p"])


@pytest.mark.parametrize("method", ["pearson", "spearman"])
def test_what_cannot_be_correlated_gives_nan_and_a_reason(method: str) -> None:
    cases = [
        ([], [], "0 pairs"),
        ([1, 2], [3, 4], "2 pairs"),
        ([1, math.nan, 2, 3], [1, 2, math.nan, 4], "2 pairs"),
        ([5, 5, 5, 5], [1, 2, 3, 4], "first input is constant"),
        ([1, 2, 3, 4], [0, 0, 0, 0], "second input is constant"),
        ([0.1 + 0.2, 0.3, 0.3], [1, 2, 3], "first input is constant"),
    ]
    for q, l, words in cases:  # noqa: E741
        result = correlation(q, l, method)
        assert words in result["reason"]
        assert all(math.isnan(result[key]) for key in ("r", "low", "high", "p"))


def test_a_perfect_correlation_and_three_points() -> None:
    perfect = correlation([1, 2, 3, 4, 5], [2, 4, 6, 8, 10])
    assert perfect["r"] == pytest.approx(1) and perfect["high"] == pytest.approx(1)
    three = correlation([1, 2, 3], [1, 3, 2])
    assert three["r"] == pytest.approx(0.5) and math.isnan(three["low"]) and three["n"] == 3


def test_floating_point_noise_breaks_no_tie() -> None:
    x, y = [1.0, 2.0, 3.0, 4.0, 5.0], [0.3, 0.1 + 0.2, 0.5, 0.3, 0.7]
    tied = correlation(x, [0.3, 0.3, 0.5, 0.3, 0.7], "spearman")
    assert correlation(x, y, "spearman")["r"] == tied["r"]


def test_missing_pairs_are_left_out() -> None:
    x, y = pairs(4, 20)
    gaps = correlation([*x, math.nan, 1.0], [*y, 1.0, math.inf])
    assert gaps == correlation(x, y)


def test_misuse_is_named() -> None:
    with pytest.raises(UserError, match="did you mean 'spearman'"):
        correlation([1], [1], "spearmann")
    with pytest.raises(UserError, match="3 and 2"):
        correlation([1, 2, 3], [1, 2])


def test_fisher_interval_covers_as_often_as_it_says() -> None:
    rng = np.random.default_rng(0)
    rho, n, runs = 0.5, 25, 2000
    x = rng.normal(size=(runs, n))
    y = rho * x + math.sqrt(1 - rho**2) * rng.normal(size=(runs, n))
    hits = 0
    for a, b in zip(x, y, strict=True):
        low, high = fisher_interval(np.corrcoef(a, b)[0, 1], n)
        hits += low <= rho <= high
    assert abs(hits / runs - 0.95) < 4 * math.sqrt(0.95 * 0.05 / runs)


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
