"""Traffic signs on their poles, facing -y: towards a driver who approaches in the +y direction."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vlmis_utils.streetworld.geometry.mesh import Look, Mesh, concatenate, plate
from vlmis_utils.streetworld.geometry.parts import pick
from vlmis_utils.streetworld.geometry.shapes import prism, tubes

__all__ = ["SIGN_KINDS", "draw_kind", "traffic_sign"]


SIGN_KINDS: tuple[str, ...] = (
    "speed_limit",
    "no_entry",
    "stop",
    "yield",
    "priority",
    "mandatory",
    "parking",
    "warning",
    "direction",
    "crossing",
)


_STEEL = Look((0.30, 0.31, 0.32), "metal", "pole", True)


_RED, _BLUE, _WHITE = (0.58, 0.02, 0.025), (0.02, 0.12, 0.48), (0.82, 0.82, 0.80)


_BLACK, _YELLOW = (0.015, 0.015, 0.015), (0.85, 0.55, 0.02)


def _disc(radius: float, sides: int = 24, turn: float = 0.0) -> NDArray[np.float64]:
    angle = turn + 2 * np.pi * np.arange(sides) / sides
    return radius * np.stack([np.cos(angle), np.sin(angle)], 1)


def _face(outline: ArrayLike, layer: int, z: float, look: Look, y: float = 0.0) -> Mesh:
    """A polygon (N, 2) in (x, z) that faces -y, `layer` times 4 mm in front of y."""
    points = np.asarray(outline, float)
    return plate(
        np.stack([points[:, 0], np.full(len(points), y - 0.004 * layer), points[:, 1] + z], 1), look
    )


def _bar(x: float, z: float, width: float, height: float) -> list[list[float]]:
    return [[x - width / 2, z - height / 2], [x + width / 2, z - height / 2],
            [x + width / 2, z + height / 2], [x - width / 2, z + height / 2]]  # fmt: skip


def _sign_face(rng: np.random.Generator, kind: str, size: float, z: float) -> list[Mesh]:
    def layer(outline: ArrayLike, depth: int, colour: tuple[float, float, float]) -> Mesh:
        return _face(outline, depth, z, Look(colour, "sign", "traffic sign"))

    r = size / 2
    up, down = np.pi / 2, -np.pi / 2
    if kind == "speed_limit":
        marks = [layer(_bar(sx * r * 0.27, 0, r * 0.36, r * 0.66), 3, _BLACK) for sx in (-1, 1)]
        holes = [
            layer(_bar(sx * r * 0.27, sz * r * 0.15, r * 0.16, r * 0.17), 4, _WHITE)
            for sx in (-1, 1)
            for sz in (-1, 1)[: 2 if sx < 0 else 1]
        ]
        holes += [layer(_bar(r * 0.27, r * 0.13, r * 0.16, r * 0.2), 4, _WHITE)]
        return [layer(_disc(r), 1, _RED), layer(_disc(r * 0.76), 2, _WHITE), *marks, *holes]
    if kind == "no_entry":
        return [
            layer(_disc(r), 1, _WHITE),
            layer(_disc(r * 0.95), 2, _RED),
            layer(_bar(0, 0, r * 1.45, r * 0.36), 3, _WHITE),
        ]
    if kind == "stop":
        letters = [
            layer(_bar(x * r, 0, r * 0.2, r * 0.46), 3, _WHITE) for x in (-0.56, -0.19, 0.19, 0.56)
        ]
        slots = [
            layer(_bar(x * r, dz * r, r * 0.08, r * 0.13), 4, _RED)
            for x, dz in ((-0.56, 0.09), (0.19, 0), (0.56, 0.07))
        ]
        legs = [layer(_bar(x * r, -0.06 * r, r * 0.06, r * 0.36), 4, _RED) for x in (-0.26, -0.12)]
        return [
            layer(_disc(r * 1.06, 8, np.pi / 8), 1, _WHITE),
            layer(_disc(r, 8, np.pi / 8), 2, _RED),
            *letters,
            *slots,
            *legs,
        ]
    if kind == "yield":
        return [
            layer(_disc(r * 1.15, 3, down), 1, _RED),
            layer(_disc(r * 0.70, 3, down), 2, _WHITE),
        ]
    if kind == "priority":
        return [
            layer(_disc(r * 1.08, 4), 1, _WHITE),
            layer(_disc(r * 0.92, 4), 2, _BLACK),
            layer(_disc(r * 0.85, 4), 3, _YELLOW),
        ]
    if kind == "mandatory":
        head = np.array([[-0.34, 0.1], [0.34, 0.1], [0, 0.66]]) * r
        turned = str(pick(rng, ("up", "right", "left")))
        spin = {"up": 0.0, "right": -np.pi / 2, "left": np.pi / 2}[turned]
        turn = np.array([[np.cos(spin), np.sin(spin)], [-np.sin(spin), np.cos(spin)]])
        return [
            layer(_disc(r), 1, _WHITE),
            layer(_disc(r * 0.95), 2, _BLUE),
            layer(head @ turn, 3, _WHITE),
            layer(np.array(_bar(0, -0.23 * r, 0.22 * r, 0.7 * r)) @ turn, 3, _WHITE),
        ]
    square = np.array(_bar(0, 0, size, size))
    if kind == "parking":
        return [
            layer(square, 1, _WHITE),
            layer(square * 0.93, 2, _BLUE),
            layer(_bar(-0.22 * r, 0, 0.24 * r, 1.3 * r), 3, _WHITE),
            layer(_disc(0.40 * r, 14) + [0.05 * r, 0.25 * r], 3, _WHITE),
            layer(_disc(0.17 * r, 10) + [0.08 * r, 0.25 * r], 4, _BLUE),
        ]
    if kind == "crossing":
        walker = [
            layer(_disc(0.12 * r, 10) + [0, 0.33 * r], 4, _BLACK),
            layer(_bar(0, 0.02 * r, 0.18 * r, 0.42 * r), 4, _BLACK),
            layer(
                [
                    [-0.05 * r, -0.15 * r],
                    [-0.3 * r, -0.5 * r],
                    [-0.16 * r, -0.5 * r],
                    [0.08 * r, -0.15 * r],
                ],
                4,
                _BLACK,
            ),
            layer(
                [
                    [-0.06 * r, -0.15 * r],
                    [0.16 * r, -0.5 * r],
                    [0.3 * r, -0.5 * r],
                    [0.07 * r, -0.15 * r],
                ],
                4,
                _BLACK,
            ),
        ]
        return [
            layer(square, 1, _WHITE),
            layer(square * 0.94, 2, _BLUE),
            layer(_disc(0.92 * r, 3, up) - [0, 0.1 * r], 3, _WHITE),
            *walker,
        ]
    if kind == "warning":
        mark = [
            layer(_bar(0, 0.12 * r, 0.16 * r, 0.5 * r), 3, _BLACK),
            layer(_disc(0.1 * r, 10) - [0, 0.3 * r], 3, _BLACK),
        ]
        return [
            layer(_disc(r * 1.15, 3, up), 1, _RED),
            layer(_disc(r * 0.76, 3, up), 2, _WHITE),
            *mark,
        ]
    wide = (
        np.array([[-0.8, -0.26], [0.62, -0.26], [0.86, 0.0], [0.62, 0.26], [-0.8, 0.26]])
        * size
        * 1.15
    )
    if rng.random() < 0.5:
        wide = (wide * [-1, 1])[::-1]
    ground, ink = ((_YELLOW, _BLACK), (_BLUE, _WHITE), (_WHITE, _BLACK))[int(rng.integers(3))]
    text = [
        layer(_bar(x * size, dz * size, w * size, 0.10 * size), 3, ink)
        for x, dz, w in (
            (-0.42, 0.11, 0.34),
            (0.05, 0.11, 0.46),
            (-0.3, -0.11, 0.56),
            (0.28, -0.11, 0.32),
        )
    ]
    return [layer(wide, 1, ink), layer(wide * [0.97, 0.92], 2, ground), *text]


_OUTLINES = {
    "stop": (8, np.pi / 8, 1.06),
    "yield": (3, -np.pi / 2, 1.15),
    "priority": (4, 0.0, 1.08),
    "warning": (3, np.pi / 2, 1.15),
    "parking": (4, np.pi / 4, 2**0.5),
    "crossing": (4, np.pi / 4, 2**0.5),
}


def draw_kind(rng: np.random.Generator) -> str:
    """Draw one of `SIGN_KINDS`, common ones more often."""
    return str(pick(rng, SIGN_KINDS, (2, 1.4, 1.1, 1.4, 1.3, 1.2, 1.3, 1.2, 0.7, 1.6)))


def traffic_sign(
    rng: np.random.Generator,
    kind: str | None = None,
    size: float | None = None,
    height: float | None = None,
) -> Mesh:
    """A sign on its pole, facing -y. kind: one of SIGN_KINDS; size: plate width, 0.65 to 0.9 m;
    height: of the plate's centre, metres; drawn when None. Front and back are traffic sign."""
    kind = kind or draw_kind(rng)
    if kind not in SIGN_KINDS:
        raise ValueError(f"unknown sign kind {kind!r}: one of {', '.join(SIGN_KINDS)}")
    size = float(size or rng.uniform(0.65, 0.9))
    z = float(height or rng.uniform(2.2, 2.6))
    grey = Look((0.34, 0.35, 0.36), "metal", "traffic sign")
    parts = _sign_face(rng, kind, size, z)
    if kind == "direction":
        back = parts[0].vertices[:-1, [2, 0]]
    else:
        sides, turn, grow = _OUTLINES.get(kind, (24, 0.0, 1.0))
        back = _disc(size / 2 * grow, sides, turn)[:, ::-1] + [z, 0]
        back = back[::-1]
    if (
        kind == "direction"
        and np.cross(np.append(back[1] - back[0], 0), np.append(back[2] - back[1], 0))[2] < 0
    ):
        back = back[::-1]
    parts.append(prism(back, (-0.002, 0.02), grey, "y"))
    parts.append(tubes((0, 0.05, 0), (0, 0.05, z + size * 0.2), 0.038, _STEEL, sides=8))
    if kind == "direction":
        parts.append(
            tubes(
                [[-0.45 * size, 0.05, 0]],
                [[-0.45 * size, 0.05, z + 0.2 * size]],
                0.035,
                _STEEL,
                sides=8,
            )
        )
    return concatenate(parts)
