"""A drive: a composed scene that goes on in time, seen by a car that drives through it.

A frame is a pure function of (seed, drive, t), and the frame at t = 0 is the scene itself. What
moves are road users, the ego car and the lights; limbs and wheels do not turn. What never moves is
built, and handed to Embree, once for all frames of a drive.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from vlmis_utils.protocol.safety_label import STOP_STATES, Footprint, corridor_distance, judge
from vlmis_utils.streetworld.conduct import draw_light, draw_moves, moved
from vlmis_utils.streetworld.geometry.mesh import MATERIALS, Mesh, concatenate
from vlmis_utils.streetworld.motion import Follower, Move, follow
from vlmis_utils.streetworld.rendering.rays import Hits, Stage, Tracer
from vlmis_utils.streetworld.rendering.render import render
from vlmis_utils.streetworld.scene.cast import ROAD_USER_KINDS
from vlmis_utils.streetworld.scene.ground import KERB_HEIGHT
from vlmis_utils.streetworld.scene.layout import Camera
from vlmis_utils.streetworld.scene.speeds import velocity
from vlmis_utils.streetworld.world import Composition, Frame, framed, settle

__all__ = ["Drive", "Moment", "begin"]

LONGEST = 12.0  # s that a drive can last
_BUMPER = 1.8  # m from the camera to the front of the car
_PATH = 1.1  # m: half width of what the car itself sweeps
_STREAM = 20261127  # keeps the draws of motion apart from those of the scene
_LIT = {"red": (1.0, 0.06, 0.03), "amber": (1.0, 0.50, 0.03), "green": (0.05, 0.95, 0.45)}


@dataclass(frozen=True, eq=False)
class Moment:
    """A frame of a drive: the picture and its truth; which pixels show something that moves during
    the drive, bool (H, W); the camera, metres it has gone and its speed (m/s); and what the light
    shows."""

    frame: Frame
    moving: NDArray[np.bool_]
    camera: Camera
    gone: float
    speed: float
    light: str | None


@dataclass(frozen=True, eq=False)
class Drive:
    """A scene, the motion of each of its things (None: never moves), and the light's program."""

    scene: Composition
    moves: tuple[Move | None, ...]
    program: tuple[tuple[float, str | None], ...]
    cruise: float

    def users(self, t: float) -> list[Footprint]:
        """Footprints of the road users at second t, in the frame of the street."""
        pairs = zip(self.scene.footprints, self.moves, strict=True)
        return [_going(place, move, t) for place, move in pairs if place.kind in ROAD_USER_KINDS]

    def light(self, t: float) -> str | None:
        """What the light that faces the ego lane shows at second t."""
        return [state for start, state in self.program if start <= t + 1e-9][-1]

    @cached_property
    def ego(self) -> Follower:
        """The way of the ego car."""
        return follow(self._ahead, self.cruise, LONGEST)

    def _ahead(self, t: float, gone: float) -> tuple[float, float]:
        gap, speed = np.inf, 0.0
        pairs = zip(self.scene.footprints, self.moves, strict=True)
        for place, move in pairs:
            if place.kind not in ROAD_USER_KINDS:
                continue
            dx, dy = move.offset(t) if move else (0.0, 0.0)
            near = corridor_distance(moved(place, dx, dy - gone), _PATH) - _BUMPER
            if near < gap:
                gap, speed = near, move.velocity(t)[1] if move else 0.0
        cross = self.scene.stage.plan.crossing
        if cross is not None and self.light(t) in STOP_STATES:
            line = cross.stop - gone - _BUMPER
            if -0.5 < line < gap + 2.0:
                gap, speed = line + 2.0, 0.0  # it stops at the line, not two metres short of it
        return float(gap), max(0.0, speed)

    def judged(self, t: float) -> tuple[bool, str]:
        """The safety label at second t and its reason; a light or sign counts until it is passed.

        At first it is the scene's, who foresees walkers at their mean speed; then at their own.
        """
        if t == 0:
            return self.scene.safe, self.scene.safety_reason
        gone = self.ego.distance(t)
        cross = self.scene.stage.plan.crossing
        passed = cross is not None and gone > cross.stop + 1.0
        around = [moved(user, 0.0, -gone) for user in self.users(t)]
        sign = None if self.scene.stop_sign is None else self.scene.stop_sign - gone
        sign = sign if sign is not None and sign > 0 else None
        return judge(around, None if passed else self.light(t), stop_sign=sign)

    @cached_property
    def _split(self) -> tuple[Mesh, NDArray[np.int32], Tracer, NDArray[np.bool_]]:
        """What never moves (mesh, thing of each face, its tracer); the faces of all else."""
        stage = self.scene.stage
        loose = np.zeros(len(stage.facades), bool)
        for number, (place, move) in enumerate(zip(self.scene.footprints, self.moves, strict=True)):
            changes = place.kind == "light" and len(self.program) > 1
            loose[self.scene.first + number] = move is not None or changes
        away = loose[stage.thing]
        fixed = _part(stage.mesh, ~away)
        return fixed, stage.thing[~away], Tracer(fixed), away

    def at(self, t: float, height: int = 256, width: int = 512, rays: int = 4) -> Moment:
        """Render the drive at second t.

        Args:
            t: from 0 to `LONGEST`.
            height, width: pixels; rays: samples a pixel, the first through its centre.
        """
        scene, stage = self.scene, self.scene.stage
        fixed, fixed_thing, tracer, away = self._split
        parts, things = [], []
        for number, (place, move) in enumerate(zip(scene.footprints, self.moves, strict=True)):
            own = np.flatnonzero(away & (stage.thing == scene.first + number))
            if not len(own):
                continue
            mesh = _part(stage.mesh, own)
            mesh = self._placed(mesh, place, move, t) if move else self._lit(mesh, t)
            parts.append(mesh)
            things.append(np.full(len(mesh), scene.first + number, np.int32))
        loose = concatenate(parts)
        camera = replace(stage.plan.camera, ahead=self.ego.distance(t))
        shot = _Shot(
            concatenate([fixed, loose]), np.concatenate([fixed_thing, *things]), stage.facades,
            replace(stage.plan, camera=camera), stage.mood, tracer, loose,
        )  # fmt: skip
        safe, reason = self.judged(t)
        image, labels, thing, depth = render(shot, height, width, rays)
        frame = framed(scene, image, labels, thing, depth, safe, reason)
        goes = np.array([*([False] * scene.first), *(m is not None for m in self.moves), False])
        return Moment(frame, goes[thing], camera, camera.ahead, self.ego.speed(t), self.light(t))

    def _placed(self, mesh: Mesh, place: Footprint, move: Move, t: float) -> Mesh:
        dx, dy = move.offset(t)
        plan, down = self.scene.stage.plan, 0.0
        if place.kind == "pedestrian":
            on_road = [-plan.left.kerb < x < plan.right.kerb for x in (place.x, place.x + dx)]
            down = KERB_HEIGHT * (int(on_road[0]) - int(on_road[1]))
        return replace(mesh, vertices=mesh.vertices + np.float32([dx, dy, down]))

    def _lit(self, mesh: Mesh, t: float) -> Mesh:
        """A signal's mesh with the lamp of second t alight."""
        first, now = self.program[0][1], self.light(t)
        if now == first:
            return mesh
        material, colour = mesh.material.copy(), mesh.colour.copy()
        out = material == MATERIALS[f"emissive_{first}"]
        dim = 0.03 + 0.045 * np.float32(list(_LIT.values()))
        lens = np.flatnonzero(material == MATERIALS["lens"])
        nearest = np.abs(colour[lens, None] - dim).sum(-1).argmin(1)
        on = lens[nearest == list(_LIT).index(now)]
        material[out], colour[out] = MATERIALS["lens"], dim[list(_LIT).index(first)]
        material[on], colour[on] = MATERIALS[f"emissive_{now}"], _LIT[now]
        return replace(mesh, material=material, colour=colour)


