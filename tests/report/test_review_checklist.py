"""Three numbers recomputed with pandas alone are those of the book."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.helpers.cells import run_cells
from tests.helpers.synthetic import write_records


def test_the_three_numbers_and_the_exercise(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    records = write_records(tmp_path / "review" / "records", scenes=8)
    names = run_cells("review-checklist", {"records": str(records)})
    condition, book = names["condition"], names["known"]
    pair = names["segmenter"], condition
    assert names["miou"] == pytest.approx(names["by_condition"].miou[pair], abs=1e-12)
    lines = re.findall(r"(\w+): here ([\d.]+), the book ([\d.]+)", capsys.readouterr().out)
    assert [line[0] for line in lines] == ["clip", "siglip"]
    for _, here, printed in lines:
        assert float(here) == pytest.approx(float(printed), abs=2e-4)
    tests = names["tests"].set_index(["vlm", "metric", "condition"])
    row = tests.loc[names["vlm"], "smr", condition]
    assert (names["up"], names["down"]) == (row.destructive, row.corrective)
    assert names["p"] == pytest.approx(row.p, abs=1e-12)
    solution = re.search(
        r":::\{solution\}.*?```python\n(.*?)```",
        Path("notebooks/review-checklist.md").read_text(encoding="utf-8"),
        re.DOTALL,
    )[1]
    exec(solution, names)
    assert names["cor"] == pytest.approx({v: book.cor[v, condition] for v in names["cor"]})
