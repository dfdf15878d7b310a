"""Jackknife intervals against scipy's t interval and a loop that leaves out each scene."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from vlmis_utils.analysis.validation.coverage import make_confusions
from vlmis_utils.metrics.segmentation import miou
from vlmis_utils.statistics import jackknife_miou, jackknife_miou_change


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
