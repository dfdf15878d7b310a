"""Traffic lights, lamps, poles and bollards. Origin on the ground, metres.

Lights face -y, towards a driver who approaches in the +y direction.
"""

from __future__ import annotations

import numpy as np

from vlmis_utils.streetworld.geometry.mesh import Look, Mesh, box, concatenate
from vlmis_utils.streetworld.geometry.parts import pick, shade
from vlmis_utils.streetworld.geometry.shapes import ellipsoids, loft, tubes

__all__ = ["bollard", "street_lamp", "traffic_light", "utility_pole"]


_STEEL = Look((0.30, 0.31, 0.32), "metal", "pole", True)


_RED, _BLUE, _WHITE = (0.58, 0.02, 0.025), (0.02, 0.12, 0.48), (0.82, 0.82, 0.80)


_BLACK, _YELLOW = (0.015, 0.015, 0.015), (0.85, 0.55, 0.02)


def _light_head(
    state: str,
    z: float,
    x: float,
    scale: float,
    bezel: bool,
    lamps: tuple[str, ...] = ("red", "amber", "green"),
) -> list[Mesh]:
    train = "traffic light"
    case = Look((0.018, 0.019, 0.02), "plastic", train)
    step, radius = 0.31 * scale, 0.118 * scale
    tall, wide, deep = step * len(lamps) + 0.07 * scale, 0.36 * scale, 0.22 * scale
    parts = [box((x, 0, z), (wide, deep, tall), case)]
    if bezel:
        rim = Look((0.75, 0.75, 0.74), "plastic", train)
        parts += [
            box((x, 0.06 * scale, z), (0.62 * scale, 0.02, tall + 0.24 * scale), rim),
            box((x, 0.06 * scale - 0.006, z), (0.57 * scale, 0.02, tall + 0.19 * scale), case),
        ]
    lit_colours = {
        "red": (1.0, 0.06, 0.03),
        "amber": (1.0, 0.50, 0.03),
        "green": (0.05, 0.95, 0.45),
    }
    lit_names = {
        "red": ("red",),
        "amber": ("amber",),
        "green": ("green",),
        "red_amber": ("red", "amber"),
    }[state]
    turn = np.linspace(-0.15, np.pi + 0.15, 9)
    for row, name in enumerate(lamps):
        centre = z + step * ((len(lamps) - 1) / 2 - row)
        colour = lit_colours[name]
        if name in lit_names:
            lens = Look(colour, f"emissive_{name}", train)
        else:
            lens = Look(tuple(0.03 + 0.045 * c for c in colour), "lens", train)
        parts.append(
            tubes(
                (x, -deep / 2 + 0.01, centre),
                (x, -deep / 2 - 0.012, centre),
                radius,
                lens,
                radius * 0.9,
                14,
            )
        )
        arc = np.stack(
            [x + np.cos(turn) * radius * 1.15, np.zeros(9), centre + np.sin(turn) * radius * 1.15],
            1,
        )
        near, far = arc + [0, -deep / 2, 0], arc * [1, 1, 1] + [0, -deep / 2 - 0.17 * scale, -0.01]
        hood = loft(np.stack([near, far]), case, caps=False, closed=False)
        parts += [hood, loft(np.stack([far, near]), case, caps=False, closed=False)]
    return parts


