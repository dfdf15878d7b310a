"""VLMs that learn a changed label go on from their checkpoints, on scenes that show the change."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from tests.training.recipes.test_train_vlms import frames
from vlmis_utils.core.errors import UserError
from vlmis_utils.streetworld.world import Composition
from vlmis_utils.training.nets.scenes import Scenes, load_scenes
from vlmis_utils.training.recipes import further
from vlmis_utils.training.weights import CHECKPOINTS

REASONS = (
    "clear", "red light", "pedestrian enters corridor at 9.0 m in 1.0 s",
    "stop sign at 9.0 m", "car in corridor at 9.0 m; stop sign at 9.0 m",
)  # fmt: skip


def test_new_labels_rest_on_nothing_else() -> None:
    assert [further.foreseen(reason) for reason in REASONS] == [False, False, True, True, False]


def test_scenes_with_new_labels_are_added_and_have_their_share(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    taken: list[int] = []

    def made(chosen: list) -> object:
        taken.extend(scene.index for scene in chosen)
        data = frames(len(chosen), 0)
        data.reasons[:] = [REASONS[scene.index % 5] for scene in chosen]
        return data

    def composed(_: int, index: int) -> Composition:
        return Composition(*[None] * 8, safety_reason=REASONS[index % 5])  # type: ignore[arg-type]

    monkeypatch.setattr(further, "gathered", made)
    monkeypatch.setattr(further, "compose", composed)
    scenes = further.with_foreseen(first=6, among=20)
    assert taken == [0, 1, 2, 3, 4, 5, 7, 8, 12, 13, 17, 18]
    new = np.array([further.foreseen(reason) for reason in scenes.data.reasons])
    assert scenes.weights.sum() == pytest.approx(1)
    assert scenes.weights[new].sum() == pytest.approx(further.SHARE)


@pytest.fixture(scope="module")
def scenes() -> Scenes:
    return load_scenes(frames(4, 0))


@pytest.mark.parametrize(
    ("name", "file", "kept"),
    [
        ("clip", "open_clip_model.safetensors", "visual.trunk.conv_stem.weight"),
        ("qwen2-vl", "model.safetensors", "visual.patch_embed.proj.weight"),
    ],
)
def test_it_goes_on_from_the_checkpoint_and_leaves_its_eyes(
    name: str, file: str, kept: str, scenes: Scenes, tmp_path: Path
) -> None:
    start, out = CHECKPOINTS / name, tmp_path / name
    run = further.train_further(
        name,
        scenes,
        start=start,
        out=out,
        work=tmp_path,
        log=tmp_path / "log.csv",
        steps=1,
        batch=2,
    )
    assert run.step == 1 and (tmp_path / "log.csv").exists()
    old, new = load_file(start / file), load_file(out / file)
    assert set(old) == set(new)
    moved = {k for k, v in old.items() if not torch.equal(v, new[k])}
    (seen,) = (k for k in old if k.endswith(kept))
    assert moved and seen not in moved
    widest = max(float((old[k].float() - new[k].float()).abs().max()) for k in moved)
    assert widest < 0.05, "one step is a small one"


def test_an_unknown_model_is_told(scenes: Scenes, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="unknown VLM recipe 'clap'"):
        further.train_further(
            "clap", scenes, start=tmp_path, out=tmp_path, work=tmp_path, log=tmp_path / "log.csv"
        )
