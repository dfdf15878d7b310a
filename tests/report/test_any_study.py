"""Every page runs, or says what is lacking, for any study that the parameter check accepts.

Cells run in this process, on synthetic records cut down to the edges of `tests.helpers.studies`.
Pages that show pictures of the dataset, or read no records, are run with the smoke book.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.helpers.cells import run_cells
from tests.helpers.studies import EDGES, write_edge
from vlmis_utils.report.pages import find_pages

# Pages that open the dataset or models themselves, and pages without records.
ELSEWHERE = {
    "00-cover", "01-introduction", "03-metrics", "05-1-datasets", "05-2-degradation",
    "06-4-qualitative", "embedded", "models", "package", "performance", "records", "review-audit",
}  # fmt: skip
PAGES = {page.name: page for page in find_pages() if page.name not in ELSEWHERE}


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("edges")
    return {name: write_edge(folder / f"edge{i}", name) for i, name in enumerate(EDGES)}


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
