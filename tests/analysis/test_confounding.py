"""Partial and stratified correlations of a synthetic run, against pingouin."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pingouin
import pytest
from scipy import stats

from tests.helpers.synthetic import pairs_per_image, write_records
from vlmis_utils.analysis import confounding, correlation
from vlmis_utils.analysis.results import Results
from vlmis_utils.protocol.conditions import condition_row

ONE = ("segformer", "clip", "hr")
NAMES = ["segmenter", "vlm", "metric", "method"]


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    return Results(write_records(tmp_path_factory.mktemp("records"), scenes=10), bootstrap=100)


@pytest.fixture(scope="module")
def pair(results: Results) -> pd.DataFrame:
    pairs = pairs_per_image(results)
    pairs = pairs[(pairs.segmenter == ONE[0]) & (pairs.vlm == ONE[1])].copy()
    rows = [condition_row(c) for c in pairs.condition]
    pairs["severity"] = [row.severity if row else 0 for row in rows]
    for name in ("low light", "motion blur", "occlusion"):
        pairs[name] = [float(bool(row) and row.corruption == name) for row in rows]
    return pairs


@pytest.mark.parametrize("method", ["pearson", "spearman"])
def test_partial_correlations_over_images_are_pingouins(
    results: Results, pair: pd.DataFrame, method: str
) -> None:
    found = confounding.partial_correlations(results, ["images"]).set_index(["given", *NAMES])
    given = {"severity": ["severity"]}
    given["severity and corruption"] = ["severity", "low light", "motion blur", "occlusion"]
    for name, columns in given.items():
        theirs = pingouin.partial_corr(pair, "miou", "hr_i", columns, method=method).r.iloc[0]
        assert found.r[(name, *ONE, method)] == pytest.approx(theirs, abs=1e-6)


def test_partial_correlations_over_conditions_are_pingouins(results: Results) -> None:
    found = confounding.partial_correlations(results, ["conditions"]).set_index(["given", *NAMES])
    rows = results.pairs()
    rows = rows[(rows.segmenter == ONE[0]) & (rows.vlm == ONE[1]) & (rows.condition != "blank")]
    rows = rows.assign(severity=[int(c[-1]) if c != "clean" else 0 for c in rows.condition])
    theirs = pingouin.partial_corr(rows, "miou", "hr", "severity").iloc[0]
    row = found.loc[("severity", *ONE, "pearson")]
    assert (row.r, row.p) == pytest.approx((theirs.r, theirs.p_val))
    assert row.n == 10 and row.scene_low <= row.scene_high


def test_given_nothing_is_the_plain_correlation(results: Results) -> None:
    found = confounding.partial_correlations(results)
    plain = correlation.correlations(results)
    keys = ["over", *NAMES]
    nothing = found[found.given == "nothing"].set_index(keys).r.sort_index()
    np.testing.assert_allclose(nothing, plain.set_index(keys).r.loc[nothing.index])


def test_strata_hold_their_conditions_only(results: Results, pair: pd.DataFrame) -> None:
    found = confounding.stratified_correlations(results)
    assert set(found.stratum) == {
        "low light", "motion blur", "occlusion", "severity 1", "severity 2", "severity 3",
    }  # fmt: skip
    found = found.set_index(["over", "stratum", *NAMES])
    blur = pair[pair.condition.isin(["clean", "MB1", "MB2", "MB3"])]
    row = found.loc[("images", "motion blur", *ONE, "spearman")]
    assert row.r == pytest.approx(stats.spearmanr(blur.miou, blur.hr_i)[0]) and row.n == 40
    theirs = pingouin.rm_corr(blur, "miou", "hr_i", "scene_id").r.iloc[0]
    assert found.r["within", "motion blur", *ONE, "pearson"] == pytest.approx(theirs)
    second = pair[pair.severity == 2]
    row = found.loc[("images", "severity 2", *ONE, "pearson")]
    assert row.r == pytest.approx(stats.pearsonr(second.miou, second.hr_i)[0]) and row.n == 30


def test_richness_counts_the_object_classes_of_a_scene(
    results: Results, pair: pd.DataFrame
) -> None:
    found = confounding.scene_richness(results).set_index(["model", "quantity"])
    truth = results.truth[results.truth.condition == "clean"].set_index("scene_id").present.map(len)
    for name, column in ((("segformer", "miou"), "miou"), (("clip", "hr"), "hr_i")):
        means = pair.groupby("scene_id")[column].mean().round(12)
        assert found.r[name] == pytest.approx(stats.spearmanr(truth.loc[means.index], means)[0])
    assert len(found) == 3 + 3 * 3


def test_scene_shares_cover_all_models(results: Results) -> None:
    found = confounding.scene_shares(results)
    assert len(found) == 3 + 3 * 3 and (found.share <= 1).all()
