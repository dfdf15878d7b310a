"""Ablations: fair comparisons, resumable, a row each."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from tests.helpers.embedded import frames
from vlmis_utils.training.evaluation import store
from vlmis_utils.training.recipes import ablations
from vlmis_utils.training.recipes.ablations import RUNS, run_one
from vlmis_utils.training.recipes.short_training import shrink

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::RuntimeWarning")


def test_a_comparison_changes_one_thing_and_never_the_steps() -> None:
    assert len({run.key for run in RUNS}) == len(RUNS)
    for question in {run.question for run in RUNS}:
        runs = [run for run in RUNS if run.question == question]
        assert len(runs) > 1 and len({(run.steps, run.model) for run in runs}) == 1
        assert len({run.setting for run in runs}) == len(runs)


def test_shrinking_keeps_mean_colour_and_labels_in_place() -> None:
    data = frames(2, 0, 64, 128)
    small = shrink(data, 2)
    assert small.images.shape == (2, 32, 64, 3) and small.labels.shape == (2, 32, 64)
    assert (small.labels.repeat(2, 1).repeat(2, 2) == data.labels).all()  # blocks of eight pixels
    assert small.images.mean() == pytest.approx(data.images.mean(), abs=0.5)
    assert (small.counts == data.counts).all() and shrink(data, 1) is data


@pytest.mark.parametrize("index", [0, 3, 4])
def test_a_run_gives_a_row_and_resumes_to_the_same(index: int, tmp_path: Path) -> None:
    run = dataclasses.replace(RUNS[index], steps=4, scenes=8, shrink=2)
    train, test = frames(8, 0), frames(4, 1)
    row = run_one(run, train, test, tmp_path)
    assert row["steps"] == 4 and row["scenes"] == 8 and (row["height"], row["width"]) == (128, 256)
    assert 0 <= row["low"] <= row["value"] <= row["high"] <= 1 or np.isnan(row["low"])
    again = run_one(run, train, test, tmp_path)  # all stages are done: measured again only
    assert again["value"] == row["value"]


def test_the_program_runs_what_the_table_lacks(tmp_path: Path, monkeypatch) -> None:
    seen = []

    def one(run, train, test, work):
        seen.append(run.setting)
        return {"question": run.question, "run": run.key, "setting": run.setting, "value": 0.5}

    monkeypatch.setattr(ablations, "run_one", one)
    monkeypatch.setattr(ablations, "load_training", lambda *_: None)
    monkeypatch.setattr(ablations, "held_out", lambda: None)
    store.write("ablations.csv", [one(RUNS[2], 0, 0, 0), {"run": "old", "value": 1.0}], tmp_path)
    seen.clear()
    assert ablations.main(["--out", str(tmp_path)]) == 0
    assert seen == [run.setting for run in RUNS if run != RUNS[2]]
    assert store.read("ablations.csv", tmp_path)["run"].tolist() == [run.key for run in RUNS]
    seen.clear()
    assert ablations.main(["--out", str(tmp_path)]) == 0 and seen == []
