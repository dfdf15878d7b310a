"""How road users move over time: speeds that change once, and a car that follows what is ahead.

All is a pure function of time, in seconds from the first frame, metres and metres a second.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Follower", "Move", "Pace", "braking", "follow"]

STEP = 0.05  # s, between the points of a simulated path


@dataclass(frozen=True)
class Pace:
    """A speed that changes once: ``before`` until ``start``, then at ``rate`` m/s² to ``after``.

    ``reach`` (m) is where the way ends, and with it the motion.

    >>> walk = Pace(0.0, 1.5, start=1.0, rate=3.0)
    >>> walk.speed(0.5), walk.speed(1.25), walk.distance(2.0)
    (0.0, 0.75, 1.125)
    """

    before: float
    after: float
    start: float = 0.0
    rate: float = 2.0
    reach: float = float("inf")

    def distance(self, t: float) -> float:
        """Metres gone by second t."""
        first = self.before * min(t, self.start)
        turn = abs(self.after - self.before) / self.rate
        since = max(0.0, t - self.start)
        middle = min(since, turn)
        slope = np.sign(self.after - self.before) * self.rate
        gone = first + self.before * middle + slope * middle**2 / 2
        return float(min(gone + self.after * max(0.0, since - turn), self.reach))

    def speed(self, t: float) -> float:
        """Metres a second at second t; 0 where the way has ended."""
        if self.distance(t) >= self.reach:
            return 0.0
        since = max(0.0, t - self.start)
        change = np.clip(self.after - self.before, -self.rate * since, self.rate * since)
        return float(self.before + change)


def braking(speed: float, gap: float, rate: float) -> Pace:
    """Return a pace that stops in front of an obstacle ``gap`` metres ahead, braking at ``rate``.

    Who is too fast to stop at that rate starts no faster than he can stop from.

    >>> round(braking(8.0, 20.0, 4.0).distance(60.0), 6)
    20.0
    """
    gap = max(gap, 0.0)
    speed = min(speed, float(np.sqrt(2 * rate * gap)))
    if speed < 0.05:
        return Pace(0.0, 0.0)
    return Pace(speed, 0.0, (gap - speed**2 / (2 * rate)) / speed, rate)


@dataclass(frozen=True)
class Move:
    """A straight way over the ground: unit vector (dx, dy) and the pace along it."""

    direction: tuple[float, float]
    pace: Pace

    def offset(self, t: float) -> tuple[float, float]:
        """Metres (x, y) from the place at the first frame."""
        gone = self.pace.distance(t)
        return self.direction[0] * gone, self.direction[1] * gone

    def velocity(self, t: float) -> tuple[float, float]:
        """Metres a second (x, y)."""
        speed = self.pace.speed(t)
        return self.direction[0] * speed, self.direction[1] * speed


@dataclass(frozen=True, eq=False)
class Follower:
    """A simulated path: metres gone and speed at multiples of `STEP`, float64 (N,)."""

    gone: NDArray[np.float64]
    speeds: NDArray[np.float64]

    def distance(self, t: float) -> float:
        """Metres gone by second t, linear between steps; the last step's beyond the end."""
        return float(np.interp(t, STEP * np.arange(len(self.gone)), self.gone))

    def speed(self, t: float) -> float:
        """Metres a second at second t."""
        return float(np.interp(t, STEP * np.arange(len(self.speeds)), self.speeds))


# Gap to what is ahead (m, inf for a free road) and its speed, by time and metres gone.
Ahead = Callable[[float, float], tuple[float, float]]

# The intelligent driver model (Treiber, Hennecke and Helbing, Physical Review E 62, 2000) with
# values for town: seconds of headway, acceleration, comfortable braking (m/s²), standing gap (m).
_HEADWAY, _FASTER, _SLOWER, _STANDING = 1.2, 1.5, 2.0, 2.0
_HARDEST = 8.0  # m/s²: an emergency stop on a dry road


def follow(ahead: Ahead, cruise: float, seconds: float, firm: float = 4.0) -> Follower:
    """Drive behind whatever is ahead by the intelligent driver model.

    The car starts at its wanted speed, or as fast as it can still stop from at ``firm`` m/s².

    Args:
        ahead: gap and speed of what is ahead.
        cruise: speed on a free road, m/s.
        seconds: how long.
        firm: braking that bounds the first speed, m/s².
    """
    gap, other = ahead(0.0, 0.0)
    speed = min(cruise, float(np.sqrt(2 * firm * max(gap - _STANDING, 0.0) + other**2)))
    gone = 0.0
    places, speeds = [gone], [speed]
    for step in range(round(seconds / STEP)):
        gap, other = ahead(step * STEP, gone)
        wanted = speed * _HEADWAY + speed * (speed - other) / (2 * np.sqrt(_FASTER * _SLOWER))
        pressure = (_STANDING + max(0.0, wanted)) / max(gap, 0.1)
        change = _FASTER * (1 - (speed / cruise) ** 4 - pressure**2)
        following = max(0.0, speed + STEP * max(change, -_HARDEST))
        stride = STEP * (speed + following) / 2
        if stride > max(gap - 0.5, 0.0):  # never through what is ahead
            stride = max(gap - 0.5, 0.0)
            following = 0.0
        speed, gone = following, gone + stride
        places.append(gone)
        speeds.append(speed)
    return Follower(np.array(places), np.array(speeds))
