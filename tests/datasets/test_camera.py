"""The safety label of photographs follows the camera that took them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vlmis_utils.core.errors import UserError
from vlmis_utils.datasets.registry import open_dataset
from vlmis_utils.protocol.ground_corridor import (
    CAMVID_CAMERAS,
    CITYSCAPES_CAMERA,
    Camera,
    camera_of,
)
from vlmis_utils.protocol.image_corridor import image_rule
from vlmis_utils.protocol.safety_label import STOPPING_DISTANCE

FOCAL = 1.0  # image widths
FOOT = 9.5  # rows below the middle, the centre of the pedestrian's lowest pixels
WIDTH = 200


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """One frame of Cityscapes: a pedestrian straight ahead."""
    labels = np.full((100, WIDTH), 7, np.uint8)  # road
    labels[40:60, 95:105] = 24  # person
    for part, picture in (
        ("leftImg8bit/val/ulm/ulm_000000_000019_leftImg8bit.png", np.zeros((100, WIDTH, 3), "u1")),
        ("gtFine/val/ulm/ulm_000000_000019_gtFine_labelIds.png", labels),
    ):
        path = tmp_path / part
        path.parent.mkdir(parents=True)
        Image.fromarray(picture).save(path)
    return tmp_path


@pytest.mark.parametrize("height", [0.5, 0.8, 1.0, 3.0])
def test_a_pedestrian_is_as_far_as_similar_triangles_say(root: Path, height: float) -> None:
    (scene,) = open_dataset("cityscapes", root, "val", camera=Camera(FOCAL, height, pitch=0.0))
    ahead = height * FOCAL * WIDTH / FOOT
    assert scene.safe == (ahead > STOPPING_DISTANCE)
    reason = "clear" if scene.safe else f"pedestrian in corridor at {ahead:.1f} m"
    assert scene.safety_reason == reason


def test_cityscapes_has_a_camera_of_its_own(root: Path) -> None:
    (scene,) = open_dataset("cityscapes", root, "val")
    assert scene.camera == CITYSCAPES_CAMERA == camera_of("cityscapes")
    higher = camera_of("cityscapes", height=1.5)
    assert (higher.height, higher.focal) == (1.5, CITYSCAPES_CAMERA.focal)
    assert (higher.column, higher.row) == (CITYSCAPES_CAMERA.column, CITYSCAPES_CAMERA.row)


def test_where_no_camera_is_published_all_of_it_is_told_or_none(tmp_path: Path) -> None:
    assert camera_of("camvid") is camera_of("folder") is camera_of("streetworld") is None
    assert camera_of("folder", 1.1, 1.4, 0.02) == Camera(1.1, 1.4, 0.02)
    with pytest.raises(UserError, match="camera_focal missing: folder has no published camera"):
        camera_of("folder", height=1.4, pitch=0.02)
    with pytest.raises(UserError, match="camera_pitch: streetworld's safety label"):
        camera_of("streetworld", pitch=0.02)


def test_without_a_camera_the_trapezoid_decides(root: Path, tmp_path: Path) -> None:
    (tmp_path / "map.yaml").write_text(
        "images: leftImg8bit\nlabels: gtFine\nimage_suffix: _leftImg8bit\n"
        "label_suffix: _gtFine_labelIds\nclasses: {7: road, 24: person}\n"
    )
    (scene,) = open_dataset("folder", root, "val", class_map=tmp_path / "map.yaml")
    assert (scene.safe, scene.safety_reason) == image_rule(scene.labels())
    (scene,) = open_dataset(
        "folder", root, "val", class_map=tmp_path / "map.yaml", camera=Camera(FOCAL, 0.5, 0.0)
    )
    assert scene.safety_reason.startswith("pedestrian in corridor at ")


def test_each_recording_of_camvid_has_its_camera(tmp_path: Path) -> None:
    for part in ("test", "testannot"):
        (tmp_path / part).mkdir()
        for name in ("0001TP_1", "0016E5_1", "other_1"):
            Image.fromarray(np.zeros((36, 48), np.uint8)).save(tmp_path / part / f"{name}.png")
    cameras = [scene.camera for scene in open_dataset("camvid", tmp_path, "test")]
    assert cameras == [CAMVID_CAMERAS["0001TP"], CAMVID_CAMERAS["0016E5"], None]
    rows = [camera.row - camera.focal * 480 / 360 * np.tan(camera.pitch) for camera in cameras[:2]]
    assert np.multiply(rows, 360) == pytest.approx([225, 178], abs=1), "the horizons fitted"
    told = Camera(1.0, 1.3, 0.0)
    assert {s.camera for s in open_dataset("camvid", tmp_path, "test", camera=told)} == {told}
