"""Lorries. Origin on the ground at the centre, heading +y, metres."""

from __future__ import annotations

import numpy as np

from vlmis_utils.streetworld.assets.large import LIVERIES, SQUARE, end_panes, flank_panes, mirrored
from vlmis_utils.streetworld.geometry.mesh import Look, Mesh, box, concatenate
from vlmis_utils.streetworld.geometry.parts import (
    DARK,
    GLASS,
    LAMP,
    RIM,
    TAIL,
    hull,
    pick,
    shade,
    wheels,
)

__all__ = ["TRUCK_KINDS", "truck"]


TRUCK_KINDS: tuple[str, ...] = ("box", "tipper", "flatbed")


_PAINTS = (
    (0.75, 0.75, 0.73),
    (0.52, 0.05, 0.04),
    (0.05, 0.13, 0.40),
    (0.75, 0.42, 0.03),
    (0.07, 0.26, 0.15),
    (0.24, 0.25, 0.26),
    (0.62, 0.20, 0.04),
)


def truck(rng: np.random.Generator, kind: str | None = None) -> Mesh:
    """A lorry (train class truck). kind: one of TRUCK_KINDS; drawn when None."""
    kind = kind or str(pick(rng, TRUCK_KINDS, (0.56, 0.22, 0.22)))
    dark, glass, lamp, tail = (look.but(train="truck") for look in (DARK, GLASS, LAMP, TAIL))
    cab = Look(shade(rng, pick(rng, _PAINTS), 0.1), "paint", "truck")
    length, half, top = rng.uniform(7.2, 9.0), 1.2, rng.uniform(2.55, 2.8)
    end, r = length / 2, 0.48
    back = end - 1.95
    y = np.array([end - 0.02, end, end - 0.08, end - 0.3, back + 0.15, back])[[1, 2, 3, 4, 5]]
    high = np.array([top - 0.32, top - 0.1, top, top, top - 0.05])
    parts = [
        hull(
            y,
            [0.55, 0.45, 0.42, 0.62, 0.62],
            high,
            half * np.array([0.93, 0.98, 1, 1, 0.98]),
            cab,
            SQUARE,
        )
    ]
    parts += flank_panes(half, back + 0.55, end - 0.22, 1.55, top - 0.35, [(0.0, 1.0)], glass)
    parts += [
        end_panes(half * 0.86, end, 1.5, top - 0.36, True, glass),
        end_panes(half * 0.62, end, 0.95, 1.3, True, dark),
        box((0, end + 0.01, 0.52), (2.3, 0.14, 0.26), dark),
        box(mirrored(0.9, end + 0.03, 0.62), (0.36, 0.14, 0.17), lamp),
        box((0, end + 0.09, 0.5), (0.5, 0.02, 0.11), Look((0.8, 0.8, 0.78), "sign", "truck")),
        box(mirrored(half + 0.14, end - 0.16, 1.75), (0.14, 0.10, 0.46), dark),
        box((0, -0.2, 0.72), (0.8, length - 0.9, 0.26), dark),
        box((0, -end + 0.12, 0.55), (2.2, 0.1, 0.14), dark),
        box(mirrored(0.88, -end + 0.05, 0.78), (0.36, 0.1, 0.16), tail),
        box((0, -end + 0.06, 0.80), (0.5, 0.06, 0.12), Look((0.8, 0.8, 0.78), "sign", "truck")),
    ]
    rear = -end + 1.5
    axles = [end - 0.95, rear, rear + 1.15] if rng.random() < 0.45 else [end - 0.95, rear]
    ys = np.repeat(axles, 2)
    parts.append(
        wheels(
            [half * 0.98, -half * 0.98] * len(axles),
            ys,
            r,
            0.34,
            "truck",
            RIM.but(colour=(0.35, 0.35, 0.35)),
        )
    )
    bed0, bed1 = -end + 0.08, back - 0.12
    mid, span = (bed0 + bed1) / 2, bed1 - bed0
    load = Look(shade(rng, pick(rng, _PAINTS, (4, 1, 1, 1, 1, 1, 1)), 0.1), "paint", "truck")
    if kind == "box":
        tall = rng.uniform(3.1, 3.6)
        seams = [
            [s * 1.255, yy, (tall + 1.05) / 2]
            for s in (1, -1)
            for yy in np.linspace(bed0 + 0.02, bed1 - 0.02, 5)
        ]
        rib = load.but(colour=tuple(np.multiply(load.colour, 0.72).tolist()))
        parts += [
            box((0, mid, (tall + 1.0) / 2), (2.5, span, tall - 1.0), load),
            box(seams, (0.03, 0.05, tall - 1.05), rib),
            box(
                [
                    [0, bed0 - 0.012, (tall + 1) / 2],
                    *[[x, bed0 - 0.015, (tall + 1) / 2] for x in (-0.55, 0.55)],
                ],
                [(0.04, 0.02, tall - 1.15), *[(0.05, 0.05, tall - 1.2)] * 2],
                rib,
            ),
            box([[0, bed0 - 0.01, 1.02], [0, bed0 - 0.01, tall - 0.05]], (2.5, 0.05, 0.1), dark),
        ]
        if rng.random() < 0.6:
            band = load.but(colour=pick(rng, LIVERIES))
            z = rng.uniform(1.7, 2.4)
            parts.append(
                box(mirrored(1.252, mid, z), (0.012, span * 0.7, rng.uniform(0.35, 0.8)), band)
            )
    elif kind == "tipper":
        lip = 2.3
        parts += [
            box([[s * 1.2, mid, 1.65] for s in (1, -1)], (0.08, span, 1.3), load),
            box(
                [[0, bed0 + 0.04, 1.6], [0, bed1 - 0.04, 1.75]],
                [(2.4, 0.08, 1.2), (2.4, 0.08, 1.5)],
                load,
            ),
            box(
                [
                    [s * 1.26, yy, 1.65]
                    for s in (1, -1)
                    for yy in np.linspace(bed0 + 0.2, bed1 - 0.2, 5)
                ],
                (0.07, 0.1, 1.3),
                load,
            ),
            hull(
                [bed1 - 0.1, mid + 0.6, mid - 0.6, bed0 + 0.1],
                1.2,
                [lip - 0.2, lip + 0.25, lip + 0.15, lip - 0.3],
                1.12,
                Look((0.22, 0.18, 0.13), "soil", "truck"),
                ((1, 0), (1, 0.6), (0.6, 0.9), (0.2, 1.0)),
            ),
            box((0, mid, 1.0), (2.3, span, 0.1), dark),
        ]
    else:
        wood = Look((0.27, 0.19, 0.11), "wood", "truck")
        parts += [
            box((0, mid, 1.02), (2.45, span, 0.14), wood),
            box([[s * 1.2, mid, 1.28] for s in (1, -1)], (0.05, span, 0.42), load),
            box((0, bed0 + 0.03, 1.28), (2.4, 0.05, 0.42), load),
            box((0, bed1 - 0.03, 1.6), (2.4, 0.06, 1.1), load),
        ]
        crates = [
            [x, yy, 1.09 + rng.uniform(0.3, 0.55)]
            for x in (-0.55, 0.55)
            for yy in np.arange(bed0 + 0.8, bed1 - 0.5, 1.25)
        ]
        for crate in crates:
            tall = 2 * (crate[2] - 1.09)
            parts.append(
                box(
                    crate,
                    (0.95, 1.05, tall),
                    wood.but(
                        colour=shade(
                            rng,
                            pick(rng, ((0.4, 0.28, 0.15), (0.35, 0.35, 0.36), (0.1, 0.2, 0.35))),
                        )
                    ),
                )
            )
    return concatenate(parts)
