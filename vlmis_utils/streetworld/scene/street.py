"""Street furniture: trees, lamps, bollards, walls, fences, hedges, shelters and signs."""

from __future__ import annotations

import numpy as np

from vlmis_utils.streetworld.assets import props
from vlmis_utils.streetworld.assets.signs import draw_kind
from vlmis_utils.streetworld.geometry.mesh import Mesh
from vlmis_utils.streetworld.scene.cast import Cast
from vlmis_utils.streetworld.scene.ground import KERB_HEIGHT
from vlmis_utils.streetworld.scene.layout import STREET_START, Plan, Side

__all__ = ["furnish", "signs"]

_FRONT_END = 85.0
_PIECE = 3.0  # m: length of a wall, fence or hedge section


class _Kit:
    """A few meshes of a kind for one scene, drawn on first use and then used again."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng, self._made = rng, {}

    def __call__(self, kind: str, count: int, **options: object) -> Mesh:
        number = int(self._rng.integers(count))
        if (kind, number) not in self._made:
            self._made[kind, number] = props.make(kind, self._rng, **options)
        return self._made[kind, number]


def furnish(rng: np.random.Generator, plan: Plan, cast: Cast) -> None:
    """Put up everything that stands still, but signs and signals, on both sides of the street."""
    kit = _Kit(rng)
    for side in plan.sides:
        _lamps(rng, plan, side, cast)
        _trees(rng, plan, side, cast, kit)
        _frontage(rng, plan, side, cast, kit)
        if rng.random() < 0.30:
            _bollards(rng, plan, side, cast)
        _small(rng, plan, side, cast)


def _frontage(rng: np.random.Generator, plan: Plan, side: Side, cast: Cast, kit: _Kit) -> None:
    """Walls, fences and hedges along the back of the pavement; trees behind them."""
    if side.front == "building" and side.garden == 0:
        return
    y = STREET_START + rng.uniform(0, 8)
    while y < _FRONT_END:
        length = _PIECE * int(rng.integers(3, 9))
        front = (
            side.front
            if rng.random() < 0.72
            else str(rng.choice(["wall", "fence", "hedge", "open"], p=[0.3, 0.1, 0.2, 0.4]))
        )
        if side.front == "building":
            front = str(rng.choice(["fence", "hedge", "open"], p=[0.22, 0.28, 0.5]))
        if side.front == "park" and rng.random() < 0.6:
            front = "open"
        if front in ("wall", "fence", "hedge"):
            _barrier(rng, plan, side, cast, front, y, length)
        if side.front == "park" or side.garden > 3.6:
            _green(rng, plan, side, cast, kit, y, length)
        y += length + (rng.uniform(1.5, 4) if rng.random() < 0.5 else 0)


def _barrier(
    rng: np.random.Generator, plan: Plan, side: Side, cast: Cast, kind: str, y: float, length: float
) -> None:
    piece = props.make(kind, rng, length=_PIECE)
    line = side.sign * (side.pavement + 0.35)
    for start in np.arange(y, y + length - 0.1, _PIECE):
        middle = float(start + _PIECE / 2)
        if not plan.open_at(middle, 3.2 + _PIECE / 2):
            turn = 0.0 if side.sign < 0 else np.pi
            cast.stand(kind, piece, line, middle, turn, 0.1, KERB_HEIGHT, solid=False, force=True)


def _green(
    rng: np.random.Generator, plan: Plan, side: Side, cast: Cast, kit: _Kit, y: float, length: float
) -> None:
    park = side.front == "park"
    for _ in range(int(rng.integers(0, 3)) + 3 * park):
        low, high = (2.4, 20.0) if park else (1.7, side.garden - 1.2)
        x = side.sign * (side.pavement + low + (high - low) * rng.random())
        spot = float(y + rng.uniform(0, length))
        if spot < 4 and abs(x) < 12 or plan.open_at(spot, 5.0):
            continue
        tall = park and rng.random() < 0.7
        mesh = kit("tree", 4) if tall else kit("bush", 3)
        cast.stand("tree" if tall else "bush", mesh, x, spot, rng.uniform(0, 6), 0.9, KERB_HEIGHT)


def _lamps(rng: np.random.Generator, plan: Plan, side: Side, cast: Cast) -> None:
    if rng.random() < 0.25:
        return
    y, gap = rng.uniform(4, 18), rng.uniform(18, 30)
    lamp = props.make("pole" if rng.random() < 0.15 else "lamp", rng)
    while y < 110:
        if not plan.open_at(y, 1.5):
            turn = 0.0 if side.sign > 0 else np.pi
            cast.stand("lamp", lamp, side.sign * (side.kerb + 0.45), y, turn, 0.2, KERB_HEIGHT)
        y += gap


def _trees(rng: np.random.Generator, plan: Plan, side: Side, cast: Cast, kit: _Kit) -> None:
    verge = side.verge - side.kerb
    if verge < 0.5 and (rng.random() < 0.5 or side.pavement - side.kerb < 2.6):
        return
    x = side.sign * (side.kerb + (verge / 2 if verge > 0.5 else 0.75))
    y = rng.uniform(4, 14)
    while y < 90:
        near_signal = (
            plan.crossing is not None and plan.crossing.signals and -9 < y - plan.crossing.stop < 2
        )
        if not plan.open_at(y, 2.5) and rng.random() < 0.85 and not near_signal:
            cast.stand("tree", kit("tree", 4), x, y, rng.uniform(0, 6), 0.35, KERB_HEIGHT)
        y += plan.tree_gap * rng.uniform(0.8, 1.5) * (1.0 if y < 45 else 1.6)


def _bollards(rng: np.random.Generator, plan: Plan, side: Side, cast: Cast) -> None:
    start, bollard = rng.uniform(3, 14), props.make("bollard", rng)
    for y in np.arange(start, start + rng.uniform(10, 30), rng.uniform(1.8, 2.6)):
        if not plan.open_at(y, 0.5):
            x = side.sign * (side.kerb + 0.4)
            cast.stand("bollard", bollard, x, float(y), 0.0, 0.12, KERB_HEIGHT)


def _small(rng: np.random.Generator, plan: Plan, side: Side, cast: Cast) -> None:
    """Bins, benches and a bus shelter, open to the road."""
    towards = np.pi if side.sign > 0 else 0.0
    for kind, share, inset, radius in (
        ("bin", 0.3, 0.6, 0.35),
        ("bench", 0.2, 1.6, 0.9),
        ("shelter", 0.12, 1.7, 2.2),
    ):
        y = rng.uniform(7, 32)
        if rng.random() < share and side.pavement - side.kerb > 2.6 and not plan.open_at(y, 3.0):
            x = side.sign * min(side.kerb + inset, side.pavement - 0.9)
            cast.stand(kind, props.make(kind, rng), x, float(y), towards, radius, KERB_HEIGHT)


def signs(rng: np.random.Generator, plan: Plan, cast: Cast, count: int) -> int:
    """Put up `count` signs, most of them near, and return how many stand.

    They face the ego car, but for those that would forbid it to go on: no entry shows its back.
    """
    placed = 0
    for _ in range(count):
        side = plan.right if rng.random() < 0.72 else plan.left
        kind = draw_kind(rng)
        mesh = props.make("sign", rng, kind=kind)
        name = "stop sign" if kind == "stop" else "sign"
        for _ in range(6):
            y = float(rng.uniform(7, 20) if rng.random() < 0.75 else rng.uniform(20, 40))
            x = side.sign * (side.kerb + rng.uniform(0.4, 0.8))
            turn = rng.normal(0, 0.10) + (np.pi if kind == "no_entry" else 0.0)
            if not plan.open_at(y, 0.5) and cast.stand(name, mesh, x, y, turn, 0.25, KERB_HEIGHT):
                placed += 1
                break
    return placed
