"""StreetWorld as a dataset: the same frames from any number of processes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from vlmis_utils.datasets.streetworld import StreetWorld, open_streetworld, render_many


def test_processes_render_what_one_would(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    frames = []
    for workers in (1, 2):
        monkeypatch.setenv("VLMIS_CACHE", str(tmp_path / str(workers)))
        scenes = open_streetworld("val", limit=3, seed=5)
        render_many(scenes, workers=workers, progress=False)
        assert all(scene.path.exists() for scene in scenes)
        assert not list((tmp_path / str(workers)).rglob(".*"))
        frames.append([(scene.image(), scene.labels(), scene.safe) for scene in scenes])
    for (image, labels, safe), (other, others, judged) in zip(*frames, strict=True):
        assert np.array_equal(image, other) and np.array_equal(labels, others) and safe == judged


def test_a_split_is_a_sequence() -> None:
    split = StreetWorld("val", 0, 5)
    assert [scene.index for scene in split] == [0, 1, 2, 3, 4] and len(split) == 5
    assert split[-1] == split[4] and split[1:3] == [split[1], split[2]]
    for wrong in (5, -6):
        with pytest.raises(IndexError):
            split[wrong]
