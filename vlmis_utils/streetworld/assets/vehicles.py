"""Cars: lofted bodies with wheel arches, glass, lamps and plates.

Origin on the ground at the centre, heading +y, metres.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vlmis_utils.streetworld.geometry.mesh import Look, Mesh, box, concatenate
from vlmis_utils.streetworld.geometry.parts import (
    CAR_PAINTS,
    DARK,
    GLASS,
    LAMP,
    RIM,
    TAIL,
    arches,
    hull,
    pane_grid,
    pick,
    shade,
    wheels,
)
from vlmis_utils.streetworld.geometry.shapes import ellipsoids, loft

__all__ = ["CAR_KINDS", "CAR_PAINTS", "car"]


_PAINT_SHARE = (0.19, 0.16, 0.12, 0.13, 0.11, 0.11, 0.04, 0.035, 0.03, 0.025, 0.025, 0.025)


@dataclass(frozen=True)
class _Shape:
    """Side view of a car, metres: windscreen base a, roof front b, roof rear c, rear glass d."""

    length: float
    width: float
    height: float
    belt: float
    nose: float
    deck: float
    a: float
    b: float
    c: float
    d: float
    axles: tuple[float, float]
    radius: float
    clearance: float = 0.22


_SHAPES: dict[str, _Shape] = {
    "hatchback": _Shape(
        3.95, 1.74, 1.48, 0.95, 0.76, 0.93, 1.08, 0.36, -1.30, -1.78, (1.22, -1.24), 0.31
    ),
    "saloon": _Shape(
        4.62, 1.80, 1.44, 0.93, 0.74, 0.95, 1.02, 0.26, -0.98, -1.66, (1.38, -1.34), 0.32
    ),
    "estate": _Shape(
        4.60, 1.80, 1.48, 0.94, 0.75, 0.92, 1.04, 0.28, -1.78, -2.16, (1.38, -1.34), 0.32
    ),
    "suv": _Shape(
        4.45, 1.88, 1.70, 1.08, 0.92, 1.06, 1.10, 0.42, -1.66, -2.04, (1.36, -1.32), 0.37, 0.28
    ),
    "van": _Shape(
        4.95, 1.95, 2.02, 1.14, 0.98, 1.10, 1.86, 1.18, -2.30, -2.40, (1.60, -1.50), 0.34, 0.26
    ),
}


CAR_KINDS: tuple[str, ...] = (*_SHAPES, "taxi")


def _cabin(shape: _Shape, paint: Look, glass: Look, panel: bool) -> list[Mesh]:
    s = shape
    wb, wr = s.width / 2 * 0.93, s.width / 2 * (0.86 if s.height > 1.9 else 0.74)
    base, roof = s.belt - 0.04, s.height - 0.05
    plan = [(wb * 0.88, s.a), (wb, s.a - 0.18), (wb, s.d + 0.12), (wb * 0.9, s.d)]
    top = [(wr * 0.9, s.b), (wr, s.b - 0.14), (wr, s.c + 0.10), (wr * 0.92, s.c)]
    crown = [(x * 0.86, y * 1.0 - 0.07 * np.sign(y - (s.b + s.c) / 2)) for x, y in top]

    def ring(points: list[tuple[float, float]], z: float) -> list[tuple[float, float, float]]:
        right = [(x, y, z) for x, y in points[::-1]]
        return right + [(-x, y, z) for x, y, _ in right[::-1]]

    parts = [loft([ring(plan, base), ring(top, roof), ring(crown, s.height)], paint)]
    side = np.array(
        [
            [wb, s.d + 0.12, base],
            [wb, s.a - 0.18, base],
            [wr, s.b - 0.14, roof],
            [wr, s.c + 0.10, roof],
        ]
    )
    other = (side * [-1, 1, 1])[[1, 0, 3, 2]]
    doors = [(0.62, 0.93)] if panel else [(0.06, 0.20), (0.235, 0.555), (0.59, 0.93)]
    if s.c - s.d > 0.6 or s.d > -1.8:
        doors = [(0.07, 0.48), (0.52, 0.93)]
    front = np.array(
        [
            [wb * 0.88, s.a, base],
            [-wb * 0.88, s.a, base],
            [-wr * 0.9, s.b, roof],
            [wr * 0.9, s.b, roof],
        ]
    )
    back = np.array(
        [
            [-wb * 0.9, s.d, base],
            [wb * 0.9, s.d, base],
            [wr * 0.92, s.c, roof],
            [-wr * 0.92, s.c, roof],
        ]
    )
    parts += [
        pane_grid(side, doors, glass, 0.12, 0.93),
        pane_grid(other, [(1 - e, 1 - b) for b, e in doors], glass, 0.12, 0.93),
        pane_grid(front, [(0.03, 0.97)], glass, 0.08, 0.95),
        pane_grid(
            back,
            [(0.05, 0.485), (0.515, 0.95)] if s.height > 1.9 else [(0.06, 0.94)],
            glass,
            0.14,
            0.9,
        ),
    ]
    return parts


def car(rng: np.random.Generator, kind: str | None = None, paint: str | None = None) -> Mesh:
    """A car. kind: one of CAR_KINDS; paint: a name in CAR_PAINTS; both are drawn when None."""
    kind = kind or str(pick(rng, CAR_KINDS, (0.27, 0.22, 0.17, 0.19, 0.10, 0.05)))
    s = _SHAPES["saloon" if kind == "taxi" else kind]
    colour = CAR_PAINTS[paint or str(pick(rng, tuple(CAR_PAINTS), _PAINT_SHARE))]
    if kind == "taxi" and paint is None:
        colour = CAR_PAINTS[str(pick(rng, ("yellow", "beige", "black")))]
    body = Look(shade(rng, colour, 0.08), "paint", "car")
    grow = rng.uniform(0.96, 1.04, 3)
    glass, dark, tail, lamp = (look.but(train="car") for look in (GLASS, DARK, TAIL, LAMP))
    half, end = s.width / 2, s.length / 2
    bends = [
        bend
        for axle in s.axles
        for bend in axle
        + s.radius * 1.16 * np.array([-1, -0.999, -0.8, -0.4, 0, 0.4, 0.8, 0.999, 1])
    ]
    y = np.unique(
        [end, end - 0.05, end - 0.22, end - 0.5, s.a, 0, s.d, 0.25 - end, 0.06 - end, -end, *bends]
    )[::-1]
    y = y[np.abs(y) <= end]
    top = np.interp(
        -y,
        [-end, 0.07 - end, 0.3 - end, -s.a, -s.d, end - 0.08, end],
        [s.nose - 0.10, s.nose, s.nose + 0.05, s.belt, s.belt, s.deck, s.deck - 0.12],
    )
    wide = half * np.interp(np.abs(y) / end, [0, 0.72, 0.9, 0.97, 1], [1, 1, 0.965, 0.91, 0.82])
    low = arches(y, s.axles, s.radius, s.clearance)
    low = np.where(np.abs(y) > end - 0.02, s.clearance + 0.1, low)
    parts = [
        hull(y, low, top, wide, body),
        *_cabin(s, body, glass, kind == "van" and rng.random() < 0.6),
    ]
    parts.append(box((0, 0, s.clearance + 0.2), (s.width * 0.72, s.length * 0.9, 0.36), dark))
    axles = np.repeat(s.axles, 2)
    parts.append(wheels([half * 0.97, -half * 0.97] * 2, axles, s.radius, 0.21, "car",
                        RIM.but(colour=shade(rng, RIM.colour, 0.25))))  # fmt: skip
    trim = dark if rng.random() < 0.5 or kind == "suv" else body
    zl, zt = s.nose - 0.08, s.deck - 0.2
    lw = rng.uniform(0.30, 0.42)
    tall = 0.42 if kind in ("van", "suv", "estate") and rng.random() < 0.6 else 0.16
    sx = np.array([1.0, -1.0])[:, None]
    two = np.ones((2, 1))
    parts += [
        box(sx * [half * 0.64, 0, 0] + two * [0, end - 0.075, zl], (lw, 0.16, 0.14), lamp),
        box(
            sx * [half * 0.72, 0, 0] + two * [0, 0.05 - end, zt + (tall - 0.16) / 2],
            (0.16 if tall > 0.2 else 0.30, 0.13, tall),
            tail,
        ),
        box((0, end - 0.03, zl - 0.01), (half * 0.72, 0.09, 0.12), dark),
        box((0, end - 0.03, s.clearance + 0.16), (half * 1.2, 0.10, 0.13), dark),
        box((0, 0.02 - end, s.clearance + 0.16), (half * 1.62, 0.1, 0.17), trim),
        box(
            (0, end + 0.022, s.clearance + 0.27),
            (0.5, 0.02, 0.11),
            Look((0.8, 0.8, 0.78), "sign", "car"),
        ),
        box(
            (0, -end - 0.012, s.clearance + (0.42 if s.deck > 0.9 else 0.3)),
            (0.5, 0.03, 0.11),
            Look((0.82, 0.66, 0.08) if rng.random() < 0.35 else (0.8, 0.8, 0.78), "sign", "car"),
        ),
        box(
            sx * [half * 0.985, 0, 0] + two * [0, 0.02, s.clearance + 0.05],
            (0.04, s.axles[0] - s.axles[1] - 2.4 * s.radius, 0.1),
            dark,
        ),
        ellipsoids(
            sx * [half + 0.07, 0, 0] + two * [0, s.a - 0.34, s.belt + 0.06],
            (0.10, 0.06, 0.075),
            body.but(smooth=True),
            8,
            5,
        ),
    ]
    gaps = np.array([s.a - 0.2, (s.a + s.d) / 2 + 0.05])
    if kind != "hatchback":
        gaps = np.append(gaps, max(s.d + 0.75, s.axles[1] + 0.1))
    seam = np.array(
        [
            [side * half * 0.985, gap, (s.clearance + s.belt) / 2 + 0.06]
            for gap in gaps
            for side in (1, -1)
        ]
    )
    parts.append(box(seam, (0.035, 0.014, (s.belt - s.clearance) * 0.62), dark))
    handles = seam[2:] + [0, 0.16, 0.17]
    parts.append(box(handles, (0.05, 0.17, 0.028), dark if trim is dark else RIM.but(train="car")))
    if kind == "taxi":
        parts.append(
            box(
                (0, -0.3, s.height + 0.08),
                (0.5, 0.18, 0.17),
                Look((0.85, 0.7, 0.2), "display", "car"),
            )
        )
    elif kind in ("estate", "suv") and rng.random() < 0.6:
        rails = sx * [half * 0.66, 0, 0] + two * [0, (s.b + s.c) / 2, s.height + 0.02]
        parts.append(box(rails, (0.04, (s.b - s.c) * 0.8, 0.06), RIM.but(train="car")))
    return concatenate(parts).scaled(grow)
