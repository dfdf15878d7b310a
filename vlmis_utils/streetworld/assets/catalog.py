"""Every asset builder by name: `BUILDERS[name](rng, **options)` returns a `Mesh`."""

from __future__ import annotations

from collections.abc import Callable

from vlmis_utils.streetworld.assets.barriers import bench, bin_, bus_shelter, fence, wall
from vlmis_utils.streetworld.assets.furniture import (
    bollard,
    street_lamp,
    traffic_light,
    utility_pole,
)
from vlmis_utils.streetworld.assets.large import bus, train
from vlmis_utils.streetworld.assets.nature import bush, grass, hedge, tree
from vlmis_utils.streetworld.assets.people import cyclist, motorcyclist, pedestrian
from vlmis_utils.streetworld.assets.signs import traffic_sign
from vlmis_utils.streetworld.assets.trucks import truck
from vlmis_utils.streetworld.assets.two_wheelers import bicycle, motorcycle
from vlmis_utils.streetworld.assets.vehicles import car
from vlmis_utils.streetworld.geometry.mesh import Mesh

__all__ = ["BUILDERS"]

BUILDERS: dict[str, Callable[..., Mesh]] = {
    "car": car,
    "truck": truck,
    "bus": bus,
    "train": train,
    "motorcycle": motorcycle,
    "bicycle": bicycle,
    "pedestrian": pedestrian,
    "cyclist": cyclist,
    "motorcyclist": motorcyclist,
    "traffic_light": traffic_light,
    "traffic_sign": traffic_sign,
    "street_lamp": street_lamp,
    "utility_pole": utility_pole,
    "bollard": bollard,
    "bench": bench,
    "bin": bin_,
    "bus_shelter": bus_shelter,
    "fence": fence,
    "wall": wall,
    "tree": tree,
    "bush": bush,
    "hedge": hedge,
    "grass": grass,
}
