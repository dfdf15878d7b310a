"""Tables and sentences of the embedded models."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from tests.helpers.embedded import write_quality
from vlmis_utils.report.tables import training as tables
from vlmis_utils.training.evaluation import goals, store
from vlmis_utils.training.recipes import facts
from vlmis_utils.training.weights import MODELS, SEGMENTERS, VLMS

LABELS = {name: name.upper() for name in MODELS}


@pytest.fixture
def clean(tmp_path: Path) -> pd.DataFrame:
    return store.read("clean.csv", write_quality(tmp_path))


def test_by_class_has_the_mean_first_and_a_column_a_model(clean: pd.DataFrame) -> None:
    table = tables.load_by_class(clean[clean.model.isin(SEGMENTERS)], "IoU", LABELS)
    assert list(table.columns) == ["class", *(LABELS[m] for m in SEGMENTERS)]
    assert table["class"][0] == "mean" and len(table) == 20
    assert "**pedestrian**" in set(table["class"])
    value = clean[(clean.model == "segformer") & (clean.measure == "mIoU")].value.iloc[0]
    assert table["SEGFORMER"][0].startswith(f"{value:.2f} [")
    words = tables.load_by_class(clean[clean.model.isin(VLMS)], "presence AUC", LABELS)
    assert len(words) == 10


def test_overall_marks_what_was_not_measured(clean: pd.DataFrame) -> None:
    part = clean[clean.model.isin(VLMS)]
    table = tables.load_overall(part, ("presence AUC", "parse success", "none"), LABELS)
    assert list(table.measure) == ["presence AUC", "parse success"]
    assert table["CLIP"][1] == "–" and table["QWEN2-VL"][1] != "–"


def test_goals_and_their_sentences_agree(clean: pd.DataFrame) -> None:
    judged = goals.judge(clean)
    table = tables.load_goals(judged, LABELS)
    assert len(table) == len(judged)
    lines = tables.goal_findings(judged, LABELS)
    assert len(lines) == len(MODELS)
    for line, (_, rows) in zip(lines, judged.groupby("model", sort=False), strict=True):
        assert f"{(rows.verdict == 'reached').sum()} of {len(rows)} goals" in line
        assert ("misses the floor" in line) == (rows.verdict == "missed").any()
    single = tables.load_goals(goals.judge(clean, goals.PHOTOGRAPH_GOALS), LABELS).measure
    assert {"IoU, road", "IoU, car", "IoU, pedestrian"} <= set(single)
    assert not single.str.contains("IoU, least").any() and single.str.contains("AUC, least").any()
    best = judged.assign(verdict="reached")
    assert all("misses" not in line and "floor" not in line
               for line in tables.goal_findings(best, LABELS))  # fmt: skip


def test_baselines_are_starred_where_they_are_not_beaten(tmp_path: Path) -> None:
    write_quality(tmp_path)
    clean, baselines = (store.read(f"{n}.csv", tmp_path) for n in ("clean", "baselines"))
    table = tables.load_baselines(baselines, clean, LABELS)
    stars = sum(str(cell).endswith("*") for cell in table.to_numpy().ravel())
    open_ = ~(baselines.difference_low > 0)
    assert stars == open_.sum() and len(table) == len(MODELS)
    lines = tables.baseline_findings(baselines, LABELS)
    assert (
        sum("not significantly better than" in line for line in lines)
        == baselines[open_].model.nunique()
    )


def test_costs_recipes_and_agreement() -> None:
    assert len(tables.load_recipes(MODELS, LABELS)) == len(MODELS)
    assert len(tables.load_costs(facts.costs(), LABELS)) == len(facts.costs())
    rows = pd.DataFrame(
        {"model": ["clip", "clip"], "measure": ["equal answers", "largest score difference"],
         "value": [0.99987, 0.0123], "n": [12345, 12345]}
    )  # fmt: skip
    table = tables.load_agreement(rows, LABELS)
    assert table.value.tolist() == ["99.987 %", "0.0123"] and table.over[0] == "12 345"


def test_ablations_are_told_apart_by_their_intervals() -> None:
    rows = pd.DataFrame(
        {"question": ["size", "size", "alone"], "model": "clip", "setting": ["a", "b", "c"],
         "steps": 9, "scenes": 8, "height": 4, "width": 8, "measure": "mIoU",
         "value": [0.2, 0.5, 0.4], "low": [0.1, 0.4, 0.3], "high": [0.3, 0.6, 0.5]}
    )  # fmt: skip
    assert tables.load_ablations(rows, LABELS).comparison.tolist() == ["size", "", "alone"]
    size, alone = tables.ablation_findings(rows)
    assert "lowest a" in size and "highest b" in size and size.endswith("are apart.")
    assert "nothing to compare" in alone
    assert "not apart" in tables.ablation_findings(rows.assign(low=0.0))[0]


def test_what_a_start_is_worth_is_told_with_both_intervals() -> None:
    rows = pd.DataFrame(
        {"setting": ["StreetWorld weights", "random weights"], "steps": 400, "height": 160,
         "width": 320, "n": 166, "value": [0.3, 0.1], "low": [0.2, 0.05], "high": [0.4, 0.15]}
    )  # fmt: skip
    said = tables.start_words(rows)
    assert "0.30 [0.20, 0.40] from the StreetWorld weights" in said
    assert "166 frames" in said and "do not overlap" in said
    assert "intervals overlap" in tables.start_words(rows.assign(low=0.0))
    assert "not been measured" in tables.start_words(rows.iloc[:1])
    assert "not been measured" in tables.start_words(rows.iloc[:0])
