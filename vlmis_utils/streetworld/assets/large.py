"""Buses and trams. Origin on the ground at the centre, heading +y, metres."""

from __future__ import annotations

import numpy as np

from vlmis_utils.streetworld.geometry.mesh import Look, Mesh, box, concatenate
from vlmis_utils.streetworld.geometry.parts import (
    DARK,
    GLASS,
    LAMP,
    TAIL,
    arches,
    hull,
    pane_grid,
    pick,
    shade,
    wheels,
)
from vlmis_utils.streetworld.geometry.shapes import tubes

__all__ = ["LIVERIES", "SQUARE", "bus", "end_panes", "flank_panes", "mirrored", "train"]


LIVERIES = (
    (0.72, 0.48, 0.03),
    (0.55, 0.04, 0.04),
    (0.06, 0.16, 0.45),
    (0.70, 0.70, 0.68),
    (0.08, 0.30, 0.20),
    (0.10, 0.42, 0.50),
)


SQUARE = ((0.97, 0.0), (1.0, 0.12), (1.0, 0.90), (0.965, 0.97), (0.88, 1.0))


def mirrored(x: float, y: float, z: float) -> np.ndarray:
    return np.array([[x, y, z], [-x, y, z]])


def flank_panes(
    half: float,
    y0: float,
    y1: float,
    z0: float,
    z1: float,
    cuts: list[tuple[float, float]],
    glass: Look,
) -> list[Mesh]:
    """The same panes on both flanks of a box-shaped body, cut from y0 (rear) to y1 (front)."""
    right = np.array([[half, y0, z0], [half, y1, z0], [half, y1, z1], [half, y0, z1]])
    left = (right * [-1, 1, 1])[[1, 0, 3, 2]]
    return [
        pane_grid(right, cuts, glass, 0, 1, 0.012),
        pane_grid(left, [(1 - b, 1 - a) for a, b in cuts], glass, 0, 1, 0.012),
    ]


def end_panes(
    half: float,
    y: float,
    z0: float,
    z1: float,
    front: bool,
    look: Look,
    cuts: tuple = ((0.0, 1.0),),
) -> Mesh:
    """Panes on the front or the rear end."""
    s = -1 if front else 1
    corners = [[-s * half, y, z0], [s * half, y, z0], [s * half, y, z1], [-s * half, y, z1]]
    return pane_grid(corners, list(cuts), look, 0, 1, 0.014)


def bus(rng: np.random.Generator) -> Mesh:
    """A city bus (train class bus): ribbon windows, doors on the right, lit destination display."""
    length, half, top = rng.uniform(10.5, 12.2), 1.27, rng.uniform(3.0, 3.25)
    end, r = length / 2, 0.48
    glass, dark = GLASS.but(train="bus"), DARK.but(train="bus")
    paint = Look(shade(rng, pick(rng, LIVERIES), 0.1), "paint", "bus")
    axles = (end - 2.6, -end + 3.2)
    bends = [
        a + r * 1.16 * k for a in axles for k in (-1, -0.999, -0.75, -0.35, 0, 0.35, 0.75, 0.999, 1)
    ]
    y = np.unique([end, end - 0.1, end - 0.35, 0, 0.3 - end, 0.08 - end, -end, *bends])[::-1]
    near = np.abs(y) > end - 0.05
    low = np.where(near, 0.45, arches(y, axles, r, 0.32))
    high = np.where(near, top - 0.12, np.where(np.abs(y) > end - 0.12, top - 0.03, top))
    wide = half * np.interp(np.abs(y), [end - 0.35, end - 0.1, end], [1, 0.975, 0.92])
    parts = [
        hull(y, low, high, wide, paint, SQUARE),
        box((0, 0, 0.55), (1.6, length - 0.5, 0.5), dark),
    ]
    count = 7
    edges = np.linspace(0, 1, count + 1)
    cuts = [(a + 0.008, b - 0.008) for a, b in zip(edges[:-1], edges[1:], strict=True)]
    parts += flank_panes(half, -end + 0.45, end - 0.4, 1.28, 2.52, cuts, glass)
    frame = Look((0.05, 0.05, 0.055), "plastic", "bus")
    sign = Look(pick(rng, ((1.0, 0.55, 0.05), (0.9, 0.85, 0.7))), "display", "bus")
    parts += [
        end_panes(half * 0.86, end, 1.12, 2.55, True, glass),
        end_panes(half * 0.80, end + 0.004, 2.60, 2.90, True, frame),
        box(
            [[x, end + 0.028, 2.75] for x in (-0.72, -0.3, 0.05, 0.4, 0.7)],
            [(0.2, 0.012, 0.17), *[(0.24, 0.012, 0.15)] * 4],
            sign,
        ),
        end_panes(half * 0.78, -end, 1.5, 2.5, False, glass),
        end_panes(half * 0.55, -end, 0.62, 1.15, False, dark),
        box(mirrored(0.95, end - 0.02, 0.78), (0.40, 0.12, 0.2), LAMP.but(train="bus")),
        box(mirrored(1.06, -end + 0.02, 0.95), (0.17, 0.12, 0.44), TAIL.but(train="bus")),
        box([[0, end, 0.45], [0, -end, 0.45]], (2.3, 0.12, 0.16), dark),
        box(
            [[0, end + 0.03, 0.56], [0, -end - 0.03, 0.52]],
            (0.52, 0.1, 0.12),
            Look((0.8, 0.8, 0.78), "sign", "bus"),
        ),
        box(mirrored(half + 0.17, end + 0.05, 2.2), (0.2, 0.14, 0.42), dark),
        box((0, -1.5, top + 0.1), (1.7, 2.6, 0.24), paint),
        wheels([half * 0.985, -half * 0.985] * 2, np.repeat(axles, 2), r, 0.3, "bus"),
    ]
    for yy in (end - 1.15, -0.2):
        leaf = [[half + 0.012, yy + d, 1.42] for d in (-0.3, 0.3)]
        parts += [
            box((half, yy, 1.42), (0.03, 1.3, 2.12), frame),
            box(leaf, (0.022, 0.54, 1.9), glass),
        ]
    if rng.random() < 0.6:
        parts.append(
            box(
                mirrored(half, -0.3, 1.08),
                (0.018, length * 0.72, 0.18),
                paint.but(colour=pick(rng, LIVERIES)),
            )
        )
    return concatenate(parts)


