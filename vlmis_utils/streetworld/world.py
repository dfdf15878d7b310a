"""StreetWorld: scenes composed from (seed, index), rendered with exact and safety labels."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from vlmis_utils.protocol.safety_label import (
    STOPPING_DISTANCE,
    Footprint,
    corridor_distance,
    judge,
)
from vlmis_utils.streetworld.geometry.mesh import MATERIALS, concatenate
from vlmis_utils.streetworld.rendering.rays import Stage, centre_hits
from vlmis_utils.streetworld.rendering.render import render
from vlmis_utils.streetworld.rendering.sky import draw_mood
from vlmis_utils.streetworld.scene.buildings import houses
from vlmis_utils.streetworld.scene.cast import ROAD_USER_KINDS, Cast
from vlmis_utils.streetworld.scene.facades import COLUMNS
from vlmis_utils.streetworld.scene.ground import ground
from vlmis_utils.streetworld.scene.layout import draw_plan
from vlmis_utils.streetworld.scene.people import people
from vlmis_utils.streetworld.scene.signals import signals
from vlmis_utils.streetworld.scene.street import furnish, signs
from vlmis_utils.streetworld.scene.traffic import INTENTS, place_hazard, vehicles
from vlmis_utils.streetworld.version import world_version

__all__ = ["WORLD_VERSION", "Composition", "Frame", "compose", "framed", "render_scene", "settle"]

_RIDER = 12
_COUNTED = ROAD_USER_KINDS | {"light", "turned light", "sign", "stop sign"}
# Least visible pixels at 256x512 of a road user or a sign that the label rests on, of a lit lamp.
_HAZARD_PIXELS, _LAMP_PIXELS = 60, 3
_ATTEMPTS = 6
WORLD_VERSION: str  # see `__getattr__`


def __getattr__(name: str) -> str:
    """`WORLD_VERSION`, worked out when first asked for."""
    if name == "WORLD_VERSION":
        return world_version()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


@dataclass(frozen=True, eq=False)
class Frame:
    """A rendered scene: image uint8 (H, W, 3) sRGB; labels uint8 (H, W) train ids, 255 = ignore;
    instances int32 (H, W), 0 = none; depth float32 (H, W) m along the optical axis, inf = sky; and
    the safety label with its reason."""

    image: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    instances: NDArray[np.int32]
    depth: NDArray[np.float32]
    safe: bool
    safety_reason: str


@dataclass(frozen=True, eq=False)
class Composition:
    """A scene before rendering: the stage, the road users, the light that faces the ego lane and
    the distance to the STOP sign that does, the thing number of the first cast member and the kinds
    of all, and the safety label."""

    stage: Stage
    users: tuple[Footprint, ...]
    light: str | None
    stop_sign: float | None
    first: int
    kinds: tuple[str, ...]
    footprints: tuple[Footprint, ...]
    safe: bool
    safety_reason: str


def _wanted(rng: np.random.Generator) -> dict[str, int]:
    """How many of each kind a scene asks for, drawn independently of its layout."""

    def some(share: float, most: int) -> int:
        return int(rng.integers(1, most + 1)) if rng.random() < share else 0

    return {
        "pedestrian": some(0.63, 5), "cyclist": some(0.27, 2), "motorcyclist": some(0.15, 1),
        "bicycle": some(0.26, 1), "motorcycle": some(0.22, 1), "truck": some(0.28, 1),
        "bus": some(0.19, 1), "tram": some(0.66, 1), "lead": some(0.4, 1),
        "oncoming": some(0.75, 3),
        "parked": int(rng.integers(30, 95)), "sign": some(0.66, 3),
    }  # fmt: skip


def compose(seed: int, index: int, attempt: int = 0) -> Composition:
    """Compose scene `index` of world `seed`; attempts differ in all but what they are about."""
    first = np.random.default_rng(np.random.SeedSequence([seed, index]))
    intent = str(first.choice(list(INTENTS), p=list(INTENTS.values())))
    rng = np.random.default_rng(np.random.SeedSequence([seed, index, attempt + 1]))
    mood = draw_mood(rng)
    with_signals = intent == "light" or rng.random() < 0.50
    plan = draw_plan(
        rng,
        bool(with_signals),
        bool(rng.random() < 0.45 or intent == "pedestrian" and rng.random() < 0.5),
    )
    state = None
    if intent == "light":
        state = "red" if rng.random() < 0.75 else "amber"
    elif with_signals and rng.random() < 0.86:
        state = "green" if intent == "clear" or rng.random() < 0.7 else "red"
    cast = Cast()
    built = houses(rng, plan)
    place_hazard(rng, plan, cast, intent)
    wanted = _wanted(rng)
    signals(rng, plan, cast, state)
    signs(rng, plan, cast, wanted["sign"])
    people(rng, plan, cast, wanted)
    vehicles(rng, plan, cast, wanted)
    furnish(rng, plan, cast)
    meshes = [ground(rng, plan), *(house.mesh for house in built)]
    start = len(meshes)
    thing = np.repeat(np.arange(start, dtype=np.int32), [len(mesh) for mesh in meshes])
    more, more_thing = cast.arrays(start)
    facades = np.zeros((start + len(more), COLUMNS), np.float32)
    for number, house in enumerate(built):
        facades[1 + number] = house.row
    stage = Stage(
        concatenate(meshes + more), np.concatenate([thing, more_thing]), facades, plan, mood
    )
    kinds = tuple(item.kind for item in cast.things)
    places = tuple(item.footprint for item in cast.things)
    everything = np.ones(len(places), bool)
    users, sign, safe, reason = _judged(kinds, places, state, everything)
    return Composition(stage, users, state, sign, start, kinds, places, safe, reason)


def _judged(
    kinds: tuple[str, ...],
    places: tuple[Footprint, ...],
    light: str | None,
    seen: NDArray[np.bool_],
) -> tuple[tuple[Footprint, ...], float | None, bool, str]:
    """Return the road users and the STOP sign that the safety label rests on, and the label.

    Args:
        kinds, places: of the cast.
        light: that faces the ego lane.
        seen: of the cast, bool (N,). Who is in the corridor counts though hidden; who is not there
            yet, and a sign, only where the picture shows it.
    """
    users = tuple(
        place
        for place, shown in zip(places, seen, strict=True)
        if place.kind in ROAD_USER_KINDS and (shown or _in_the_way(place))
    )
    signs = [
        p.y for p, k, shown in zip(places, kinds, seen, strict=True) if k == "stop sign" and shown
    ]
    sign = min(signs, default=None)
    return users, sign, *judge(users, light, stop_sign=sign)


def _in_the_way(place: Footprint) -> bool:
    return corridor_distance(place) <= STOPPING_DISTANCE


def _pixels(scene: Composition, height: int, width: int) -> tuple[NDArray, NDArray]:
    """Return the faces seen through the pixels' centres, and the pixels of each of the cast."""
    hits = centre_hits(scene.stage, height, width)
    face = hits.face[hits.face >= 0]
    pixels = np.bincount(scene.stage.thing[face], minlength=len(scene.stage.facades))[scene.first :]
    return face, pixels


