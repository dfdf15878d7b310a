"""Motion: distances are the integrals of speeds, and nobody drives through anything."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad

from vlmis_utils.streetworld.motion import Pace, braking, follow

SPEEDS = st.floats(0, 10)


@given(SPEEDS, SPEEDS, st.floats(0, 3), st.floats(0.5, 8), st.floats(0, 12))
def test_the_distance_is_the_integral_of_the_speed(
    before: float, after: float, start: float, rate: float, t: float
) -> None:
    pace = Pace(before, after, start, rate)
    edges = [start, start + abs(after - before) / rate]
    gone, _ = quad(pace.speed, 0, t, points=[e for e in edges if 0 < e < t] or None, limit=200)
    assert pace.distance(t) == pytest.approx(gone, abs=1e-4)


def test_a_way_ends() -> None:
    pace = Pace(2.0, 2.0, reach=3.0)
    assert pace.distance(1.0) == 2.0 and pace.distance(9.0) == 3.0
    assert pace.speed(1.0) == 2.0 and pace.speed(9.0) == 0.0


@given(st.floats(0, 15), st.floats(0, 60), st.floats(1, 8))
def test_braking_never_passes_the_obstacle(speed: float, gap: float, rate: float) -> None:
    pace = braking(speed, gap, rate)
    times = np.linspace(0, 60, 61)
    gone = [pace.distance(t) for t in times]
    assert max(gone) <= gap + 1e-6 and np.all(np.diff(gone) >= -1e-9)
    assert pace.before <= speed


@given(st.floats(2, 80), st.floats(0, 8), st.floats(4, 12))
def test_a_follower_never_drives_through_what_is_ahead(
    gap: float, other: float, cruise: float
) -> None:
    found = follow(lambda t, gone: (gap + other * t - gone, other), cruise, 10.0)
    times = 0.05 * np.arange(len(found.gone))
    assert np.all(found.gone <= gap + other * times + 1e-9)
    assert np.all(np.diff(found.gone) >= 0) and found.speeds.max() <= cruise + 1e-9


def test_a_free_road_is_driven_at_the_wanted_speed() -> None:
    found = follow(lambda t, gone: (np.inf, 0.0), 8.0, 10.0)
    assert found.distance(5.0) == pytest.approx(40.0) and found.speed(9.0) == pytest.approx(8.0)
