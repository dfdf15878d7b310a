"""Trees, bushes, hedges and grass. Origin on the ground at the centre, metres."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vlmis_utils.streetworld.geometry.mesh import Look, Mesh, box, cards, concatenate, frame
from vlmis_utils.streetworld.geometry.parts import pick, shade
from vlmis_utils.streetworld.geometry.shapes import ellipsoids, tubes

__all__ = ["TREE_KINDS", "bush", "grass", "hedge", "tree"]

_LEAF: dict[str, tuple[float, float, float]] = {
    "plane": (0.15, 0.25, 0.06), "linden": (0.11, 0.23, 0.05), "birch": (0.24, 0.33, 0.09),
    "poplar": (0.10, 0.20, 0.06), "conifer": (0.045, 0.115, 0.055), "cherry": (0.16, 0.17, 0.07),
}  # fmt: skip
_AUTUMN = ((0.46, 0.22, 0.03), (0.42, 0.11, 0.03), (0.50, 0.34, 0.05), (0.30, 0.20, 0.05))
TREE_KINDS: tuple[str, ...] = tuple(_LEAF)


def _foliage(
    rng: np.random.Generator,
    centres: NDArray[np.float64],
    radii: NDArray[np.float64],
    count: int,
    size: float,
    colour: ArrayLike,
    core: float = 0.80,
    material: str = "leaf",
) -> list[Mesh]:
    """Dark lumpy cores (K, 3) with `count` leaf cards in all around them; brighter at the top."""
    tint = np.asarray(colour)
    dark = Look(tuple((tint * 0.42).tolist()), material, "vegetation", True)
    lumps = rng.uniform(0.82, 1.12, (len(centres), 7 * 4 + 2))
    cores = ellipsoids(centres, radii * core, dark, 7, 5, lumps=lumps)
    volume = radii.prod(1) ** (2 / 3)
    blob = rng.choice(len(centres), count, p=volume / volume.sum())
    way = rng.normal(size=(count, 3))
    way /= np.linalg.norm(way, axis=1, keepdims=True)
    at = centres[blob] + radii[blob] * way * rng.uniform(0.78, 1.08, (count, 1))
    facing = way + rng.normal(0, 0.55, (count, 3)) + [0, 0, 0.25]
    axes = frame(facing)
    turn = rng.uniform(0, 2 * np.pi, (count, 1))
    u = np.cos(turn) * axes[:, 0] + np.sin(turn) * axes[:, 1]
    v = np.cross(axes[:, 2], u)
    half = size * rng.uniform(0.55, 1.25, (count, 1))
    corners = np.stack(
        [at - u * half, at - v * half * 0.62, at + u * half, at + v * half * 0.62], 1
    )
    height = np.clip(
        (at[:, 2] - centres[:, 2].min()) / max(np.ptp(centres[:, 2]) + radii[:, 2].max(), 0.1),
        0,
        1.2,
    )
    bright = (0.72 + 0.42 * height) * rng.lognormal(0, 0.20, count)
    hue = 1 + rng.normal(0, 0.07, (count, 3))
    return [
        cores,
        cards(
            corners,
            Look((0.1, 0.2, 0.05), material, "vegetation"),
            np.clip(tint * bright[:, None] * hue, 0, 1),
        ),
    ]


def tree(
    rng: np.random.Generator,
    kind: str | None = None,
    autumn: bool | None = None,
    height: float | None = None,
) -> Mesh:
    """A street tree. kind: one of TREE_KINDS; autumn colours; height in metres; drawn when None."""
    kind = kind or str(pick(rng, TREE_KINDS, (0.3, 0.25, 0.14, 0.1, 0.08, 0.13)))
    autumn = bool(rng.random() < 0.13) if autumn is None else autumn
    tall = {
        "plane": 9.0,
        "linden": 8.0,
        "birch": 8.5,
        "poplar": 12.0,
        "conifer": 9.5,
        "cherry": 5.2,
    }[kind]
    tall = float(height or tall * rng.uniform(0.75, 1.25))
    colour = shade(rng, pick(rng, _AUTUMN) if autumn and kind != "conifer" else _LEAF[kind], 0.16)
    bark = Look(
        (0.62, 0.60, 0.55) if kind == "birch" else shade(rng, (0.13, 0.10, 0.075), 0.2),
        "bark",
        "vegetation",
        True,
    )
    thick = tall * (0.013 if kind == "birch" else 0.019)
    if kind == "conifer":
        z = np.linspace(0.16, 0.94, 7) * tall
        reach = tall * 0.21 * (1.04 - z / tall) + 0.12
        centres = np.stack([rng.normal(0, 0.05, 7), rng.normal(0, 0.05, 7), z], 1)
        radii = np.stack([reach, reach, np.full(7, tall * 0.085)], 1)
        crown = _foliage(rng, centres, radii, 900, 0.28, colour, 0.78)
        return concatenate(
            [tubes((0, 0, 0), (0, 0, tall * 0.9), thick, bark, thick * 0.3, 7, False), *crown]
        )
    fork = tall * {"poplar": 0.16, "cherry": 0.32}.get(kind, 0.30) * rng.uniform(0.9, 1.1)
    slim = {"poplar": 0.13, "birch": 0.22}.get(kind, 0.34) * rng.uniform(0.9, 1.15)
    count = 11
    way = rng.normal(size=(count, 3))
    way /= np.linalg.norm(way, axis=1, keepdims=True)
    middle = (fork + tall) / 2 + 0.03 * tall
    spread = np.array([slim * tall * 0.66, slim * tall * 0.66, (tall - fork) * 0.36])
    centres = np.array([0, 0, middle]) + way * spread * rng.uniform(0.6, 1.0, (count, 1))
    centres[0] = (0, 0, middle)
    sizes = rng.uniform(0.42, 0.62, (count, 1)) * slim * tall
    stretch = 1.7 if kind == "poplar" else 0.85
    radii = sizes * [1, 1, stretch]
    leaf = {"birch": 0.20, "plane": 0.29}.get(kind, 0.25) * (tall / 8) ** 0.4
    crown = _foliage(rng, centres, radii, 1050, leaf, colour)
    lean = rng.normal(0, 0.02, 2) * tall
    top = np.array([lean[0], lean[1], fork])
    ends = centres[:6] * [0.85, 0.85, 1] - [0, 0, 0.25 * slim * tall]
    ends[:, 2] = np.maximum(ends[:, 2], fork * 1.1)
    wood = [
        tubes((0, 0, 0), (0, 0, 0.25), thick * 1.5, bark, thick * 1.02, 9, False),
        tubes((0, 0, 0.2), top, thick * 1.04, bark, thick * 0.8, 9, False),
        tubes(
            np.broadcast_to(top - [0, 0, 0.1], ends.shape),
            ends,
            thick * 0.62,
            bark,
            thick * 0.2,
            6,
            False,
        ),
    ]
    return concatenate([*wood, *crown])


def bush(rng: np.random.Generator, size: float | None = None) -> Mesh:
    """A garden bush about `size` metres high."""
    size = float(size or rng.uniform(0.7, 1.5))
    count = 5
    centres = (
        np.stack(
            [
                rng.normal(0, 0.32, count),
                rng.normal(0, 0.32, count),
                rng.uniform(0.35, 0.62, count),
            ],
            1,
        )
        * size
    )
    radii = rng.uniform(0.32, 0.44, (count, 1)) * size * [1.1, 1.1, 0.85]
    radii[:, 2] = np.minimum(radii[:, 2], centres[:, 2] * 0.86)
    parts = _foliage(
        rng,
        centres,
        radii,
        420,
        0.10 * size**0.5,
        shade(rng, pick(rng, tuple(_LEAF.values())), 0.2),
        0.72,
    )
    if rng.random() < 0.25:
        flowers = centres[rng.integers(0, count, 40)] + rng.normal(0, 0.30 * size, (40, 3)) * [
            1,
            1,
            0.6,
        ]
        flowers[:, 2] = np.clip(flowers[:, 2], 0.15 * size, None)
        bloom = Look(
            shade(rng, pick(rng, ((0.7, 0.1, 0.25), (0.75, 0.7, 0.65), (0.7, 0.5, 0.05)))),
            "leaf",
            "vegetation",
        )
        parts.append(box(flowers, 0.05, bloom))
    mesh = concatenate(parts)
    mesh.vertices[:, 2] = np.maximum(mesh.vertices[:, 2], 0)
    return mesh


def hedge(
    rng: np.random.Generator, length: float = 4.0, height: float | None = None, width: float = 0.7
) -> Mesh:
    """A clipped hedge section that runs along y."""
    height = float(height or rng.uniform(0.8, 1.8))
    colour = np.asarray(shade(rng, (0.09, 0.18, 0.05), 0.2))
    core = box(
        (0, 0, height * 0.48),
        (width * 0.86, length, height * 0.96),
        Look(tuple(colour * 0.5), "hedge", "vegetation"),
    )
    count = int(min(1200, 90 * length * (height + width / 2)))
    side = rng.choice(3, count, p=np.array([height, height, width]) / (2 * height + width))
    along, up = rng.uniform(-length / 2, length / 2, count), rng.uniform(0.02, 1.0, count) * height
    x = np.where(
        side == 2, rng.uniform(-0.5, 0.5, count) * width, np.where(side == 0, -0.47, 0.47) * width
    )
    at = np.stack([x, along, np.where(side == 2, height, up)], 1) + rng.normal(0, 0.025, (count, 3))
    normal = np.eye(3)[[0, 0, 2]][side] * np.where(side == 0, -1, 1)[:, None] + rng.normal(
        0, 0.5, (count, 3)
    )
    axes = frame(normal)
    half = rng.uniform(0.05, 0.11, (count, 1))
    corners = np.stack(
        [
            at - axes[:, 0] * half,
            at - axes[:, 1] * half,
            at + axes[:, 0] * half,
            at + axes[:, 1] * half,
        ],
        1,
    )
    corners[..., 2] = np.maximum(corners[..., 2], 0)
    tint = np.clip(
        colour * (rng.lognormal(0.1, 0.22, count) * (0.8 + 0.3 * at[:, 2] / height))[:, None], 0, 1
    )
    return concatenate([core, cards(corners, Look((0.1, 0.2, 0.05), "hedge", "vegetation"), tint)])


def grass(
    rng: np.random.Generator, length: float = 4.0, width: float = 1.5, height: float = 0.14
) -> Mesh:
    """Tufts of grass (train class terrain) scattered over length x width."""
    count = int(min(700, 40 * length * width))
    foot = np.stack(
        [
            rng.uniform(-0.5, 0.5, count) * width,
            rng.uniform(-0.5, 0.5, count) * length,
            np.zeros(count),
        ],
        1,
    )
    turn = rng.uniform(0, np.pi, count)
    across = np.stack([np.cos(turn), np.sin(turn), np.zeros(count)], 1) * rng.uniform(
        0.02, 0.05, (count, 1)
    )
    tip = (
        foot
        + rng.normal(0, 0.04, (count, 3)) * [1, 1, 0]
        + np.array([0, 0, 1]) * height * rng.uniform(0.4, 1.2, (count, 1))
    )
    corners = np.stack([foot - across, foot + across, tip + across * 0.3, tip - across * 0.3], 1)
    tint = np.clip(
        np.array([0.13, 0.24, 0.05])
        * rng.lognormal(0, 0.25, (count, 1))
        * rng.uniform(0.85, 1.2, (count, 3)),
        0,
        1,
    )
    return cards(corners, Look((0.13, 0.24, 0.05), "grass", "terrain"), tint)
