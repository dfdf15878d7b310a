"""Tables of paired tests."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from tests.helpers.synthetic import write_records
from vlmis_utils.analysis.changes import misalignment_tests, quality_tests, severity_tests
from vlmis_utils.analysis.results import Results
from vlmis_utils.report.tables import changes as cells

LABELS = {"clip": "CLIP"}


def test_cells_hold_for_any_run(tmp_path: Path) -> None:
    results = Results(write_records(tmp_path, scenes=12), bootstrap=50)
    tested, steps = misalignment_tests(results), severity_tests(results)
    tables = [
        cells.change_summary(tested, LABELS), cells.change_table(tested, "clip"),
        cells.severity_table(steps, LABELS), cells.quality_table(quality_tests(results), LABELS),
    ]  # fmt: skip
    assert [len(table) for table in tables] == [9, 27, 18, 27]
    assert not any("nan" in str(value) for table in tables for value in table.to_numpy().ravel())


def test_odds_without_bound_are_printed_as_such() -> None:
    row = {
        "vlm": "clip", "condition": "LL1", "n": 100, "destructive": 5, "corrective": 0,
        "delta": 0.05, "low": 0.0, "high": 0.1, "p": 0.05, "holm": 0.1, "g": 0.2, "odds": 2.0,
        "odds_low": 1.0, "odds_high": np.inf, "rank_biserial": 0.3,
    }  # fmt: skip
    table = cells.change_table(pd.DataFrame([row | {"metric": m} for m in ("cor", "hr")]), "clip")
    assert table.odds.to_list() == ["2.0 [1.0 to ∞]{.interval}", "–"]
    assert table["g or r"].to_list() == ["0.20", "0.30"]
