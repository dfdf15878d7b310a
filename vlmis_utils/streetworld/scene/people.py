"""Pedestrians, riders and parked two-wheelers that are no hazard."""

from __future__ import annotations

import numpy as np

from vlmis_utils.protocol.safety_label import CORRIDOR_HALF_WIDTH
from vlmis_utils.streetworld.assets import props
from vlmis_utils.streetworld.scene.cast import FAR, Cast
from vlmis_utils.streetworld.scene.ground import KERB_HEIGHT
from vlmis_utils.streetworld.scene.layout import Plan, Side
from vlmis_utils.streetworld.scene.spots import Spot, try_place, turned

__all__ = ["people"]


def _zone(side: Side, low: float, high: float) -> tuple[float, float]:
    return side.sign * (side.kerb + low), side.sign * (side.pavement - high)


def people(rng: np.random.Generator, plan: Plan, cast: Cast, wanted: dict[str, int]) -> None:
    """Pedestrians, riders and parked two-wheelers that are no hazard: `wanted` counts each kind."""
    cross = plan.crossing

    def pavement(near: float, far: float) -> Spot:
        def spot() -> tuple[float, float, float]:
            side = plan.right if rng.random() < 0.55 else plan.left
            y = near + (far - near) * rng.random() ** 1.3
            x = rng.uniform(*sorted(_zone(side, 0.45, 0.45)))
            return x, y, rng.choice([0, np.pi]) + rng.normal(0, 0.3)

        return spot

    def crossing() -> tuple[float, float, float]:
        y = rng.uniform(cross.y0 + 0.3, cross.y1 - 0.3) if cross is not None else rng.uniform(8, 30)
        lanes = (-plan.left.kerb + 0.3, -CORRIDOR_HALF_WIDTH - 0.6)
        return (
            rng.uniform(min(lanes), max(lanes)),
            y,
            rng.choice([1.0, -1.0]) * np.pi / 2 + rng.normal(0, 0.2),
        )

    def far_crossing() -> tuple[float, float, float]:
        return (
            rng.uniform(-5, plan.right.kerb),
            rng.uniform(FAR + 0.5, 32),
            rng.choice([1.0, -1.0]) * np.pi / 2,
        )

    def waiting() -> tuple[float, float, float]:
        side = plan.right if rng.random() < 0.6 else plan.left
        y = rng.uniform(cross.y0, cross.y1) if cross is not None else rng.uniform(7, 25)
        return (
            side.sign * (side.kerb + rng.uniform(0.35, 0.9)),
            y,
            side.sign * np.pi / 2 + rng.normal(0, 0.3),
        )

    for _ in range(wanted.get("pedestrian", 0)):
        draw = rng.random()
        on_road = draw < 0.30
        spot = (
            crossing
            if draw < 0.16
            else far_crossing
            if on_road
            else waiting
            if draw < 0.5
            else pavement(5.5, 27)
        )
        level = 0.0 if on_road else KERB_HEIGHT
        try_place(cast, "pedestrian", rng, spot, 0.25, level, moving=spot is not waiting)

    def riding(kind: str) -> Spot:
        def spot() -> tuple[float, float, float]:
            draw = rng.random()
            if draw < 0.45 and plan.right.strip != "parking":
                edge = plan.right.kerb - (0.55 if plan.right.strip == "cycle" else 0.30)
                return max(edge, CORRIDOR_HALF_WIDTH + 0.62), rng.uniform(6, 26), turned(rng, 0.0)
            if draw < 0.8:
                lane, direction = plan.lanes[rng.integers(len(plan.lanes))]
                heading = 0.0 if direction > 0 else np.pi
                y = rng.uniform(6, 26) if lane else rng.uniform(FAR + 1.5, 32)
                return lane + rng.uniform(-0.9, 0.9), y, turned(rng, heading, 0.06)
            if kind == "cyclist" and cross is not None and draw < 0.9:
                y = rng.uniform(max(cross.y0, FAR + 0.5), max(cross.y0, FAR + 0.5) + 8)
                return rng.uniform(-6, 3), y, rng.choice([1.0, -1.0]) * np.pi / 2
            return (
                -plan.left.kerb + 0.55,
                rng.uniform(6, 26),
                turned(rng, np.pi if plan.lanes[-1][1] < 0 else 0.0),
            )

        return spot

    for kind in ("cyclist", "motorcyclist"):
        for _ in range(wanted.get(kind, 0)):
            try_place(cast, kind, rng, riding(kind), 0.3, moving=True)

    for kind in ("bicycle", "motorcycle"):
        for _ in range(wanted.get(kind, 0)):
            side = plan.right if rng.random() < 0.6 else plan.left
            along, start = rng.random() < 0.4, rng.uniform(6, 19)
            count = int(rng.integers(1, 5 if kind == "bicycle" else 3))
            in_strip = side.strip == "parking" and kind == "motorcycle"
            for turn in range(count):
                inset = -1.1 if in_strip else 0.95 if not along else 0.55
                y = start + turn * (2.1 if along else 0.75)
                heading = turned(rng, 0.0 if along else side.sign * np.pi / 2, 0.08)
                level = 0.0 if in_strip else KERB_HEIGHT
                if not plan.open_at(y, 1.0):
                    cast.place(
                        kind,
                        props.make(kind, rng),
                        side.sign * (side.kerb + inset),
                        float(y),
                        heading,
                        0.05,
                        level,
                    )
