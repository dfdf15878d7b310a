"""Statistics against scipy, brute-force resampling, and a simulation of coverage."""

from __future__ import annotations

import math

import numpy as np
import pingouin
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

from vlmis_utils.errors import UserError
from vlmis_utils.metrics import miou
from vlmis_utils.statistics import (
    bootstrap_interval,
    bootstrap_miou,
    correlation,
    fisher_interval,
    holm,
)


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
    bounds = pingouin.corr(x, y, method="spearman")["CI95"].iloc[0]
    assert (got["low"], got["high"]) == pytest.approx(tuple(bounds), abs=0.0051)


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


def test_missing_pairs_are_left_out() -> None:
    x, y = pairs(4, 20)
    gaps = correlation([*x, math.nan, 1.0], [*y, 1.0, math.inf])
    assert gaps == correlation(x, y)


def test_misuse_is_named() -> None:
    with pytest.raises(UserError, match="did you mean 'spearman'"):
        correlation([1], [1], "spearmann")
    with pytest.raises(UserError, match="3 and 2"):
        correlation([1, 2, 3], [1, 2])
    with pytest.raises(UserError, match="at least 1"):
        bootstrap_interval([1.0, 2.0], resamples=0)


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


def test_bootstrap_matches_scipy() -> None:
    values = np.random.default_rng(3).exponential(size=80)
    got = bootstrap_interval(values, resamples=20000, seed=1)
    expected = stats.bootstrap(
        (values,), np.mean, n_resamples=20000, method="percentile", rng=np.random.default_rng(2)
    ).confidence_interval
    assert got.value == pytest.approx(values.mean())
    assert got.low == pytest.approx(expected.low, abs=0.01)
    assert got.high == pytest.approx(expected.high, abs=0.01)


def test_bootstrap_covers_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(0)
    runs, truth = 400, 0.3
    hits = 0
    for run in range(runs):
        interval = bootstrap_interval(rng.random(60) < truth, resamples=400, seed=run)
        hits += interval.low <= truth <= interval.high
    assert 0.90 < hits / runs < 0.98


def test_conditions_are_resampled_together() -> None:
    rng = np.random.default_rng(1)
    scene = rng.normal(size=(100, 1))
    values = np.hstack([scene, scene + 0.5, scene + 0.1 * rng.normal(size=(100, 1))])
    together = bootstrap_interval(values)
    alone = [bootstrap_interval(column) for column in values.T]
    assert together.value == pytest.approx([one.value for one in alone])
    assert together.low == pytest.approx([one.low for one in alone])
    difference = bootstrap_interval(values - values[:, :1])
    assert difference.low[:2] == pytest.approx([0, 0.5])
    assert difference.high[:2] == pytest.approx([0, 0.5])
    assert difference.high[2] - difference.low[2] < 0.2 * (together.high[0] - together.low[0])


def test_bootstrap_leaves_out_what_is_missing() -> None:
    values = np.array([[1.0, np.nan], [3.0, np.nan], [np.nan, np.nan], [2.0, np.nan]])
    interval = bootstrap_interval(values, resamples=500)
    assert interval.value[0] == pytest.approx(2.0)
    assert 1 <= interval.low[0] < 2 < interval.high[0] <= 3
    assert np.isnan([interval.value[1], interval.low[1], interval.high[1]]).all()
    assert math.isnan(bootstrap_interval(np.zeros(0)).value)


def test_bootstrap_is_repeatable_and_constant_data_have_no_width() -> None:
    values = np.random.default_rng(0).random((30, 2))
    first, again = bootstrap_interval(values, seed=5), bootstrap_interval(values, seed=5)
    assert np.array_equal(first.low, again.low)
    assert not np.array_equal(first.low, bootstrap_interval(values, seed=6).low)
    constant = bootstrap_interval(np.full(10, 0.25))
    assert constant.low == constant.high == constant.value == 0.25


def counts(scenes: int) -> np.ndarray:
    """Confusions (scenes, 2 conditions, 4, 4); class 3 occurs in few scenes."""
    rng = np.random.default_rng(7)
    base = rng.poisson(5, size=(scenes, 2, 4, 4)) + 60 * np.eye(4, dtype=int)
    base[scenes // 4 :, :, 3] = 0
    base[:, 1] += rng.poisson(20, size=(scenes, 4, 4)) * (base[:, 1].sum(-1, keepdims=True) > 0)
    return base


def test_bootstrap_of_miou_matches_a_loop() -> None:
    matrices = counts(24)
    got = bootstrap_miou(matrices, resamples=4000, seed=0)
    rng = np.random.default_rng(9)
    draws = rng.integers(0, 24, size=(4000, 24))
    samples = np.array([[miou(matrices[d, c].sum(0)) for c in (0, 1)] for d in draws])
    low, high = np.quantile(samples, [0.025, 0.975], axis=0)
    width = high - low
    assert got.value == pytest.approx([miou(matrices[:, c].sum(0)) for c in (0, 1)])
    assert (np.abs(got.low - low) < 0.1 * width).all()
    assert (np.abs(got.high - high) < 0.1 * width).all()
    single = bootstrap_miou(matrices[:, 1], resamples=4000, seed=0)
    assert (single.low, single.high) == pytest.approx((got.low[1], got.high[1]))


def test_bootstrap_of_equal_scenes_has_no_width() -> None:
    interval = bootstrap_miou(np.repeat(counts(4)[:1, 0], 10, axis=0))
    assert interval.low == pytest.approx(interval.value) == pytest.approx(interval.high)


def test_holm_matches_statsmodels() -> None:
    p = np.random.default_rng(0).random(12) ** 3
    adjusted, reject = holm(p)
    expected = multipletests(p, alpha=0.05, method="holm")
    assert adjusted == pytest.approx(expected[1])
    assert np.array_equal(reject, expected[0])


def test_holm_leaves_missing_tests_out() -> None:
    adjusted, reject = holm([0.01, math.nan, 0.03])
    assert adjusted[[0, 2]] == pytest.approx([0.02, 0.03]) and math.isnan(adjusted[1])
    assert reject.tolist() == [True, False, True]
    empty, none = holm([math.nan])
    assert math.isnan(empty[0]) and not none[0]
