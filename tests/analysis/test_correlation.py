"""Correlations at four levels of a synthetic run, against direct computation."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pingouin
import pytest
from scipy import stats

from tests.helpers.synthetic import pairs_per_image, write_records
from vlmis_utils.analysis import correlation
from vlmis_utils.analysis.results import Results
from vlmis_utils.statistics import holm

KEYS = ["over", "segmenter", "vlm", "metric", "method"]
ONE = ("segformer", "clip", "hr")


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    return Results(write_records(tmp_path_factory.mktemp("records"), scenes=10), bootstrap=200)


@pytest.fixture(scope="module")
def found(results: Results) -> pd.DataFrame:
    return correlation.correlations(results).set_index(KEYS).sort_index()


@pytest.fixture(scope="module")
def pair(results: Results) -> pd.DataFrame:
    pairs = pairs_per_image(results)
    return pairs[(pairs.segmenter == ONE[0]) & (pairs.vlm == ONE[1])]


def test_every_pair_has_every_level(found: pd.DataFrame) -> None:
    assert len(found) == 4 * 3 * 3 * 3 * 2
    assert set(found.loc["conditions"].n) == {10} and set(found.loc["within"].n) == {100}
    assert set(found.scenes) == {10}


def test_over_images_is_scipys(found: pd.DataFrame, pair: pd.DataFrame) -> None:
    for method, theirs in (("pearson", stats.pearsonr), ("spearman", stats.spearmanr)):
        row = found.loc[("images", *ONE, method)]
        assert row.r == pytest.approx(theirs(pair.miou, pair.hr_i).statistic)
        assert row.low <= row.r <= row.high


def test_within_scenes_is_pingouins(found: pd.DataFrame, pair: pd.DataFrame) -> None:
    theirs = pingouin.rm_corr(pair, "miou", "hr_i", "scene_id").iloc[0]
    row = found.loc[("within", *ONE, "pearson")]
    assert row.r == pytest.approx(theirs.r) and row.fisher_p == pytest.approx(theirs.pval)
    ranks = pair[["scene_id", "miou", "hr_i"]].copy()
    for column in ("miou", "hr_i"):
        ranks[column] = pair.groupby("scene_id")[column].rank()
    theirs = pingouin.rm_corr(ranks, "miou", "hr_i", "scene_id").iloc[0]
    assert found.loc[("within", *ONE, "spearman")].r == pytest.approx(theirs.r)


def test_between_scenes_takes_condition_means_away(found: pd.DataFrame, pair: pd.DataFrame) -> None:
    theirs = pingouin.rm_corr(pair, "miou", "hr_i", "condition").iloc[0]
    assert found.loc[("between", *ONE, "pearson")].r == pytest.approx(theirs.r)


def test_intervals_over_scenes_hold_the_coefficient_and_agree_with_p(found: pd.DataFrame) -> None:
    rows = found.drop(index="conditions").dropna(subset=["r"])
    assert ((rows.low <= rows.r) & (rows.r <= rows.high)).all()
    assert (((rows.low > 0) | (rows.high < 0)) == (rows.p < 0.05)).all()
    assert rows.low.equals(rows.scene_low) and (rows.loc["images"].fisher_low.isna()).all()


def test_the_interval_over_scenes_averages_conditions_anew(
    results: Results, found: pd.DataFrame
) -> None:
    """A loop: draw scenes, add their pixels, average their failures, correlate ten numbers."""
    from vlmis_utils.metrics.segmentation import miou
    from vlmis_utils.statistics import scene_weights

    table = results.segmentation[results.segmentation.segmenter == ONE[0]]
    table = table.set_index(["condition", "scene_id"]).confusion
    images = results.vlm_per_image()
    images = images[images.vlm == ONE[1]].set_index(["condition", "scene_id"]).hr_i
    scenes = sorted(results.scenes.scene_id)
    conditions = [c for c in images.index.unique("condition") if c != "blank"]
    drawn = []
    for row in scene_weights(len(scenes), results.bootstrap):
        names = np.repeat(scenes, row.astype(int))
        q = [miou(sum(table[c, n] for n in names)) for c in conditions]
        failed = [np.mean([images[c, n] for n in names]) for c in conditions]
        drawn.append(stats.spearmanr(np.round(q, 12), np.round(failed, 12))[0])
    row = found.loc[("conditions", *ONE, "spearman")]
    expected = np.quantile(drawn, [0.025, 0.975])
    np.testing.assert_allclose([row.scene_low, row.scene_high], expected, atol=1e-9)


def test_holm_is_over_the_level_and_method(found: pd.DataFrame) -> None:
    family = found.xs("spearman", level="method").loc["within"]
    np.testing.assert_allclose(family.holm, holm(family.p)[0])


def test_a_metric_that_does_not_vary_says_so(results: Results) -> None:
    flat = Results(results.records, bootstrap=50)
    frame_flat = results.vlm_per_image().assign(omitted=1.0)
    flat.vlm_per_image = frame_flat.copy
    rows = correlation.correlations(flat)
    rows = rows[rows.metric == "cor"]
    assert rows.r.isna().all() and rows.p.isna().all() and (rows.reason != "").all()
    assert rows.scene_low.isna().all() and rows.holm.isna().all()
