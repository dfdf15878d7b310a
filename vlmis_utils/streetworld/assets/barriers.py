"""Fences, walls, benches, bins and shelters. Origin on the ground, metres; sections run along y.

Where Cityscapes has no evaluated class (benches, bins), faces carry the ignore id 255.
"""

from __future__ import annotations

import numpy as np

from vlmis_utils.streetworld.geometry.mesh import Look, Mesh, box, cards, concatenate
from vlmis_utils.streetworld.geometry.parts import pick, shade
from vlmis_utils.streetworld.geometry.shapes import tubes

__all__ = ["bench", "bin_", "bus_shelter", "fence", "wall"]


def fence(rng: np.random.Generator, length: float = 4.0, kind: str | None = None) -> Mesh:
    """A fence section (train class fence). kind: railing, picket or boards; drawn when None."""
    kind = kind or str(pick(rng, ("railing", "picket", "boards")))
    y = np.arange(
        -length / 2 + 0.06, length / 2 - 0.02, {"railing": 0.14, "picket": 0.15}.get(kind, 0.2)
    )
    posts = np.linspace(-length / 2 + 0.04, length / 2 - 0.04, max(2, int(length / 2) + 1))

    def column(at: np.ndarray, z: float, x: float = 0.0) -> np.ndarray:
        return np.stack([np.full(len(at), x), at, np.full(len(at), z)], 1)

    if kind == "railing":
        iron = Look(
            shade(rng, pick(rng, ((0.03, 0.035, 0.035), (0.05, 0.11, 0.07), (0.34, 0.35, 0.36)))),
            "metal",
            "fence",
        )
        return concatenate(
            [
                box(column(y, 0.58), (0.026, 0.026, 0.90), iron),
                box(column(posts, 0.58), (0.06, 0.06, 1.16), iron),
                box([[0, 0, 0.14], [0, 0, 1.04]], (0.04, length, 0.045), iron),
            ]
        )
    wood = Look(
        shade(rng, pick(rng, ((0.62, 0.61, 0.57), (0.26, 0.17, 0.10), (0.17, 0.12, 0.08)))),
        "wood",
        "fence",
    )
    if kind == "picket":
        tips = tubes(column(y, 0.92), column(y, 1.02), 0.062, wood, 0.008, 4, False)
        return concatenate(
            [
                box(column(y, 0.49), (0.025, 0.088, 0.88), wood),
                tips,
                box([[0.03, 0, 0.28], [0.03, 0, 0.76]], (0.04, length, 0.08), wood),
                box(column(posts, 0.5, 0.06), (0.08, 0.08, 1.0), wood),
            ]
        )
    height = rng.uniform(1.4, 1.8)
    return concatenate(
        [
            box(column(y + 0.06, height / 2 + 0.03), (0.03, 0.185, height - 0.06), wood),
            box(column(posts, height / 2 + 0.04), (0.1, 0.1, height + 0.08), wood),
        ]
    )


def wall(rng: np.random.Generator, length: float = 4.0, height: float | None = None) -> Mesh:
    """A garden or stone wall section (train class wall) with courses and a coping."""
    height = float(height or rng.uniform(0.8, 1.9))
    kind = str(pick(rng, ("stone", "brick", "render")))
    tint = {"stone": (0.36, 0.33, 0.29), "brick": (0.36, 0.15, 0.10), "render": (0.55, 0.52, 0.46)}[
        kind
    ]
    base = np.asarray(shade(rng, tint, 0.15))
    material = {"stone": "stone", "brick": "brick", "render": "stone"}[kind]
    coping = box(
        (0, 0, height - 0.04),
        (0.36, length, 0.08),
        Look(shade(rng, (0.42, 0.41, 0.38)), "stone", "wall"),
    )
    core = box(
        (0, 0, height / 2 - 0.04),
        (0.26, length, height - 0.08),
        Look(tuple(base * 0.72), material, "wall"),
    )
    if kind == "render":
        return concatenate([core.scaled((1.05, 1, 1)), coping])
    rows = max(2, int(height / 0.24))
    step = (height - 0.08) / rows
    columns = max(2, int(length / 0.48))
    wide = length / columns
    j, i, side = (
        v.ravel() for v in np.meshgrid(np.arange(rows), np.arange(columns), (-1, 1), indexing="ij")
    )
    y0 = np.clip((i + 0.5 * (j % 2)) * wide - length / 2 + 0.012, -length / 2, length / 2)
    y1 = np.clip((i + 1 + 0.5 * (j % 2)) * wide - length / 2 - 0.012, -length / 2, length / 2)
    y1 = np.maximum(y1, y0 + 0.02)
    x = side * (0.136 + rng.uniform(0, 0.012, len(i)))
    z0, z1 = j * step + 0.012, (j + 1) * step - 0.012
    corners = np.stack(
        [np.stack([x, a, b], 1) for a, b in ((y0, z0), (y1, z0), (y1, z1), (y0, z1))], 1
    )
    corners = np.where((side > 0)[:, None, None], corners, corners[:, ::-1])
    tone = np.clip(
        base * rng.lognormal(0.05, 0.14, (len(i), 1)) * rng.uniform(0.94, 1.06, (len(i), 3)), 0, 1
    )
    return concatenate([core, cards(corners, Look(tuple(base), material, "wall"), tone), coping])


