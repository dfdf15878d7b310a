"""Drives: pure functions of (seed, drive, t) that begin as the scenes do, with labels that hold."""

from __future__ import annotations

import itertools
from functools import lru_cache

import numpy as np
import pytest

from vlmis_utils.datasets.streetworld import world_seed
from vlmis_utils.protocol.parameters import load_study
from vlmis_utils.protocol.safety_label import STOP_STATES
from vlmis_utils.streetworld.drive import Drive, Moment, _part, begin
from vlmis_utils.streetworld.geometry.mesh import MATERIALS
from vlmis_utils.streetworld.scene.cast import ROAD_USER_KINDS, overlap
from vlmis_utils.streetworld.world import render_scene

SEED, COUNT = 3, 6
SMALL = {"height": 64, "width": 128, "rays": 1}
TIMES = np.arange(0, 3, 0.25)


@lru_cache(maxsize=1)
def drives() -> tuple[Drive, ...]:
    return tuple(begin.__wrapped__(SEED, index) for index in range(COUNT))


@lru_cache(maxsize=8)
def moment(index: int, t: float) -> Moment:
    return drives()[index].at(t, **SMALL)


def test_the_first_frame_is_the_scene() -> None:
    first, scene = moment(2, 0.0).frame, render_scene(SEED, 2, **SMALL)
    for name in ("image", "labels", "instances", "depth"):
        assert np.array_equal(getattr(first, name), getattr(scene, name)), name
    assert (first.safe, first.safety_reason) == (scene.safe, scene.safety_reason)


def test_a_frame_is_a_pure_function_whatever_came_before() -> None:
    late = moment(2, 1.5)
    again = begin.__wrapped__(SEED, 2).at(1.5, **SMALL)
    assert np.array_equal(late.frame.image, again.frame.image)
    assert np.array_equal(late.moving, again.moving) and late.gone == again.gone


def test_the_camera_sees_the_same_street_from_farther_on() -> None:
    """Points of the street that both frames see lie where the camera's way says."""
    drive, t = drives()[2], 0.25
    one, two = moment(2, 0.0), moment(2, t)
    assert two.gone == pytest.approx(drive.ego.distance(t)) and two.gone > 1
    road = (one.frame.labels == 0) & (two.frame.labels == 0)
    nearer = one.frame.depth[road] - two.frame.depth[road]
    assert abs(np.median(nearer)) < 0.1  # the plane of the road looks the same from everywhere
    far = (one.frame.labels == 2) & (two.frame.labels == 2) & (one.frame.depth > 60)
    assert far.sum() > 20
    assert np.median(one.frame.depth[far] - two.frame.depth[far]) == pytest.approx(
        two.gone, abs=0.5
    )


def test_only_road_users_and_lights_move_and_nobody_runs_into_the_ego_car() -> None:
    for drive in drives():
        pairs = zip(drive.scene.footprints, drive.moves, strict=True)
        assert all(p.kind in ROAD_USER_KINDS for p, move in pairs if move is not None)
        assert any(move is not None for move in drive.moves)
        gone = [drive.ego.distance(t) for t in TIMES]
        assert np.all(np.diff(gone) >= 0) and gone[-1] < 12 * TIMES[-1]


def test_vehicles_of_a_lane_do_not_drive_through_each_other() -> None:
    for drive, t in itertools.product(drives(), (0.0, 1.5, 2.75)):
        cars = [u for u in drive.users(t) if u.kind in ("car", "truck", "bus", "tram")]
        pairs = itertools.combinations(cars, 2)
        assert sum(overlap(a, b) for a, b in pairs) == 0


def test_a_lamp_that_changes_is_the_only_one_alight() -> None:
    changing = [d for d in drives() if len(d.program) > 1]
    assert changing
    for drive in changing:
        first, (start, later) = drive.program[0][1], drive.program[1]
        *_, away = drive._split
        number = drive.scene.first + drive.scene.kinds.index("light")
        own = np.flatnonzero(away & (drive.scene.stage.thing == number))
        assert len(own) and drive.light(start - 0.01) == first and drive.light(start) == later
        mesh = drive.scene.stage.mesh
        before = int((mesh.material[own] == MATERIALS[f"emissive_{first}"]).sum())
        lit = drive._lit(_part(mesh, own), start)
        names = {n: int((lit.material == MATERIALS[f"emissive_{n}"]).sum())
                 for n in ("red", "amber", "green")}  # fmt: skip
        assert names.pop(later) == before > 0 and not any(names.values())


def test_the_label_follows_the_light_until_it_is_passed() -> None:
    for drive in drives():
        cross = drive.scene.stage.plan.crossing
        for t in TIMES:
            safe, reason = drive.judged(t)
            if drive.light(t) in STOP_STATES and drive.ego.distance(t) < cross.stop:
                assert not safe and f"{drive.light(t)} light" in reason


def test_the_safety_label_changes_inside_a_third_of_the_drives_of_the_study() -> None:
    study = load_study("params/sequences.yaml")
    seed, times = world_seed(study.split, study.seed), np.arange(study.frames) / study.rate
    assert study.scenes >= 24
    changing = 0
    for index in range(study.scenes):
        drive = begin.__wrapped__(seed, index)
        changing += len({drive.judged(t)[0] for t in times}) > 1
        if 3 * changing >= study.scenes:
            return
    pytest.fail(f"the label changes in {changing} of {study.scenes} drives")