def _convincing(
    scene: Composition, face: NDArray, pixels: NDArray, height: int, width: int
) -> bool:
    """Whether the road user or the light that the scene is about can be seen in the image."""
    scale = height * width / (256 * 512)
    for number, place in enumerate(scene.footprints):
        if (
            place.kind in ROAD_USER_KINDS
            and _in_the_way(place)
            and pixels[number] < _HAZARD_PIXELS * scale
        ):
            return False
    if scene.light:
        facing = np.array([False] * scene.first + [kind == "light" for kind in scene.kinds])
        lit = scene.stage.mesh.material[face] == MATERIALS[f"emissive_{scene.light}"]
        return bool((lit & facing[scene.stage.thing[face]]).sum() >= _LAMP_PIXELS * scale)
    return True


def settle(seed: int, index: int) -> Composition:
    """The first composition of a scene whose safety label can be seen in the image."""
    height, width = 256, 512
    for attempt in range(_ATTEMPTS):
        scene = compose(seed, index, attempt)
        face, pixels = _pixels(scene, height, width)
        if _convincing(scene, face, pixels, height, width):
            break
    seen = pixels >= _HAZARD_PIXELS
    users, sign, safe, reason = _judged(scene.kinds, scene.footprints, scene.light, seen)
    return replace(scene, users=users, stop_sign=sign, safe=safe, safety_reason=reason)


def render_scene(
    seed: int, index: int, height: int = 256, width: int = 512, rays: int = 4
) -> Frame:
    """Render scene `index` of world `seed`: a pure function of its arguments.

    Args:
        height, width: pixels; rays: samples a pixel, the first through its centre.
    """
    scene = settle(seed, index)
    image, labels, things, depth = render(scene.stage, height, width, rays)
    return framed(scene, image, labels, things, depth, scene.safe, scene.safety_reason)


def framed(
    scene: Composition, image: NDArray[np.uint8], labels: NDArray[np.uint8],
    things: NDArray[np.int32], depth: NDArray[np.float32], safe: bool, reason: str,
) -> Frame:  # fmt: skip
    """Return a rendered picture of a scene with its instances numbered, and its safety label."""
    member = things - scene.first
    countable = np.array([*(kind in _COUNTED for kind in scene.kinds), False])
    keep = (member >= 0) & countable[np.maximum(member, -1)] & (labels >= 6) & (labels != 8)
    instances = np.where(keep, 2 * member + 1 + (labels == _RIDER), 0).astype(np.int32)
    return Frame(image, labels, instances, depth, safe, reason)
