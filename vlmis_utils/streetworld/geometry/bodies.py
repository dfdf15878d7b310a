"""Limbs, trunks and heads, and the colours of skin, hair and clothes."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vlmis_utils.streetworld.geometry.mesh import Look, Mesh, cross, rotation, translation
from vlmis_utils.streetworld.geometry.parts import CAR_PAINTS, pick, shade
from vlmis_utils.streetworld.geometry.shapes import ellipsoids, loft

__all__ = ["SKIN", "HAIR", "TOPS", "LEGS", "limb", "trunk", "head", "shoe"]


SKIN = (
    (0.62, 0.42, 0.31),
    (0.55, 0.35, 0.24),
    (0.36, 0.21, 0.13),
    (0.20, 0.11, 0.07),
    (0.10, 0.055, 0.04),
)


HAIR = (
    (0.02, 0.015, 0.012),
    (0.09, 0.045, 0.02),
    (0.30, 0.18, 0.07),
    (0.35, 0.34, 0.33),
    (0.22, 0.06, 0.02),
)


TOPS = (
    (0.03, 0.03, 0.035),
    (0.62, 0.62, 0.60),
    (0.45, 0.04, 0.04),
    (0.05, 0.10, 0.34),
    (0.62, 0.42, 0.05),
    (0.09, 0.22, 0.12),
    (0.22, 0.22, 0.23),
    (0.40, 0.24, 0.12),
    (0.10, 0.28, 0.42),
    (0.50, 0.13, 0.28),
    (0.70, 0.24, 0.05),
    (0.26, 0.12, 0.36),
)


LEGS = (
    (0.02, 0.02, 0.025),
    (0.05, 0.07, 0.15),
    (0.12, 0.15, 0.26),
    (0.17, 0.17, 0.17),
    (0.33, 0.27, 0.19),
)


def limb(joints: ArrayLike, radii: ArrayLike, look: Look, sides: int = 7) -> Mesh:
    """A smooth limb through joints (J, 3) with radii (J,), rounded at its ends."""
    points, r = np.asarray(joints, float), np.asarray(radii, float)
    along = points[np.r_[1 : len(points), -1]] - points[np.r_[0, 0 : len(points) - 1]]
    along /= np.linalg.norm(along, axis=1, keepdims=True)
    points = np.vstack(
        [points[0] - along[0] * r[0] * 0.6, points, points[-1] + along[-1] * r[-1] * 0.6]
    )
    along, r = (
        np.vstack([along[0], along, along[-1]]),
        np.concatenate([[r[0] * 0.45], r, [r[-1] * 0.45]]),
    )
    u = cross(along, [1.0, 0.02, 0.01])
    u /= np.linalg.norm(u, axis=1, keepdims=True)
    v = cross(along, u)
    turn = 2 * np.pi * np.arange(sides)[:, None, None] / sides
    rings = points + r[:, None] * (np.cos(turn) * u + np.sin(turn) * v)
    return loft(rings.transpose(1, 0, 2), look.but(smooth=True))


def trunk(levels: ArrayLike, look: Look, sides: int = 10) -> Mesh:
    """A torso from rows (x half width, y half depth, y centre, z)."""
    levels = np.asarray(levels, float)
    turn = 2 * np.pi * np.arange(sides) / sides
    x, y = levels[:, :1] * np.cos(turn), levels[:, 2:3] + levels[:, 1:2] * np.sin(turn)
    rings = np.stack([x, y, np.broadcast_to(levels[:, 3:], x.shape)], -1)
    return loft(rings, look.but(smooth=True))


def head(
    rng: np.random.Generator, centre: ArrayLike, skin: Look, train: str, helmet: str = ""
) -> list[Mesh]:
    c = np.asarray(centre, float)
    parts = [
        ellipsoids(c, (0.078, 0.098, 0.118), skin, 10, 7),
        ellipsoids(c + [0, 0.095, -0.015], (0.016, 0.022, 0.022), skin, 5, 4),
    ]
    if helmet == "full":
        shell = Look(shade(rng, pick(rng, tuple(CAR_PAINTS.values()))), "paint", train, True)
        visor = Look((0.02, 0.02, 0.025), "glass", train, True)
        return [ellipsoids(c + [0, -0.01, 0.02], (0.135, 0.155, 0.155), shell, 10, 8),
                ellipsoids(c + [0, 0.075, 0.015], (0.105, 0.09, 0.06), visor, 8, 6)]  # fmt: skip
    if helmet == "open":
        shell = Look(
            shade(
                rng,
                pick(
                    rng,
                    (
                        (0.7, 0.7, 0.7),
                        (0.6, 0.05, 0.05),
                        (0.03, 0.03, 0.03),
                        (0.7, 0.6, 0.05),
                        (0.1, 0.3, 0.6),
                    ),
                ),
            ),
            "plastic",
            train,
            True,
        )
        return [*parts, ellipsoids(c + [0, -0.015, 0.065], (0.105, 0.14, 0.085), shell, 10, 7)]
    hair = Look(pick(rng, HAIR), "hair", train, True)
    style = rng.random()
    if style < 0.12:
        hair = Look(shade(rng, pick(rng, TOPS)), "cloth", train, True)
        parts.append(ellipsoids(c + [0, 0.09, 0.045], (0.075, 0.06, 0.012), hair, 8, 4))
    parts.append(ellipsoids(c + [0, -0.018, 0.04], (0.088, 0.102, 0.092), hair, 10, 7))
    if style > 0.55:
        parts.append(
            ellipsoids(c + [0, -0.062, -0.07], (0.08, 0.05, rng.uniform(0.10, 0.17)), hair, 8, 6)
        )
    return parts


def shoe(
    ankle: NDArray[np.float64], train: str, tilt: float, colour: tuple[float, float, float]
) -> Mesh:
    form = ellipsoids(
        (0, 0.055, -0.03), (0.048, 0.135, 0.05), Look(colour, "rubber", train, True), 8, 5
    )
    return form.transformed(translation(*ankle) @ rotation(tilt, "x"))
