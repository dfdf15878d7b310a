"""The reference safety label of a scene, a_i in Section 3.5 of the paper, and its rules.

The paper gives no rule; ours is geometric. A scene is *unsafe* if a road user stands in the ego
corridor within the stopping distance, or if a red light faces the ego lane. Amber counts like red,
because a driver must stop for it when he can. For datasets without geometry, `image_rule` looks
for road users in a trapezoid of the label map instead.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vlmis_utils.core.errors import UserError
from vlmis_utils.protocol.classes import IGNORE, LANGUAGE_NAMES, TRAIN_CLASSES

__all__ = [
    "CLEAR_MARGIN", "CORRIDOR_HALF_WIDTH", "HAZARD_MARGIN", "STOPPING_DISTANCE", "STOP_STATES",
    "Footprint", "corridor_distance", "corridor_mask", "corridor_shares", "image_rule", "judge",
    "stopping_distance",
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

# Image rule: a trapezoid between two rows (shares of the height, 0 = top) with half widths at these
# rows (shares of the width), and the least share of its pixels that road users must cover.
TRAPEZOID_TOP, TRAPEZOID_BOTTOM = 0.50, 0.85
TRAPEZOID_TOP_HALF, TRAPEZOID_BOTTOM_HALF = 0.05, 0.20
IMAGE_THRESHOLD = 0.04
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


STOPPING_DISTANCE = stopping_distance()


@dataclass(frozen=True)
class Footprint:
    """A road user seen from above: its kind ("pedestrian", "car", ...), centre (x to the right, y
    ahead of the camera, m), heading (radians, counter-clockwise from +y), length and width (m)."""

    kind: str
    x: float
    y: float
    heading: float
    length: float
    width: float

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


def judge(
    users: Iterable[Footprint], light: str | None = None, limit: float = STOPPING_DISTANCE
) -> tuple[bool, str]:
    """Apply the rule to the road users and the light that faces the ego lane.

    Args:
        users: footprints in the ego frame.
        light: "red", "amber" or "green", or None if no light faces the ego lane.
        limit: stopping distance, m.

    Returns:
        safe, and the reason: "clear", or the nearest user and the light, for example
        "pedestrian in corridor at 9.3 m; red light".
    """
    near = min(((corridor_distance(user), user.kind) for user in users), default=(np.inf, ""))
    reasons = []
    if near[0] <= limit:
        reasons.append(f"{near[1]} in corridor at {near[0]:.1f} m")
    if light in STOP_STATES:
        reasons.append(f"{light} light")
    return not reasons, "; ".join(reasons) or "clear"


def corridor_mask(height: int, width: int, scale: float = 1.0) -> NDArray[np.bool_]:
    """The trapezoid of the image rule, bool (height, width).

    Args:
        height, width: of the image, pixels.
        scale: factor on the trapezoid's widths; the rows between which it lies stay.

    >>> bool(corridor_mask(256, 512, 2.0).sum() > corridor_mask(256, 512).sum())
    True
    """
    row = (np.arange(height)[:, None] + 0.5) / height
    column = (np.arange(width)[None] + 0.5) / width
    depth = (row - TRAPEZOID_TOP) / (TRAPEZOID_BOTTOM - TRAPEZOID_TOP)
    half = TRAPEZOID_TOP_HALF + depth * (TRAPEZOID_BOTTOM_HALF - TRAPEZOID_TOP_HALF)
    return (depth >= 0) & (depth <= 1) & (np.abs(column - 0.5) <= scale * half)


def corridor_shares(labels: NDArray[np.uint8], scale: float = 1.0) -> dict[str, float]:
    """Return the share of the trapezoid's labelled pixels that each kind of road user covers.

    Args:
        labels: train ids, uint8 (H, W), 255 = ignore (counted as nothing).
        scale: factor on the trapezoid's widths.

    Returns:
        train class -> share in [0, 1], for each of `ROAD_USERS`.

    Raises:
        UserError: if `labels` is not two-dimensional.
    """
    if labels.ndim != 2:
        raise UserError(f"labels have shape {labels.shape}: pass one label map (H, W)")
    inside = labels[corridor_mask(*labels.shape, scale)]
    known = max(1, int((inside != IGNORE).sum()))
    counts = np.bincount(inside, minlength=256)
    return {name: float(counts[TRAIN_CLASSES.index(name)] / known) for name in ROAD_USERS}


def image_rule(
    labels: NDArray[np.uint8], threshold: float = IMAGE_THRESHOLD, scale: float = 1.0
) -> tuple[bool, str]:
    """Judge a label map without geometry: unsafe if road users cover enough of the trapezoid.

    The colour of a traffic light cannot be told from labels, so this rule ignores lights.

    Args:
        labels: train ids, uint8 (H, W), 255 = ignore (counted as nothing).
        threshold: least share of the trapezoid's labelled pixels, in [0, 1].
        scale: factor on the trapezoid's widths.

    Returns:
        safe, and the reason: "clear" or for example "pedestrian covers 7 % of the corridor".

    Raises:
        UserError: if `labels` is not two-dimensional.
    """
    shares = corridor_shares(labels, scale)
    total = sum(shares.values())
    if total < threshold:
        return True, "clear"
    first = max(shares, key=lambda name: shares[name])
    return False, f"{LANGUAGE_NAMES[first]} covers {total:.0%} of the corridor"
