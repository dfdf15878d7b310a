"""Bootstraps over scenes against scipy, brute-force resampling, and a simulation of coverage."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from vlmis_utils.errors import UserError
from vlmis_utils.metrics import miou
from vlmis_utils.statistics import bootstrap_interval, bootstrap_miou


def test_a_bootstrap_needs_a_resample() -> None:
    with pytest.raises(UserError, match="at least 1"):
        bootstrap_interval([1.0, 2.0], resamples=0)


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
