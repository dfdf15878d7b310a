"""The tables of claims are text that a reader can follow."""

from __future__ import annotations

from tests.helpers.synthetic import write_records
from vlmis_utils.analysis.claims import judge_claims, other_bounds
from vlmis_utils.analysis.results import Results
from vlmis_utils.report.tables.claims import load_bounds, load_cells, load_claims, tally

LABELS = {"clip": "CLIP", "siglip": "SigLIP", "qwen2-vl": "Qwen2-VL", "deeplabv3plus": "DeepLabV3+"}


def test_the_tables_are_text_that_a_reader_can_follow(tmp_path) -> None:
    results = Results(write_records(tmp_path, scenes=12), bootstrap=50)
    entries = judge_claims(results, LABELS)
    shown = load_claims(entries, LABELS)
    assert len(shown) == len(entries) and not shown.isna().any().any()
    assert shown.run.str.contains("for|against|open|no number").all()
    assert shown.printed.str.startswith("[").all()
    cells = load_cells(entries, LABELS)
    assert set(cells.source) == {"printed", "run"} and not cells.isna().any().any()
    assert "claims supported" in " ".join(tally(entries))
    bounds = load_bounds(other_bounds(results, LABELS))
    assert list(bounds) == ["claim", "word", "bound", "other", "printed tables", "this run"]
    assert list(load_bounds(other_bounds()))[-1] == "printed tables"
