"""The safety rule, on geometry made by hand and against brute force."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vlmis_utils.protocol import safety_label
from vlmis_utils.protocol.safety_label import (
    STOPPING_DISTANCE,
    STOPPING_TIME,
    Footprint,
    corridor_distance,
    entry,
    judge,
)

HALF = safety_label.CORRIDOR_HALF_WIDTH


def person(x: float, y: float) -> Footprint:
    return Footprint("pedestrian", x, y, 0.0, 0.4, 0.5)


def test_stopping_distance_is_reaction_plus_braking() -> None:
    assert safety_label.stopping_distance(10.0, 1.5, 5.0) == pytest.approx(15 + 10)
    assert 14 <= safety_label.STOPPING_DISTANCE <= 18


def test_a_user_in_the_corridor_within_the_stopping_distance_is_unsafe() -> None:
    assert judge([person(0.5, 9.5)]) == (False, "pedestrian in corridor at 9.3 m")
    assert judge([person(0.5, safety_label.STOPPING_DISTANCE + 1)]) == (True, "clear")
    assert judge([person(3.0, 9.5)]) == (True, "clear")
    assert judge([person(0.0, -5.0)]) == (True, "clear")


@pytest.mark.parametrize(
    ("light", "safe"), [("red", False), ("amber", False), ("green", True), (None, True)]
)
def test_red_and_amber_stop_the_ego_car(light: str | None, safe: bool) -> None:
    assert judge([], light) == (safe, "clear" if safe else f"{light} light")


def test_the_nearest_user_is_named_and_the_light_beside_it() -> None:
    users = [Footprint("car", 0.0, 14.0, 0.0, 4.0, 1.8), person(0.0, 6.2)]
    assert judge(users, "red") == (False, "pedestrian in corridor at 6.0 m; red light")


def test_corridor_distance_agrees_with_sampling() -> None:
    rng = np.random.default_rng(5)
    for _ in range(60):
        user = Footprint(
            "car", rng.uniform(-4, 4), rng.uniform(-3, 20), rng.uniform(0, 7), 4.2, 1.8
        )
        grid = np.stack(np.meshgrid(np.linspace(0, 1, 120), np.linspace(0, 1, 240)), -1).reshape(
            -1, 2
        )
        a, b, _, d = user.corners()
        points = a + grid[:, :1] * (b - a) + grid[:, 1:] * (d - a)
        inside = points[
            (np.abs(points[:, 0]) <= safety_label.CORRIDOR_HALF_WIDTH) & (points[:, 1] >= 0)
        ]
        found = corridor_distance(user)
        if len(inside):
            assert found == pytest.approx(inside[:, 1].min(), abs=0.06)
        else:
            assert found == np.inf or len(inside) == 0


def test_a_turned_car_reaches_into_the_corridor() -> None:
    straight = Footprint("car", 3.2, 10.0, 0.0, 4.4, 1.8)
    across = Footprint("car", 3.2, 10.0, np.pi / 2, 4.4, 1.8)
    assert corridor_distance(straight) == np.inf
    assert corridor_distance(across) == pytest.approx(9.1)


MOVING = st.builds(
    Footprint, st.just("cyclist"), st.floats(-9, 9), st.floats(-6, 30), st.floats(0, 6.28),
    st.floats(0.4, 5), st.floats(0.3, 2), st.tuples(st.floats(-9, 9), st.floats(-9, 9)),
)  # fmt: skip


def moved(user: Footprint, time: float) -> Footprint:
    (right, ahead) = user.velocity
    return replace(user, x=user.x + time * right, y=user.y + time * ahead)


def inside(user: Footprint, margin: float = 0.0) -> bool:
    return corridor_distance(user, HALF + margin) <= STOPPING_DISTANCE + margin


@settings(max_examples=150, deadline=None)
@given(MOVING)
def test_the_time_of_entry_agrees_with_small_steps(user: Footprint) -> None:
    time = entry(user)
    for step in np.arange(0, 6, 0.05):
        if step < time - 1e-6:
            assert not inside(moved(user, step))
    if time < 10:  # a corner may only graze it
        assert any(inside(moved(user, time + later), 0.2) for later in (0.0, 0.01, 0.02))


def test_who_stands_beside_the_lane_never_enters() -> None:
    assert entry(Footprint("car", 3.5, 9.0, 0.0, 4.4, 1.8)) == np.inf
    assert entry(Footprint("car", 3.5, 9.0, 0.0, 4.4, 1.8, (0.0, -8.3))) == np.inf
    assert entry(person(0.0, 9.0)) == 0


@pytest.mark.parametrize(
    ("x", "y", "speed", "safe"),
    [
        (3.4, 13.0, -1.34, False),  # on the zebra, a step from the lane
        (3.4, 13.0, 1.34, True),  # the other way
        (3.4, 13.0, 0.0, True),  # waits
        (9.0, 13.0, -1.34, True),  # would take longer than the vehicle needs to stop
        (3.4, 18.0, -1.34, True),  # beyond where it would stop
        (-3.4, 13.0, 1.34, False),
    ],
)
def test_who_walks_towards_the_lane(x: float, y: float, speed: float, safe: bool) -> None:
    user = Footprint("pedestrian", x, y, np.pi / 2, 0.5, 0.5, (speed, 0.0))
    found, reason = judge([user])
    assert found == safe
    near = user.corners()[:, 1].min()
    assert safe or reason == f"pedestrian enters corridor at {near:.1f} m in 1.0 s"
    assert judge([user], horizon=0.0)[0]


@settings(max_examples=100, deadline=None)
@given(st.lists(MOVING, max_size=3), st.floats(1, STOPPING_DISTANCE), st.floats(0, STOPPING_TIME))
def test_more_foresight_and_more_distance_never_make_it_safe(
    users: list[Footprint], limit: float, horizon: float
) -> None:
    if judge(users)[0]:
        assert judge(users, limit=limit, horizon=horizon)[0]


@pytest.mark.parametrize("light", [None, "red", "amber", "green"])
def test_a_stop_sign_counts_where_no_light_overrides_it(light: str | None) -> None:
    safe, reason = judge([], light, stop_sign=12.34)
    assert safe == (light == "green")
    assert ("stop sign at 12.3 m" in reason) == (light is None)
