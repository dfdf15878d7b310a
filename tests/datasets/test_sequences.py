"""Sequences of every dataset: in order, named, and with their place in time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.helpers.miniature import save
from vlmis_utils.core.errors import UserError
from vlmis_utils.datasets.drives import DriveFrame, drive_frames
from vlmis_utils.datasets.registry import Scene, open_scenes
from vlmis_utils.protocol.study import Study


def test_drives_come_one_after_the_other() -> None:
    frames = open_scenes(Study(scenes=2, frames=3, rate=2.0))
    assert [f.scene_id for f in frames] == [
        f"streetworld-test-0-{d:05d}/{n:03d}" for d in (0, 1) for n in (0, 1, 2)
    ]
    assert [f.time for f in frames] == [0.0, 0.5, 1.0] * 2
    assert len({f.path for f in frames}) == 6


def test_a_frame_is_kept_by_its_time_whatever_the_rate() -> None:
    assert drive_frames("val", 0, 1, 9, 4.0)[4].path == drive_frames("val", 0, 1, 3, 2.0)[2].path


def test_a_drive_frame_is_a_scene_and_partners_are_of_one_class(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vlmis_utils.datasets.drives.begin", _small)
    monkeypatch.setenv("VLMIS_CACHE", str(tmp_path))
    first, second = (DriveFrame("test", 0, 2, n, 4.0) for n in (0, 1))
    assert isinstance(first, Scene) and first.in_time.speed > 0
    assert first.pixels_before() is None
    partner = second.pixels_before()
    known = partner >= 0
    assert known.mean() > 0.5 and partner.max() < partner.size
    assert np.array_equal(second.labels()[known], first.labels().ravel()[partner[known]])
    moved = partner[known] != np.arange(partner.size).reshape(partner.shape)[known]
    assert moved.any(), "the camera moves"
    second.path.write_bytes(b"broken")
    assert second.labels().shape == first.labels().shape, "rendered again"


def _small(seed: int, index: int):
    from vlmis_utils.streetworld.drive import begin

    class Small:
        def at(self, t: float):
            return begin(seed, index).at(t, 64, 128, 1)

    return Small()


def _write(root: Path, layout: str, sequence: str, names: list[str]) -> None:
    for value, name in enumerate(names):
        picture = np.full((8, 12, 3), 10 * value, np.uint8)
        images, labels = ("images/test", "labels/test") if layout == "folder" else (
            "val", "valannot")  # fmt: skip
        stem = f"{sequence}/{name}" if layout == "folder" else f"{sequence}_{name}"
        save(picture, root / images / f"{stem}.png")
        save(np.zeros((8, 12), np.uint8), root / labels / f"{stem}.png")


def test_folders_and_recordings_are_sequences(tmp_path: Path) -> None:
    class_map = tmp_path / "map.yaml"
    class_map.write_text("images: images\nlabels: labels\nclasses: {0: road}\n", encoding="utf-8")
    _write(tmp_path, "folder", "b", ["f10", "f9", "f1"])
    _write(tmp_path, "folder", "a", ["1", "2"])
    _write(tmp_path, "folder", "alone", ["1"])
    folder = Study(dataset="folder", data_root=str(tmp_path), class_map=str(class_map), scenes=9,
                   frames=3, rate=10.0)  # fmt: skip
    places = [s.in_time for s in open_scenes(folder)]
    assert [(p.sequence, p.frame, p.time) for p in places] == [
        ("a", 0, 0.0), ("a", 1, 0.1), ("b", 0, 0.0), ("b", 1, 0.1), ("b", 2, 0.2),
    ]  # fmt: skip
    assert [s.image()[0, 0, 0] for s in open_scenes(folder)][2:] == [20, 10, 0]
    _write(tmp_path, "camvid", "0016E5", ["00390", "00420", "00392"])
    camvid = Study(dataset="camvid", data_root=str(tmp_path), split="val", scenes=1, frames=2)
    found = open_scenes(camvid)
    assert [s.scene_id for s in found] == ["camvid-val-0016E5_00390", "camvid-val-0016E5_00392"]
    assert {s.in_time.sequence for s in found} == {"0016E5"}


def test_no_sequence_is_said(tmp_path: Path) -> None:
    _write(tmp_path, "camvid", "0016E5", ["00390"])
    with pytest.raises(UserError, match="has no sequence in split 'val'"):
        open_scenes(Study(dataset="camvid", data_root=str(tmp_path), split="val", frames=2))
