"""The image rule: a trapezoid that is the lane; who comes nearer in it covers more of it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vlmis_utils.core.errors import UserError
from vlmis_utils.protocol import image_corridor
from vlmis_utils.protocol.ground_corridor import Camera, places
from vlmis_utils.protocol.image_corridor import corridor_mask, corridor_shares, image_rule
from vlmis_utils.protocol.safety_label import CORRIDOR_HALF_WIDTH, STOPPING_DISTANCE

PERSON, CAR, ROAD = 11, 13, 0
HEIGHT, WIDTH = 256, 512


def upright(x: float, z: float, wide: float, tall: float) -> np.ndarray:
    """A label map with one upright thing, as the supposed camera sees it (level, so no pitch)."""
    focal, high = image_corridor.FOCAL * WIDTH, image_corridor.CAMERA_HEIGHT
    horizon = image_corridor.HORIZON * HEIGHT
    foot, top = horizon + focal * high / z, horizon + focal * (high - tall) / z
    sides = [WIDTH / 2 + focal * (x + s * wide / 2) / z for s in (-1, 1)]
    row, column = np.arange(HEIGHT)[:, None] + 0.5, np.arange(WIDTH)[None] + 0.5
    inside = (row <= foot) & (row >= top) & (column >= sides[0]) & (column <= sides[1])
    return np.where(inside, PERSON, ROAD).astype(np.uint8)


# Nearer, the foot is below the image.
NEAREST = (
    image_corridor.FOCAL
    * WIDTH
    * image_corridor.CAMERA_HEIGHT
    / ((1 - image_corridor.HORIZON) * HEIGHT)
)


@settings(max_examples=60, deadline=None)
@given(
    st.floats(-1.5, 1.5), st.floats(NEAREST + 0.1, 30), st.floats(0.05, 8), st.floats(0.4, 2),
    st.floats(1.2, 2.5), st.floats(0.005, 0.2),
)  # fmt: skip
def test_coming_nearer_never_makes_it_safe(
    x: float, z: float, step: float, wide: float, tall: float, threshold: float
) -> None:
    near = max(NEAREST + 0.05, z - step)
    covers = [sum(corridor_shares(upright(x, at, wide, tall)).values()) for at in (z, near)]
    assert covers[1] >= covers[0] - 0.003  # the edges of pixels
    if not image_rule(upright(x, z, wide, tall), threshold + 0.003)[0]:
        assert not image_rule(upright(x, near, wide, tall), threshold)[0]


@pytest.mark.parametrize("size", [(256, 512), (360, 480), (320, 640)])
def test_it_is_the_lane_of_a_typical_camera_at_every_row(size: tuple[int, int]) -> None:
    height, width = size
    level = Camera(
        image_corridor.FOCAL, image_corridor.CAMERA_HEIGHT, 0.0, row=image_corridor.HORIZON
    )
    ahead, across = places(level, height, width)
    lane = (ahead <= STOPPING_DISTANCE)[:, None] & (np.abs(across) <= CORRIDOR_HALF_WIDTH)
    assert np.mean(lane != corridor_mask(height, width)) < 0.002
    assert corridor_mask(height, width)[-1].any(), "it ends at the lower edge"


def test_it_needs_enough_road_users_in_the_trapezoid() -> None:
    labels = np.full((100, 200), ROAD, np.uint8)
    assert image_rule(labels) == (True, "clear")
    labels[:75, :40] = CAR
    assert image_rule(labels)[0], "cars beside the corridor do not count"
    labels[55:90, 85:115] = PERSON
    safe, reason = image_rule(labels)
    assert not safe and reason.startswith("pedestrian covers")


def test_ignored_pixels_are_left_out() -> None:
    labels = np.full((100, 200), 255, np.uint8)
    assert image_rule(labels) == (True, "clear")
    labels[70, 100] = CAR
    assert not image_rule(labels)[0]


def test_it_widens_downwards_and_is_symmetric() -> None:
    mask = corridor_mask(HEIGHT, WIDTH)
    widths = mask.sum(1)
    rows = np.flatnonzero(widths)
    assert np.all(np.diff(widths[rows]) >= 0) and rows[-1] == HEIGHT - 1
    assert np.array_equal(mask, mask[:, ::-1])


def test_a_batch_is_refused() -> None:
    with pytest.raises(UserError, match="one label map"):
        image_rule(np.zeros((2, 4, 4), np.uint8))
