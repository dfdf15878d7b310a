"""The run read again, against `Results` with changed parameters and direct counts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.helpers.synthetic import write_records
from vlmis_utils.analysis.parser_study.accuracy import read_closed
from vlmis_utils.analysis.parser_study.rereading import (
    EVERY,
    contents,
    reading_effects,
)
from vlmis_utils.analysis.results import Results


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_records(tmp_path_factory.mktemp("records"), scenes=6)


@pytest.fixture(scope="module")
def effects(folder: Path) -> pd.DataFrame:
    return reading_effects(Results(folder, bootstrap=100))


@pytest.mark.parametrize(
    ("reading", "parameters"),
    [("keyword", {"parser": "keyword"}), ("hedges counted", {"count_hedged": True})],
)
def test_rates_are_those_of_results_read_that_way(
    folder: Path, effects: pd.DataFrame, reading: str, parameters: dict
) -> None:
    base = Results(folder, bootstrap=10).vlm_by_condition().set_index(["vlm", "condition"])
    other = Results(folder, bootstrap=10, **parameters).vlm_by_condition()
    other = other.set_index(["vlm", "condition"])
    rows = effects[(effects.reading == reading) & (effects.condition != EVERY)]
    assert len(rows) == 2 * 11
    for row in rows.itertuples():
        assert row.base == pytest.approx(base[row.metric][row.vlm, row.condition])
        assert row.other == pytest.approx(other[row.metric][row.vlm, row.condition])
        assert row.delta == pytest.approx(row.other - row.base)
        assert row.low <= row.delta + 1e-12 and row.delta <= row.high + 1e-12


def test_the_base_does_not_depend_on_how_the_study_reads(
    folder: Path, effects: pd.DataFrame
) -> None:
    other = Results(folder, bootstrap=100, parser="keyword", count_hedged=True)
    pd.testing.assert_frame_equal(reading_effects(other), effects)


def test_smr_of_a_plain_rule_by_hand(folder: Path, effects: pd.DataFrame) -> None:
    results = Results(folder)
    judged = results.answers[(results.answers.prompt == "safety") & results.answers.text.notna()]
    judged = judged.merge(results.truth, on=["scene_id", "condition"])
    for rule in ("first word", "substring"):
        read = pd.Series([read_closed(text, "safety", rule) for text in judged.text])
        wrong = read != judged.safe.map({True: "safe", False: "unsafe"})
        rows = effects[(effects.reading == rule) & (effects.condition != EVERY)]
        rates = rows.set_index("condition").other
        expected = wrong.groupby(judged.condition).mean()
        assert rates.to_dict() == pytest.approx(expected.to_dict())


def test_every_is_the_mean_over_conditions_without_the_blank(effects: pd.DataFrame) -> None:
    keys = ["vlm", "reading", "metric"]
    seen = effects[~effects.condition.isin([EVERY, "blank"])].groupby(keys)
    every = effects[effects.condition == EVERY].set_index(keys)
    for column in ("base", "other", "delta"):
        assert every[column].to_dict() == pytest.approx(seen[column].mean().to_dict())
    for column in ("answers", "changed"):
        assert every[column].to_dict() == seen[column].sum().to_dict()


def test_no_changed_answer_means_no_change(effects: pd.DataFrame) -> None:
    same = effects[effects.changed == 0]
    assert len(same) and (same[["delta", "low", "high"]] == 0).all(axis=None)
    assert not len(effects[(effects.reading == "hedges counted") & (effects.changed > 0)])


def test_only_models_that_speak_have_rows(folder: Path, effects: pd.DataFrame) -> None:
    assert set(effects.vlm) == set(contents(Results(folder)).vlm) == {"qwen2-vl"}


def test_contents_are_counts_of_texts(folder: Path, effects: pd.DataFrame) -> None:
    results = Results(folder)
    (row,) = contents(results).to_dict("records")
    spoken = results.answers[(results.answers.vlm == "qwen2-vl")]
    described = spoken[(spoken.prompt == "describe") & (spoken.condition != "blank")].text
    assert row["described"] == len(described) and row["hedged"] == 0
    assert row["distinct_described"] == described.nunique()
    assert row["negated"] == row["keyword"] == described.str.contains("no buses").sum()
    every = effects[effects.condition == EVERY].set_index(["reading", "metric"]).changed
    for reading, metric in (("keyword", "hr"), ("first word", "smr"), ("substring", "smr")):
        assert every[reading, metric] == row[reading]
    assert read_closed(row["example"], "safety", "substring") != read_closed(
        row["example"], "safety", "scoped"
    )


def test_a_mute_study_has_no_rows_and_one_scene_no_interval(folder: Path, tmp_path: Path) -> None:
    mute = write_records(tmp_path / "mute", scenes=1)
    table = pd.read_parquet(mute / "answers.parquet")
    table[table.text.isna()].to_parquet(mute / "answers.parquet")
    assert reading_effects(Results(mute, bootstrap=10)).empty and contents(Results(mute)).empty
    one = write_records(tmp_path / "one", scenes=1)
    found = reading_effects(Results(one, bootstrap=10))
    assert len(found) and np.isnan(found[["low", "high"]]).all(axis=None)
