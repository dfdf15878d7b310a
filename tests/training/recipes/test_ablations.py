"""Ablations: fair comparisons, resumable, a row each."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.helpers.embedded import frames
from vlmis_utils.statistics.intervals import Interval
from vlmis_utils.training.evaluation import store
from vlmis_utils.training.nets.segmenter_nets import BUILDERS
from vlmis_utils.training.recipes import ablations
from vlmis_utils.training.recipes.ablations import PHOTOGRAPH_RUNS, RUNS, run_one
from vlmis_utils.training.recipes.short_training import shrink
from vlmis_utils.training.recipes.train_segmenters import begin_with
from vlmis_utils.training.weights import CHECKPOINTS

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::RuntimeWarning")


def test_a_comparison_changes_one_thing_and_never_the_steps() -> None:
    every = RUNS + PHOTOGRAPH_RUNS
    assert len({run.key for run in every}) == len(every)
    for question in {run.question for run in every}:
        runs = [run for run in every if run.question == question]
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


def test_a_run_on_photographs_begins_as_its_setting_says(tmp_path: Path, monkeypatch) -> None:
    asked = []

    def measure(*_, start, phases):
        asked.append(start)
        return Interval(0.4, 0.3, 0.5)

    monkeypatch.setattr(ablations, "segment", measure)
    data = frames(1, 0)
    rows = [run_one(run, data, data, tmp_path) for run in PHOTOGRAPH_RUNS]
    assert asked == [CHECKPOINTS / "segformer", None]
    assert {row["steps"] for row in rows} == {400} and rows[0]["value"] == 0.4


def test_photographs_are_measured_on_the_split_val(tmp_path: Path, monkeypatch) -> None:
    loaded = []
    monkeypatch.setattr(ablations, "load_photographs", lambda root, split: loaded.append(split))
    monkeypatch.setattr(ablations, "run_one", lambda run, *_: {"run": run.key, "value": 0.5})
    assert ablations.main(["--data", "cityscapes", "--root", "x", "--out", str(tmp_path)]) == 0
    assert loaded == ["train", "val"]
    assert len(store.read("ablations.csv", tmp_path)) == len(PHOTOGRAPH_RUNS)


def test_a_network_begins_with_the_weights_of_a_checkpoint() -> None:
    network = BUILDERS["segformer"]((64, 128), torch.ones(19))
    begin_with(network, CHECKPOINTS / "segformer")
    there = type(network.core).from_pretrained(CHECKPOINTS / "segformer").float().state_dict()
    assert all((network.core.state_dict()[name] == value).all() for name, value in there.items())
