"""Intervals of mIoU against scipy, loops over drawn or left-out scenes, and simulated coverage."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from vlmis_utils.analysis.validation.coverage import make_confusions
from vlmis_utils.metrics.miou_intervals import (
    bootstrap_miou,
    bootstrap_miou_change,
    jackknife_miou,
    jackknife_miou_change,
    resampled_counts,
    resampled_miou,
)
from vlmis_utils.metrics.segmentation import class_counts, miou
from vlmis_utils.statistics import scene_weights


def expanded(scenes: int) -> float:
    """Confidence of plain percentiles that have the width of the expanded ones of 95 %."""
    reach = stats.t.ppf(0.975, scenes - 1) * math.sqrt(scenes / (scenes - 1))
    return 2 * stats.norm.cdf(reach) - 1


def test_where_miou_is_a_mean_it_is_students_interval() -> None:
    """One class in the truth, as many pixels in each scene: mIoU is the mean share of hits."""
    hits = np.random.default_rng(0).integers(20, 90, size=30)
    counts = np.zeros((30, 2, 2), dtype=int)
    counts[:, 0, 0], counts[:, 0, 1] = hits, 100 - hits
    got = jackknife_miou(counts, confidence=0.9)
    expected = stats.ttest_1samp(hits / 100, 0).confidence_interval(0.9)
    assert got.value == pytest.approx(hits.mean() / 100)
    assert (got.low, got.high) == pytest.approx((expected.low, expected.high))


def test_it_matches_a_loop_over_scenes() -> None:
    counts = make_confusions(25, 5)
    whole = np.array([miou(counts[:, c].sum(0)) for c in (0, 1)])
    without = np.array([miou(np.delete(counts, i, axis=0).sum(0)) for i in range(25)])
    t = stats.t.ppf(0.975, 24)

    def reach(values: np.ndarray) -> np.ndarray:
        return t * np.sqrt(24 / 25 * ((values - values.mean(0)) ** 2).sum(0))

    level, change = jackknife_miou(counts), jackknife_miou_change(counts)
    assert level.value == pytest.approx(whole)
    assert level.high - level.value == pytest.approx(reach(without))
    assert change.value == pytest.approx([0, whole[0] - whole[1]])
    assert change.value - change.low == pytest.approx(reach(without[:, :1] - without))
    assert change.low[0] == change.high[0] == 0
    alone = jackknife_miou(counts[:, 1])
    assert (alone.low, alone.high) == pytest.approx((level.low[1], level.high[1]))
    each = jackknife_miou_change(counts, [1, 1])
    assert each.value == pytest.approx([whole[1] - whole[0], 0])


def test_pairing_keeps_the_change_sharp() -> None:
    counts = make_confusions(60, 4)
    same = np.stack([counts[:, 0], counts[:, 0]], axis=1)
    found = jackknife_miou_change(same)
    assert found.low[1] == found.high[1] == 0
    level = jackknife_miou(same)
    assert level.high[0] - level.low[0] > 0.01


def test_bounds_stay_in_range_and_few_scenes_have_none() -> None:
    perfect = jackknife_miou(np.stack([np.diag([5, 5])] * 6 + [np.array([[4, 1], [0, 5]])]))
    assert perfect.high == 1
    one = jackknife_miou(np.diag([5, 5])[None])
    assert one.value == 1 and np.isnan([one.low, one.high]).all()
    none = jackknife_miou_change(np.zeros((0, 2, 3, 3)))
    assert np.isnan([none.value, none.low, none.high]).all()


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
    assert np.array_equal(resampled_counts(matrices, weights), class_counts(summed))
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
