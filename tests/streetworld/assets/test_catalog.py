"""Every asset: finite, above ground, rightly labelled, in budget, a pure function of its seed."""

import numpy as np
import pytest

from vlmis_utils.streetworld.assets.catalog import BUILDERS
from vlmis_utils.streetworld.assets.nature import TREE_KINDS
from vlmis_utils.streetworld.assets.signs import SIGN_KINDS
from vlmis_utils.streetworld.assets.trucks import TRUCK_KINDS
from vlmis_utils.streetworld.assets.vehicles import CAR_KINDS
from vlmis_utils.streetworld.geometry.mesh import MATERIALS, Mesh, footprint, train_id

TRAINS = {
    "car": {"car"},
    "truck": {"truck"},
    "bus": {"bus"},
    "train": {"train"},
    "motorcycle": {"motorcycle"},
    "bicycle": {"bicycle"},
    "pedestrian": {"person"},
    "cyclist": {"bicycle", "rider"},
    "motorcyclist": {"motorcycle", "rider"},
    "traffic_light": {"traffic light", "pole"},
    "traffic_sign": {"traffic sign", "pole"},
    "street_lamp": {"pole"},
    "utility_pole": {"pole"},
    "bollard": {"pole"},
    "bench": {"ignore"},
    "bin": {"ignore"},
    "bus_shelter": {"building", "pole"},
    "fence": {"fence"},
    "wall": {"wall"},
    "tree": {"vegetation"},
    "bush": {"vegetation"},
    "hedge": {"vegetation"},
    "grass": {"terrain"},
}
BUDGET = {
    "car": 2500,
    "pedestrian": 1500,
    "bicycle": 1500,
    "tree": 3000,
    "train": 4500,
    "cyclist": 3000,
    "motorcyclist": 3000,
}
SIZES = {
    "car": ((3.6, 5.3), (1.6, 2.4)),
    "truck": ((6.5, 9.5), (2.2, 3.0)),
    "bus": ((10, 12.8), (2.4, 3.1)),
    "train": ((19, 35), (2.2, 2.8)),
    "pedestrian": ((0.2, 1.3), (0.3, 0.9)),
    "bicycle": ((1.6, 1.9), (0.4, 0.8)),
    "cyclist": ((1.6, 1.95), (0.4, 0.9)),
    "motorcycle": ((1.8, 2.3), (0.5, 1.0)),
    "motorcyclist": ((1.8, 2.3), (0.5, 1.0)),
}


def build(name: str, seed: int, **options: object) -> Mesh:
    return BUILDERS[name](np.random.default_rng(seed), **options)


def same(a: Mesh, b: Mesh) -> bool:
    fields = ("vertices", "faces", "colour", "material", "train_id", "smooth")
    return all(np.array_equal(getattr(a, field), getattr(b, field)) for field in fields)


def test_all_builders_are_covered() -> None:
    assert set(BUILDERS) == set(TRAINS)


@pytest.mark.parametrize("name", BUILDERS)
def test_sound(name: str) -> None:
    seen: set[int] = set()
    for seed in range(10):
        mesh = build(name, seed)
        assert np.isfinite(mesh.vertices).all() and np.isfinite(mesh.colour).all()
        assert mesh.vertices[:, 2].min() >= -0.021
        assert mesh.vertices[:, 2].min() <= 0.12
        assert mesh.faces.min() >= 0 and mesh.faces.max() < len(mesh.vertices)
        assert mesh.colour.min() >= 0 and mesh.colour.max() <= 1
        assert len(mesh) <= BUDGET.get(name, 2700)
        assert np.linalg.norm(mesh.face_normals(), axis=1).min() >= 0
        seen |= set(mesh.train_id.tolist())
        if name in SIZES:
            for size, (low, high) in zip(footprint(mesh), SIZES[name], strict=True):
                assert low <= size <= high, (seed, size)
    assert seen == {train_id(train) for train in TRAINS[name]}


@pytest.mark.parametrize("name", BUILDERS)
def test_pure_function_of_the_seed(name: str) -> None:
    assert same(build(name, 3), build(name, 3))
    assert any(not same(build(name, 3), build(name, seed)) for seed in (4, 5, 6))


@pytest.mark.parametrize(
    ("name", "option", "values"),
    [
        ("car", "kind", CAR_KINDS), ("truck", "kind", TRUCK_KINDS), ("tree", "kind", TREE_KINDS),
        ("traffic_sign", "kind", SIGN_KINDS), ("fence", "kind", ("railing", "picket", "boards")),
    ],
)  # fmt: skip
def test_kinds_differ(name: str, option: str, values: tuple[str, ...]) -> None:
    meshes = [build(name, 1, **{option: value}) for value in values]
    assert not any(same(a, b) for i, a in enumerate(meshes) for b in meshes[:i])


@pytest.mark.parametrize("state", ["red", "amber", "green"])
@pytest.mark.parametrize("arm", [False, True])
def test_light_shows_one_colour_towards_minus_y(state: str, arm: bool) -> None:
    mesh = build("traffic_light", 0, state=state, arm=arm, repeater=False)
    lit = {
        name
        for name, number in MATERIALS.items()
        if name.startswith("emissive") and (mesh.material == number).any()
    }
    assert lit == {f"emissive_{state}"}
    faces = mesh.face_normals()[mesh.material == MATERIALS[f"emissive_{state}"]]
    assert (faces[:, 1] < -0.9).any()
    head = mesh.vertices[mesh.faces[mesh.train_id == train_id("traffic light")]]
    assert (np.ptp(head[..., 0]) > 3) == arm


@pytest.mark.parametrize("kind", SIGN_KINDS)
def test_sign_plate_is_readable_and_faces_minus_y(kind: str) -> None:
    mesh = build("traffic_sign", 2, kind=kind, size=0.8, height=2.4)
    plate = mesh.train_id == train_id("traffic sign")
    face = plate & (mesh.material == MATERIALS["sign"])
    assert np.allclose(mesh.face_normals()[face], [0, -1, 0], atol=1e-4)
    assert 0.65 <= np.ptp(mesh.vertices[mesh.faces[plate]][..., 0]) <= 1.7


def test_signal_grows_with_scale() -> None:
    areas = []
    for scale in (1.0, 1.5):
        mesh = build("traffic_light", 0, scale=scale, repeater=False)
        head = mesh.vertices[mesh.faces[mesh.train_id == train_id("traffic light")]]
        areas.append(np.ptp(head[..., 2]))
    assert areas[0] >= 0.95 and areas[1] / areas[0] == pytest.approx(1.5, rel=0.05)
