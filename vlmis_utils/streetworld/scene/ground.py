"""The ground: carriageway, side street, kerbs, verges, pavements and gardens."""

from __future__ import annotations

import numpy as np

from vlmis_utils.streetworld.geometry.mesh import Look, Mesh, box, cards, concatenate
from vlmis_utils.streetworld.scene.layout import STREET_END, STREET_START, Plan, Side

__all__ = ["KERB_HEIGHT", "ground"]

KERB_HEIGHT = 0.12
_EDGE = 90.0
_CORNER = 3.0


def _quad(x0: float, x1: float, y0: float, y1: float, z: float) -> list[tuple[float, float, float]]:
    x0, x1 = sorted((x0, x1))
    return [(x0, y0, z), (x1, y0, z), (x1, y1, z), (x0, y1, z)]


def _block(plan: Plan, side: Side, y0: float, y1: float, looks: dict[str, Look]) -> list[Mesh]:
    """Everything from the kerb outwards between two y."""
    s, z = side.sign, KERB_HEIGHT
    parts = [
        box((s * (side.kerb + 0.075), (y0 + y1) / 2, z / 2), (0.15, y1 - y0, z), looks["kerb"])
    ]
    strips = [(side.kerb + 0.15, side.verge, "grass"), (side.verge, side.pavement, "pavement")]
    if side.verge == side.kerb:
        strips = [(side.kerb + 0.15, side.pavement, "pavement")]
    soil = "grass" if side.green else "yard"
    strips += [(side.pavement, side.setback, soil), (side.setback, _EDGE, soil)]
    cross = plan.crossing
    for inner, outer, name in strips:
        if outer - inner < 1e-3:
            continue
        if name == "grass" and cross is not None and cross.junction:
            near = cross.centre - cross.half if y1 <= cross.centre else cross.centre + cross.half
            if y1 <= cross.centre:
                paved, rest = (near - _CORNER, y1), (y0, near - _CORNER)
            else:
                paved, rest = (y0, near + _CORNER), (near + _CORNER, y1)
            parts.append(cards([_quad(s * inner, s * outer, *paved, z)], looks["pavement"]))
            parts.append(cards([_quad(s * inner, s * outer, *rest, z)], looks["grass"]))
        else:
            parts.append(cards([_quad(s * inner, s * outer, y0, y1, z)], looks[name]))
    return parts


def ground(rng: np.random.Generator, plan: Plan) -> Mesh:
    """The ground of a plan, carriageway at z = 0, all else at `KERB_HEIGHT`."""
    grey = rng.uniform(0.24, 0.40)
    warm = rng.uniform(0.90, 1.06)
    green = np.array([0.10, 0.20, 0.035]) * rng.uniform(0.8, 1.25) + [rng.uniform(0, 0.06), 0, 0]
    looks = {
        "road": Look((0.1, 0.1, 0.1), "road", "road"),
        "kerb": Look((0.42, 0.42, 0.41), "kerb", "sidewalk"),
        "pavement": Look((grey * warm, grey, grey / warm), "pavement", "sidewalk"),
        "yard": Look((grey * 0.8, grey * 0.77, grey * 0.72), "pavement", "sidewalk"),
        "grass": Look(tuple(float(v) for v in green), "grass", "terrain"),
    }
    left, right = -plan.left.kerb, plan.right.kerb
    parts = [cards([_quad(left, right, STREET_START, 400.0, 0.0)], looks["road"])]
    cross = plan.crossing
    if cross is None or not cross.junction:
        spans = [(STREET_START, 400.0)]
    else:
        y0, y1 = cross.centre - cross.half, cross.centre + cross.half
        spans = [(STREET_START, y0), (y1, 400.0)]
        parts.append(
            cards(
                [_quad(-_EDGE, left, y0, y1, 0.0), _quad(right, _EDGE, y0, y1, 0.0)], looks["road"]
            )
        )
        for x0, x1 in ((-_EDGE, left), (right, _EDGE)):
            size = (x1 - x0, 0.15, KERB_HEIGHT)
            centres = [
                ((x0 + x1) / 2, y0 - 0.06, KERB_HEIGHT / 2 + 0.002),
                ((x0 + x1) / 2, y1 + 0.06, KERB_HEIGHT / 2 + 0.002),
            ]
            parts.append(box(centres, size, looks["kerb"]))
    for side in plan.sides:
        for y0, y1 in spans:
            parts += _block(plan, side, y0, y1, looks)
    parts.append(
        cards(
            [
                _quad(-400, -_EDGE, STREET_START, 400, 0.0),
                _quad(_EDGE, 400, STREET_START, 400, 0.0),
            ],
            looks["grass"],
        )
    )
    parts.append(cards([_quad(-400, 400, STREET_END + 250, 1200, -0.05)], looks["grass"]))
    return concatenate(parts)
