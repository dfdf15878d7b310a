"""Bootstraps over scenes against scipy, brute-force resampling, and a simulation of coverage."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from vlmis_utils.core.errors import UserError
from vlmis_utils.metrics.language import miou
from vlmis_utils.statistics import (
    bootstrap_interval,
    bootstrap_miou,
    bootstrap_miou_change,
    percentiles,
    resampled_miou,
    scene_weights,
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
    tail = (1 - expanded(24)) / 2
    low, high = np.quantile(samples, [tail, 1 - tail], axis=0)
    width = high - low
    assert got.value == pytest.approx([miou(matrices[:, c].sum(0)) for c in (0, 1)])
    assert (np.abs(got.low - low) < 0.1 * width).all()
    assert (np.abs(got.high - high) < 0.1 * width).all()
    single = bootstrap_miou(matrices[:, 1], resamples=4000, seed=0)
    assert (single.low, single.high) == pytest.approx((got.low[1], got.high[1]))


def test_bootstrap_of_equal_scenes_has_no_width() -> None:
    interval = bootstrap_miou(np.repeat(counts(4)[:1, 0], 10, axis=0))
    assert interval.low == pytest.approx(interval.value) == pytest.approx(interval.high)


def test_resampled_miou_adds_whole_matrices_without_rounding() -> None:
    matrices = counts(24) * 10**9
    matrices[:3, 0, 2] = 0
    weights = scene_weights(24, 50)
    summed = np.einsum("rn,nckl->rckl", weights.astype(np.int64), matrices)
    assert np.allclose(resampled_miou(matrices, weights), miou(summed), rtol=1e-14)
    nothing = resampled_miou(np.zeros((2, 1, 3, 3)), np.ones((1, 2)))
    assert nothing.shape == (1, 1) and np.isnan(nothing).all()


def test_miou_change_matches_a_loop_and_keeps_the_pairing() -> None:
    matrices = counts(24)
    got = bootstrap_miou_change(matrices, resamples=4000)
    whole = [miou(matrices[:, c].sum(0)) for c in (0, 1)]
    assert got.value == pytest.approx([0, whole[0] - whole[1]])
    assert got.low[0] == got.high[0] == 0
    draws = np.random.default_rng(9).integers(0, 24, size=(4000, 24))
    samples = [miou(matrices[d, 0].sum(0)) - miou(matrices[d, 1].sum(0)) for d in draws]
    tail = (1 - expanded(24)) / 2
    low, high = np.quantile(samples, [tail, 1 - tail])
    assert got.low[1] == pytest.approx(low, abs=0.1 * (high - low))
    assert got.high[1] == pytest.approx(high, abs=0.1 * (high - low))
    turned = bootstrap_miou_change(matrices, reference=1, resamples=4000)
    assert turned.low[0] == pytest.approx(-got.high[1])
    each = bootstrap_miou_change(matrices, reference=[1, 0], resamples=4000)
    assert each.value == pytest.approx([-got.value[1], got.value[1]])


def test_equal_conditions_do_not_differ_in_any_resample() -> None:
    same = np.repeat(counts(12)[:, :1], 2, axis=1)
    got = bootstrap_miou_change(same, resamples=200)
    assert got.value[1] == got.low[1] == got.high[1] == 0


def test_no_scene_is_no_value() -> None:
    empty = bootstrap_miou_change(np.zeros((0, 2, 3, 3)))
    assert np.isnan([empty.value, empty.low, empty.high]).all()
    assert math.isnan(bootstrap_miou(np.zeros((0, 3, 3))).low)
