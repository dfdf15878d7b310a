"""The notebook for students: unfilled nothing is right, with its solutions everything is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.helpers.cells import run_cells
from tests.helpers.synthetic import write_records
from vlmis_utils.report.pages import Page

PAGE = Path("notebooks/lab.md")
SOLUTIONS = re.findall(
    r":::\{solution\}.*?```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL
)
TASKS = 7
STUB = re.compile(r"def (\w+)\(.*?\):\n    \.\.\.\n")


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("lab") / "lab" / "records"
    return str(write_records(folder, scenes=8))


def verdicts(text: str) -> list[str]:
    return re.findall(r"Task \d: (.*)", text)


def test_unfilled_the_lab_runs_and_nothing_is_right(
    records: str, capsys: pytest.CaptureFixture
) -> None:
    run_cells("lab", {"records": records})
    assert verdicts(capsys.readouterr().out) == ["not yet"] * TASKS


def test_every_solution_is_right(
    records: str, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = Page(PAGE)
    stubs = [cell for cell in page.notebook.cells if STUB.search(cell.source)]
    assert len(stubs) == len(SOLUTIONS) == TASKS
    for cell, solution in zip(stubs, SOLUTIONS, strict=True):
        assert STUB.search(cell.source)[1] == re.search(r"def (\w+)\(", solution)[1]
        cell.source = STUB.sub(lambda _, code=solution: code, cell.source)
    monkeypatch.setattr("tests.helpers.cells.Page", lambda _: page)
    run_cells("lab", {"records": records})
    assert verdicts(capsys.readouterr().out) == ["right"] * TASKS


def test_a_wrong_solution_is_not_right(
    records: str, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = Page(PAGE)
    wrong = "def hallucination(mentioned, present):\n    return len(mentioned - present)\n"
    for cell in page.notebook.cells:
        cell.source = re.sub(r"def hallucination\(.*?\):\n    \.\.\.\n", wrong, cell.source)
    monkeypatch.setattr("tests.helpers.cells.Page", lambda _: page)
    run_cells("lab", {"records": records})
    assert verdicts(capsys.readouterr().out) == ["not yet"] * TASKS
