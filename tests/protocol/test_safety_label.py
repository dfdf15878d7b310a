"""The safety rules, on geometry and label maps made by hand."""

from __future__ import annotations

import numpy as np
import pytest

from vlmis_utils.core.errors import UserError
from vlmis_utils.protocol import safety_label
from vlmis_utils.protocol.safety_label import (
    Footprint,
    corridor_distance,
    image_rule,
    judge,
)

PERSON, CAR, ROAD = 11, 13, 0


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


def test_image_rule_needs_enough_road_users_in_the_trapezoid() -> None:
    labels = np.full((100, 200), ROAD, np.uint8)
    assert image_rule(labels) == (True, "clear")
    labels[:, :40] = CAR
    assert image_rule(labels)[0], "cars beside the corridor do not count"
    labels[55:80, 90:110] = PERSON
    safe, reason = image_rule(labels)
    assert not safe and reason.startswith("pedestrian covers")


def test_image_rule_leaves_ignored_pixels_out() -> None:
    labels = np.full((100, 200), 255, np.uint8)
    assert image_rule(labels) == (True, "clear")
    labels[70, 100] = CAR
    assert not image_rule(labels)[0]


def test_the_trapezoid_widens_downwards_and_is_symmetric() -> None:
    mask = safety_label.corridor_mask(256, 512)
    widths = mask.sum(1)
    rows = np.flatnonzero(widths)
    assert np.all(np.diff(widths[rows]) >= 0)
    assert np.array_equal(mask, mask[:, ::-1])


def test_image_rule_refuses_a_batch() -> None:
    with pytest.raises(UserError, match="one label map"):
        image_rule(np.zeros((2, 4, 4), np.uint8))
