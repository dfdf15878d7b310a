"""Correlations over specifications agree with the chapter's and with scipy, row by row."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import scipy.stats

from vlmis_utils.analysis import correlation, multiverse
from vlmis_utils.analysis.multiverse import Grid
from vlmis_utils.analysis.multiverse.correlation_curves import (
    _clustered,
    _paired,
    _pearson,
)
from vlmis_utils.analysis.results import Results
from vlmis_utils.statistics import fisher_interval, scene_weights, spearman_interval

NAMES = ["segmenter", "vlm", "metric", "method"]


def test_own_correlations_over_conditions_are_scipys(
    results: Results, correlations: pd.DataFrame
) -> None:
    own = correlations[correlations.own].set_index(NAMES)
    pairs = results.pairs()
    pairs = pairs[pairs.condition != "blank"].round(10)
    oracles = {"pearson": scipy.stats.pearsonr, "spearman": scipy.stats.spearmanr}
    assert len(own) == 3 * 3 * 3 * 2
    for name, row in own.iterrows():
        mine = pairs[(pairs.segmenter == name[0]) & (pairs.vlm == name[1])]
        interval = spearman_interval if name[3] == "spearman" else fisher_interval
        r = oracles[name[3]](mine.miou, mine[name[2]])[0]
        assert row.estimate == pytest.approx(r, abs=1e-6)
        assert (row.low, row.high) == pytest.approx(interval(row.estimate, 10))


def test_own_correlations_over_images_are_those_of_the_chapter(
    results: Results, grids: list[Grid]
) -> None:
    curve = multiverse.image_correlation_curve(results, grids, 50)
    found = correlation.correlations(results)
    found = found[found.over == "images"].set_index(NAMES)
    own = curve[curve.own].set_index(NAMES)
    assert len(own) == len(found) == 3 * 3 * 3 * 2
    assert own.estimate[found.index].to_numpy() == pytest.approx(found.r.to_numpy())
    assert (curve.low <= curve.estimate).all() and (curve.estimate <= curve.high).all()


def test_the_chapters_segmenter_and_coefficient_come_first(correlations: pd.DataFrame) -> None:
    curve = correlations
    assert (curve.segmenter[0], curve.method[0]) == ("deeplabv3plus", "spearman")
    assert curve.own[0] and curve.quality[0] == "mIoU of all pixels"


def test_mean_of_images_is_that_of_the_table(results: Results, correlations: pd.DataFrame) -> None:
    curve = correlations
    pairs = results.pairs()
    pairs = pairs[(pairs.segmenter == "segformer") & (pairs.vlm == "clip")]
    pairs = pairs[pairs.condition != "blank"]
    rows = curve[(curve.segmenter == "segformer") & (curve.vlm == "clip") & (curve.metric == "hr")]
    rows = rows[(rows.method == "pearson") & (rows.quality == "mean of images' mIoU")]
    expected = scipy.stats.pearsonr(pairs.miou_image_mean, pairs.hr)[0]
    assert rows.estimate.iloc[0] == pytest.approx(expected)


def test_rows_with_gaps_and_ties_match_scipy() -> None:
    rng = np.random.default_rng(1)
    x = np.tile(rng.random(12), (5, 1))
    y = rng.integers(0, 4, (5, 12)).astype(float)
    y[1, :3], y[2, 5], y[3] = np.nan, np.nan, 0.5
    y[4, 2:] = np.nan
    for method, oracle in (("pearson", scipy.stats.pearsonr), ("spearman", scipy.stats.spearmanr)):
        r, n = _pearson(*_paired(x, y, method))
        assert n.tolist() == [12, 9, 11, 12, 2] and np.isnan(r[3:]).all()
        for row in range(3):
            known = np.isfinite(y[row])
            assert r[row] == pytest.approx(oracle(x[row, known], y[row, known])[0])


def test_resampled_correlation_is_that_of_the_drawn_images() -> None:
    """Bounds against drawing the images themselves, one resample at a time."""
    rng = np.random.default_rng(2)
    scenes, conditions = 6, 3
    x, y = rng.random((2, 1, conditions * scenes))
    y[0, 4] = np.nan
    weights = scene_weights(scenes, 40)
    r, low, high = _clustered(x, y, "pearson", weights)
    drawn = [r[0]]
    for row in weights.astype(int):
        times = np.tile(row, conditions) * np.isfinite(y[0])
        drawn.append(np.corrcoef(np.repeat(x[0], times), np.repeat(y[0], times))[0, 1])
    known = np.isfinite(y[0])
    assert r[0] == pytest.approx(np.corrcoef(x[0, known], y[0, known])[0, 1])
    error = np.std(np.arctanh(drawn[1:]), ddof=1) * np.sqrt(scenes / (scenes - 1))
    reach = scipy.stats.t.ppf(0.975, scenes - 1) * error
    expected = np.tanh(np.arctanh(r[0]) + np.array([-reach, reach]))
    assert (low[0], high[0]) == pytest.approx(tuple(expected))


def test_a_metric_that_never_varies_has_no_correlation(results: Results, grids: list[Grid]) -> None:
    grid = grids[0]
    flat = Grid(grid.vlm, grid.metric, grid.conditions, grid.scenes, grid.levels,
                np.zeros_like(grid.values), grid.hidden)  # fmt: skip
    for curve in (
        multiverse.correlation_curve(results, [flat]),
        multiverse.image_correlation_curve(results, [flat], 20),
    ):
        assert curve[["estimate", "low", "high"]].isna().all(axis=None)
        assert set(curve.verdict) == {"same"}
        found = multiverse.survival(curve, pool=("segmenter", "method"))
        assert found.outcome.tolist() == ["survives"]
        assert pd.isna(found.estimate.item()) and found.deciding.item() == ""