def _going(place: Footprint, move: Move | None, t: float) -> Footprint:
    """A road user at second t, with the velocity that it has then."""
    if move is None:
        return replace(place, velocity=(0.0, 0.0))
    there = velocity(place.kind, place.heading, move.pace.speed(t))
    return replace(moved(place, *move.offset(t)), velocity=there)


@dataclass(frozen=True, eq=False)
class _Shot(Stage):
    """A stage of which one part has its tracer already; faces of ``loose`` come last."""

    fixed: Tracer
    loose: Mesh

    @cached_property
    def tracer(self) -> _Both | Tracer:
        """Embree's view of both parts."""
        if not len(self.loose):
            return self.fixed
        return _Both(self.fixed, Tracer(self.loose), len(self.mesh) - len(self.loose))


@dataclass(frozen=True, eq=False)
class _Both:
    """Two tracers as one; faces of the second are numbered after the ``first`` ones."""

    fixed: Tracer
    loose: Tracer
    first_loose: int

    def first(self, origin: NDArray[np.float32], direction: NDArray[np.float32]) -> Hits:
        one, two = self.fixed.first(origin, direction), self.loose.first(origin, direction)
        nearer = (two.face >= 0) & ((one.face < 0) | (two.distance < one.distance))
        face = np.where(nearer, two.face + self.first_loose, one.face).astype(np.int32)
        pairs = ((two.distance, one.distance), (two.u, one.u), (two.v, one.v))
        return Hits(face, *(np.where(nearer, b, a) for b, a in pairs))

    def blocked(
        self, origin: NDArray[np.float32], direction: NDArray[np.float32], reach: float
    ) -> NDArray[np.bool_]:
        blocked = self.fixed.blocked(origin, direction, reach)
        open_ = np.flatnonzero(~blocked)
        blocked[open_] = self.loose.blocked(origin[open_], direction[open_], reach)
        return blocked


def _part(mesh: Mesh, chosen: NDArray) -> Mesh:
    """The mesh of some faces, with the vertices that they use."""
    faces = mesh.faces[chosen]
    used, faces = np.unique(faces, return_inverse=True)
    return Mesh(
        mesh.vertices[used], faces.reshape(-1, 3).astype(np.int32), mesh.colour[chosen],
        mesh.material[chosen], mesh.train_id[chosen], mesh.smooth[chosen],
    )  # fmt: skip


@lru_cache(maxsize=2)
def begin(seed: int, index: int) -> Drive:
    """Return drive `index` of world `seed`: scene `index`, and how it goes on."""
    scene = settle(seed, index)
    rng = np.random.default_rng(np.random.SeedSequence([seed, index, _STREAM]))
    program = draw_light(rng, scene.light)
    cruise = float(rng.uniform(6.5, 9.5))
    moves = draw_moves(rng, scene.stage.plan, scene.footprints, scene.light)
    return Drive(scene, moves, program, cruise)
