"""The code of the teaching page, exercises and solutions, runs and shows what the text says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.helpers.synthetic import write_records

TEXT = Path("book/teach.md").read_text(encoding="utf-8")


def test_every_exercise_has_a_solution() -> None:
    exercises = re.findall(r":::\{exercise\}.*?:label: (\S+)", TEXT, re.DOTALL)
    assert len(exercises) >= 4
    assert re.findall(r":::\{solution\} (\S+)", TEXT) == exercises


def test_the_code_runs_in_the_order_of_the_page(tmp_path: Path) -> None:
    names: dict = {"records": str(write_records(tmp_path / "teach" / "records", scenes=12))}
    blocks = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    assert len(blocks) == 4
    for block in blocks:
        exec(block, names)
    images = names["one"]
    assert names["naive"] == pytest.approx(images.omitted.sem())
    assert names["honest"] == pytest.approx(images.groupby("scene_id").omitted.mean().sem())
    assert names["constant"] == names["results"].scenes.safe.mean()
    assert (names["worse"].smr > names["constant"]).all()


def test_the_minutes_of_each_plan_follow_on_each_other() -> None:
    plans = re.findall(r"\| min \|.*?\n\n", TEXT, re.DOTALL)
    assert len(plans) == 3
    ends = []
    for plan in plans:
        spans = [tuple(map(int, s)) for s in re.findall(r"\| (\d+) to (\d+) \|", plan)]
        assert all(a[1] == b[0] for a, b in zip(spans, spans[1:], strict=False))
        ends.append(spans[-1][1])
    assert ends == [45, 90, 120]
