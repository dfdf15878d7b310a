"""Mesh primitives: closed volumes against formulas, transforms, labels."""

import numpy as np
import pytest

from vlmis_utils.streetworld.geometry.mesh import (
    MATERIALS,
    Look,
    Mesh,
    box,
    cards,
    concatenate,
    empty,
    footprint,
    plate,
    rotation,
    train_id,
    translation,
)
from vlmis_utils.streetworld.geometry.shapes import (
    ellipsoids,
    loft,
    prism,
    torus,
    tubes,
)

GREY = Look((0.5, 0.5, 0.5), "matte", "car")


def volume(mesh: Mesh) -> float:
    """Signed volume by the divergence theorem: positive when the faces wind outwards."""
    a, b, c = (mesh.vertices[mesh.faces[:, k]].astype(float) for k in range(3))
    return float(np.einsum("ij,ij->i", a, np.cross(b, c)).sum() / 6)


SQUARE = [[0, 0], [1, 0], [1, 1], [0, 1]]


@pytest.mark.parametrize(
    ("mesh", "expected"),
    [
        (box((3, 1, 2), (1, 2, 3), GREY), 6.0),
        (box([[0, 0, 0], [9, 0, 0]], (1, 1, 1), GREY), 2.0),
        (ellipsoids((1, 0, 0), (1, 2, 3), GREY, 60, 40), 4 / 3 * np.pi * 6),
        (tubes((0, 0, 0), (1, 1, 3), 0.5, GREY, sides=60), np.pi * 0.25 * 11**0.5),
        (tubes((0, 0, 0), (0, 0, 3), 1.0, GREY, end_radius=0.5, sides=80), np.pi * 1.75),
        (torus((5, 0, 1), (1, 0, 0), 1, 0.1, GREY, 60, 30), 2 * np.pi**2 * 0.01),
        *[(prism(SQUARE, (0, 2), GREY, axis), 2.0) for axis in "xyz"],
        (loft([[[0, 0, z], [1, 0, z], [1, 1, z], [0, 1, z]] for z in (0, 1, 4)], GREY), 4.0),
    ],
)
def test_closed_volume(mesh: Mesh, expected: float) -> None:
    assert volume(mesh) == pytest.approx(expected, rel=0.02)


def test_dtypes_and_lengths() -> None:
    mesh = concatenate(
        [box((0, 0, 0), 1, GREY), torus((0, 0, 0), (0, 0, 1), 1, 0.2, GREY), empty()]
    )
    assert mesh.vertices.dtype == np.float32 and mesh.faces.dtype == np.int32
    assert mesh.colour.dtype == np.float32 and mesh.colour.shape == (len(mesh), 3)
    assert (
        mesh.material.dtype == np.uint8
        and mesh.train_id.dtype == np.uint8
        and mesh.smooth.dtype == bool
    )
    assert len(mesh.material) == len(mesh.train_id) == len(mesh.smooth) == len(mesh.faces)
    assert mesh.faces.max() == len(mesh.vertices) - 1


def test_moves_turn_counter_clockwise() -> None:
    tip = box((0, 2, 0), 0.1, GREY).moved(10, 20, np.pi / 2).vertices.mean(0)
    assert tip == pytest.approx([8, 20, 0], abs=1e-5)


def test_transform_keeps_volume_and_mirror_keeps_orientation() -> None:
    mesh = tubes((1, 0, 0), (0, 1, 2), 0.4, GREY)
    before = volume(mesh)
    assert volume(mesh.transformed(translation(1, 2, 3) @ rotation(0.7, "x"))) == pytest.approx(
        before, rel=1e-3
    )
    assert volume(mesh.transformed(np.diag([-1, 1, 1, 1]))) == pytest.approx(before, rel=1e-3)


def test_normals_are_unit_and_face_out() -> None:
    mesh = ellipsoids((0, 0, 0), 1, GREY)
    middle = mesh.vertices[mesh.faces].mean(1)
    normals = mesh.face_normals()
    assert np.allclose(np.linalg.norm(normals, axis=1), 1, atol=1e-5)
    assert (np.einsum("ij,ij->i", middle, normals) > 0).all()


def test_flat_shapes_face_their_viewer() -> None:
    corners = [[0, 0, 0], [1, 0, 0], [1, 0, 1], [0, 0, 1]]
    for mesh in (cards([corners], GREY), plate(corners, GREY)):
        assert np.allclose(mesh.face_normals(), [0, -1, 0], atol=1e-6)


def test_card_colours_are_per_card() -> None:
    mesh = cards(np.zeros((2, 4, 3)), GREY, [[1, 0, 0], [0, 1, 0]])
    assert mesh.colour.tolist() == [[1, 0, 0], [1, 0, 0], [0, 1, 0], [0, 1, 0]]


def test_labels_and_materials() -> None:
    mesh = box((0, 0, 0), (2, 4, 1), GREY)
    assert set(mesh.train_id) == {13} and set(mesh.material) == {MATERIALS["matte"]}
    assert set(mesh.relabelled("ignore").train_id) == {255} and train_id("bicycle") == 18
    assert footprint(mesh) == (4.0, 2.0)
    with pytest.raises(ValueError):
        train_id("unicorn")
