"""Every page runs, or says what is lacking, for any study that the parameter check accepts.

Cells run in this process, on synthetic records cut down to the edges of `tests.helpers.studies`.
Pages that show pictures of the dataset, or read no records, are run with the smoke book.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from matplotlib.figure import Figure

from tests.helpers.cells import run_cells
from tests.helpers.sequences import SEQUENCE_EDGES, write_sequences
from tests.helpers.studies import EDGES, write_edge
from vlmis_utils.analysis.open_results import prepare
from vlmis_utils.report import style
from vlmis_utils.report.pages import find_pages

# Pages that open the dataset or models themselves, and pages without records.
ELSEWHERE = {
    "01-introduction", "03-metrics", "05-1-datasets", "05-2-degradation",
    "06-4-qualitative", "07-1-drives", "embedded", "models", "package", "performance",
    "photographs-models", "records", "review-audit", "review-entropy",
}  # fmt: skip
ALL = {page.name: page for page in find_pages() if page.name not in ELSEWHERE}
PAGES = {name: page for name, page in ALL.items() if not page.sequences}
OVER_TIME = [name for name, page in ALL.items() if page.sequences]


@pytest.fixture(autouse=True)
def _drawn_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Figures are drawn as for a page, but without pixels: nobody looks at those."""

    def show(figure: Figure, photographs: bool = False, dpi: int = 160) -> Figure:
        with style.book_look():
            figure.draw_without_rendering()
        return figure

    monkeypatch.setattr(style, "show", show)


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("edges")
    written = {name: write_edge(folder / f"edge{i}", name) for i, name in enumerate(EDGES)}
    for folder in written.values():
        prepare(folder)  # as the process does that pages are forked from
    return written


@pytest.mark.parametrize("edge", EDGES)
@pytest.mark.parametrize("name", PAGES)
def test_a_page_runs_or_says_what_is_lacking(
    name: str, edge: str, records: dict[str, Path]
) -> None:
    scenes, conditions, *_ = EDGES[edge]
    lacking = PAGES[name].lacking(scenes, len(conditions))
    if lacking:
        assert lacking.startswith("This page cannot be computed for this study: it needs")
        return
    run_cells(name, {
        "records": str(records[edge]), "studies": 32, "explorer_pictures": "none",
    })  # fmt: skip


@pytest.fixture(scope="module")
def drives(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("drives")
    return {
        name: write_sequences(folder / f"edge{i}", *edge, scores="scores" not in name)
        for i, (name, edge) in enumerate(SEQUENCE_EDGES.items())
    }


@pytest.mark.parametrize("edge", SEQUENCE_EDGES)
@pytest.mark.parametrize("name", OVER_TIME)
def test_a_page_about_time_runs(name: str, edge: str, drives: dict[str, Path]) -> None:
    run_cells(name, {"records": str(drives[edge])})


def test_pages_say_what_kind_of_study_they_are_for() -> None:
    timed, other = ALL[OVER_TIME[0]], ALL["06-2-vlm-results"]
    assert "about sequences" in timed.lacking(9, 9, sequences=False)
    assert "frames of sequences" in other.lacking(9, 9, sequences=True)
    assert not timed.lacking(9, 9, sequences=True) and not other.lacking(9, 9, sequences=False)
