"""Parts that vehicles share (hulls, panes, wheels), and random choices of colour.

Origin on the ground at the centre, heading +y, metres.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vlmis_utils.streetworld.geometry.mesh import Look, Mesh, cards, concatenate
from vlmis_utils.streetworld.geometry.shapes import loft, tubes

__all__ = [
    "CAR_PAINTS", "DARK", "GLASS", "LAMP", "RIM", "RUBBER", "TAIL", "arches", "hull", "pane_grid",
    "pick", "shade", "wheels",
]  # fmt: skip


CAR_PAINTS: dict[str, tuple[float, float, float]] = {
    "white": (0.80, 0.80, 0.78), "silver": (0.50, 0.52, 0.54), "grey": (0.19, 0.20, 0.21),
    "black": (0.025, 0.026, 0.03), "red": (0.50, 0.035, 0.03), "blue": (0.045, 0.10, 0.36),
    "green": (0.05, 0.20, 0.12), "yellow": (0.80, 0.46, 0.03), "beige": (0.52, 0.44, 0.32),
    "sky": (0.22, 0.42, 0.56), "orange": (0.66, 0.19, 0.03), "wine": (0.20, 0.02, 0.04),
}  # fmt: skip


RUBBER = Look((0.022, 0.022, 0.024), "rubber")


DARK = Look((0.03, 0.03, 0.033), "plastic")


GLASS = Look((0.035, 0.045, 0.05), "glass")


RIM = Look((0.48, 0.49, 0.51), "metal")


LAMP = Look((0.85, 0.87, 0.88), "headlamp")


TAIL = Look((0.50, 0.02, 0.02), "tail_lamp")


def pick(rng: np.random.Generator, options: Sequence, shares: ArrayLike | None = None) -> object:
    """One of `options`, with the given relative shares (equal if None)."""
    p = None if shares is None else np.asarray(shares, float) / np.sum(shares)
    return options[int(rng.choice(len(options), p=p))]


def shade(
    rng: np.random.Generator, colour: ArrayLike, spread: float = 0.12
) -> tuple[float, float, float]:
    """The colour with its brightness varied by about `spread`, clipped to [0, 1]."""
    tint = (
        np.asarray(colour)
        * np.exp(rng.normal(0, spread))
        * rng.uniform(1 - spread / 3, 1 + spread / 3, 3)
    )
    return tuple(np.clip(tint, 0, 1).tolist())


def wheels(
    x: ArrayLike,
    y: ArrayLike,
    radius: float,
    width: float,
    train: str,
    rim: Look = RIM,
    sides: int = 16,
) -> Mesh:
    """Wheels whose outer faces lie at (x, y): tyre, dark well, rim and hub. x and y are (K,)."""
    x, y = np.broadcast_arrays(np.asarray(x, float), np.asarray(y, float))
    outer = np.stack([x, y, np.full(len(x), radius)], 1)
    out = np.sign(x)[:, None] * [1.0, 0.0, 0.0]

    def disc(
        inset: float, depth: float, r: float, look: Look, n: int, r2: float | None = None
    ) -> Mesh:
        return tubes(outer - out * depth, outer - out * inset, r, look.but(train=train), r2, n)

    turn = np.arange(5) * 2 * np.pi / 5 + 0.3
    arms = np.stack([np.zeros(5), np.cos(turn), np.sin(turn)], 1) * radius
    hubs = np.repeat(outer - 0.002 * out, 5, axis=0)
    arms = np.tile(arms, (len(outer), 1))
    spokes = tubes(
        hubs + 0.12 * arms,
        hubs + 0.58 * arms,
        radius * 0.10,
        rim.but(train=train),
        sides=3,
        caps=False,
    )
    return concatenate(
        [
            disc(0.02, width, radius, RUBBER, sides),
            disc(0.0, 0.02, radius, RUBBER, sides, radius * 0.92),
            disc(-0.002, 0.02, radius * 0.66, rim, 12, radius * 0.62),
            disc(-0.006, 0.0, radius * 0.55, DARK, 10),
            disc(-0.02, 0.0, radius * 0.16, rim, 6),
            spokes,
        ]
    )


def hull(
    y: ArrayLike,
    low: ArrayLike,
    high: ArrayLike,
    half: ArrayLike,
    look: Look,
    section: ArrayLike = (
        (0.93, 0.0),
        (1.0, 0.32),
        (0.985, 0.72),
        (0.955, 0.93),
        (0.84, 1.0),
        (0.4, 1.025),
    ),
) -> Mesh:
    """A closed body lofted along y: bottoms, tops and half widths (S,) at stations y (S,), falling.
    `section` gives the right half of each ring as (share of half width, share of height)."""
    y, low, high, half = (
        np.asarray(v, float)[:, None] for v in np.broadcast_arrays(y, low, high, half)
    )
    right = np.asarray(section, float)
    both = np.vstack([right, right[::-1] * [-1, 1]])
    x, z = half * both[:, 0], low + (high - low) * both[:, 1]
    return loft(np.stack([x, np.broadcast_to(y, x.shape), z], -1)[::-1, ::-1], look)


def arches(
    y: NDArray[np.float64], axles: Sequence[float], radius: float, base: float
) -> NDArray[np.float64]:
    """Height of a body's lower edge (S,) at y (S,): `base`, raised over each wheel's arch."""
    gap = np.asarray(y)[:, None] - np.asarray(axles)
    over = np.sqrt(np.maximum((radius * 1.16) ** 2 - gap**2, 0)) + radius * 0.98
    return np.where(np.abs(gap) < radius * 1.16 - 1e-6, over, base).max(1)


def pane_grid(
    corners: ArrayLike,
    cuts: Sequence[tuple[float, float]],
    look: Look,
    low: float = 0.08,
    high: float = 0.92,
    lift: float = 0.008,
) -> Mesh:
    """Panes on a four-cornered face (4, 3) (bottom start, bottom end, top end, top start). Each cut
    is a span in [0, 1] along it; `low` and `high` bound its height; `lift` metres off the face."""
    p = np.asarray(corners, float)
    normal = np.cross(p[1] - p[0], p[3] - p[0])
    p = p + lift * normal / np.linalg.norm(normal)

    def at(u: float, v: float) -> NDArray[np.float64]:
        return (1 - v) * ((1 - u) * p[0] + u * p[1]) + v * ((1 - u) * p[3] + u * p[2])

    return cards([[at(s, low), at(e, low), at(e, high), at(s, high)] for s, e in cuts], look)
