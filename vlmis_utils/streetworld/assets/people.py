"""Walkers and riders. Origin on the ground at the centre, heading +y, metres."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from vlmis_utils.streetworld.assets.two_wheelers import bicycle, motorcycle
from vlmis_utils.streetworld.geometry.bodies import LEGS, SKIN, TOPS, head, limb, shoe, trunk
from vlmis_utils.streetworld.geometry.mesh import (
    Look,
    Mesh,
    box,
    concatenate,
    rotation,
    translation,
)
from vlmis_utils.streetworld.geometry.parts import pick, shade
from vlmis_utils.streetworld.geometry.shapes import ellipsoids, tubes

__all__ = ["cyclist", "motorcyclist", "pedestrian"]


def pedestrian(
    rng: np.random.Generator,
    phase: float | None = None,
    child: bool | None = None,
    standing: bool | None = None,
) -> Mesh:
    """A walker (train class person). phase in [0, 1) of the stride; what is None is drawn."""
    train = "person"
    child = bool(rng.random() < 0.12) if child is None else child
    standing = bool(rng.random() < 0.2) if standing is None else standing
    phase = float(rng.random()) if phase is None else phase
    swing = 0.08 if standing else rng.uniform(0.36, 0.50)
    skin = Look(shade(rng, pick(rng, SKIN), 0.08), "skin", train, True)
    top = Look(shade(rng, pick(rng, TOPS)), "cloth", train, True)
    legs = Look(shade(rng, pick(rng, LEGS)), "cloth", train, True)
    style = str(
        pick(rng, ("jacket", "coat", "skirt", "shirt", "shorts"), (0.36, 0.2, 0.14, 0.2, 0.1))
    )
    bulk = rng.uniform(0.92, 1.16)
    parts: list[Mesh] = []
    hip_z, lift = 0.92, 0.0
    leather = shade(rng, pick(rng, ((0.02, 0.02, 0.02), (0.6, 0.6, 0.58), (0.10, 0.05, 0.03))))
    feet = []
    for side, turn in ((1, 0.0), (-1, 0.5)):
        angle = swing * np.sin(2 * np.pi * (phase + turn))
        bend = (
            0.10
            if standing
            else 0.12 + 0.85 * max(0.0, np.cos(2 * np.pi * (phase + turn))) * swing * 1.6
        )
        hip = np.array([side * 0.09, 0, hip_z])
        knee = hip + 0.43 * np.array(
            [0.01 * side, np.sin(angle + bend * 0.3), -np.cos(angle + bend * 0.3)]
        )
        low = angle - bend * 0.7
        ankle = knee + 0.42 * np.array([0, np.sin(low), -np.cos(low)])
        feet.append(ankle[2])
        bare = skin if style in ("skirt", "shorts") else legs
        mid = (hip + knee) / 2
        thigh = skin if style == "skirt" else legs
        parts += [
            limb([hip, mid, knee], np.array([0.092, 0.085, 0.06]) * bulk, thigh),
            limb([knee, (knee * 2 + ankle) / 3, ankle], np.array([0.06, 0.06, 0.042]) * bulk, bare),
            shoe(ankle, train, low * 0.6 if low < 0 else low * 0.3, leather),
        ]
        reach = -angle * 0.85 + (0.0 if not standing else 0.1)
        shoulder = np.array([side * 0.195 * bulk, 0, 1.40])
        elbow = shoulder + 0.29 * np.array([0.16 * side, np.sin(reach), -np.cos(reach)])
        fold = reach + (0.35 if standing else 0.5)
        hand = elbow + 0.26 * np.array([-0.03 * side, np.sin(fold), -np.cos(fold)])
        sleeve = skin if style == "shorts" else top
        parts += [
            limb(
                [shoulder, (shoulder + elbow) / 2, elbow],
                np.array([0.066, 0.058, 0.048]) * bulk,
                top,
            ),
            limb([elbow, hand], np.array([0.048, 0.037]) * bulk, sleeve, 6),
            ellipsoids(hand + [0, 0.01, -0.05], (0.034, 0.042, 0.06), skin, 6, 5),
        ]
        if side == 1 and (carry := rng.random()) < 0.22:
            bag = Look(shade(rng, pick(rng, TOPS)), "cloth", train)
            parts.append(box(hand + [0.02, 0, -0.27], (0.10, 0.30, 0.28), bag))
            parts.append(box(hand + [0.02, 0, -0.09], (0.02, 0.16, 0.10), bag))
    if 0.22 <= carry < 0.48:
        pack = Look(shade(rng, pick(rng, TOPS)), "cloth", train, True)
        parts.append(ellipsoids((0, -0.19, 1.22), (0.155, 0.10, 0.23), pack, 8, 6))
    depth = 0.115 * bulk
    wide = np.array([0.155, 0.15, 0.148, 0.185, 0.198, 0.12, 0.055]) * bulk
    deep = np.array([1.02, 0.98, 0.95, 1.06, 0.95, 0.62, 0.5]) * depth
    z = [0.86, 0.96, 1.08, 1.26, 1.38, 1.46, 1.50]
    parts.append(trunk(np.stack([wide, deep, np.full(7, 0.0), z], 1), top))
    if style in ("coat", "skirt"):
        hem = 0.55 if style == "coat" else 0.50
        cloth = top if style == "coat" else legs
        reach = (0.97 - hem) * np.tan(swing * abs(np.sin(2 * np.pi * phase)) + 0.06) + 0.12 * bulk
        parts.append(
            trunk(
                [
                    (0.215 * bulk, reach, 0, hem),
                    (0.20 * bulk, 0.5 * reach + 0.065 * bulk, 0, 0.78),
                    (0.185 * bulk, 0.12 * bulk, 0, 0.90),
                    (0.156 * bulk, depth * 1.04, 0, 1.0),
                ],
                cloth,
                12,
            )
        )
    parts.append(tubes((0, 0, 1.46), (0, 0.01, 1.56), 0.052, skin, sides=7, caps=False))
    parts += head(rng, (0, 0.015, 1.635), skin, train)
    tall = rng.uniform(0.93, 1.09)
    lift = 0.08 - min(feet)
    body = concatenate(parts).transformed(translation(0, 0, lift))
    if child:
        return body.scaled(
            (rng.uniform(0.66, 0.78), rng.uniform(0.66, 0.78), rng.uniform(0.58, 0.76))
        )
    return body.scaled((tall**0.5, tall**0.5, tall))


def _rider(
    rng: np.random.Generator,
    seat: ArrayLike,
    bars: ArrayLike,
    pedals: ArrayLike,
    lean: float,
    helmet: str,
) -> Mesh:
    """A seated rider: hip point, right grip, (right, left) foot points; `lean` radians forward."""
    train = "rider"
    skin = Look(shade(rng, pick(rng, SKIN), 0.08), "skin", train, True)
    top = Look(shade(rng, pick(rng, TOPS)), "cloth", train, True)
    legs = Look(shade(rng, pick(rng, LEGS)), "cloth", train, True)
    hip, up = np.asarray(seat, float), np.array([0, np.sin(lean), np.cos(lean)])
    parts = []
    bulk = rng.uniform(0.95, 1.15)
    for side, foot in zip((1, -1), np.asarray(pedals, float), strict=True):
        thigh = hip + [side * 0.09, 0, 0]
        ankle = foot + [0, -0.03, 0.09]
        gap = ankle - thigh
        reach = np.linalg.norm(gap)
        out = np.sqrt(max(0.45**2 - (reach / 2) ** 2, 0.0))
        forward = np.cross([1.0, 0, 0], gap / reach)
        knee = (thigh + ankle) / 2 + out * forward + [side * 0.03, 0, 0]
        shoulder = hip + 0.50 * up + [side * 0.19, 0, 0]
        grip = np.asarray(bars, float) * [side, 1, 1]
        arm = grip - shoulder
        sag = np.sqrt(max(0.31**2 - (np.linalg.norm(arm) / 2) ** 2, 0.0))
        elbow = (shoulder + grip) / 2 + sag * np.array([side * 0.5, -0.2, -0.8])
        parts += [
            limb([thigh, (thigh + knee) / 2, knee], np.array([0.095, 0.085, 0.062]) * bulk, legs),
            limb([knee, (2 * knee + ankle) / 3, ankle], [0.062, 0.06, 0.043], legs),
            shoe(ankle, train, 0.0, (0.03, 0.03, 0.03)),
            limb([shoulder, elbow], [0.066, 0.05], top),
            limb([elbow, grip], [0.05, 0.038], top, 6),
            ellipsoids(grip, 0.045, skin, 6, 5),
        ]
    spine = np.array([-0.08, 0.04, 0.16, 0.34, 0.46, 0.54, 0.58])
    wide, deep = (
        np.array([0.16, 0.165, 0.15, 0.185, 0.19, 0.12, 0.05]) * bulk,
        np.array([0.11, 0.115, 0.11, 0.12, 0.11, 0.075, 0.05]),
    )
    at = hip + spine[:, None] * up
    parts.append(trunk(np.stack([wide, deep, at[:, 1], at[:, 2]], 1), top))
    if rng.random() < 0.35:
        pack = ellipsoids(
            (0, -0.19, 0.30),
            (0.15, 0.10, 0.21),
            Look(shade(rng, pick(rng, TOPS)), "cloth", train, True),
            8,
            6,
        )
        parts.append(pack.transformed(translation(*hip) @ rotation(-lean, "x")))
    neck = hip + 0.56 * up
    parts.append(tubes(neck, neck + [0, 0.02, 0.10], 0.052, skin, sides=7, caps=False))
    parts += head(rng, neck + [0, 0.045, 0.17], skin, train, helmet)
    return concatenate(parts)


def cyclist(rng: np.random.Generator) -> Mesh:
    """A bicycle (train class bicycle) with its rider (train class rider)."""
    bike = bicycle(rng)
    helmet = "open" if rng.random() < 0.7 else ""
    rider = _rider(
        rng,
        (0, -0.24, 0.99),
        (0.28, 0.17, 1.03),
        [(0.12, 0.02, 0.17), (-0.12, -0.18, 0.43)],
        rng.uniform(0.25, 0.6),
        helmet,
    )
    return concatenate([bike, rider])


def motorcyclist(rng: np.random.Generator) -> Mesh:
    """A motorcycle (train class motorcycle) with its rider (train class rider)."""
    bike = motorcycle(rng, parked=False)
    feet = [(0.2, -0.02, 0.28), (-0.2, -0.02, 0.28)]
    rider = _rider(
        rng,
        (0, -0.32, 0.93),
        (0.34, 0.31, 1.12),
        feet,
        rng.uniform(0.18, 0.4),
        "full" if rng.random() < 0.75 else "open",
    )
    return concatenate([bike, rider])
