"""Bootstraps over scenes against scipy, brute-force resampling, and a simulation of coverage."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from vlmis_utils.core.errors import UserError
from vlmis_utils.statistics.resampling import (
    bootstrap_interval,
    percentiles,
    sample_and_resamples,
    scene_weights,
    weighted_mean,
)


def expanded(scenes: int) -> float:
    """Confidence of plain percentiles that have the width of the expanded ones of 95 %."""
    reach = stats.t.ppf(0.975, scenes - 1) * math.sqrt(scenes / (scenes - 1))
    return 2 * stats.norm.cdf(reach) - 1


def test_weights_are_those_of_a_multinomial_distribution() -> None:
    weights = scene_weights(6, 40_000, seed=1)
    assert weights.shape == (40_000, 6) and (weights.sum(axis=1) == 6).all()
    peer = stats.multinomial(6, np.full(6, 1 / 6))
    assert weights.mean(axis=0) == pytest.approx(np.ones(6), abs=0.02)
    assert np.cov(weights.T) == pytest.approx(peer.cov(), abs=0.03)
    shares = np.bincount(weights[:, 0].astype(int), minlength=7) / len(weights)
    assert shares == pytest.approx(stats.binom.pmf(np.arange(7), 6, 1 / 6), abs=0.01)


def test_percentiles_are_numpys_and_expand_with_few_scenes() -> None:
    samples = np.random.default_rng(0).normal(size=(500, 3))
    before = samples.copy()
    assert np.allclose(percentiles(samples, 0.9), np.quantile(samples, [0.05, 0.95], axis=0))
    tail = (1 - expanded(20)) / 2
    wide = percentiles(samples, 0.95, scenes=20)
    assert np.allclose(wide, np.quantile(samples, [tail, 1 - tail], axis=0))
    assert np.array_equal(samples, before)
    samples[::2, 1] = np.nan
    assert percentiles(samples)[0][1] == pytest.approx(np.quantile(samples[1::2, 1], 0.025))
    assert percentiles(samples[:, 0])[1] == pytest.approx(np.quantile(samples[:, 0], 0.975))


def test_a_bootstrap_needs_a_resample() -> None:
    with pytest.raises(UserError, match="at least 1"):
        bootstrap_interval([1.0, 2.0], resamples=0)


def test_bootstrap_matches_scipy() -> None:
    values = np.random.default_rng(3).exponential(size=80)
    got = bootstrap_interval(values, resamples=20000, seed=1)
    expected = stats.bootstrap(
        (values,), np.mean, n_resamples=20000, method="percentile", confidence_level=expanded(80),
        rng=np.random.default_rng(2),
    ).confidence_interval  # fmt: skip
    assert got.value == pytest.approx(values.mean())
    assert got.low == pytest.approx(expected.low, abs=0.01)
    assert got.high == pytest.approx(expected.high, abs=0.01)


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


def test_weighted_means_are_numpys_and_leave_out_what_is_missing() -> None:
    rng = np.random.default_rng(4)
    values = rng.normal(size=(12, 3, 2))
    weights = sample_and_resamples(12, 6, seed=2)
    assert (weights[0] == 1).all() and np.array_equal(weights[1:], scene_weights(12, 6, seed=2))
    expected = [np.average(values, axis=0, weights=row) for row in weights]
    assert np.allclose(weighted_mean(weights, values), expected)
    values[::3, 0] = np.nan
    copies = [np.repeat(values, row.astype(int), axis=0) for row in weights]
    assert np.allclose(weighted_mean(weights, values), [np.nanmean(c, axis=0) for c in copies])
    alone = weighted_mean(np.array([[1.0, 0.0]]), np.array([np.nan, 1.0]))
    assert np.isnan(alone).all()
