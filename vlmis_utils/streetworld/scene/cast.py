"""Who and what stands in a scene: placed things, seen from above, without overlaps."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from vlmis_utils.protocol.safety_label import (
    CLEAR_MARGIN,
    CORRIDOR_HALF_WIDTH,
    HAZARD_MARGIN,
    STOPPING_DISTANCE,
    Footprint,
    corridor_distance,
)
from vlmis_utils.streetworld.geometry.mesh import Mesh
from vlmis_utils.streetworld.scene.speeds import velocity

__all__ = ["ROAD_USER_KINDS", "Cast", "Thing", "overlap"]

# Kinds that the safety rule looks at. Parked two-wheelers without riders are things, not users, but
# they too never stand in the corridor.
ROAD_USER_KINDS = frozenset({
    "pedestrian", "cyclist", "motorcyclist", "car", "truck", "bus", "tram", "motorcycle", "bicycle",
})  # fmt: skip
NEAR, FAR = HAZARD_MARGIN * STOPPING_DISTANCE, CLEAR_MARGIN * STOPPING_DISTANCE
_INSIDE, _OUTSIDE = 0.35, 0.25  # m: least overlap with, or gap to, the corridor


@dataclass(frozen=True, eq=False)
class Thing:
    """A placed object: its kind, its mesh in world coordinates, and its footprint."""

    kind: str
    mesh: Mesh
    footprint: Footprint


def overlap(one: Footprint, other: Footprint, gap: float = 0.0) -> bool:
    """Whether two rectangles come closer than about `gap` metres (separating axis test)."""
    if (
        np.hypot(one.x - other.x, one.y - other.y)
        > gap + (np.hypot(one.length, one.width) + np.hypot(other.length, other.width)) / 2
    ):
        return False
    first, second = one.corners(), other.corners()
    for heading in (one.heading, other.heading):
        for angle in (heading, heading + np.pi / 2):
            axis = np.array([np.cos(angle), np.sin(angle)])
            a, b = first @ axis, second @ axis
            if a.min() > b.max() + gap or b.min() > a.max() + gap:
                return False
    return True


def _decided(user: Footprint, hazard: bool) -> bool:
    """Whether a road user is clearly a hazard (if one is wanted), or clearly none."""
    near = corridor_distance(user, CORRIDOR_HALF_WIDTH + _OUTSIDE)
    if hazard:
        return corridor_distance(user, CORRIDOR_HALF_WIDTH - _INSIDE) <= NEAR
    if near == np.inf:
        return True
    return corridor_distance(user) >= FAR and near >= FAR


@dataclass
class Cast:
    """The things placed so far. `place` refuses overlaps and borderline positions."""

    things: list[Thing] = field(default_factory=list)
    blocks: list[Footprint] = field(default_factory=list)

    def place(
        self, kind: str, mesh: Mesh, x: float, y: float, heading: float = 0.0, gap: float = 0.3,
        z: float = 0.0, hazard: bool = False, moving: bool = False,
    ) -> bool:  # fmt: skip
        """Put a mesh on the ground if nothing stands there.

        Args:
            kind: what it is; `ROAD_USER_KINDS` must also stand clearly in or out of the corridor.
            gap: clearance to other things, m.
            hazard: whether it must be a hazard (True) or must not (False).
            moving: at the speed of its kind, else it stands.

        Returns:
            Whether it was placed.
        """
        low, high = mesh.vertices.min(0), mesh.vertices.max(0)
        mid = (low + high)[:2] / 2
        c, s = np.cos(heading), np.sin(heading)
        box = Footprint(
            kind, float(x + c * mid[0] - s * mid[1]), float(y + s * mid[0] + c * mid[1]),
            float(heading), float(high[1] - low[1]), float(high[0] - low[0]),
            velocity(kind, heading) if moving else (0.0, 0.0),
        )  # fmt: skip
        if kind in ROAD_USER_KINDS and not _decided(box, hazard):
            return False
        if any(overlap(box, other, gap) for other in self.blocks):
            return False
        self.things.append(Thing(kind, mesh.moved(x, y, heading, z), box))
        self.blocks.append(box)
        return True

    def stand(
        self, kind: str, mesh: Mesh, x: float, y: float, heading: float = 0.0, radius: float = 0.15,
        z: float = 0.12, solid: bool = True, force: bool = False,
    ) -> bool:  # fmt: skip
        """Put street furniture on the pavement: it blocks a square of half width `radius` m."""
        box = Footprint(kind, x, y, 0.0, 2 * radius, 2 * radius)
        if not force and any(overlap(box, other, 0.1) for other in self.blocks):
            return False
        self.things.append(Thing(kind, mesh.moved(x, y, heading, z), box))
        if solid:
            self.blocks.append(box)
        return True

    def users(self) -> list[Footprint]:
        """Footprints of the road users."""
        return [thing.footprint for thing in self.things if thing.kind in ROAD_USER_KINDS]

    def arrays(self, first: int) -> tuple[list[Mesh], NDArray[np.int32]]:
        """The meshes, and the thing number of each of their faces counted from `first`."""
        meshes = [thing.mesh for thing in self.things]
        counts = [len(mesh) for mesh in meshes]
        return meshes, np.repeat(np.arange(first, first + len(meshes), dtype=np.int32), counts)
