"""StreetWorld: scenes are pure functions of (seed, index), labels are sound."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest

from vlmis_utils.core.errors import UserError
from vlmis_utils.datasets.streetworld import open_streetworld, render_many, world_seed
from vlmis_utils.protocol import safety_label
from vlmis_utils.protocol.classes import TRAIN_CLASSES
from vlmis_utils.streetworld.geometry.mesh import MATERIALS
from vlmis_utils.streetworld.scene import street
from vlmis_utils.streetworld.scene.cast import ROAD_USER_KINDS, overlap
from vlmis_utils.streetworld.scene.speeds import SPEEDS
from vlmis_utils.streetworld.world import Composition, Frame, _judged, compose, render_scene

SEED, COUNT = 90210, 24
SMALL = {"height": 64, "width": 128, "rays": 2}


def digest(frame: Frame) -> str:
    parts = (frame.image, frame.labels, frame.instances, frame.depth)
    text = b"".join(part.tobytes() for part in parts) + frame.safety_reason.encode()
    return hashlib.sha256(text).hexdigest()


@lru_cache(maxsize=1)
def scenes() -> tuple[Composition, ...]:
    return tuple(compose(SEED, index) for index in range(COUNT))


@lru_cache(maxsize=1)
def frame() -> Frame:
    return render_scene(SEED, 3)


def test_same_bytes_again_and_in_another_process() -> None:
    render_scene(SEED, 4, **SMALL)
    here = digest(render_scene(SEED, 5, **SMALL))
    code = (
        "from tests.streetworld.test_world import SMALL, digest, render_scene;"
        f"print(digest(render_scene({SEED}, 5, **SMALL)))"
    )
    root = Path(__file__).parents[2]
    there = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True
    )
    assert there.stdout.strip() == here


def test_scenes_differ() -> None:
    assert len({digest(render_scene(SEED, index, **SMALL)) for index in range(3)}) == 3


def test_shapes_types_and_values() -> None:
    seen = frame()
    assert seen.image.shape == (256, 512, 3) and seen.image.dtype == np.uint8
    for array, dtype in (
        (seen.labels, np.uint8),
        (seen.instances, np.int32),
        (seen.depth, np.float32),
    ):
        assert array.shape == (256, 512) and array.dtype == dtype
    assert set(np.unique(seen.labels)) <= {*range(len(TRAIN_CLASSES)), 255}
    assert 20 < seen.image.mean() < 235 and seen.image.std() > 20


def test_sky_is_infinitely_far_and_all_else_is_not() -> None:
    seen = frame()
    assert np.array_equal(np.isinf(seen.depth), seen.labels == TRAIN_CLASSES.index("sky"))
    assert seen.depth.min() > 1


def test_an_instance_has_one_class() -> None:
    seen = frame()
    for number in np.unique(seen.instances[seen.instances > 0]):
        assert len(np.unique(seen.labels[seen.instances == number])) <= 2
    things = np.isin(seen.labels, range(11, 19))
    assert np.all(seen.instances[things] > 0)


def test_safety_label_follows_from_geometry_without_borderline_cases() -> None:
    for scene in scenes():
        judged = safety_label.judge(scene.users, scene.light, stop_sign=scene.stop_sign)
        assert judged == (scene.safe, scene.safety_reason)
        near = [safety_label.corridor_distance(user) for user in scene.users]
        gap = [
            d
            for d in near
            if safety_label.HAZARD_MARGIN
            < d / safety_label.STOPPING_DISTANCE
            < safety_label.CLEAR_MARGIN
        ]
        assert not gap


def test_unsafe_share_over_compositions() -> None:
    unsafe = np.mean(
        [not compose(SEED + 1, index).safe for index in range(24)] + [not s.safe for s in scenes()]
    )
    assert 0.3 <= unsafe <= 0.7


def test_nobody_drifts_out_of_a_lane_and_what_is_parked_or_waits_does_not_move() -> None:
    users = [user for scene in scenes() for user in scene.users]
    moving = [user for user in users if user.velocity != (0.0, 0.0)]
    assert len(moving) > COUNT and len(moving) < len(users)
    for user in moving:
        across, along = user.velocity
        assert np.hypot(across, along) == pytest.approx(SPEEDS[user.kind])
        assert (across == 0) == (abs(np.sin(user.heading)) < 0.5)
        assert across * -np.sin(user.heading) >= 0 and along * np.cos(user.heading) >= 0
    assert not any(u.velocity != (0.0, 0.0) for u in users if u.kind in ("bicycle", "motorcycle"))


def faces_the_driver(scene: Composition, number: int) -> bool:
    """Whether the coloured side of a sign lies before its pole, towards -y."""
    mesh = scene.stage.mesh
    own = mesh.faces[scene.stage.thing == scene.first + number]
    looks = mesh.material[scene.stage.thing == scene.first + number]
    plate = mesh.vertices[own[looks == MATERIALS["sign"]]].reshape(-1, 3)
    return bool(plate[:, 1].mean() < scene.footprints[number].y)


def test_signs_face_the_ego_lane_but_for_no_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    for kind, faces in (("no_entry", False), ("stop", True), ("yield", True)):
        monkeypatch.setattr(street, "draw_kind", lambda rng, kind=kind: kind)
        found = 0
        for index in range(3):
            scene = compose(SEED, index)
            for number, name in enumerate(scene.kinds):
                if name in ("sign", "stop sign"):
                    assert name == ("stop sign" if kind == "stop" else "sign")
                    assert faces_the_driver(scene, number) == faces
                    found += 1
            if kind == "stop" and "stop sign" in scene.kinds and scene.light is None:
                assert not scene.safe and "stop sign at" in scene.safety_reason
        assert found


def test_what_the_picture_does_not_show_is_no_reason() -> None:
    walker = safety_label.Footprint("pedestrian", 3.4, 12.0, 1.57, 0.5, 0.5, (-1.3, 0.0))
    inside = safety_label.Footprint("car", 0.0, 9.0, 0.0, 4.4, 1.8)
    sign = safety_label.Footprint("stop sign", 4.0, 9.0, 0.0, 0.5, 0.5)
    cast = ("pedestrian", "car", "stop sign"), (walker, inside, sign), None
    both, hidden = (_judged(*cast, np.array([shown] * 3)) for shown in (True, False))
    assert both[3].count(";") == 2 and both[1] == 9.0
    assert hidden[3] == "car in corridor at 6.8 m" and hidden[1] is None


def test_road_users_do_not_overlap() -> None:
    for scene in scenes():
        users = [place for place in scene.footprints if place.kind in ROAD_USER_KINDS]
        for number, user in enumerate(users):
            assert not any(overlap(user, other) for other in users[number + 1 :])


def test_every_class_appears_somewhere() -> None:
    found = {int(number) for scene in scenes() for number in np.unique(scene.stage.mesh.train_id)}
    stray = {TRAIN_CLASSES.index("train"), TRAIN_CLASSES.index("sky")}
    assert set(range(len(TRAIN_CLASSES))) - stray <= found


def test_splits_have_their_own_worlds() -> None:
    seeds = [world_seed(split, seed) for split in ("train", "val", "test") for seed in range(4)]
    assert len(set(seeds)) == len(seeds)
    with pytest.raises(UserError, match="unknown split"):
        world_seed("tset", 0)
    with pytest.raises(UserError, match="limit"):
        open_streetworld("test", limit=0)


def test_frames_are_cached_and_a_damaged_file_is_rendered_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VLMIS_CACHE", str(tmp_path))
    data = open_streetworld("val", limit=1, seed=7)
    assert len(data) == 1 and data[-1] == data[0] == next(iter(data))
    render_many(data, workers=1, progress=False)
    scene = data[0]
    stamp = scene.path.stat().st_mtime_ns
    first = digest(scene.frame())
    assert scene.path.stat().st_mtime_ns == stamp
    scene.path.write_bytes(scene.path.read_bytes()[:100])
    assert digest(scene.frame()) == first
    assert scene.present and isinstance(scene.safe, bool)
    assert scene.scene_id == "streetworld-val-7-00000"
