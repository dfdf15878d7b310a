"""Vehicles, and the hazard that a scene is about."""

from __future__ import annotations

import numpy as np

from vlmis_utils.streetworld.assets import props
from vlmis_utils.streetworld.scene.cast import FAR, NEAR, Cast
from vlmis_utils.streetworld.scene.layout import Plan, Side
from vlmis_utils.streetworld.scene.spots import TRIES, Spot, try_place, turned

__all__ = ["INTENTS", "place_hazard", "vehicles"]

# What a scene is about, and its share. "clear" scenes hold no hazard.
INTENTS: dict[str, float] = {
    "clear": 0.50, "pedestrian": 0.125, "rider": 0.125, "vehicle": 0.125, "light": 0.125,
}  # fmt: skip


def place_hazard(rng: np.random.Generator, plan: Plan, cast: Cast, intent: str) -> bool:
    """Place the road user that makes the scene unsafe; True also for intents without one."""
    if intent == "pedestrian":
        zebra = (
            plan.crossing
            if plan.crossing and plan.crossing.zebra and plan.crossing.y1 < NEAR - 0.5
            else None
        )

        def walk() -> tuple[float, float, float]:
            y = (
                rng.uniform(zebra.y0 + 0.4, zebra.y1 - 0.4)
                if zebra and rng.random() < 0.8
                else rng.uniform(5.5, NEAR - 0.4)
            )
            heading = rng.choice([1.0, -1.0]) * np.pi / 2 + rng.normal(0, 0.25)
            return (
                rng.uniform(-1.3, 1.3),
                y,
                heading if rng.random() < 0.85 else rng.uniform(0, 6.28),
            )

        return try_place(cast, "pedestrian", rng, walk, hazard=True, moving=True)
    if intent == "rider":
        kind = "cyclist" if rng.random() < 0.68 else "motorcyclist"

        def ride() -> tuple[float, float, float]:
            across = kind == "cyclist" and rng.random() < 0.25
            heading = rng.choice([1.0, -1.0]) * np.pi / 2 if across else turned(rng, 0.0, 0.08)
            return rng.uniform(-0.9, 1.1), rng.uniform(6.2, NEAR + 0.4), heading

        return try_place(cast, kind, rng, ride, hazard=True, moving=True)
    if intent == "vehicle":
        on_rails = 0.0 in plan.rails
        kinds, shares = (
            ["car", "truck", "bus", "tram"],
            [0.62, 0.13, 0.13, 0.12 if on_rails else 0.0],
        )
        kind = str(rng.choice(kinds, p=np.array(shares) / sum(shares)))
        mesh = props.make(kind, rng)
        length = float(np.ptp(mesh.vertices[:, 1]))
        nearest = 5.5 if kind == "car" else 8.0
        for _ in range(TRIES):
            y = float(rng.uniform(nearest, NEAR - 0.3)) + length / 2
            if cast.place(
                kind, mesh, float(rng.normal(0, 0.12)) * (kind != "tram"), y, 0.0, 0.4, hazard=True
            ):
                return True
        return False
    return True


def vehicles(rng: np.random.Generator, plan: Plan, cast: Cast, wanted: dict[str, int]) -> None:
    """Moving and parked vehicles that are no hazard. `wanted` counts truck, bus and tram, and holds
    "lead" (a vehicle ahead, far), "oncoming" and "parked" (share of full bays, in percent)."""
    cross = plan.crossing

    def lane(kind: str, near: float, far: float) -> Spot:
        def spot() -> tuple[float, float, float]:
            choices = [(x, d) for x, d in plan.lanes if kind != "tram" or x in plan.rails]
            x, direction = choices[rng.integers(len(choices))]
            y = near + (far - near) * rng.random() ** 1.4
            y = max(y, FAR + 6) if x == 0 else y
            heading = 0.0 if direction > 0 else np.pi
            return x + (0.0 if kind == "tram" else rng.normal(0, 0.12)), y, heading

        return spot

    for kind in ("tram", "bus", "truck"):
        for _ in range(wanted.get(kind, 0)):
            if kind == "tram" and not plan.rails:
                continue
            if kind == "truck" and rng.random() < 0.4:
                side = plan.right if rng.random() < 0.6 else plan.left
                if side.strip == "parking":
                    x = side.sign * (side.lane_edge + 1.45)
                    if try_place(
                        cast,
                        kind,
                        rng,
                        lambda x=x, s=side: (x, rng.uniform(9, 30), _facing(plan, s)),
                    ):
                        continue
            try_place(
                cast, kind, rng, lane(kind, 13 if kind != "tram" else 18, 42), 0.5, moving=True
            )
    if wanted.get("lead"):

        def ahead() -> tuple[float, float, float]:
            return rng.normal(0, 0.1), FAR + 2.8 + 22 * rng.random() ** 1.3, 0.0

        try_place(cast, "car", rng, ahead, moving=True)
    others = [(x, d) for x, d in plan.lanes if x < 0]
    for _ in range(wanted.get("oncoming", 0) if others else 0):

        def coming() -> tuple[float, float, float]:
            x, direction = others[rng.integers(len(others))]
            return x + rng.normal(0, 0.1), rng.uniform(5, 60), 0.0 if direction > 0 else np.pi

        try_place(cast, "car", rng, coming, 1.5, moving=True)
    if cross is not None and cross.junction:
        for _ in range(int(rng.integers(0, 3))):

            def side_street() -> tuple[float, float, float]:
                sign = rng.choice([1.0, -1.0])
                x = sign * (plan.right.kerb if sign > 0 else plan.left.kerb) + sign * rng.uniform(
                    3.5, 14
                )
                return x, cross.centre - sign * min(1.8, cross.half - 1.4), sign * np.pi / 2

            try_place(cast, "car", rng, side_street, 1.0)
    for side in plan.sides:
        if side.strip == "parking":
            _park(rng, plan, side, cast, wanted.get("parked", 60) / 100)


def _facing(plan: Plan, side: Side) -> float:
    return np.pi if side.sign < 0 and plan.lanes[-1][1] < 0 else 0.0


def _park(rng: np.random.Generator, plan: Plan, side: Side, cast: Cast, share: float) -> None:
    cross = plan.crossing
    y = 2.0 + rng.uniform(0, 4)
    while y < 75:
        clear = cross is not None and cross.stop - 4.5 < y < (
            cross.centre + cross.half + 4 if cross.junction else cross.y1 + 3.5
        )
        if rng.random() < share and not clear:
            x = side.sign * (side.lane_edge + 1.28 + rng.normal(0, 0.05))
            heading = turned(rng, _facing(plan, side) + (np.pi if rng.random() < 0.06 else 0), 0.02)
            cast.place("car", props.make("car", rng), float(x), float(y), heading, 0.3)
        y += rng.uniform(5.5, 6.6)
