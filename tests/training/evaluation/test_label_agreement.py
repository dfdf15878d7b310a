"""The rules for photographs against the label that the generator knows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import recall_score

from vlmis_utils.protocol.ground_corridor import places
from vlmis_utils.streetworld.rendering.rays import directions
from vlmis_utils.streetworld.scene import layout
from vlmis_utils.streetworld.version import world_version
from vlmis_utils.training.evaluation import held_out, label_agreement, store
from vlmis_utils.training.evaluation.label_agreement import REFERENCES, RULES, camera_of, compared


@pytest.mark.parametrize(("pitch", "yaw"), [(-0.04, 0.03), (-0.03, -0.02), (0.0, 0.0)])
def test_the_camera_is_the_generator_s(pitch: float, yaw: float) -> None:
    """Where a pixel lies on the ground, by the rule, is where the generator's ray meets it."""
    own = layout.Camera(1.4, pitch, yaw, np.radians(68))
    height, width = 128, 256
    rays = directions(own, height, width, np.array([0.5, 0.5])).reshape(height, width, 3)
    ahead, across = places(camera_of(own), height, width)
    for row in (80, 100, 127):
        for column in (90, 128, 160):
            x, y, z = rays[row, column].astype(float)
            reach = own.height / -z
            assert ahead[row] == pytest.approx(reach * y, rel=0.02)
            assert across[row, column] == pytest.approx(reach * x, abs=0.12)


def test_the_shares_are_recalls() -> None:
    rng = np.random.default_rng(4)
    reasons = np.array(["clear", "car in corridor at 9.0 m", "red light", "stop sign at 9.0 m"])
    reason = rng.choice(reasons, 80)
    scenes = pd.DataFrame({"safe": reason == "clear", "reason": reason})
    for rule in RULES:
        scenes[rule] = rng.random(80) < 0.5
    found = compared(scenes).set_index(["rule", "against", "measure"])
    truths = (~scenes.safe, pd.Series(["in corridor" in r for r in reason]))
    for reference, truth in zip(REFERENCES, truths, strict=True):
        for rule in RULES:
            for measure, positive in (("sensitivity", True), ("specificity", False)):
                row = found.loc[rule, reference, measure]
                expected = recall_score(truth, ~scenes[rule], pos_label=positive)
                assert row.value == pytest.approx(expected) and row.low < row.value < row.high
    alone = compared(scenes.assign(safe=True, reason="clear"))
    assert alone[alone.measure == "sensitivity"].value.isna().all()


def test_the_committed_numbers_are_of_this_world() -> None:
    rows = store.read(label_agreement.FILE)
    assert set(rows.world) == {world_version()}, "the world has changed: run `make quality`"
    assert set(rows.scenes) == {held_out.world()}
    assert len(rows) == 2 * len(RULES) * len(REFERENCES)
    assert set(rows.rule) == set(RULES) and rows.value.between(0, 1).all()
    whole = rows[rows.against == "whole label"].groupby("measure").n.first()
    assert 0.35 <= whole["sensitivity"] / whole.sum() <= 0.65  # the unsafe, of all scenes


def test_the_program_writes_what_it_compared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scenes = pd.DataFrame(
        {"safe": [True, False], "reason": ["clear", "red light"], RULES[0]: True, RULES[1]: False}
    )
    monkeypatch.setattr(label_agreement, "judged", lambda limit: scenes)
    assert label_agreement.main(["--scenes", "2", "--out", str(tmp_path)]) == 0
    rows = store.read(label_agreement.FILE, tmp_path)
    assert rows.n.tolist() == compared(scenes).n.tolist()
    assert rows.scenes.iloc[0].endswith("2 scenes")
