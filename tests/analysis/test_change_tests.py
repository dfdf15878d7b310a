"""Changes of outcome and their sentences on synthetic records, against direct counts."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from tests.helpers.synthetic import write_records
from vlmis_utils.analysis import changes
from vlmis_utils.analysis.results import Results
from vlmis_utils.report.tables import changes as cells
from vlmis_utils.statistics import holm

LABELS = {"clip": "CLIP"}


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    return Results(write_records(tmp_path_factory.mktemp("records"), scenes=12), bootstrap=200)


@pytest.fixture(scope="module")
def tested(results: Results) -> pd.DataFrame:
    return changes.misalignment_tests(results)


@pytest.fixture(scope="module")
def ladders(results: Results) -> pd.DataFrame:
    return changes.severity_tests(results)


@pytest.fixture(scope="module")
def quality(results: Results) -> pd.DataFrame:
    return changes.quality_tests(results)


def test_every_vlm_metric_and_degraded_condition_is_tested_once(tested: pd.DataFrame) -> None:
    keys = ["vlm", "metric", "condition"]
    assert len(tested) == 3 * 3 * 9 == len(tested[keys].drop_duplicates())
    assert not set(tested.condition) & {"clean", "blank"}


def test_flips_are_counted_scene_by_scene(results: Results, tested: pd.DataFrame) -> None:
    images = results.vlm_per_image().set_index(["vlm", "condition", "scene_id"]).sort_index()
    row = tested.set_index(["vlm", "metric", "condition"]).loc["qwen2-vl", "smr", "LL3"]
    clean, degraded = (images.smr_i.loc["qwen2-vl", c].sort_index() for c in ("clean", "LL3"))
    up, down = (
        int(((degraded == 1) & (clean == 0)).sum()),
        int(((clean == 1) & (degraded == 0)).sum()),
    )
    assert (row.destructive, row.corrective, row.n) == (up, down, 12)
    assert row.p == pytest.approx(stats.binomtest(up, up + down).pvalue if up + down else 1)


def test_deltas_and_intervals_are_those_of_the_changes(
    results: Results, tested: pd.DataFrame
) -> None:
    known = changes.misalignment_changes(results)
    both = tested.merge(known, on=["vlm", "metric", "condition"], suffixes=("", "_known"))
    assert len(both) == len(tested)
    for column in ("delta", "low", "high"):
        assert both[column].to_numpy() == pytest.approx(both[f"{column}_known"].to_numpy())


def test_holm_is_taken_within_each_vlm(tested: pd.DataFrame) -> None:
    for _, rows in tested.groupby("vlm"):
        assert rows.holm.to_numpy() == pytest.approx(holm(rows.p)[0])
        assert (rows.holm >= rows.p - 1e-12).all()


def test_each_kind_of_test_has_its_own_sizes(tested: pd.DataFrame) -> None:
    shares, binary = tested[tested.metric == "hr"], tested[tested.metric != "hr"]
    assert shares.g.isna().all() and shares.rank_biserial.notna().any()
    assert binary.rank_biserial.isna().all()
    told = binary[binary.reason == ""]
    assert (np.sign(told.g) == np.sign(told.delta.round(9))).all()


def test_ladders_have_three_steps_and_four_with_clean(
    results: Results, ladders: pd.DataFrame
) -> None:
    assert len(ladders) == 3 * 2 * 3 * 2
    assert set(ladders[ladders.span == "severities"].k) == {3}
    assert set(ladders[ladders.span == "with clean"].k) == {4}
    rates = results.vlm_by_condition().set_index(["vlm", "condition"]).cor
    row = ladders.set_index(["vlm", "metric", "corruption", "span"]).sort_index()
    row = row.loc["clip", "cor", "MB"]
    steps = ["clean", "MB1", "MB2", "MB3"]
    assert row.rates["with clean"] == pytest.approx([rates["clip", c] for c in steps])
    for _, rows in ladders.groupby(["vlm", "span"]):
        assert rows.holm.to_numpy() == pytest.approx(holm(rows.p)[0])


def test_quality_is_tested_picture_by_picture(results: Results, quality: pd.DataFrame) -> None:
    assert len(quality) == 3 * 9
    images = results.segmentation_per_image()
    wide = images[images.segmenter == "segformer"].pivot(
        index="scene_id", columns="condition", values="miou"
    )
    row = quality.set_index(["segmenter", "condition"]).loc["segformer", "OCC2"]
    change = wide.OCC2 - wide.clean
    assert row.delta == pytest.approx(change.mean())
    assert row.d_z == pytest.approx(change.mean() / change.std())
    assert row.falling == (change < 0).sum()


# Sentences ----------------------------------------------------------------------------------------


def row(metric: str, up: int, down: int, holm_p: float, condition: str = "LL1") -> dict:
    delta = (up - down) / 100
    return {
        "vlm": "clip", "metric": metric, "condition": condition, "n": 100, "destructive": up,
        "corrective": down, "delta": delta, "low": delta - 0.05, "high": delta + 0.05,
        "p": holm_p / 2, "holm": holm_p, "g": 0.2, "odds": 2.0, "odds_low": 1.0,
        "odds_high": np.inf, "rank_biserial": 0.3, "reason": "",
    }  # fmt: skip


def test_cells_hold_for_any_run(
    tested: pd.DataFrame, ladders: pd.DataFrame, quality: pd.DataFrame
) -> None:
    tables = [
        cells.change_summary(tested, LABELS), cells.change_table(tested, "clip"),
        cells.severity_table(ladders, LABELS),
        cells.quality_table(quality, LABELS),
    ]  # fmt: skip
    assert [len(table) for table in tables] == [9, 27, 18, 27]
    assert not any("nan" in str(value) for table in tables for value in table.to_numpy().ravel())


def test_odds_without_bound_are_printed_as_such() -> None:
    table = cells.change_table(pd.DataFrame([row("cor", 5, 0, 0.1), row("hr", 5, 0, 0.1)]), "clip")
    assert table.odds.to_list() == ["2.0 [1.0 to ∞]{.interval}", "–"]
    assert table["g or r"].to_list() == ["0.20", "0.30"]
