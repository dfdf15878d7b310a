"""How pages show their code: most of it, in short lines, and never two folded cells in a row."""

from __future__ import annotations

import re
from collections.abc import Iterator

import nbformat
import pytest

from vlmis_utils.protocol.study import KEYS
from vlmis_utils.report.pages import Page, find_pages

PAGES = find_pages()
HIDDEN = {"hide-input", "hide-cell", "remove-input", "remove-cell"}


def cells(page: Page) -> list[nbformat.NotebookNode]:
    return [cell for cell in page.notebook.cells if cell.cell_type == "code"]


def hidden(cell: nbformat.NotebookNode) -> bool:
    return bool(HIDDEN.intersection(cell.metadata.get("tags", ())))


def folded(cell: nbformat.NotebookNode) -> bool:
    """Whether a bar "Show the code" stands for the cell."""
    return bool({"hide-input", "hide-cell"}.intersection(cell.metadata.get("tags", ())))


def lines(cell: nbformat.NotebookNode) -> list[str]:
    return [line for line in cell.source.splitlines() if line.strip()]


def test_at_least_six_of_ten_lines_of_code_are_visible() -> None:
    every = [cell for page in PAGES for cell in cells(page)]
    visible = sum(len(lines(cell)) for cell in every if not hidden(cell))
    share = visible / sum(len(lines(cell)) for cell in every)
    assert share >= 0.60, f"{share:.0%}"


def pairs(page: Page) -> Iterator[tuple[nbformat.NotebookNode, nbformat.NotebookNode]]:
    """Give cells of code with no text between them."""
    for one, other in zip(page.notebook.cells, page.notebook.cells[1:], strict=False):
        if one.cell_type == other.cell_type == "code":
            yield one, other


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_two_folded_cells_in_a_row(page: Page) -> None:
    for one, other in pairs(page):
        assert not (folded(one) and folded(other)), other.source[:80]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_code_fits_the_width_of_the_page(page: Page) -> None:
    long = [line for cell in cells(page) for line in lines(cell) if len(line) > 80]
    shown = re.findall(r"```python\n(.*?)```", page.path.read_text(encoding="utf-8"), re.DOTALL)
    long += [line for block in shown for line in block.splitlines() if len(line) > 80]
    assert not long


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_declares_what_it_names_in_its_text(page: Page) -> None:
    text = page.path.read_text(encoding="utf-8")
    for key in set(page.parameters) - {"records", "models"}:
        assert len(re.findall(rf"\b{key}\b", text)) > 1, key
    assert len(set(page.parameters).intersection(KEYS)) <= 4
