import numpy as np
import pytest

from vlmis_utils.core.errors import UserError
from vlmis_utils.protocol.classes import IGNORE, TRAIN_CLASSES
from vlmis_utils.protocol.ground_corridor import CITYSCAPES_CAMERA, Camera, ground_rule, places
from vlmis_utils.protocol.safety_label import CORRIDOR_HALF_WIDTH, STOPPING_DISTANCE

SIZE = (320, 640)
CAR, PERSON, ROAD = (TRAIN_CLASSES.index(name) for name in ("car", "person", "road"))


def project(camera, x, y, z, size=SIZE):
    """Row and column, as floats, of a point: x right, y up, z ahead of the camera (metres)."""
    height, width = size
    cos, sin = np.cos(camera.pitch), np.sin(camera.pitch)
    below = camera.height - y
    depth = z * cos + below * sin
    down = below * cos - z * sin
    focal = camera.focal * width
    return camera.row * height + focal * down / depth, camera.column * width + focal * x / depth


def street(x, z, name=PERSON, wide=0.6, tall=1.7, camera=CITYSCAPES_CAMERA, size=SIZE):
    """A label map with one upright thing on flat ground, as a rectangle facing the camera."""
    labels = np.full(size, ROAD, np.uint8)
    (bottom, left), (top, right) = (
        project(camera, x - wide / 2, 0, z, size),
        project(camera, x + wide / 2, tall, z, size),
    )
    rows = slice(max(round(top), 0), max(round(bottom), 0))
    labels[rows, max(round(left), 0) : max(round(right), 0)] = name
    return labels


def test_places_undo_the_projection():
    ahead, across = places(CITYSCAPES_CAMERA, *SIZE)
    for x, z in ((0.0, 8.0), (1.5, 10.0), (-3.0, 17.0), (4.0, 30.0)):
        row, column = project(CITYSCAPES_CAMERA, x, 0, z)
        at = int(row), int(column)
        assert ahead[at[0]] == pytest.approx(z, rel=0.06)
        assert across[at] == pytest.approx(x, abs=0.2)


def test_the_places_do_not_depend_on_the_size_of_the_image():
    small, large = (places(CITYSCAPES_CAMERA, *size)[0] for size in (SIZE, (1024, 2048)))
    assert np.interp(0.8, np.linspace(0, 1, 320), small) == pytest.approx(
        np.interp(0.8, np.linspace(0, 1, 1024), large), rel=0.02
    )


@pytest.mark.parametrize("x", [-1.4, -0.5, 0.0, 0.8, 1.4])
def test_coming_nearer_never_makes_it_safe(x):
    verdicts = [ground_rule(street(x, z))[0] for z in np.arange(5.0, 40.0, 0.5)]
    assert verdicts == sorted(verdicts)  # False, that is unsafe, first
    assert not verdicts[0]
    assert verdicts[-1]


@pytest.mark.parametrize("z", [6.0, 10.0, 15.0])
def test_the_corridor_is_as_wide_as_the_lane_at_every_distance(z):
    half = 0.3
    inside, outside = CORRIDOR_HALF_WIDTH - half, CORRIDOR_HALF_WIDTH + half + 0.25
    for side in (-1, 1):
        assert not ground_rule(street(side * inside, z))[0]
        assert ground_rule(street(side * outside, z))[0]


def test_it_ends_at_the_stopping_distance():
    assert not ground_rule(street(0, STOPPING_DISTANCE - 1.5, CAR, 1.8, 1.5))[0]
    assert ground_rule(street(0, STOPPING_DISTANCE + 1.5, CAR, 1.8, 1.5))[0]
    assert not ground_rule(street(0, STOPPING_DISTANCE + 1.5, CAR), limit=25.0)[0]


def test_the_reason_names_the_nearest_and_its_distance():
    labels = street(1.0, 14.0, CAR)
    near = street(-1.0, 8.0)
    labels[near == PERSON] = PERSON
    safe, reason = ground_rule(labels)
    assert not safe
    word, _, metres = reason.partition(" in corridor at ")
    assert word == "pedestrian"
    assert float(metres.removesuffix(" m")) == pytest.approx(8.0, abs=0.4)
    assert ground_rule(np.full(SIZE, ROAD, np.uint8)) == (True, "clear")


def test_a_hidden_foot_is_judged_by_the_lowest_row_seen():
    labels = street(0.0, 9.0)
    labels[250:] = IGNORE  # the vehicle's own bonnet
    assert not ground_rule(labels)[0]
    labels = street(0.0, 3.0)  # the foot is below the picture
    assert labels[-1].max() == PERSON
    assert not ground_rule(labels)[0]


def test_a_stray_pixel_is_no_road_user():
    labels = np.full(SIZE, ROAD, np.uint8)
    labels[270, 320] = PERSON
    assert ground_rule(labels)[0]


def test_misuse_is_told():
    with pytest.raises(UserError, match="one label map"):
        ground_rule(np.zeros((2, *SIZE), np.uint8))
    with pytest.raises(UserError, match="focal"):
        Camera(focal=0, height=1.2, pitch=0)
