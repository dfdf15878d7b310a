"""Finding a place: try spots until one is free."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from vlmis_utils.streetworld.assets import props
from vlmis_utils.streetworld.scene.cast import Cast

__all__ = ["TRIES", "Spot", "try_place", "turned"]

TRIES = 14
Spot = Callable[[], tuple[float, float, float]]


def try_place(
    cast: Cast, kind: str, rng: np.random.Generator, spot: Spot, gap: float = 0.4, z: float = 0.0,
    hazard: bool = False, moving: bool = False, **options: object,
) -> bool:  # fmt: skip
    """Build a `kind` and place it at the first free spot of a few; returns whether it stands."""
    mesh = props.make(kind, rng, **options)
    for _ in range(TRIES):
        x, y, heading = spot()
        if cast.place(kind, mesh, float(x), float(y), float(heading), gap, z, hazard, moving):
            return True
    return False


def turned(rng: np.random.Generator, base: float, spread: float = 0.03) -> float:
    """A heading near `base`, radians."""
    return base + float(rng.normal(0, spread))
