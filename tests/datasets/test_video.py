"""A video file is a sequence: its frames, in order, with the label maps of its folder."""

from __future__ import annotations

import sys
from pathlib import Path

import av
import numpy as np
import pytest

from tests.helpers.miniature import save
from vlmis_utils.core.errors import RunError, UserError
from vlmis_utils.datasets.registry import open_scenes
from vlmis_utils.protocol.study import Study

HEIGHT, WIDTH, FRAMES = 32, 48, 12


def video(path: Path, frames: int = FRAMES) -> list[np.ndarray]:
    """Write a lossless video of noise that brightens; return its frames."""
    rng = np.random.default_rng(0)
    path.parent.mkdir(parents=True, exist_ok=True)
    shown = [rng.integers(n, 100 + 10 * n, (HEIGHT, WIDTH, 3), np.uint8) for n in range(frames)]
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264rgb", rate=10, options={"qp": "0"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "rgb24"
        for picture in shown:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, "rgb24")))
        container.mux(stream.encode())
    return shown


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Study:
    monkeypatch.setenv("VLMIS_CACHE", str(tmp_path / "cache"))
    root = tmp_path / "data"
    class_map = root / "map.yaml"
    root.mkdir()
    class_map.write_text("classes: {0: road, 1: sky}\n", encoding="utf-8")
    for n in range(FRAMES):
        labels = np.full((HEIGHT, WIDTH), n % 2, np.uint8)
        save(labels, root / f"labels/test/drive/{n + 1}.png")
    return Study(dataset="folder", data_root=str(root), class_map=str(class_map), scenes=9,
                 frames=FRAMES, rate=10.0)  # fmt: skip


def test_frames_come_in_order_with_their_label_maps(study: Study) -> None:
    shown = video(Path(study.data_root) / "images/test/drive.mp4")
    scenes = open_scenes(study)
    assert [(s.in_time.sequence, s.in_time.frame) for s in scenes] == [
        ("drive", n) for n in range(FRAMES)
    ]
    assert scenes[9].scene_id == "folder-test-drive-10"
    for n, scene in enumerate(scenes):
        assert np.array_equal(scene.image(), shown[n])
        assert scene.label_path.stem == str(n + 1) and scene.labels().max() == 10 * (n % 2)
        assert (
            scene.image_path.stat().st_mtime
            == (Path(study.data_root) / "images/test/drive.mp4").stat().st_mtime
        )


def test_a_video_beside_a_folder_is_decoded_once(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = Path(study.data_root)
    video(root / "images/test/drive.mp4")
    for n in (1, 2):
        save(np.full((8, 12, 3), n, np.uint8), root / f"images/test/a/{n}.png")
        save(np.zeros((8, 12), np.uint8), root / f"labels/test/a/{n}.png")
    before = open_scenes(study)
    assert [s.in_time.sequence for s in before] == ["a"] * 2 + ["drive"] * FRAMES
    monkeypatch.setattr(av, "open", lambda *_: pytest.fail("decoded again"))
    assert [s.scene_id for s in open_scenes(study)] == [s.scene_id for s in before]


def test_what_is_wrong_is_said(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    path = Path(study.data_root) / "images/test/drive.mp4"
    video(path, FRAMES - 1)
    with pytest.raises(UserError, match=r"drive\.mp4 has 11 frames and .*drive 12 label maps"):
        open_scenes(study)
    path.write_bytes(b"no video")
    with pytest.raises(RunError, match=r"cannot read .*drive\.mp4 \(Invalid data.*copy it again"):
        open_scenes(study)
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(UserError, match=r"pip install 'vlmis\[video\]'"):
        open_scenes(study)
