"""Houses: boxes with painted facades, gabled or flat roofs, cornices, balconies and awnings."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from vlmis_utils.streetworld.geometry.mesh import Look, Mesh, box, cards, concatenate
from vlmis_utils.streetworld.scene.facades import draw_facade
from vlmis_utils.streetworld.scene.layout import STREET_END, STREET_START, Plan, Side

__all__ = ["House", "build_house", "houses"]

_ROOFS = ((0.30, 0.12, 0.08), (0.24, 0.13, 0.09), (0.11, 0.11, 0.12), (0.20, 0.17, 0.15))


@dataclass(frozen=True, eq=False)
class House:
    """A house: mesh, facade row float32 (K,), and the rectangle it stands on (x0, y0, x1, y1)."""

    mesh: Mesh
    row: NDArray[np.float32]
    ground: tuple[float, float, float, float]


def _gable(
    x0: float, y0: float, x1: float, y1: float, z: float, rise: float, look: Look, end: Look
) -> Mesh:
    eave, ridge = 0.35, (x0 + x1) / 2
    a, b = x0 - eave, x1 + eave
    low = z - eave * rise / ((x1 - x0) / 2)
    south, north = y0 - 0.2, y1 + 0.2
    slopes = [
        [(a, north, low), (a, south, low), (ridge, south, z + rise), (ridge, north, z + rise)],
        [(b, south, low), (b, north, low), (ridge, north, z + rise), (ridge, south, z + rise)],
    ]
    ends = [
        [(x0, y0, z), (x1, y0, z), (ridge, y0, z + rise), (ridge, y0, z + rise)],
        [(x1, y1, z), (x0, y1, z), (ridge, y1, z + rise), (ridge, y1, z + rise)],
    ]
    return concatenate([cards(slopes, look), cards(ends, end)])


def _walls(x0: float, y0: float, x1: float, y1: float, z: float, look: Look) -> Mesh:
    corners = [(x0, y0), (x1, y0), (x1, y1), (x0, y1)]
    quads = []
    for (ax, ay), (bx, by) in zip(corners, corners[1:] + corners[:1], strict=True):
        quads.append([(ax, ay, 0.0), (bx, by, 0.0), (bx, by, z), (ax, ay, z)])
    return cards(quads, look)


def build_house(
    rng: np.random.Generator, x0: float, y0: float, x1: float, y1: float, floors: int, shop: bool,
    front: int,
) -> House:  # fmt: skip
    """Build a house on a rectangle; `front` says which side faces the street: -1 its low-x side, +1
    its high-x side, 0 neither."""
    centre, half = ((x0 + x1) / 2, (y0 + y1) / 2), ((x1 - x0) / 2, (y1 - y0) / 2)
    row, z = draw_facade(rng, centre, half, floors, shop)
    colour = tuple(float(v) for v in row[13:16])
    trim = tuple(float(v) for v in row[16:19])
    wall = Look(colour, "facade", "building")
    parts = [_walls(x0, y0, x1, y1, z, wall)]
    band = Look(trim, "matte", "building")
    parts.append(box((*centre, z - 0.12), (2 * half[0] + 0.44, 2 * half[1] + 0.02, 0.26), band))
    roof = Look(_ROOFS[rng.integers(len(_ROOFS))], "roof", "building")
    if rng.random() < (0.85 if floors <= 3 else 0.35):
        rise = rng.uniform(0.55, 0.95) * half[0] * 0.7
        plain = Look(tuple(float(v) * 0.95 for v in colour), "matte", "building")
        parts.append(_gable(x0, y0, x1, y1, z, rise, roof, plain))
        if rng.random() < 0.7:
            stack = (
                centre[0] + half[0] * rng.uniform(-0.4, 0.4),
                centre[1] + half[1] * rng.uniform(-0.7, 0.7),
            )
            parts.append(
                box(
                    (*stack, z + rise * 0.8),
                    (0.7, 0.7, 1.6),
                    Look((0.30, 0.15, 0.11), "brick", "building"),
                )
            )
    else:
        parts.append(
            box(
                (*centre, z + 0.05),
                (2 * half[0], 2 * half[1], 0.1),
                Look((0.2, 0.2, 0.2), "matte", "building"),
            )
        )
        for _ in range(int(rng.integers(0, 3))):
            spot = (
                centre[0] + half[0] * rng.uniform(-0.5, 0.5),
                centre[1] + half[1] * rng.uniform(-0.6, 0.6),
            )
            parts.append(
                box(
                    (*spot, z + 0.7),
                    rng.uniform(1.2, 2.6, 3) * [1, 1, 0.6],
                    Look((0.4, 0.4, 0.42), "matte", "building"),
                )
            )
    if front:
        parts += _details(rng, row, x0 if front < 0 else x1, front, y0, y1, floors, shop)
    return House(concatenate(parts), row, (x0, y0, x1, y1))


def _details(
    rng: np.random.Generator, row: NDArray[np.float32], face: float, front: int, y0: float,
    y1: float, floors: int, shop: bool,
) -> list[Mesh]:  # fmt: skip
    parts = []
    bays = max(1, round((y1 - y0) / float(row[6])))
    pitch = (y1 - y0) / bays
    if shop and rng.random() < 0.6:
        colour = tuple(float(v) for v in np.clip(row[19:22] * 1.25, 0, 0.8))
        for bay in range(bays):
            if rng.random() < 0.6:
                y = y0 + bay * pitch
                top, low, reach = 2.85, 2.45, face + front * 1.15
                top_face = [
                    (face, y + 0.15, top),
                    (face, y + pitch - 0.15, top),
                    (reach, y + pitch - 0.15, low),
                    (reach, y + 0.15, low),
                ]
                drop = [
                    (reach, y + 0.15, low),
                    (reach, y + pitch - 0.15, low),
                    (reach, y + pitch - 0.15, low - 0.22),
                    (reach, y + 0.15, low - 0.22),
                ]
                parts.append(cards([top_face, drop], Look(colour, "cloth", "building")))
    elif not shop and rng.random() < 0.35 and floors > 2:
        slab, rail = (
            Look((0.5, 0.49, 0.47), "matte", "building"),
            Look((0.12, 0.13, 0.14), "matte", "building"),
        )
        chosen = rng.random(bays) < 0.45
        spots = [(y0 + (bay + 0.5) * pitch, float(row[5] + level * row[4]))
                 for bay in range(bays) if chosen[bay] for level in range(floors - 1)]  # fmt: skip
        if spots:
            out = face + front * 0.5
            parts.append(
                box([(out, y, z + 0.06) for y, z in spots], (1.0, pitch * 0.8, 0.14), slab)
            )
            edge = face + front * 0.97
            parts.append(
                box(
                    [(edge, y, z + h) for y, z in spots for h in (0.95, 0.55)],
                    (0.05, pitch * 0.8, 0.06),
                    rail,
                )
            )
            posts = [
                (edge, y + s * pitch * 0.38, z + 0.52)
                for y, z in spots
                for s in (-1, -0.33, 0.33, 1)
            ]
            parts.append(box(posts, (0.05, 0.05, 0.9), rail))
    return parts


def _row(rng: np.random.Generator, plan: Plan, side: Side, y: float, end: float) -> list[House]:
    found = []
    while y < end - 7:
        width = min(rng.uniform(9, 19), end - y)
        if end - y - width < 7:
            width = end - y
        near = side.setback + 0.02
        depth = rng.uniform(9, 13)
        shop = bool(
            side.front == "building" and side.garden == 0 and rng.random() < 0.25 + 0.5 * plan.urban
        )
        floors = int(rng.integers(2, 4) + (rng.random() < plan.urban) * rng.integers(1, 4))
        x0, x1 = sorted((side.sign * near, side.sign * (near + depth)))
        if side.front != "building" and rng.random() < 0.25:
            y += width
            continue
        found.append(build_house(rng, x0, y, x1, y + width - 0.06, floors, shop, -side.sign))
        y += width + (0.0 if rng.random() < plan.urban else rng.uniform(1.5, 5))
    return found


def houses(rng: np.random.Generator, plan: Plan) -> list[House]:
    """All houses of a plan: rows on both sides, corners of a side street, the street's end."""
    found: list[House] = []
    cross = plan.crossing
    for side in plan.sides:
        gaps = [(STREET_START, STREET_END)]
        if cross is not None and cross.junction:
            gap = cross.half + 3.2
            gaps = [(STREET_START, cross.centre - gap), (cross.centre + gap, STREET_END)]
        for start, end in gaps:
            if side.front == "park":
                start = max(start, 70.0 + 20 * plan.urban)
                found += _row(rng, plan, replace(side, garden=3.0, front="hedge"), start, end)
            else:
                found += _row(rng, plan, side, start, end)
        if cross is not None and cross.junction and side.front != "park":
            for turn in (-1, 1):
                x = side.setback + 14.5
                y = cross.centre + turn * (cross.half + 3.2)
                for _ in range(2):
                    width, depth = rng.uniform(10, 15), rng.uniform(9, 12)
                    x0, x1 = sorted((side.sign * x, side.sign * (x + width)))
                    y0, y1 = sorted((y, y + turn * depth))
                    found.append(
                        build_house(rng, x0, y0, x1, y1, int(rng.integers(2, 5)), False, 0)
                    )
                    x += width + rng.uniform(0.1, 3)
    if rng.random() < 0.5:
        x = -38.0
        while x < 34:
            width = rng.uniform(12, 20)
            found.append(
                build_house(
                    rng,
                    x,
                    STREET_END + 14,
                    x + width - 0.1,
                    STREET_END + 26,
                    int(rng.integers(3, 6)),
                    False,
                    0,
                )
            )
            x += width
    return found
