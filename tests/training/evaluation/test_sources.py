"""Measuring on photographs: the same numbers, other scenes, other goals."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tests.helpers.photographs import write_photographs
from vlmis_utils.training.evaluation import evaluate, goals, language, store
from vlmis_utils.training.evaluation.card_texts import TEXTS
from vlmis_utils.training.weights import CHECKPOINTS, DATA, MODELS


def test_a_checkpoint_is_measured_on_photographs(tmp_path, monkeypatch, capsys):
    root = write_photographs(tmp_path / "frames", (64, 128), train=2, test=3)
    monkeypatch.setenv("VLMIS_CACHE", str(tmp_path / "cache"))
    command = [
        "--data", "cityscapes", "--root", str(root), "--only", "segformer", "--out",
        str(tmp_path / "quality"), "--checkpoints", str(CHECKPOINTS), "--work", str(tmp_path),
    ]  # fmt: skip
    assert evaluate.main(command) == 0
    rows = store.read("clean.csv", tmp_path / "quality")
    assert set(rows.scenes) == {"cityscapes test, 3 frames"}
    assert rows[rows.measure == "mIoU"].value.between(0, 1).all()
    assert evaluate.main(command) == 0
    assert "measured already" in capsys.readouterr().out


def test_a_class_with_few_scenes_is_not_judged_alone():
    rows = [("presence AUC", "", 0.8), ("presence AUC", "car", 0.4), ("presence AUC", "bus", 0.7)]
    rows += [("scenes with", "car", 300), ("scenes without", "car", 14)]
    rows += [("scenes with", "bus", 27), ("scenes without", "bus", 306)]
    frame = pd.DataFrame(rows, columns=["measure", "class", "value"])
    frame = frame.assign(model="clip", low=0.0, high=1.0)
    judged = goals.judge(frame, goals.PHOTOGRAPH_GOALS)
    worst = judged[judged.several]
    assert worst["class"].tolist() == ["bus"] and worst.verdict.tolist() == ["floor"]
    assert goals.judge(frame[:3], goals.PHOTOGRAPH_GOALS)["class"].tolist() == ["", "car"]


def test_prevalence_counts_every_scene():
    truth = language.Truth([frozenset()] * 5, np.eye(5, 9, dtype=bool), np.arange(5) > 1)
    rows = pd.DataFrame(language.prevalence(truth))
    assert (rows.groupby("class").value.sum() == 5).all()
    assert rows[(rows["class"] == "safe") & (rows.measure == "scenes with")].value.item() == 3


@pytest.mark.parametrize("data", sorted(DATA))
def test_every_data_set_has_texts_for_its_cards(data):
    assert set(TEXTS) == set(DATA)
    covered = {model for goal in TEXTS[data].goals for model in goal.models}
    assert covered == set(MODELS)
