"""Two studies side by side: what differs, and tests in pairs of what both saw."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

from tests.helpers.synthetic import write_records
from vlmis_utils.analysis.comparison import (
    compared_findings,
    differing_parameters,
    shared_pictures,
)
from vlmis_utils.analysis.results import Results
from vlmis_utils.protocol.conditions import CONDITIONS
from vlmis_utils.protocol.study import Study

COLUMNS = {"hr": "hr_i", "cor": "omitted", "smr": "smr_i"}


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> tuple[Results, Results]:
    """The same answers, read one way and another; scenes of the second are fewer."""
    folder = tmp_path_factory.mktemp("two")
    whole = write_records(folder / "a", scenes=12)
    second = Results(write_records(folder / "b", scenes=12), top_k=2, bootstrap=50)
    second.conditions = second.conditions[second.conditions.scene_id <= "streetworld-test-0-00007"]
    second.scenes = second.scenes[second.scenes.scene_id <= "streetworld-test-0-00007"]
    return Results(whole, bootstrap=50), second


def test_only_the_same_pictures_are_shared(two: tuple[Results, Results]) -> None:
    shared = shared_pictures(*two)
    assert len(shared) == 8 * len(CONDITIONS) and set(shared.condition) == set(CONDITIONS)
    other = Results(two[1].records, bootstrap=50)
    other.conditions = other.conditions.assign(image_sha256="another")
    assert shared_pictures(two[0], other).empty


def test_tests_are_those_of_scipy_on_the_shared_scenes(two: tuple[Results, Results]) -> None:
    found = compared_findings(*two)
    mine = found[(found.model == "clip") & (found.metric != "miou")]
    assert (mine.n == 8).all() and len(mine) == 3 * len(CONDITIONS)
    images = [r.vlm_per_image().set_index(["vlm", "condition", "scene_id"]) for r in two]
    names = sorted(two[1].scenes.scene_id)
    for row in mine.itertuples():
        x, y = (np.array([f.loc[("clip", row.condition, s), COLUMNS[row.metric]] for s in names])
                for f in images)  # fmt: skip
        assert row.first == pytest.approx(x.mean()) and row.second == pytest.approx(y.mean())
        assert row.delta == pytest.approx((y - x).mean()) and row.low <= row.delta <= row.high
        change = np.round(y - x, 10)
        if row.metric != "hr":
            ups, downs = int((change > 0).sum()), int((change < 0).sum())
            p = stats.binomtest(ups, ups + downs).pvalue if ups + downs else 1.0
            assert row.p == pytest.approx(p)
        elif change.any():
            tied = len(set(np.abs(change[change != 0]))) < len(change)
            method = "asymptotic" if tied else "auto"
            test = stats.wilcoxon(change, method=method, correction=tied)
            assert row.p == pytest.approx(test.pvalue)
    assert mine.holm.to_numpy() == pytest.approx(multipletests(mine.p, method="holm")[1])
    assert (mine.delta != 0).any()


def test_without_a_shared_picture_nothing_is_tested(two: tuple[Results, Results]) -> None:
    other = Results(two[1].records, bootstrap=50)
    other.conditions = other.conditions.assign(image_sha256="another")
    found = compared_findings(two[0], other)
    assert len(found) and (found.n == 0).all() and found.p.isna().all() and found.holm.isna().all()
    by = two[0].vlm_by_condition().set_index(["vlm", "condition"])
    row = found[(found.model == "siglip") & (found.metric == "smr")].iloc[0]
    assert row["first"] == pytest.approx(by.smr[("siglip", row.condition)])


def test_parameters_and_checkpoints_that_differ_are_named() -> None:
    runs = [{"models": {"clip": {"digest": d}, "siglip": {"digest": "s"}}} for d in "ab"]
    found = differing_parameters(
        Study(study="a"), Study(study="b", conditions=("clean", "LL1")), runs
    )
    assert dict(zip(found["key"], found.second, strict=True)) == {
        "study": "b", "conditions": "clean, LL1", "checkpoint of clip": "b",
    }  # fmt: skip
    assert differing_parameters(Study(), Study()).empty
