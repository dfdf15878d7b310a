"""The scenes that the book shows are chosen by rule."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from vlmis_utils.analysis import examples
from vlmis_utils.core.errors import UserError
from vlmis_utils.datasets.registry import open_scenes
from vlmis_utils.protocol.study import Study
from vlmis_utils.runner.context import Loaders, RunContext
from vlmis_utils.runner.images import array_digest, batches


def judged(**cells: list) -> pd.DataFrame:
    frame = pd.DataFrame(cells)
    return frame.assign(
        vlm="clip", safe=False, smr_i=(frame.decision != "unsafe").astype(float),
        present=[frozenset({"car"})] * len(frame),
    )  # fmt: skip


def seen(**cells: list) -> pd.DataFrame:
    return pd.DataFrame(cells).assign(segmenter="segformer")


def test_flip_takes_the_least_loss_among_turned_judgements() -> None:
    critical = frozenset({"pedestrian"})
    words = judged(
        scene_id=["a"] * 3 + ["b"] * 2,
        condition=["clean", "LL1", "LL2", "clean", "LL1"],
        decision=["unsafe", "safe", "safe", "unsafe", "unsafe"],
        critical=[critical] * 5,
    )
    pixels = seen(
        scene_id=["a"] * 3 + ["b"] * 2,
        condition=["clean", "LL1", "LL2", "clean", "LL1"],
        miou=[0.6, 0.2, 0.5, 0.6, 0.6],
    )
    flip = examples.pick_changed_judgement(pixels, words)
    assert (flip.scene_id, flip.condition) == ("a", "LL2") and flip.turned
    assert flip.loss == pytest.approx(0.1)
    calm = words.assign(decision="unsafe", smr_i=0.0)
    assert not examples.pick_changed_judgement(pixels, calm).turned


def test_story_prefers_a_failure_that_shows_and_hides_nothing() -> None:
    names, places = ["a", "b", "c"], ["clean", "MB1"]
    rows = [(n, p) for n in names for p in places]
    frame = pd.DataFrame(rows, columns=["scene_id", "condition"]).assign(
        vlm="clip", safe=False, hr_i=0.0, hidden=[frozenset()] * 6
    )
    degraded = frame.condition == "MB1"
    frame = frame.assign(omitted=degraded.astype(float), smr_i=degraded.astype(float))
    pixels = seen(scene_id=[n for n, _ in rows], condition=[p for _, p in rows],
                  miou=[0.9, 0.5, 0.9, 0.6, 0.9, 0.8])  # fmt: skip
    assert examples.pick_story(pixels, frame).scene_id == "c"  # the least loss
    frame.at[5, "hidden"] = frozenset({"car"})
    assert examples.pick_story(pixels, frame).scene_id == "b"
    frame.loc[1, "hr_i"] = 0.5
    assert examples.pick_story(pixels, frame).scene_id == "a"  # it invents
    frame.loc[1, "smr_i"] = 0.0
    told = examples.pick_story(pixels, frame)
    assert (told.scene_id, told.condition, told.turned) == ("b", "MB1", True)
    assert (told.clean_miou, told.miou) == pytest.approx((0.9, 0.6))
    alone = examples.pick_story(pixels, frame[~degraded])
    assert alone.condition == "clean" and not alone.turned


def test_crowded_scene_knows_truth_only() -> None:
    frame = judged(
        scene_id=["a", "b", "c"], condition=["clean"] * 3, decision=["safe", "unsafe", "safe"],
        critical=[frozenset({"x"}), frozenset({"x", "y"}), frozenset({"x", "y"})],
    )  # fmt: skip
    assert examples.pick_crowded_scene(frame) == "b"
    assert examples.pick_crowded_scene(frame.assign(decision="abstain")) == "b"
    assert examples.pick_crowded_scene(frame.assign(safe=[False, True, False])) == "c"


class Fake:
    scene_id = "a"

    def image(self) -> np.ndarray:
        return np.full((8, 16, 3), 200, np.uint8)


def test_degrade_gives_the_pixels_that_the_study_used() -> None:
    import torch

    from vlmis_utils.corruptions.corrupt import corrupt

    sigma = (0.02, 0.04, 0.06)
    clean, dark = examples.degrade(Study(seed=3, noise_sigma=sigma), Fake(), ["clean", "LL3"])
    expected = corrupt(
        torch.full((1, 3, 8, 16), 200, dtype=torch.uint8), "LL3", scene_ids=["a"], seed=3,
        noise_sigma=sigma,
    )  # fmt: skip
    assert (clean.image == 200).all()
    assert (dark.image == expected[0].permute(1, 2, 0).numpy()).all()


def test_unknown_scene_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(examples, "open_scenes", lambda *a, **k: [Fake()])
    assert examples.find_scene(Study(scenes=1), "a").scene_id == "a"
    with pytest.raises(UserError, match="nowhere"):
        examples.find_scene(Study(scenes=1), "nowhere")


def test_a_frame_of_a_drive_is_degraded_as_the_models_saw_it() -> None:
    study = Study(
        scenes=1, frames=2, onset="ramp", conditions=("clean", "LL3"), device="cpu", rate=2.0
    )
    frames = [open_scenes(study)[place] for place in range(2)]
    context = RunContext(study, Loaders(), "cpu")
    for condition in study.conditions:
        (batch,) = batches(context, frames, condition, "cpu")
        for frame, digest in zip(frames, batch.digests, strict=True):
            (view,) = examples.degrade(study, frame, [condition])
            assert array_digest(view.image) == digest
