"""What surfaces look like: albedo, gloss and emission of each hit; painted roads, pavements."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vlmis_utils.streetworld.geometry.mesh import MATERIALS
from vlmis_utils.streetworld.rendering.sky import Mood, fbm, grain
from vlmis_utils.streetworld.scene.facades import paint_facades
from vlmis_utils.streetworld.scene.layout import HALF_LANE, STREET_START, Plan

__all__ = ["Surface", "surface"]

Array = NDArray[np.float32]

# Reflectance at normal incidence and how strongly it counts, by material; others are dull.
_GLOSS: dict[str, float] = {
    "paint": 0.045, "glass": 0.075, "window": 0.08, "chrome": 0.55, "metal": 0.05, "headlamp": 0.08,
    "tail_lamp": 0.05, "plastic": 0.02, "lens": 0.03,
}  # fmt: skip
# Emitted radiance as a multiple of the face's colour.
_GLOW: dict[str, float] = {
    "emissive_red": 3.2, "emissive_amber": 3.0, "emissive_green": 2.6, "headlamp": 0.25,
    "tail_lamp": 0.18, "display": 1.2,
}  # fmt: skip


def _table(values: dict[str, float]) -> Array:
    table = np.zeros(256, np.float32)
    for name, value in values.items():
        if name in MATERIALS:
            table[MATERIALS[name]] = value
    return table


GLOSS, GLOW = _table(_GLOSS), _table(_GLOW)


@dataclass
class Surface:
    """Shading inputs of N hits: albedo (N, 3), reflectance (N,), emission factor (N,)."""

    albedo: Array
    gloss: Array
    glow: Array


def _cover(value: Array, half: float, blur: Array) -> Array:
    """Antialiased share of a band |value| < half, under a box filter `blur` wide."""
    return np.clip((half - np.abs(value)) / blur + 0.5, 0, 1) * np.minimum(1, 2 * half / blur)


def _road(plan: Plan, mood: Mood, x: Array, y: Array, t: Array) -> tuple[Array, Array]:
    style = plan.paint
    blur_x, blur_y = 0.004 * t + 0.01, 0.0025 * t * t / plan.camera.height + 0.01
    near = 1 / (1 + t / 10)
    tone = (0.075 + 0.055 * style[0]) * (0.90 + 0.20 * fbm(x, y * 0.35, 43.0))
    tone *= 1 + near * (0.22 * (grain(x, y, 0.035) - 0.5) + 0.10 * (fbm(x, y, 6.0) - 0.5))
    wear = np.zeros_like(x)
    for lane, _ in plan.lanes:
        wear += np.exp(-(((np.abs(x - lane) - 0.78) / 0.34) ** 2))
    tone *= 1 - 0.13 * np.minimum(wear, 1)
    patch = (fbm(x, y * 0.6, 61.0 + 20 * style[1]) > 0.83) & (np.abs(x) < 12)
    tone = np.where(patch, tone * (0.72 + 0.5 * style[2]), tone)
    crack = np.abs(fbm(x, y, 23.0) - 0.37) < 0.0035
    tone = np.where(crack & (style[3] > 0.4), tone * 0.62, tone)
    albedo = tone[:, None] * np.float32([1.0, 1.0, 1.03])
    for side in plan.sides:
        if side.strip == "cycle" and style[4] > 0.45:
            inside = (x * side.sign > side.lane_edge + 0.05) & (x * side.sign < side.kerb)
            albedo[inside] *= np.float32([2.6, 1.05, 0.85])
    for rail in plan.rails:
        bed = _cover(x - rail, 1.25, blur_x)[:, None]
        albedo = albedo * (1 - 0.5 * bed) + 0.5 * bed * np.float32([0.19, 0.185, 0.175])
        for edge in (-0.72, 0.72):
            groove = np.clip(_cover(x - rail - edge - 0.055, 0.03, blur_x), 0, 1)[:, None]
            steel = np.clip(_cover(x - rail - edge, 0.035, blur_x), 0, 1)[:, None]
            albedo = albedo * (1 - 0.85 * groove)
            albedo = albedo * (1 - steel) + steel * np.float32([0.30, 0.30, 0.32])
    white = _markings(plan, x, y, blur_x, blur_y)
    fade = 0.35 + 0.65 * np.clip((fbm(x, y, 5.3) - 0.06 - 0.16 * style[5]) * 6, 0, 1)
    white = (white * fade * 0.95)[:, None]
    albedo = albedo * (1 - white) + white * np.float32([0.70, 0.70, 0.68])
    gloss = np.zeros_like(x)
    if mood.wet:
        sharp = 5 / (1 + t / 18)
        puddle = np.clip(0.5 + (fbm(x, y * 0.7, 19.0) - 0.5) * sharp, 0, 1)
        gloss = mood.wet * (0.012 + 0.030 * puddle)
        albedo *= (1 - 0.42 * mood.wet * (0.5 + 0.5 * puddle))[:, None]
    return albedo, gloss


def _markings(plan: Plan, x: Array, y: Array, blur_x: Array, blur_y: Array) -> Array:
    """Share of white paint at road points."""
    white = np.zeros_like(x)
    cross = plan.crossing
    along = y - STREET_START > 0
    if cross is not None:
        last = cross.centre + cross.half + 0.8 if cross.junction else cross.y1 + 0.8
        along = (y < cross.stop) | (y > last)
    dash = 6.0 if plan.paint[0] > 0.5 else 9.0
    phase = np.abs((y + 31.0) % dash - dash / 2)
    dashed = np.clip((dash / 6 - phase) / blur_y + 0.5, 0, 1)
    dashed = np.where(blur_y > dash, np.float32(0.33), dashed)
    order = sorted(plan.lanes)
    for (low, one), (high, other) in zip(order[:-1], order[1:], strict=True):
        line = _cover(x - (low + high) / 2, 0.07, blur_x)
        solid = one != other and plan.paint[1] > 0.45
        white = np.maximum(white, line if solid else line * dashed)
    for side in plan.sides:
        if side.strip != "none" or plan.paint[2] > 0.6:
            line = _cover(np.abs(x) - side.lane_edge, 0.06, blur_x) * (x * side.sign > 0)
            white = np.maximum(white, line * (1.0 if side.strip != "parking" else dashed))
    white *= along
    if cross is None:
        return white
    if cross.zebra:
        bars = _cover((x + 50.25) % 1.0 - 0.5, 0.25, blur_x)
        bars = np.where(blur_x > 1, np.float32(0.5), bars)
        band = _cover(y - (cross.y0 + cross.y1) / 2, (cross.y1 - cross.y0) / 2, blur_y)
        inside = (x < plan.right.kerb) & (x > -plan.left.kerb)
        white = np.maximum(white, bars * band * inside)
    if cross.signals or plan.paint[4] > 0.7:
        for lane, direction in plan.lanes:
            stop = cross.stop if direction > 0 else cross.y1 + 1.0
            if direction < 0 and cross.junction:
                stop = cross.centre + cross.half + 1.0
            bar = _cover(x - lane, HALF_LANE - 0.12, blur_x) * _cover(y - stop + 0.2, 0.2, blur_y)
            white = np.maximum(white, bar)
    return white


def _pavement(x: Array, y: Array, t: Array, colour: Array) -> Array:
    near = np.clip(1.3 - t / 22, 0, 1)
    joint = (np.abs((x + 40) % 0.6 - 0.3) > 0.287) | (np.abs((y + 40) % 0.6 - 0.3) > 0.287)
    slab = grain(x + 40, y + 40, 0.6)
    tone = 0.86 + 0.18 * fbm(x, y, 23.0) + near * 0.16 * (slab - 0.5)
    return colour * (tone * (1 - 0.38 * near * joint))[:, None]


def surface(
    plan: Plan, mood: Mood, facades: NDArray[np.float32], material: NDArray[np.uint8],
    colour: Array, thing: NDArray[np.int32], position: Array, normal: Array, distance: Array,
) -> Surface:  # fmt: skip
    """Look up or paint the surface of N hits.

    Args:
        facades: float32 (things, K), the facade parameters of each thing (rows of zeros if none).
        material, colour, thing: of the faces hit: uint8 (N,), float32 (N, 3), int32 (N,).
        position, normal, distance: float32 (N, 3), (N, 3), (N,).
    """
    albedo = colour.copy()
    gloss, glow = GLOSS[material], GLOW[material]
    x, y, z = position[:, 0], position[:, 1], position[:, 2]

    def where(*names: str) -> NDArray[np.int64]:
        chosen = material == MATERIALS[names[0]]
        for name in names[1:]:
            chosen |= material == MATERIALS[name]
        return np.flatnonzero(chosen)

    at = where("road")
    albedo[at], gloss[at] = _road(plan, mood, x[at], y[at], distance[at])
    at = where("pavement", "kerb")
    albedo[at] = _pavement(x[at], y[at], distance[at], albedo[at])
    if mood.wet:
        gloss[at] = 0.010 * mood.wet
        albedo[at] *= 1 - 0.35 * mood.wet
    at = where("grass", "soil")
    tone = (
        0.62
        + 0.42 * fbm(x[at], y[at], 29.0)
        + 0.34 * fbm(x[at], y[at], 2.3) / (1 + distance[at] / 25)
    )
    albedo[at] *= tone[:, None]
    at = where("roof")
    rows = np.abs((z[at] * 3.2) % 1.0 - 0.5) * 2 - 0.5
    albedo[at] *= (
        0.88 + 0.22 * fbm(x[at] + z[at], y[at], 17.0) + 0.14 * rows / (1 + distance[at] / 30)
    )[:, None]
    at = where("brick", "stone")
    course = ((z[at] / 0.16) % 1.0 < 0.12) / (1 + distance[at] / 18)
    albedo[at] *= (0.80 + 0.38 * fbm(x[at] + y[at], z[at], 7.0) - 0.25 * course)[:, None]
    at = where("hedge")
    albedo[at] *= (0.45 + 1.0 * fbm(x[at] + y[at], z[at] + y[at], 2.9))[:, None]
    at = where("facade")
    albedo[at], gloss[at] = paint_facades(
        facades[thing[at]], position[at], normal[at], distance[at]
    )
    return Surface(albedo, gloss, glow)
