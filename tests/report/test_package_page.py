"""The page on the package shows every public name, and its examples give what its text says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import vlmis_utils
from tests.helpers.cells import run_cells
from tests.helpers.synthetic import write_records
from vlmis_utils import mentions, parse_presence

PAGE = Path("notebooks/package.md")


def test_every_public_name_is_imported_and_explained() -> None:
    text = PAGE.read_text(encoding="utf-8")
    code = "\n".join(re.findall(r"```\{code-cell\}.*?\n(.*?)```", text, re.S))
    prose = re.sub(r"```.*?```", "", text, flags=re.S)
    for name in vlmis_utils.__all__:
        if name in ("hallucination_rate", "critical_omission_rate") or name.startswith("safety_"):
            continue  # named by what they are: the paper's rates
        assert f"`{name}`" in prose, name
    for name in vlmis_utils.__all__:
        assert re.search(rf"\b{name}\b", code), name


def test_the_examples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VLMIS_CACHE", str(tmp_path))
    records = write_records(tmp_path / "synthetic" / "records", scenes=2)
    names = run_cells("package", {"records": str(records), "top_k": 3})
    assert names["dark"].float().mean() < names["image"].float().mean()
    assert names["counts"].tolist() == [[1, 1], [0, 2]]
    assert names["results"].reading.top_k == 3 and len(names["frame"])


def test_the_exercise_has_the_right_solution() -> None:
    text = "There are cars, but I cannot see any pedestrians."
    assert (mentions(text).asserted, mentions(text).negated) == ({"car"}, {"pedestrian"})
    assert parse_presence(text, asked="pedestrian") == "no"
