"""Findings: each is a sentence of the computed numbers, and its command reproduces it."""

from __future__ import annotations

import ast
from dataclasses import FrozenInstanceError
from pathlib import Path

import pandas as pd
import pytest

from tests.audit.printed_tables import write_tables
from vlmis_utils import audit
from vlmis_utils.audit import cells, cells_rates
from vlmis_utils.tables import published

PAGE = Path("notebooks/review-audit.md")


@pytest.fixture(scope="module")
def found() -> list[audit.Finding]:
    return audit.findings()


def test_findings_are_complete_frozen_and_named_once(found: list[audit.Finding]) -> None:
    keys = [f.key for f in found]
    assert len(set(keys)) == len(keys) >= 20
    for finding in found:
        assert finding.place and finding.statement.endswith(".")
        assert "nan" not in finding.statement.lower().split() and "{" not in finding.statement
    with pytest.raises(FrozenInstanceError):
        found[0].key = "other"


def test_every_command_runs_and_names_a_public_function(found: list[audit.Finding]) -> None:
    for command in {f.command for f in found}:
        result = eval(command, {"audit": audit})
        assert isinstance(result, (pd.DataFrame, tuple)) and len(result)
        name = command.removeprefix("audit.").partition("(")[0]
        assert name in audit.__all__


def test_the_line_for_a_shell_holds_the_command(found: list[audit.Finding]) -> None:
    line = found[0].line
    assert line.startswith("python -c ")
    ast.parse(line.removeprefix("python -c ").strip('"'))


def test_a_number_of_pictures_reaches_statement_and_command() -> None:
    by_key = {f.key: f for f in audit.findings(80)}
    assert by_key["misfits"].command == "audit.misfits(n=80)" and "80" in by_key["misfits"].place
    assert by_key["class-means"].command == "audit.class_means()"
    assert len(eval(by_key["misfits"].command, {"audit": audit})) == 0
    assert by_key["misfits"].statement.startswith("0 of 70")


def test_statements_follow_the_numbers(tmp_path: Path) -> None:
    rates = {("siglip", "MB2", "smr"): "0.88", ("qwen2-vl", "MB1", "parse_success"): "0.00",
             ("qwen2-vl", "MB1", "smr"): "0.90"}  # fmt: skip
    folder = write_tables(
        tmp_path, classes={("LL2", "miou"): 55}, miou={("clean", "segformer"): "0.77"}, rates=rates
    )
    by_key = {f.key: f.statement for f in audit.findings(folder=folder)}
    assert "9 of 10" in by_key["class-means"] and "LL2" in by_key["class-means"]
    assert "6 of 10" in by_key["equal-cells"] and "clean" in by_key["equal-cells"]
    assert by_key["misfits"] == "0 of 70: none."
    assert by_key["abstention"].startswith("In 1 conditions there are more right answers")


def test_counts_in_statements_are_those_of_the_frames(found: list[audit.Finding]) -> None:
    by_key = {f.key: f.statement for f in found}
    changes = audit.changes_from_clean()
    told = changes[changes.metric != "parse_success"].told.value_counts()
    assert f"{told['depends']} depending on it" in by_key["changes"]
    frame = audit.safety_answers()
    total = frame.n_right.sum() + frame.n_wrong.sum()
    assert f"{frame.n_right.sum()} right of {total} decided" in by_key["abstention"]
    words = audit.words().set_index(["metric", "method"])
    assert f"{words.in_band['cor', 'pearson']} of 9 pairs" in by_key["correlation-cor"]


def test_sections_are_labels_of_the_page_and_names_of_functions_are_true(
    found: list[audit.Finding],
) -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert "(review-audit)=" in text
    for section in {f.section for f in found}:
        assert f"({section})=" in text and f"in-{section}" in text


def test_places_joins_runs() -> None:
    made = [audit.Finding(str(i), "", "", "", s) for i, s in enumerate("aaabbcab")]
    assert audit.places(made[:3], "a") == "1 to 3"
    assert audit.places(made, "b") == "4, 5 and 8"
    assert audit.places(made, "c") == "6"
    assert audit.places(made[:5], "b") == "4 and 5"


def test_cells_of_every_table_are_text_and_lose_no_row(found: list[audit.Finding]) -> None:
    pairs = audit.correlations()
    changes, between = audit.changes_from_clean(), audit.between_models()
    tables = [
        (cells.load_findings(found), len(found)),
        (cells.load_class_means(audit.class_means()), 10),
        (cells.load_names(), len(audit.NAMES_AND_SCALES)),
        (cells.load_equal(audit.equal_cells()), 12),
        (cells.load_steps(audit.step_counts()), len(audit.step_counts())),
        (cells.load_sizes(audit.size_of_columns()), 8),
        (cells.load_drops(audit.drops()), 3),
        (cells.load_levels(audit.levels()), 10),
        (cells.load_statements(audit.statements()), len(audit.statements())),
        (cells_rates.load_coefficients(pairs), 27),
        (cells_rates.load_words(audit.words()), 6),
        (cells_rates.load_readings(audit.readings()), len(audit.readings()) // 2),
        (cells_rates.load_changes(changes), len(changes)),
        (cells_rates.load_told(changes, between), 13),
        (cells_rates.load_safety_answers(audit.safety_answers()), 10),
    ]
    for table, rows in tables:
        assert len(table) == rows
        assert table.map(lambda cell: isinstance(cell, str) and bool(cell)).all(axis=None)


def test_cells_say_what_is_missing(tmp_path: Path) -> None:
    conditions = published.load_table3().condition.unique()
    rates = {("clip", c, "cor"): "0.9" for c in conditions}
    folder = write_tables(tmp_path, classes={("LL2", "miou"): 55}, rates=rates)
    means = cells.load_class_means(audit.class_means(folder)).set_index("condition")
    assert means["unrounded mIoU between"]["LL2"] == "nothing"
    table = cells_rates.load_coefficients(audit.correlations(folder))
    dead = table[(table.metric == "COR") & (table.VLM == "CLIP")]
    assert set(dead["Pearson"]) == {"–"} and set(dead["Pearson: Holm"]) == {"–"}
    few = cells_rates.load_safety_answers(audit.safety_answers(7))
    assert "–" in set(few["right of decided"])


def test_runs_of_numbers_are_joined() -> None:
    frame = pd.DataFrame(
        [("clip", "cor", 10, 1, (1, 2, 3, 7), 1), ("all", "all", 10, 100, (), 100)],
        columns=["vlm", "metric", "values", "smallest", "sizes", "smallest_but_one"],
    )
    assert cells.load_sizes(frame)["n < 100 that fit all"].tolist() == ["1–3, 7", "none"]
