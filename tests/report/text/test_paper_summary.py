"""Findings: each is a sentence of the computed numbers, and its command reproduces it."""

from __future__ import annotations

import ast
from dataclasses import FrozenInstanceError
from pathlib import Path

import pandas as pd
import pytest

from tests.helpers.printed_tables import write_tables
from vlmis_utils.analysis import claims, paper
from vlmis_utils.analysis.paper import tables as published
from vlmis_utils.report.tables import paper as cells
from vlmis_utils.report.tables import paper_rates
from vlmis_utils.report.text.paper_summary import Finding, findings, places

PAGE = Path("notebooks/review-audit.md")


@pytest.fixture(scope="module")
def found() -> list[Finding]:
    return findings()


def test_findings_are_complete_frozen_and_named_once(found: list[Finding]) -> None:
    keys = [f.key for f in found]
    assert len(set(keys)) == len(keys) >= 20
    for finding in found:
        assert finding.place and finding.statement.endswith(".")
        assert "nan" not in finding.statement.lower().split() and "{" not in finding.statement
    with pytest.raises(FrozenInstanceError):
        found[0].key = "other"


def test_every_command_runs_and_names_a_public_function(found: list[Finding]) -> None:
    for command in {f.command for f in found}:
        result = eval(command, {"paper": paper, "claims": claims})
        assert isinstance(result, (pd.DataFrame, tuple)) and len(result)
        module, _, name = command.partition("(")[0].partition(".")
        assert name in {"paper": paper, "claims": claims}[module].__all__


def test_the_line_for_a_shell_holds_the_command(found: list[Finding]) -> None:
    line = found[0].line
    assert line.startswith("python -c ")
    ast.parse(line.removeprefix("python -c ").strip('"'))


def test_a_number_of_pictures_reaches_statement_and_command() -> None:
    by_key = {f.key: f for f in findings(80)}
    assert by_key["misfits"].command == "paper.misfits(n=80)" and "80" in by_key["misfits"].place
    assert by_key["class-means"].command == "paper.class_means()"
    assert len(eval(by_key["misfits"].command, {"paper": paper})) == 0
    assert by_key["misfits"].statement.startswith("0 of 70")


def test_statements_follow_the_numbers(tmp_path: Path) -> None:
    rates = {("siglip", "MB2", "smr"): "0.88", ("qwen2-vl", "MB1", "parse_success"): "0.00",
             ("qwen2-vl", "MB1", "smr"): "0.90"}  # fmt: skip
    folder = write_tables(
        tmp_path, classes={("LL2", "miou"): 55}, miou={("clean", "segformer"): "0.77"}, rates=rates
    )
    by_key = {f.key: f.statement for f in findings(folder=folder)}
    assert "9 of 10" in by_key["class-means"] and "LL2" in by_key["class-means"]
    assert "6 of 10" in by_key["equal-cells"] and "clean" in by_key["equal-cells"]
    assert by_key["misfits"] == "0 of 70: none."
    assert by_key["abstention"].startswith("In 1 conditions there are more right answers")


def test_counts_in_statements_are_those_of_the_frames(found: list[Finding]) -> None:
    by_key = {f.key: f.statement for f in found}
    changes = paper.changes_from_clean()
    counts = changes[changes.metric != "parse_success"].significant.value_counts()
    assert f"{counts['depends']} depending on it" in by_key["changes"]
    frame = paper.safety_answers()
    total = frame.n_right.sum() + frame.n_wrong.sum()
    assert f"{frame.n_right.sum()} right of {total} decided" in by_key["abstention"]
    words = paper.band_counts().set_index(["metric", "method"])
    assert f"{words.in_band['cor', 'pearson']} of 9 pairs" in by_key["correlation-cor"]


def test_sections_are_labels_of_the_page_and_names_of_functions_are_true(
    found: list[Finding],
) -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert "(review-audit)=" in text
    for section in {f.section for f in found}:
        assert f"({section})=" in text and f"in-{section}" in text


def test_places_joins_runs() -> None:
    made = [Finding(str(i), "", "", "", s) for i, s in enumerate("aaabbcab")]
    assert places(made[:3], "a") == "1 to 3"
    assert places(made, "b") == "4, 5 and 8"
    assert places(made, "c") == "6"
    assert places(made[:5], "b") == "4 and 5"


def test_cells_of_every_table_are_text_and_lose_no_row(found: list[Finding]) -> None:
    pairs = paper.printed_correlations()
    changes, between = paper.changes_from_clean(), paper.between_models()
    tables = [
        (cells.load_findings(found), len(found)),
        (cells.load_class_means(paper.class_means()), 10),
        (cells.load_names(), len(paper.NAMES_AND_SCALES)),
        (cells.load_equal(paper.equal_cells()), 12),
        (cells.load_steps(paper.step_counts()), len(paper.step_counts())),
        (cells.load_sizes(paper.size_of_columns()), 8),
        (cells.load_drops(paper.drops()), 3),
        (cells.load_levels(paper.levels()), 10),
        (cells.load_statements(claims.judge_tables()), len(claims.CLAIMS)),
        (paper_rates.load_coefficients(pairs), 27),
        (paper_rates.load_bands(paper.band_counts()), 6),
        (paper_rates.load_readings(paper.readings()), len(paper.readings()) // 2),
        (paper_rates.load_changes(changes), len(changes)),
        (paper_rates.load_significant(changes, between), 13),
        (paper_rates.load_safety_answers(paper.safety_answers()), 10),
    ]
    for table, rows in tables:
        assert len(table) == rows
        assert table.map(lambda cell: isinstance(cell, str) and bool(cell)).all(axis=None)


def test_cells_say_what_is_missing(tmp_path: Path) -> None:
    conditions = published.load_table3().condition.unique()
    rates = {("clip", c, "cor"): "0.9" for c in conditions}
    folder = write_tables(tmp_path, classes={("LL2", "miou"): 55}, rates=rates)
    means = cells.load_class_means(paper.class_means(folder)).set_index("condition")
    assert means["unrounded mIoU between"]["LL2"] == "nothing"
    table = paper_rates.load_coefficients(paper.printed_correlations(folder))
    dead = table[(table.metric == "COR") & (table.VLM == "CLIP")]
    assert set(dead["Pearson"]) == {"–"} and set(dead["Pearson: Holm"]) == {"–"}
    few = paper_rates.load_safety_answers(paper.safety_answers(7))
    assert "–" in set(few["right of decided"])


def test_runs_of_numbers_are_joined() -> None:
    frame = pd.DataFrame(
        [("clip", "cor", 10, 1, (1, 2, 3, 7), 1), ("all", "all", 10, 100, (), 100)],
        columns=["vlm", "metric", "values", "smallest", "sizes", "smallest_but_one"],
    )
    assert cells.load_sizes(frame)["n < 100 that fit all"].tolist() == ["1–3, 7", "none"]