def train(rng: np.random.Generator, modules: int | None = None) -> Mesh:
    """A tram (train class train) of articulated modules with bellows and a pantograph."""
    modules = int(modules or rng.integers(3, 5))
    base = Look(
        shade(
            rng,
            pick(
                rng,
                (
                    (0.72, 0.50, 0.04),
                    (0.55, 0.05, 0.05),
                    (0.70, 0.70, 0.68),
                    (0.10, 0.33, 0.22),
                    (0.08, 0.22, 0.48),
                ),
            ),
            0.08,
        ),
        "paint",
        "train",
    )
    light = base.but(colour=(0.72, 0.72, 0.69))
    glass, dark = GLASS.but(train="train"), DARK.but(train="train")
    each, gap, half, top = 6.6, 0.5, 1.2, 3.35
    total = modules * each + (modules - 1) * gap
    parts = []
    for k in range(modules):
        y0 = -total / 2 + k * (each + gap)
        y1 = y0 + each
        first, last = k == 0, k == modules - 1
        y = np.array([y1, y1 - 0.25, y1 - 0.9, (y0 + y1) / 2, y0 + 0.9, y0 + 0.25, y0])
        wide, high = np.full(7, half), np.full(7, top)
        if last:
            wide[:2], high[:2] = (0.72 * half, 0.9 * half), (top - 0.95, top - 0.25)
        if first:
            wide[-2:], high[-2:] = (0.9 * half, 0.72 * half), (top - 0.25, top - 0.95)
        parts += [
            hull(y, 0.32, high, wide, base, SQUARE),
            box((0, (y0 + y1) / 2, 0.25), (1.9, each * 0.55, 0.3), dark),
        ]
        a, b = y0 + (1.05 if first else 0.3), y1 - (1.05 if last else 0.3)
        edges = np.linspace(0, 1, 5)
        parts += flank_panes(
            half,
            a,
            b,
            1.25,
            2.6,
            [(s + 0.01, e - 0.01) for s, e in zip(edges[:-1], edges[1:], strict=True)],
            glass,
        )
        parts.append(box(mirrored(half, (a + b) / 2, 2.85), (0.02, b - a, 0.28), light))
        for x in (half + 0.008, -half - 0.008):
            parts.append(
                box([[x, (y0 + y1) / 2 + d, 1.5] for d in (-0.34, 0.34)], (0.03, 0.62, 2.1), glass)
            )
        if not last:
            parts.append(
                box(
                    [[0, y1 + gap * t, 1.75] for t in (0.17, 0.5, 0.83)],
                    [(2.15, 0.12, 2.6), (2.05, 0.2, 2.5), (2.15, 0.12, 2.6)],
                    dark,
                )
            )
        parts.append(box((0, (y0 + y1) / 2, top + 0.12), (1.6, each * 0.5, 0.26), light))
        hubs = np.array([[x, y, 0.32] for y in (y0 + 1.9, y1 - 1.9) for x in (1.05, -1.05)])
        parts.append(tubes(hubs, hubs * [0.88, 1, 1], 0.32, dark, sides=12))
    end = total / 2
    for s, front in ((1, True), (-1, False)):
        lamp = LAMP if front else TAIL
        slope = np.array(
            [
                [-s * 0.80, s * end, 1.3],
                [s * 0.80, s * end, 1.3],
                [s * 1.0, s * (end - 0.25), 2.95],
                [-s * 1.0, s * (end - 0.25), 2.95],
            ]
        )
        slope = (slope * [-1, 1, 1]) if front else slope * [-1, 1, 1]
        parts += [
            pane_grid(
                slope if (slope[1, 0] - slope[0, 0]) * -s > 0 else slope[[1, 0, 3, 2]],
                [(0.0, 1.0)],
                glass,
                0,
                1,
                0.09,
            ),
            box(mirrored(0.62, s * end, 0.85), (0.3, 0.12, 0.18), lamp.but(train="train")),
            box((0, s * (end - 0.1), 0.5), (1.7, 0.4, 0.25), dark),
            box(
                (0, s * (end - 0.16), top - 0.22),
                (1.1, 0.3, 0.22),
                Look((1.0, 0.55, 0.05), "display", "train"),
            ),
        ]
    knee, up = np.array([0, 0.9, top + 0.85]), np.array([0, -0.1, top + 1.5])
    parts += [
        tubes(
            np.array([[x, -0.2, top + 0.2] for x in (-0.4, 0.4)]),
            knee + [[-0.3, 0, 0], [0.3, 0, 0]],
            0.03,
            dark,
            sides=4,
        ),
        tubes([knee], [up], 0.03, dark, sides=4),
        tubes([up - [0.8, 0, 0]], [up + [0.8, 0, 0]], 0.035, dark, sides=4),
    ]
    return concatenate(parts)
