"""The program that measures the checkpoints, and whether its committed numbers are of these."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from tests.helpers.embedded import write_quality
from vlmis_utils.streetworld.version import world_version
from vlmis_utils.training.evaluation import evaluate, goals, held_out, sources, store
from vlmis_utils.training.weights import MODELS, SEGMENTERS

FILES = ("clean.csv", "baselines.csv", "failures.csv")


@pytest.mark.parametrize("file", FILES)
def test_committed_numbers_are_of_the_committed_checkpoints(file: str) -> None:
    rows = store.read(file)
    assert list(dict.fromkeys(rows.model)) == list(MODELS), "run `make quality`"
    stale = [m for m, g in rows.groupby("model") if set(g.digest) != {store.digest(m)}]
    assert not stale, f"numbers of earlier checkpoints of {stale}: run `make quality`"
    assert set(rows.world) == {world_version()}, "the world has changed: run `make quality`"
    assert set(rows.scenes) == {held_out.world()}


def test_committed_numbers_hold_every_goal_and_every_interval_its_value() -> None:
    rows = store.read("clean.csv")
    judged = goals.judge(rows)
    wanted = sum(len(g.models) for g in goals.GOALS)
    assert len(judged) == wanted and set(judged.verdict) <= set(goals.VERDICTS)
    known = rows.dropna(subset=["low"])
    assert (known.low <= known.value + 1e-4).all() and (known.value <= known.high + 1e-4).all()
    assert rows.value.between(0, 1).all()


def test_committed_agreement_is_of_these_checkpoints_and_within_rounding() -> None:
    rows = store.read("agreement.csv")
    rows = rows[[d == store.digest(m) for m, d in zip(rows.model, rows.digest, strict=True)]]
    if rows.empty:
        pytest.skip("no training left its weights in full precision")
    assert (rows[rows.measure.str.startswith("equal")].value > 0.99).all()


def test_the_digest_of_a_checkpoint_does_not_depend_on_its_card(tmp_path: Path) -> None:
    from vlmis_utils.models import hub

    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    (folder / "model.safetensors").write_bytes(b"weights")
    before = store.digest("model", tmp_path), hub.digest(folder)
    (folder / "README.md").write_text("# A card")
    assert (store.digest("model", tmp_path), hub.digest(folder)) == before
    (folder / "config.json").write_text("{ }")
    assert store.digest("model", tmp_path) != before[0]


def test_a_model_s_rows_are_replaced_and_the_others_kept(tmp_path: Path) -> None:
    write_quality(tmp_path)
    old = store.read("clean.csv", tmp_path)
    new = [{"model": "segformer", "digest": "1" * 16, "world": "w", "measure": "mIoU",
            "class": "", "value": 0.5}]  # fmt: skip
    store.replace("clean.csv", "segformer", new, MODELS, tmp_path)
    found = store.read("clean.csv", tmp_path)
    assert list(dict.fromkeys(found.model)) == list(MODELS)
    assert found[found.model == "segformer"].digest.tolist() == ["1" * 16]
    same = [frame[frame.model != "segformer"].reset_index(drop=True) for frame in (old, found)]
    pd.testing.assert_frame_equal(*same)
    assert store.read("none.csv", tmp_path).empty


def test_measured_checkpoints_are_left_out_and_others_measured(
    tmp_path: Path, monkeypatch, capsys
) -> None:
    seen = []

    def measure(entry, train, test, count):
        assert not count
        seen.append(entry.name)
        row = {"measure": "mIoU", "class": "", "value": 0.5, "low": 0.4, "high": 0.6}
        return {file: [row] for file in FILES}

    monkeypatch.setattr(evaluate, "evaluate", measure)
    monkeypatch.setattr(sources.held_out, "held_out", lambda: [])
    monkeypatch.setattr(sources, "load_training", lambda split, limit: None)
    out, nothing = ["--out", str(tmp_path)], ["--work", str(tmp_path / "none")]
    assert evaluate.main(["--only", "segformer", *out, *nothing]) == 0
    assert evaluate.main(["--only", "segformer", "deeplabv3plus", *out, *nothing]) == 0
    assert seen == ["segformer", "deeplabv3plus"]
    assert "segformer: measured already" in capsys.readouterr().out
    rows = store.read("clean.csv", tmp_path)
    assert rows.digest.tolist() == [store.digest(m) for m in SEGMENTERS[:2]]
    assert evaluate.main(["--only", "segformer", "--again", *out, *nothing]) == 0
    assert seen[2:] == ["segformer"]


def test_misuse_is_one_line(capsys) -> None:
    assert evaluate.main(["--only", "segfomer"]) == 2
    assert "did you mean 'segformer'" in capsys.readouterr().err
