"""Correlations over specifications agree with the chapter's and with scipy, row by row."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import scipy.stats

from vlmis_utils.analysis import correlation, multiverse
from vlmis_utils.analysis.multiverse import Grid
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


def simulated_grid(grid: Grid, values: np.ndarray) -> Grid:
    """A grid of one level for each row of values (P, C, S)."""
    levels = pd.DataFrame({"top_k": [f"Top-{k}" for k in range(len(values))]})
    return Grid(grid.vlm, grid.metric, grid.conditions, grid.scenes, levels, values, grid.hidden)


def test_gaps_and_ties_match_scipy(results: Results, grids: list[Grid]) -> None:
    grid = grids[0]
    shape = (len(grid.conditions), len(grid.scenes))
    values = np.random.default_rng(1).integers(0, 4, (4, *shape)).astype(float)
    values[1, :3], values[2, 5, 2], values[3] = np.nan, np.nan, 0.5
    made = simulated_grid(grid, values)
    images = results.segmentation_per_image().query("segmenter == 'segformer'")
    x = images.pivot(index="condition", columns="scene_id", values="miou")
    x = x.loc[list(grid.conditions), list(grid.scenes)].to_numpy()
    curve = multiverse.image_correlation_curve(results, [made], 20)
    for method, oracle in (("pearson", scipy.stats.pearsonr), ("spearman", scipy.stats.spearmanr)):
        rows = curve[(curve.segmenter == "segformer") & (curve.method == method)]
        for row, y in zip(rows.estimate, values, strict=True):
            known = np.isfinite(y)
            expected = oracle(x[known], y[known])[0] if np.ptp(y[known]) else np.nan
            assert row == pytest.approx(expected, nan_ok=True)
        over = multiverse.correlation_curve(results, [made])
        over = over[(over.segmenter == "segformer") & (over.method == method)]
        over = over[over.quality == over.quality.iloc[-1]].estimate.tolist()
        means = x.mean(axis=1)
        for row, y in zip(over, made.rates(), strict=True):
            known = np.isfinite(y)
            expected = oracle(means[known], y[known])[0] if np.ptp(y[known]) else np.nan
            assert row == pytest.approx(expected, nan_ok=True)


def test_bounds_are_those_of_the_drawn_images(results: Results, grids: list[Grid]) -> None:
    """Bounds against drawing the images themselves, one resample at a time."""
    grid = grids[0]
    shape = (len(grid.conditions), len(grid.scenes))
    y = np.random.default_rng(2).random(shape)
    y[0, 1] = np.nan
    curve = multiverse.image_correlation_curve(results, [simulated_grid(grid, y[None])], 40)
    row = curve[(curve.segmenter == "segformer") & (curve.method == "pearson")].iloc[0]
    images = results.segmentation_per_image().query("segmenter == 'segformer'")
    x = images.pivot(index="condition", columns="scene_id", values="miou")
    x = x.loc[list(grid.conditions), list(grid.scenes)].to_numpy().ravel()
    drawn = []
    for weights in scene_weights(len(grid.scenes), 40).astype(int):
        times = np.tile(weights, shape[0]) * np.isfinite(y.ravel())
        drawn.append(np.corrcoef(np.repeat(x, times), np.repeat(y.ravel(), times))[0, 1])
    scenes = len(grid.scenes)
    error = np.std(np.arctanh(drawn), ddof=1) * np.sqrt(scenes / (scenes - 1))
    reach = scipy.stats.t.ppf(0.975, scenes - 1) * error
    expected = np.tanh(np.arctanh(row.estimate) + np.array([-reach, reach]))
    assert (row.low, row.high) == pytest.approx(tuple(expected))


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
        found = multiverse.robustness(curve, pool=("segmenter", "method"))
        assert found.outcome.tolist() == ["robust"]
        assert pd.isna(found.estimate.item()) and found.deciding.item() == ""
