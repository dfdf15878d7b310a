"""How road users move: at the speed of their kind, along the street or along their heading."""

from __future__ import annotations

import numpy as np

__all__ = ["SPEEDS", "velocity"]

# m/s. Free walking speed by Weidmann, Transporttechnik der Fussgaenger (1993); 15 km/h for a
# cyclist in town; the ego vehicle's own 30 km/h for all that is driven. Other kinds stand.
_DRIVE = 30 / 3.6
SPEEDS: dict[str, float] = {
    "pedestrian": 1.34, "cyclist": 15 / 3.6, "motorcyclist": _DRIVE, "car": _DRIVE,
    "truck": _DRIVE, "bus": _DRIVE, "tram": _DRIVE,
}  # fmt: skip
# Below this |sine| of its heading a road user follows the street: nobody drifts out of a lane.
_ALONG = 0.5


def velocity(kind: str, heading: float, speed: float | None = None) -> tuple[float, float]:
    """The velocity (m/s to the right, m/s ahead) of a road user that moves.

    Args:
        kind: of the road user; one without a speed stands.
        heading: radians, counter-clockwise from +y.
        speed: m/s, by default that of its kind.

    >>> velocity("car", 0.02), velocity("bicycle", 0.0)
    ((0.0, 8.333333333333334), (0.0, 0.0))
    """
    speed = SPEEDS.get(kind, 0.0) if speed is None else speed
    sine, cosine = float(np.sin(heading)), float(np.cos(heading))
    if abs(sine) < _ALONG:
        return 0.0, float(np.copysign(speed, cosine)) if speed else 0.0
    return -speed * sine, speed * cosine
