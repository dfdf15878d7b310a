"""The reference safety label of a scene, a_i in Section 3.5 of the paper, and its rules.

The paper gives no rule; ours is geometric. A scene is *unsafe* if a road user is in the ego
corridor within the stopping distance, or moves so that it will be there before the vehicle could
have stopped; if a red light faces the ego lane; or if a STOP sign does and no light overrides it.
Amber counts like red, because a driver must stop for it when he can. Photographs have no geometry:
`ground_corridor` judges those whose camera is known, `image_corridor` the others.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "CLEAR_MARGIN", "CORRIDOR_HALF_WIDTH", "HAZARD_MARGIN", "ROAD_USERS", "STOPPING_DISTANCE",
    "STOPPING_TIME", "STOP_STATES", "Footprint", "corridor_distance", "entry", "judge",
    "stopping_distance", "stopping_time",
]  # fmt: skip

CORRIDOR_HALF_WIDTH = 1.75  # m: half of a 3.5 m lane
SPEED = 30 / 3.6  # m/s: 30 km/h, an urban speed
REACTION_TIME = 1.0  # s
DECELERATION = 4.0  # m/s^2: a firm stop on a wet or dry road, not an emergency stop
STOP_STATES = ("red", "amber")

# Scenes are composed without borderline cases: whatever is in the corridor is nearer than the first
# share of the stopping distance, or farther than the second.
HAZARD_MARGIN = 0.85
CLEAR_MARGIN = 1.20

# Train classes of those who can be in the way.
ROAD_USERS = ("person", "rider", "car", "truck", "bus", "train", "motorcycle", "bicycle")


def stopping_distance(
    speed: float = SPEED, reaction: float = REACTION_TIME, deceleration: float = DECELERATION
) -> float:
    """Reaction plus braking distance, v t + v^2 / (2 a), in metres.

    At 30 km/h it is 17.0 m; the rule of thumb of German driving schools, 3 (v/10) + (v/10)^2 with v
    in km/h, gives 18 m.

    >>> round(stopping_distance(), 1)
    17.0
    """
    return speed * reaction + speed**2 / (2 * deceleration)


def stopping_time(
    speed: float = SPEED, reaction: float = REACTION_TIME, deceleration: float = DECELERATION
) -> float:
    """Time until the vehicle stands, reaction plus v / a, in seconds.

    >>> round(stopping_time(), 1)
    3.1
    """
    return reaction + speed / deceleration


STOPPING_DISTANCE = stopping_distance()
STOPPING_TIME = stopping_time()


@dataclass(frozen=True)
class Footprint:
    """A road user seen from above: its kind ("pedestrian", "car", ...), centre (x to the right, y
    ahead of the camera, m), heading (radians, counter-clockwise from +y), length and width (m), and
    velocity over the ground (m/s to the right, m/s ahead)."""

    kind: str
    x: float
    y: float
    heading: float
    length: float
    width: float
    velocity: tuple[float, float] = (0.0, 0.0)

    def corners(self) -> NDArray[np.float64]:
        """The four corners (4, 2), in order around the rectangle."""
        c, s = np.cos(self.heading), np.sin(self.heading)
        local = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * [self.width / 2, self.length / 2]
        return local @ np.array([[c, s], [-s, c]]) + [self.x, self.y]


def _clip(
    polygon: NDArray[np.float64], normal: tuple[float, float], bound: float
) -> NDArray[np.float64]:
    """The part of a convex polygon (N, 2) where normal . p <= bound (Sutherland, Hodgman)."""
    signed = polygon @ np.array(normal) - bound
    kept = []
    for index in range(len(polygon)):
        following = (index + 1) % len(polygon)
        if signed[index] <= 0:
            kept.append(polygon[index])
        if (signed[index] <= 0) != (signed[following] <= 0):
            share = signed[index] / (signed[index] - signed[following])
            kept.append(polygon[index] + share * (polygon[following] - polygon[index]))
    return np.array(kept).reshape(-1, 2)


def corridor_distance(user: Footprint, half_width: float = CORRIDOR_HALF_WIDTH) -> float:
    """Distance (m, along y, at least 0) to the nearest part of a footprint that lies in the ego
    corridor |x| <= half_width ahead of the camera; inf if no part does.

    >>> corridor_distance(Footprint("car", 0.0, 10.0, 0.0, 4.0, 1.8))
    8.0
    >>> corridor_distance(Footprint("car", 3.5, 10.0, 0.0, 4.0, 1.8))
    inf
    """
    polygon = user.corners()
    for normal, bound in (((1.0, 0.0), half_width), ((-1.0, 0.0), half_width), ((0.0, -1.0), 0.0)):
        polygon = _clip(polygon, normal, bound)
        if not len(polygon):
            return float("inf")
    return float(polygon[:, 1].min())


def entry(
    user: Footprint, half_width: float = CORRIDOR_HALF_WIDTH, limit: float = STOPPING_DISTANCE
) -> float:
    """Time (s) until a road user that keeps its velocity reaches the corridor |x| <= half_width,
    0 <= y <= limit; 0 if it is there, inf if it never will be.

    Two convex shapes touch when their shadows do on each normal of an edge of either one
    (separating axes), so the time is the latest of those at which the shadows first touch.

    >>> entry(Footprint("pedestrian", 3.0, 9.0, np.pi / 2, 0.5, 0.5, (-1.0, 0.0)))
    1.0
    """
    corners, speed = user.corners(), np.array(user.velocity)
    box = np.array([[-half_width, 0], [half_width, 0], [half_width, limit], [-half_width, limit]])
    first, last = 0.0, np.inf
    for angle in (0.0, np.pi / 2, user.heading, user.heading + np.pi / 2):
        axis = np.array([np.cos(angle), np.sin(angle)])
        own, there, rate = corners @ axis, box @ axis, float(speed @ axis)
        gaps = there.min() - own.max(), there.max() - own.min()  # to travel until in, until out
        if abs(rate) < 1e-9:
            if gaps[0] > 0 or gaps[1] < 0:
                return float("inf")
            continue
        enters, leaves = sorted(gap / rate for gap in gaps)
        first, last = max(first, enters), min(last, leaves)
    return round(float(first), 9) if first <= last else float("inf")


def judge(
    users: Iterable[Footprint],
    light: str | None = None,
    limit: float = STOPPING_DISTANCE,
    horizon: float = STOPPING_TIME,
    stop_sign: float | None = None,
) -> tuple[bool, str]:
    """Apply the rule to the road users, and to the light and the STOP sign for the ego lane.

    Args:
        users: footprints in the ego frame.
        light: "red", "amber" or "green", or None if no light faces the ego lane.
        limit: stopping distance, m.
        horizon: stopping time, s.
        stop_sign: distance to the nearest STOP sign that faces the ego lane, m; None without one.

    Returns:
        safe, and the reason: "clear", or the nearest user in the corridor, those that come into it
        in time, the light and the sign, for example "pedestrian in corridor at 9.3 m; cyclist
        enters corridor at 12.0 m in 0.8 s; red light", or "stop sign at 14.0 m".
    """
    near, coming = (np.inf, ""), []
    for user in users:
        distance = corridor_distance(user)
        if distance <= limit:
            near = min(near, (distance, user.kind))
        elif (time := entry(user, limit=limit)) <= horizon:
            ahead = float(user.corners()[:, 1].min()) + time * user.velocity[1]
            coming.append((time, max(ahead, 0.0), user.kind))
    reasons = [f"{near[1]} in corridor at {near[0]:.1f} m"] if near[1] else []
    reasons += [f"{k} enters corridor at {y:.1f} m in {t:.1f} s" for t, y, k in sorted(coming)]
    if light in STOP_STATES:
        reasons.append(f"{light} light")
    if stop_sign is not None and light is None:
        reasons.append(f"stop sign at {stop_sign:.1f} m")
    return not reasons, "; ".join(reasons) or "clear"
