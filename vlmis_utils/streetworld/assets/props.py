"""One door to the assets: a mesh by the kind that the scene gives it."""

from __future__ import annotations

import numpy as np

from vlmis_utils.streetworld.assets.catalog import BUILDERS
from vlmis_utils.streetworld.geometry.mesh import Mesh

__all__ = ["make"]

_NAMES: dict[str, str] = {
    "tram": "train", "light": "traffic_light", "sign": "traffic_sign", "lamp": "street_lamp",
    "pole": "utility_pole", "shelter": "bus_shelter",
}  # fmt: skip


def make(kind: str, rng: np.random.Generator, /, **options: object) -> Mesh:
    """Build an asset; the options are its builder's."""
    return BUILDERS[_NAMES.get(kind, kind)](rng, **options)