def traffic_light(
    rng: np.random.Generator,
    state: str = "red",
    arm: bool = False,
    scale: float = 1.0,
    repeater: bool | None = None,
    reach: float = 3.6,
) -> Mesh:
    """A signal facing -y; state: red, amber, green or red_amber. The mast (train class pole)
    stands at the origin; with `arm`, a second head hangs over the road `reach` metres to the left
    (-x). `scale` enlarges the heads; `repeater` adds a small head at pedestrian height (drawn
    when None)."""
    mast = _STEEL.but(
        colour=shade(
            rng, pick(rng, ((0.16, 0.17, 0.17), (0.33, 0.34, 0.35), (0.05, 0.08, 0.06))), 0.1
        )
    )
    repeater = bool(rng.random() < 0.3) if repeater is None else repeater
    bezel = bool(rng.random() < 0.5)
    height = rng.uniform(2.75, 3.2) + 0.5 * scale
    top = 5.9 if arm else height + 0.62 * scale
    back = 0.13 * scale
    parts = [
        tubes((0, back, 0), (0, back, 0.9), 0.095, mast, 0.09, 10),
        tubes((0, back, 0.85), (0, back, top), 0.06, mast, 0.052, 10),
        *_light_head(state, height, 0.0, scale, bezel),
        box((0, back / 2, height + 0.3), (0.08, back, 0.06), mast),
    ]
    if arm:
        parts += [
            tubes((0, back, top - 0.15), (-reach - 0.3, back, top + 0.05), 0.06, mast, 0.045, 8),
            *_light_head(state, top - 0.15, -reach, scale, True),
        ]
    if repeater:
        parts += _light_head(state, 1.65, 0.0, 0.5 * scale, False)
    return concatenate(parts)


def street_lamp(
    rng: np.random.Generator, height: float | None = None, reach: float | None = None
) -> Mesh:
    """A lamp post (train class pole) whose arm reaches over -x by `reach` metres."""
    height, reach = (
        float(height or rng.uniform(6.0, 8.5)),
        float(reach if reach is not None else rng.uniform(1.0, 2.2)),
    )
    steel = _STEEL.but(
        colour=shade(
            rng, pick(rng, ((0.30, 0.31, 0.32), (0.06, 0.08, 0.07), (0.45, 0.46, 0.47))), 0.1
        )
    )
    bend = np.array(
        [
            [0, 0, height - 0.9],
            [-0.08 * reach, 0, height - 0.35],
            [-0.3 * reach, 0, height - 0.08],
            [-reach, 0, height + 0.06],
        ]
    )
    head = np.array([-reach - 0.22, 0, height + 0.05])
    return concatenate(
        [
            tubes((0, 0, 0), (0, 0, 1.0), 0.10, steel, 0.095, 10),
            tubes((0, 0, 0.95), bend[0], 0.07, steel, 0.05, 10),
            tubes(bend[:-1], bend[1:], 0.042, steel, sides=7),
            box(head, (0.62, 0.24, 0.10), steel.but(smooth=False)),
            box(
                head - [0.02, 0, 0.055], (0.48, 0.18, 0.02), Look((0.8, 0.8, 0.74), "lens", "pole")
            ),
        ]
    )


def utility_pole(rng: np.random.Generator) -> Mesh:
    """A wooden pole (train class pole) with cross arms and insulators."""
    wood = Look(shade(rng, (0.17, 0.12, 0.08)), "wood", "pole", True)
    height = rng.uniform(7.5, 9.5)
    pins = np.array([[x, 0, height - 0.5] for x in (-0.8, -0.45, 0.45, 0.8)])
    return concatenate(
        [
            tubes((0, 0, 0), (0, 0, height), 0.15, wood, 0.11, 10),
            box((0, -0.1, height - 0.6), (1.9, 0.1, 0.12), wood.but(smooth=False)),
            tubes(
                pins - [0, 0.1, 0.06],
                pins - [0, 0.1, -0.12],
                0.035,
                Look((0.5, 0.5, 0.48), "stone", "pole"),
                sides=6,
            ),
        ]
    )


def bollard(rng: np.random.Generator) -> Mesh:
    """A bollard about 0.95 m high (train class pole)."""
    height = rng.uniform(0.85, 1.05)
    steel = Look(
        shade(rng, pick(rng, ((0.05, 0.055, 0.06), (0.36, 0.35, 0.33), (0.10, 0.06, 0.04)))),
        "metal",
        "pole",
        True,
    )
    band = Look(pick(rng, (_WHITE, _YELLOW, _RED)), "sign", "pole", True)
    return concatenate(
        [
            tubes((0, 0, 0), (0, 0, height), 0.062, steel, 0.055, 10),
            ellipsoids((0, 0, height), (0.065, 0.065, 0.05), steel, 10, 6),
            tubes((0, 0, height - 0.22), (0, 0, height - 0.12), 0.061, band, sides=10),
        ]
    )