def bench(rng: np.random.Generator) -> Mesh:
    """A park bench facing +x (ignored in the labels)."""
    wood, iron = Look(shade(rng, (0.26, 0.16, 0.09)), "wood"), Look((0.04, 0.045, 0.045), "metal")
    slats = [[x, 0, 0.45] for x in (-0.15, 0.0, 0.15)] + [[-0.27, 0, 0.64], [-0.31, 0, 0.80]]
    sizes = [(0.11, 1.7, 0.035)] * 3 + [(0.03, 1.7, 0.11)] * 2
    legs = np.array([[x, y, 0.22] for x in (-0.2, 0.17) for y in (-0.7, 0.7)])
    return concatenate(
        [
            box(slats, sizes, wood),
            box(legs, (0.05, 0.05, 0.44), iron),
            box([[-0.27, y, 0.62] for y in (-0.7, 0.7)], (0.04, 0.05, 0.42), iron),
        ]
    )


def bin_(rng: np.random.Generator) -> Mesh:
    """A litter bin or a wheeled bin (ignored in the labels)."""
    skin = Look(
        shade(
            rng,
            pick(
                rng,
                ((0.05, 0.14, 0.07), (0.06, 0.06, 0.065), (0.30, 0.31, 0.32), (0.60, 0.25, 0.03)),
            ),
        ),
        "plastic",
    )
    if rng.random() < 0.5:
        return concatenate(
            [
                tubes((0, 0, 0.06), (0, 0, 0.84), 0.21, skin.but(smooth=True), 0.24, 12),
                tubes((0, 0, 0.84), (0, 0, 0.93), 0.26, skin, 0.20, 12),
                tubes((0, 0, 0), (0, 0, 0.08), 0.06, skin, sides=6),
            ]
        )
    return concatenate(
        [
            box((0, 0, 0.53), (0.52, 0.54, 0.94), skin),
            box((0, 0, 1.03), (0.58, 0.62, 0.07), skin),
            tubes(
                [[-0.28, -0.2, 0.1]],
                [[0.28, -0.2, 0.1]],
                0.1,
                Look((0.02, 0.02, 0.02), "rubber"),
                sides=10,
            ),
        ]
    )


def bus_shelter(rng: np.random.Generator) -> Mesh:
    """A glazed bus shelter open to +x (train class building; frame posts pole)."""
    frame = Look(shade(rng, (0.12, 0.13, 0.14)), "metal", "pole")
    roof, glass = frame.but(train="building"), Look((0.16, 0.20, 0.21), "glass", "building")
    posts = [[x, y, 1.2] for x in (-0.7, 0.5) for y in (-2.0, 2.0)]
    poster = Look(
        shade(
            rng, pick(rng, ((0.6, 0.2, 0.1), (0.1, 0.35, 0.5), (0.65, 0.55, 0.1), (0.4, 0.1, 0.35)))
        ),
        "display",
        "building",
    )
    return concatenate(
        [
            box(posts, (0.08, 0.08, 2.4), frame),
            box((-0.1, 0, 2.45), (1.7, 4.4, 0.12), roof),
            box((-0.7, 0, 1.3), (0.03, 3.9, 1.9), glass),
            box((-0.15, -2.0, 1.3), (1.0, 0.03, 1.9), glass),
            box((-0.1, 2.0, 1.25), (1.1, 0.12, 1.8), roof),
            box([[-0.1, 1.935, 1.25], [-0.1, 2.065, 1.25]], (0.98, 0.01, 1.66), poster),
            box(
                (-0.45, -0.4, 0.48), (0.35, 2.4, 0.06), Look((0.25, 0.16, 0.09), "wood", "building")
            ),
        ]
    )
