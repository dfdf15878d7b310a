"""Triangle meshes: the form in which assets reach the world, and their flat primitives.

Axes: x right, y forward, z up; unit metre. Faces wind counter-clockwise seen from outside, so
normals point outwards. Every primitive takes a `Look` (colour, material, train class, smooth or
flat).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vlmis_utils.protocol.classes import IGNORE, TRAIN_CLASSES

__all__ = [
    "MATERIALS", "Look", "Mesh", "box", "cards", "concatenate", "cross", "empty", "footprint",
    "frame", "mesh_of", "plate", "rotation", "split_quads", "train_id", "translation",
]  # fmt: skip

MATERIALS: dict[str, int] = {
    name: number
    for number, name in enumerate(
        (
            "matte", "paint", "glass", "rubber", "metal", "skin", "cloth", "leaf", "bark",
            "emissive_red", "emissive_amber", "emissive_green", "facade", "road", "marking",
            "pavement", "grass", "headlamp", "tail_lamp", "plastic", "hair", "wood", "stone",
            "brick", "window", "roof", "kerb", "soil", "lens", "sign", "display", "chrome", "hedge",
        )  # fmt: skip
    )
}  # fmt: skip


def train_id(name: str) -> int:
    """Train id of a Cityscapes train class; "ignore" gives 255. Raises ValueError if unknown."""
    return IGNORE if name == "ignore" else TRAIN_CLASSES.index(name)


@dataclass(frozen=True)
class Look:
    """How a primitive looks: linear albedo (3,) in [0, 1], material and train class names."""

    colour: tuple[float, float, float]
    material: str = "matte"
    train: str = "ignore"
    smooth: bool = False

    def but(self, **changes: object) -> Look:
        """The same look with some fields changed."""
        return replace(self, **changes)


@dataclass(frozen=True, eq=False)
class Mesh:
    """A triangle mesh: vertices float32 (V, 3) metres, faces int32 (F, 3), and per face colour
    float32 (F, 3) linear albedo in [0, 1], material uint8 (F,), train_id uint8 (F,), smooth bool
    (F,)."""

    vertices: NDArray[np.float32]
    faces: NDArray[np.int32]
    colour: NDArray[np.float32]
    material: NDArray[np.uint8]
    train_id: NDArray[np.uint8]
    smooth: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.faces)

    def transformed(self, matrix: ArrayLike) -> Mesh:
        """Apply an affine matrix (4, 4); mirrored matrices keep the normals outward."""
        m = np.asarray(matrix, np.float64)
        vertices = (self.vertices @ m[:3, :3].T + m[:3, 3]).astype(np.float32)
        faces = self.faces if np.linalg.det(m[:3, :3]) > 0 else self.faces[:, ::-1].copy()
        return replace(self, vertices=vertices, faces=faces)

    def moved(self, x: float, y: float, heading: float = 0.0, z: float = 0.0) -> Mesh:
        """Turn by `heading` (radians, counter-clockwise from +y seen from above), then move."""
        return self.transformed(translation(x, y, z) @ rotation(heading))

    def scaled(self, factor: float | Sequence[float]) -> Mesh:
        """Scale about the origin, by one factor or by one for each axis."""
        return self.transformed(np.diag([*np.broadcast_to(factor, 3), 1.0]))

    def relabelled(self, train: str) -> Mesh:
        """The same mesh with every face in train class `train`."""
        return replace(self, train_id=np.full(len(self), train_id(train), np.uint8))

    def face_normals(self) -> NDArray[np.float32]:
        """Outward unit normals (F, 3); zero for a degenerate face."""
        a, b, c = (self.vertices[self.faces[:, k]] for k in range(3))
        normals = np.cross(b - a, c - a)
        return normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-20)


def rotation(angle: float, axis: str = "z") -> NDArray[np.float64]:
    """Matrix (4, 4) that turns by `angle` radians, right-handed, about "x", "y" or "z"."""
    i, j = {"x": (1, 2), "y": (2, 0), "z": (0, 1)}[axis]
    matrix = np.eye(4)
    matrix[[i, i, j, j], [i, j, i, j]] = np.cos(angle), -np.sin(angle), np.sin(angle), np.cos(angle)
    return matrix


def translation(x: float, y: float, z: float = 0.0) -> NDArray[np.float64]:
    """Matrix (4, 4) that moves by (x, y, z) metres."""
    matrix = np.eye(4)
    matrix[:3, 3] = x, y, z
    return matrix


def cross(a: ArrayLike, b: ArrayLike) -> NDArray[np.float64]:
    """Cross products (..., 3); quicker than numpy's for small arrays."""
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    return a[..., [1, 2, 0]] * b[..., [2, 0, 1]] - a[..., [2, 0, 1]] * b[..., [1, 2, 0]]


