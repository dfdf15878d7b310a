"""Bicycles and motorcycles. Origin on the ground at the centre, heading +y, metres."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from vlmis_utils.streetworld.geometry.mesh import (
    Look,
    Mesh,
    box,
    concatenate,
    rotation,
    translation,
)
from vlmis_utils.streetworld.geometry.parts import CAR_PAINTS, pick, shade
from vlmis_utils.streetworld.geometry.shapes import ellipsoids, torus, tubes

__all__ = ["bicycle", "motorcycle"]


def bicycle(rng: np.random.Generator, colour: ArrayLike | None = None) -> Mesh:
    """A diamond-frame bicycle, upright (train class bicycle); tubes a little thick to be seen."""
    train = "bicycle"
    paint = tuple(CAR_PAINTS.values())
    tint = shade(rng, pick(rng, paint) if colour is None else colour)
    body = Look(tint, "paint", train, True)
    tyre, steel = (
        Look((0.02, 0.02, 0.02), "rubber", train, True),
        Look((0.35, 0.36, 0.37), "metal", train),
    )
    r, front, rear = 0.345, np.array([0, 0.53, 0.345]), np.array([0, -0.53, 0.345])
    bracket, seat, head, fork = np.array(
        [[0, -0.08, 0.30], [0, -0.22, 0.84], [0, 0.33, 0.88], [0, 0.38, 0.70]]
    )
    parts = [torus(c, (1, 0, 0), r - 0.022, 0.024, tyre, 20, 5) for c in (front, rear)]
    turn = np.arange(8) * np.pi / 4 + 0.2
    rim = np.stack([np.zeros(8), np.cos(turn), np.sin(turn)], 1) * (r - 0.03)
    for hub in (front, rear):
        parts += [
            tubes(np.broadcast_to(hub, rim.shape), hub + rim, 0.006, steel, sides=3, caps=False),
            tubes(hub - [0.05, 0, 0], hub + [0.05, 0, 0], 0.03, steel, sides=6),
        ]
    step = bool(rng.random() < 0.35)
    cross = bracket * 0.35 + seat * 0.65 if step else seat * 0.94 + bracket * 0.06
    starts = [
        bracket,
        cross,
        bracket,
        fork * 0.9 + head * 0.1,
        *[rear + [s * 0.05, 0, 0] for s in (1, -1)] * 2,
    ]
    ends = [
        seat + [0, -0.02, 0.02],
        head - [0, 0, 0.04] if not step else fork,
        fork,
        head + [0, -0.02, 0.06],
        bracket,
        bracket,
        seat - [0, 0, 0.08],
        seat - [0, 0, 0.08],
    ]
    parts.append(
        tubes(starts, ends, [0.022, 0.021, 0.024, 0.022, 0.013, 0.013, 0.012, 0.012], body, sides=6)
    )
    sides = np.array([[0.05, 0, 0], [-0.05, 0, 0]])
    parts.append(tubes(fork + sides * 0.6, front + sides, 0.016, body, sides=5))
    bar = head + [0, 0.02, 0.14]
    grip = np.array([[0.27, -0.10, 0.0], [-0.27, -0.10, 0.0]])
    parts += [tubes([head, *[bar] * 2], [bar, *(bar + grip)], 0.015, steel, sides=5),
              tubes(bar + grip, bar + grip * [1.05, 2.0, 1], 0.022, tyre, sides=5),
              ellipsoids(seat + [0, -0.02, 0.10], (0.075, 0.15, 0.04), tyre, 8, 5),
              tubes(seat, seat + [0, -0.02, 0.09], 0.016, steel, sides=5),
              torus(bracket + [0.05, 0, 0], (1, 0, 0), 0.075, 0.014, steel, 10, 4)]  # fmt: skip
    crank = np.array([[0.09, 0.10, -0.13], [-0.09, -0.10, 0.13]])
    parts.append(tubes(bracket + crank * [1, 0, 0], bracket + crank, 0.014, steel, sides=4))
    parts.append(box(bracket + crank * [1.5, 1, 1], (0.09, 0.09, 0.025), tyre))
    extra = rng.random()
    if extra < 0.4:
        guard = rear + np.array([[0, 0.0, 0.40], [0, -0.25, 0.40]])
        parts += [
            box(guard[0] + [0, -0.08, 0.02], (0.13, 0.36, 0.02), steel),
            tubes(rear + sides, guard + sides, 0.010, steel, sides=3),
        ]
    if extra < 0.18:
        parts.append(
            box(bar + [0, 0.22, -0.02], (0.34, 0.25, 0.24), Look((0.20, 0.13, 0.06), "wood", train))
        )
    parts.append(
        box(
            seat + [0, -0.14, 0.03], (0.05, 0.03, 0.05), Look((0.5, 0.02, 0.02), "tail_lamp", train)
        )
    )
    return concatenate(parts)


def motorcycle(rng: np.random.Generator, parked: bool = True) -> Mesh:
    """A motorcycle (train class motorcycle), leaning on its stand when parked."""
    train = "motorcycle"
    body = Look(shade(rng, pick(rng, tuple(CAR_PAINTS.values()))), "paint", train, True)
    tyre, steel = (
        Look((0.02, 0.02, 0.02), "rubber", train, True),
        Look((0.42, 0.43, 0.45), "metal", train),
    )
    dark = Look((0.035, 0.035, 0.04), "plastic", train, True)
    front, rear, r = np.array([0, 0.72, 0.31]), np.array([0, -0.66, 0.31]), 0.31
    sides = np.array([[0.09, 0, 0], [-0.09, 0, 0]])
    turn = np.arange(6) * np.pi / 3
    rim = np.stack([np.zeros(6), np.cos(turn), np.sin(turn)], 1) * 0.24
    parts = []
    for hub, thick in ((front, 0.058), (rear, 0.075)):
        parts += [
            torus(hub, (1, 0, 0), r - thick, thick, tyre, 18, 7),
            tubes(np.broadcast_to(hub, rim.shape), hub + rim, 0.018, steel, sides=4, caps=False),
            tubes(hub - [0.07, 0, 0], hub + [0.07, 0, 0], 0.07, steel, sides=8),
        ]
    scooter = bool(rng.random() < 0.35)
    crown, seat_z = np.array([0, 0.42, 0.92]), 0.80
    parts += [
        tubes(front + sides, crown + sides, 0.03, steel, sides=6),
        box((0, -0.02, 0.40), (0.28, 0.44, 0.30), dark.but(smooth=False)),
        tubes(
            [[0.09, 0.14, 0.30]] * 3,
            [[0.13, 0.2, 0.30], [0.15, -0.3, 0.28], [0.17, -0.82, 0.42]],
            (0.03, 0.035, 0.05),
            steel,
            sides=7,
        ),
        ellipsoids((0, 0.16, 0.80), (0.15, 0.30, 0.15), body, 10, 7),
        ellipsoids((0, -0.36, seat_z), (0.14, 0.40, 0.075), dark, 10, 5),
        ellipsoids((0, -0.66, seat_z - 0.06), (0.11, 0.26, 0.09), body, 8, 6),
        ellipsoids(front + [0, 0, 0.16], (0.075, 0.25, 0.17), body, 8, 6),
        tubes(
            np.array([crown + [0, 0.02, 0.16]] * 2),
            crown + [[0.36, -0.10, 0.18], [-0.36, -0.10, 0.18]],
            0.02,
            dark,
            sides=5,
        ),
        tubes(crown + [0, 0, -0.04], crown + [0, 0.02, 0.17], 0.045, dark, sides=6),
        ellipsoids(crown + [0, 0.13, 0.02], (0.11, 0.08, 0.11), body, 8, 6),
        ellipsoids(
            crown + [0, 0.19, 0.02],
            (0.09, 0.035, 0.09),
            Look((0.85, 0.87, 0.88), "headlamp", train, True),
            8,
            6,
        ),
        box((0, -0.90, 0.76), (0.16, 0.05, 0.07), Look((0.5, 0.02, 0.02), "tail_lamp", train)),
        box((0, -0.93, 0.56), (0.18, 0.02, 0.14), Look((0.8, 0.8, 0.78), "sign", train)),
        tubes(
            crown + [[0.30, -0.06, 0.18], [-0.30, -0.06, 0.18]],
            crown + [[0.34, -0.03, 0.33], [-0.34, -0.03, 0.33]],
            0.012,
            dark,
            sides=4,
        ),
        ellipsoids(
            crown + [[0.35, -0.03, 0.35], [-0.35, -0.03, 0.35]], (0.065, 0.025, 0.045), dark, 6, 5
        ),
    ]
    if scooter:
        parts += [
            box((0, 0.36, 0.60), (0.42, 0.07, 0.62), body.but(smooth=False)),
            box((0, 0.08, 0.30), (0.38, 0.5, 0.1), body.but(smooth=False)),
            ellipsoids((0, -0.55, 0.58), (0.2, 0.42, 0.2), body, 8, 6),
        ]
    if rng.random() < 0.3:
        parts.append(box((0, -0.84, 0.98), (0.36, 0.34, 0.30), dark.but(smooth=False)))
    bike = concatenate(parts)
    if not parked:
        return bike
    stand = tubes((-0.08, -0.05, 0.30), (-0.27, -0.1, 0.03), 0.018, steel, sides=4)
    return concatenate([bike, stand]).transformed(translation(-0.0, 0, 0.02) @ rotation(-0.10, "y"))
