"""The plan of a street: which strips lie beside the ego lane, where it is crossed, and the camera.

World frame: the ego car drives along +y in the middle of its lane (x = 0), x points right, z up,
metres, the camera stands at the origin (a drive moves it along y). Traffic keeps to the right.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["Camera", "Crossing", "Plan", "Side", "draw_plan"]

LANE = 3.5
HALF_LANE = LANE / 2
STREET_END = 150.0
STREET_START = -12.0


@dataclass(frozen=True)
class Camera:
    """Pinhole: height above the road (m), pitch and yaw (radians, up and left), horizontal field
    of view (radians), and how far along the lane it stands (m; 0 but in a drive)."""

    height: float
    pitch: float
    yaw: float
    fov: float
    ahead: float = 0.0


@dataclass(frozen=True)
class Side:
    """One side of the road, from the outermost driving lane outwards. `sign` is +1 right, -1 left.
    All positions are distances |x|: parking or cycle strip `strip` from `lane_edge` to `kerb`,
    verge to `verge`, pavement to `pavement`, then frontage (`front`: what stands there; `green`: on
    grass)."""

    sign: int
    lane_edge: float
    strip: str
    kerb: float
    verge: float
    pavement: float
    garden: float
    front: str
    green: bool

    @property
    def setback(self) -> float:
        """|x| of the building line."""
        return self.pavement + self.garden


@dataclass(frozen=True)
class Crossing:
    """A place where the ego lane is crossed: zebra from y0 to y1 behind a stop line, and behind it
    a side street (`junction`) of half width `half`, centred on `centre`."""

    y0: float
    y1: float
    stop: float
    signals: bool
    zebra: bool
    junction: bool
    centre: float
    half: float


@dataclass(frozen=True)
class Plan:
    """The street. `lanes` holds (x, direction) of each driving lane, direction +1 with the ego car;
    `rails` the x of tram tracks."""

    camera: Camera
    lanes: tuple[tuple[float, int], ...]
    left: Side
    right: Side
    crossing: Crossing | None
    rails: tuple[float, ...]
    urban: float
    tree_gap: float
    paint: tuple[float, ...]

    @property
    def sides(self) -> tuple[Side, Side]:
        """Left, then right."""
        return self.left, self.right

    def open_at(self, y: float, margin: float = 0.0) -> bool:
        """Whether a side street takes up this y."""
        c = self.crossing
        return c is not None and c.junction and abs(y - c.centre) < c.half + margin


def _side(rng: np.random.Generator, sign: int, lane_edge: float, urban: float, rails: bool) -> Side:
    strips = ("none", "parking", "cycle")
    strip = str(rng.choice(strips, p=(0.25, 0.5, 0.25) if not rails else (0.5, 0.1, 0.4)))
    kerb = lane_edge + {"none": 0.45, "parking": 2.25, "cycle": 1.75}[strip]
    verge = kerb + (rng.uniform(0.9, 1.8) if rng.random() < 0.22 else 0.0)
    pavement = verge + rng.uniform(2.0, 3.9)
    fronts = ("building", "wall", "fence", "hedge", "park")
    share = np.array([0.32 + 0.45 * urban, 0.18, 0.17, 0.09, 0.13 * (1 - urban) + 0.03])
    front = str(rng.choice(fronts, p=share / share.sum()))
    garden = {"building": rng.choice([0.0, 0.0, 1.2]), "park": 45.0}.get(front, rng.uniform(3, 8))
    green = front == "park" or bool(rng.random() < 0.22)
    return Side(sign, lane_edge, strip, kerb, verge, pavement, float(garden), front, green)


def draw_plan(rng: np.random.Generator, signals: bool, zebra: bool) -> Plan:
    """Draw a street; `signals` and `zebra` ask for traffic lights or a zebra on the ego lane."""
    urban = float(rng.random())
    camera = Camera(
        rng.uniform(1.3, 1.5), np.radians(rng.uniform(-2.4, -1.6)),
        np.radians(rng.uniform(-1.5, 2.0)), np.radians(rng.uniform(65, 70)),
    )  # fmt: skip
    kind = str(rng.choice(["two-way", "wide", "one-way", "tram"], p=[0.46, 0.2, 0.1, 0.24]))
    lanes, rails = [(0.0, 1)], ()
    if kind == "one-way":
        lanes += [(-LANE, 1)] if rng.random() < 0.6 else []
    elif kind == "wide":
        lanes += [(-LANE, 1), (-2 * LANE, -1)] + ([(-3 * LANE, -1)] if rng.random() < 0.5 else [])
    elif kind == "tram":
        if rng.random() < 0.6:
            lanes, rails = lanes + [(-LANE, -1)], (0.0, -LANE)
        else:
            lanes, rails = (
                lanes + [(-LANE, 1), (-2 * LANE, -1), (-3 * LANE, -1)],
                (-LANE, -2 * LANE),
            )
    else:
        lanes += [(-LANE, -1)]
    left_edge = -lanes[-1][0] + HALF_LANE
    left = _side(rng, -1, left_edge, urban, kind == "tram" and -lanes[-1][0] in [-r for r in rails])
    right = _side(rng, 1, HALF_LANE, urban, 0.0 in rails)
    crossing = None
    if signals or zebra or rng.random() < 0.3:
        y0 = rng.uniform(10.5, 21.5) if signals else rng.uniform(8, 26)
        striped = zebra or (signals and rng.random() < 0.7)
        y1 = y0 + rng.uniform(3.2, 4.2)
        junction = bool(rng.random() < (0.6 if signals else 0.4))
        half = rng.uniform(4.0, 6.5)
        crossing = Crossing(y0, y1, y0 - 1.0, signals, striped, junction, y1 + half + 1.2, half)
    return Plan(
        camera, tuple(lanes), left, right, crossing, rails, urban,
        float(rng.uniform(6, 13)), tuple(float(v) for v in rng.random(6)),
    )  # fmt: skip