def frame(direction: ArrayLike) -> NDArray[np.float64]:
    """Right-handed orthonormal frames (..., 3, 3); the third row is the unit `direction`."""
    w = np.asarray(direction, np.float64)
    w = w / np.maximum(np.linalg.norm(w, axis=-1, keepdims=True), 1e-12)
    helper = np.where(np.abs(w[..., :1]) < 0.9, [1.0, 0.0, 0.0], [0.0, 1.0, 0.0])
    u = cross(helper, w)
    u /= np.linalg.norm(u, axis=-1, keepdims=True)
    return np.stack([u, cross(w, u), w], axis=-2)


def mesh_of(
    vertices: ArrayLike, faces: ArrayLike, look: Look, colour: ArrayLike | None = None
) -> Mesh:
    """A mesh of vertices (..., 3) and faces (..., 3); `colour` (F, 3) overrides the look's."""
    faces = np.asarray(faces, np.int32).reshape(-1, 3)
    count = len(faces)
    tint = np.empty((count, 3), np.float32)
    tint[:] = look.colour if colour is None else np.clip(colour, 0, 1)
    return Mesh(
        np.asarray(vertices, np.float32).reshape(-1, 3), faces, tint,
        np.full(count, MATERIALS[look.material], np.uint8),
        np.full(count, train_id(look.train), np.uint8), np.full(count, look.smooth),
    )  # fmt: skip


def empty() -> Mesh:
    """A mesh without faces."""
    return mesh_of(np.zeros((0, 3)), np.zeros((0, 3)), Look((0, 0, 0)))


def concatenate(meshes: Iterable[Mesh]) -> Mesh:
    """One mesh of all the faces, in order."""
    parts = list(meshes)
    if not parts:
        return empty()
    offsets = np.cumsum([0] + [len(part.vertices) for part in parts[:-1]])
    faces = np.concatenate([p.faces + o for p, o in zip(parts, offsets, strict=True)])
    fields = ("vertices", "colour", "material", "train_id", "smooth")
    joined = {name: np.concatenate([getattr(p, name) for p in parts]) for name in fields}
    return Mesh(faces=faces.astype(np.int32), **joined)


def footprint(mesh: Mesh) -> tuple[float, float]:
    """(length along y, width along x) of the bounding box, metres."""
    extent = np.ptp(mesh.vertices, axis=0)
    return float(extent[1]), float(extent[0])


_CORNERS = np.array([[x, y, z] for z in (-1, 1) for y in (-1, 1) for x in (-1, 1)]) / 2.0
_BOX = np.array(
    [[0, 2, 3, 1], [4, 5, 7, 6], [0, 1, 5, 4], [2, 6, 7, 3], [0, 4, 6, 2], [1, 3, 7, 5]]
)


def split_quads(quads: NDArray[np.int64]) -> NDArray[np.int64]:
    """Triangles (2 Q, 3) of quads (..., 4)."""
    return quads[..., [0, 1, 2, 0, 2, 3]].reshape(-1, 3)


def box(centre: ArrayLike, size: ArrayLike, look: Look) -> Mesh:
    """One or many boxes: centres (3,) or (K, 3), sizes (3,) or (K, 3)."""
    centres = np.atleast_2d(np.asarray(centre, np.float64))
    sizes = np.broadcast_to(np.atleast_2d(np.asarray(size, np.float64)), centres.shape)
    vertices = centres[:, None] + sizes[:, None] * _CORNERS
    return mesh_of(vertices, split_quads(_BOX + 8 * np.arange(len(centres))[:, None, None]), look)


def cards(corners: ArrayLike, look: Look, colour: ArrayLike | None = None) -> Mesh:
    """Loose quads (K, 4, 3), counter-clockwise seen from the front; `colour` (K, 3) overrides."""
    corners = np.asarray(corners, np.float64).reshape(-1, 4, 3)
    quads = np.arange(4 * len(corners)).reshape(-1, 4)
    tint = None if colour is None else np.repeat(np.asarray(colour), 2, axis=0)
    return mesh_of(corners, split_quads(quads), look, tint)


def plate(outline: ArrayLike, look: Look) -> Mesh:
    """A flat, star-shaped polygon (N, 3), counter-clockwise seen from the front."""
    points = np.asarray(outline, np.float64)
    faces = np.full((len(points), 3), len(points))
    faces[:, 0] = np.arange(len(points))
    faces[:, 1] = (faces[:, 0] + 1) % len(points)
    return mesh_of(np.vstack([points, points.mean(0)]), faces, look)
