"""Traffic lights of a crossing."""

from __future__ import annotations

import numpy as np

from vlmis_utils.streetworld.assets import props
from vlmis_utils.streetworld.scene.cast import Cast
from vlmis_utils.streetworld.scene.ground import KERB_HEIGHT
from vlmis_utils.streetworld.scene.layout import Plan
from vlmis_utils.streetworld.scene.spots import turned

__all__ = ["signals"]


def signals(rng: np.random.Generator, plan: Plan, cast: Cast, state: str | None) -> None:
    """Set up the traffic lights of the crossing; `state` is what the ego lane sees, None for no
    light that faces it (then the lights show it their backs)."""
    cross = plan.crossing
    if cross is None or not cross.signals:
        return
    facing = 0.0 if state else np.pi
    shown = state or str(rng.choice(["red", "green"]))
    look, scale = int(rng.integers(1 << 30)), float(rng.uniform(1.15, 1.45))

    def head(x: float, y: float, turn: float, light: str, arm: bool = False) -> None:
        mesh = props.make("light", np.random.default_rng(look), state=light, arm=arm, scale=scale)
        kind = "light" if state and abs(turn) < 0.5 else "turned light"
        cast.stand(kind, mesh, x, y, turn, 0.25, KERB_HEIGHT, force=True)

    near = cross.stop + rng.uniform(0.4, 1.2)
    right, left = plan.right.kerb + 0.45, -(plan.left.kerb + 0.45)
    head(
        right, near, turned(rng, facing, 0.06), shown, bool(rng.random() < 0.35 and cross.stop > 14)
    )
    far_y = cross.y1 + 0.6
    if state and rng.random() < 0.35:
        head(left, near, turned(rng, 0.0), state)
    if rng.random() < 0.6:
        other = "red" if shown == "green" and rng.random() < 0.15 else shown
        head(left, far_y, turned(rng, np.pi), other)
    if cross.junction and rng.random() < 0.6:
        side_state = "green" if shown == "red" else "red"
        head(
            right + 0.5,
            cross.centre + cross.half + 0.8,
            np.pi / 2 * rng.choice([-1, 1]),
            side_state,
        )
