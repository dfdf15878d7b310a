"""Cells of the parser study's tables: every number in its place, and empty studies."""

from __future__ import annotations

import pandas as pd
import pytest

from tests.helpers.synthetic import write_records
from vlmis_utils.analysis import parser_study
from vlmis_utils.analysis.results import Results
from vlmis_utils.metrics.parsing.gold import PHENOMENA, load_labelled
from vlmis_utils.report.tables import numbered
from vlmis_utils.report.tables import parser_study as tables

LABELS = {"qwen2-vl": "Qwen2-VL"}


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    return Results(write_records(tmp_path_factory.mktemp("records"), scenes=4), bootstrap=50)


def test_phenomena_are_counted_and_shown_by_an_example() -> None:
    table = tables.load_phenomena().set_index("phenomenon")
    assert list(table.index) == list(PHENOMENA)
    frame = load_labelled()
    held = frame[frame.split != "development"]
    assert int(table.safety["hedge"]) == sum(
        "hedge" in p for p in held.phenomenon[held.task == "safety"]
    )
    assert (table.example != "").all()


def test_quality_has_a_line_for_each_phenomenon_and_rule() -> None:
    table = tables.load_mention_quality(parser_study.mention_quality(resamples=50))
    assert len(table) == 2 * (len(PHENOMENA) + 1)
    assert list(table.phenomenon[:2]) == ["plain", "plain"]
    assert list(table.phenomenon[-2:]) == ["**all answers**"] * 2
    closed = tables.load_closed_quality(parser_study.closed_quality())
    assert (closed.substring[closed.task == "presence"] == "").all()
    assert (closed.substring[closed.task == "safety"] != "").all()


def test_confusions_add_up_to_the_answers() -> None:
    table = tables.load_confusions(parser_study.confusions())
    counts = table[["yes or safe", "no or unsafe", "undecided"]].astype(int).sum(axis=1)
    total = counts.groupby([table.task, table.rule]).sum()
    held = load_labelled().query("split != 'development'").task.value_counts()
    assert all(total[task, rule] == held[task] for task, rule in total.index)


def test_telling_and_imagined_tables() -> None:
    table = tables.load_telling(parser_study.telling(), ("safety",))
    assert set(table.task) == {"safety"} and table.misread.str.contains(" of ").all()
    imagined = tables.load_imagined(parser_study.imagined_rates(resamples=50))
    assert len(imagined) == len(PHENOMENA) + 1 and "COR, as labelled" in imagined


def test_effects_by_condition_leave_out_what_changes_nothing(results: Results) -> None:
    effects = parser_study.reading_effects(results)
    table = tables.load_effects(effects, LABELS)
    assert len(table) == 6 and set(table.model) == {"Qwen2-VL"}
    moved = set(effects.reading[effects.changed > 0])
    wide = tables.load_effects(effects, LABELS, condition=None)
    assert set(wide["read with"]) == moved != set(effects.reading)
    assert list(wide.condition[:2]) == ["**mean of all**", "clean"]


def test_agreement_by_condition(results: Results) -> None:
    tokens = parser_study.first_tokens(results)
    frames = parser_study.agreement(tokens, 50), parser_study.discrimination(tokens, 50)
    assert len(tables.load_agreement(*frames, LABELS)) == 2 * 12
    short = tables.load_agreement(*frames, LABELS, ("clean", parser_study.EVERY))
    assert list(short.condition) == ["clean", "**mean of all**"] * 2


def test_empty_frames_still_make_tables(results: Results) -> None:
    effects = parser_study.reading_effects(results).iloc[:0]
    tokens = parser_study.first_tokens(results).iloc[:0]
    frames = parser_study.agreement(tokens, 10), parser_study.discrimination(tokens, 10)
    for table in (
        tables.load_effects(effects, LABELS),
        tables.load_effects(effects, LABELS, condition=None),
        tables.load_agreement(*frames, LABELS),
    ):
        assert table.empty and len(table.columns) >= 7
        assert "| ---" in numbered(table, "tab-x", "Nothing.").data


def test_line_breaks_and_markup_of_answers_are_shown_not_obeyed() -> None:
    frame = pd.DataFrame(
        [("mentions", "field", "* **car**\n`bus`", "car", "bus", 1, 2)],
        columns=["task", "phenomenon", "text", "label", "plain", "wrong", "answers"],
    )
    (cell,) = tables.load_telling(frame, ("mentions",)).answer
    assert cell == "“\\* \\*\\*car\\*\\* / \\`bus\\`”"
