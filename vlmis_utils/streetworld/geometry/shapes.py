"""Curved primitives that street assets are made of: lofts, prisms, tubes, ellipsoids, rings."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vlmis_utils.streetworld.geometry.mesh import (
    Look,
    Mesh,
    concatenate,
    frame,
    mesh_of,
    plate,
    split_quads,
)

__all__ = ["ellipsoids", "loft", "prism", "torus", "tubes"]


def loft(rings: ArrayLike, look: Look, caps: bool = True, closed: bool = True) -> Mesh:
    """A skin through rings (R, N, 3). Rings run counter-clockwise seen from the last one's side."""
    rings = np.asarray(rings, np.float64)
    count, points = rings.shape[:2]
    column = np.arange(points if closed else points - 1)
    following = (column + 1) % points
    row = points * np.arange(count - 1)[:, None]
    quads = np.stack(
        [row + column, row + following, row + following + points, row + column + points], -1
    )
    side = mesh_of(rings, split_quads(quads), look)
    if not caps:
        return side
    flat = look.but(smooth=False)
    return concatenate([side, plate(rings[0][::-1], flat), plate(rings[-1], flat)])


def prism(outline: ArrayLike, depth: ArrayLike, look: Look, axis: str = "z") -> Mesh:
    """Extrude a star-shaped outline (N, 2) between two depths along `axis`. The outline's plane is
    (x, y) for "z", (y, z) for "x" and (z, x) for "y", counter-clockwise seen against the axis."""
    points = np.asarray(outline, np.float64)
    rings = np.empty((2, len(points), 3))
    along = "xyz".index(axis)
    rings[:, :, (along + 1) % 3], rings[:, :, (along + 2) % 3] = points[:, 0], points[:, 1]
    rings[:, :, along] = np.sort(np.asarray(depth, np.float64))[:, None]
    return loft(rings, look)


def tubes(
    start: ArrayLike,
    end: ArrayLike,
    radius: ArrayLike,
    look: Look,
    end_radius: ArrayLike | None = None,
    sides: int = 8,
    caps: bool = True,
) -> Mesh:
    """Cylinders, cones or frusta from `start` to `end`: points (3,) or (K, 3), radii () or (K,)."""
    a, b = np.atleast_2d(np.asarray(start, float)), np.atleast_2d(np.asarray(end, float))
    a, b = np.broadcast_arrays(a, b)
    axes = frame(b - a)
    turn = np.arange(sides) * 2 * np.pi / sides
    ring = np.cos(turn)[:, None] * axes[:, None, 0] + np.sin(turn)[:, None] * axes[:, None, 1]
    radii = [
        np.broadcast_to(radius, len(a)),
        np.broadcast_to(radius if end_radius is None else end_radius, len(a)),
    ]
    low, high = (
        a[:, None] + ring * radii[0][:, None, None],
        b[:, None] + ring * radii[1][:, None, None],
    )
    step = np.arange(sides)
    quads = np.stack([step, (step + 1) % sides, (step + 1) % sides + sides, step + sides], -1)
    per = 2 * sides
    side = mesh_of(
        np.stack([low, high], 1), split_quads(quads + per * np.arange(len(a))[:, None, None]), look
    )
    if not caps:
        return side
    fan = np.stack([np.zeros(sides - 2, int), step[1:-1], step[2:]], -1)
    faces = np.concatenate([fan[:, ::-1], fan + sides]) + per * np.arange(len(a))[:, None, None]
    return concatenate([side, mesh_of(np.stack([low, high], 1), faces, look.but(smooth=False))])


@lru_cache(maxsize=16)
def _sphere(segments: int, bands: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    polar = np.pi * np.arange(1, bands) / bands
    turn = 2 * np.pi * np.arange(segments) / segments
    rows = np.stack(
        [np.outer(-np.sin(polar), np.cos(turn)), np.outer(-np.sin(polar), np.sin(turn)),
         np.broadcast_to(-np.cos(polar)[:, None], (bands - 1, segments))], -1
    )  # fmt: skip
    vertices = np.vstack([rows.reshape(-1, 3), [[0, 0, -1], [0, 0, 1]]])
    s, n = np.arange(segments), (np.arange(segments) + 1) % segments
    row = segments * np.arange(bands - 2)[:, None]
    body = split_quads(np.stack([row + s, row + n, row + n + segments, row + s + segments], -1))
    south, top = len(vertices) - 2, segments * (bands - 2)
    low = np.stack([np.full(segments, south), n, s], -1)
    high = np.stack([np.full(segments, south + 1), top + s, top + n], -1)
    return vertices, np.vstack([body, low, high])


def ellipsoids(
    centre: ArrayLike, radii: ArrayLike, look: Look, segments: int = 8, bands: int = 6,
    colour: ArrayLike | None = None, lumps: ArrayLike | None = None,
) -> Mesh:  # fmt: skip
    """One or many ellipsoids: centres (3,) or (K, 3), radii (), (3,) or (K, 3). `colour` (K, 3)
    overrides the look's; `lumps` (K, V) multiplies the distance of each vertex from its centre."""
    centres = np.atleast_2d(np.asarray(centre, float))
    sizes = np.broadcast_to(np.asarray(radii, float), centres.shape)
    unit, faces = _sphere(segments, bands)
    shape = sizes[:, None] * unit
    if lumps is not None:
        shape = shape * np.asarray(lumps)[..., None]
    tint = None if colour is None else np.repeat(np.asarray(colour), len(faces), axis=0)
    all_faces = faces + len(unit) * np.arange(len(centres))[:, None, None]
    return mesh_of(centres[:, None] + shape, all_faces, look, tint)


def torus(
    centre: ArrayLike, direction: ArrayLike, radius: float, thickness: float, look: Look,
    segments: int = 16, sides: int = 5,
) -> Mesh:  # fmt: skip
    """A ring about `direction` with tube radius `thickness`."""
    u, v, w = frame(direction)
    major, minor = (2 * np.pi * np.arange(n) / n for n in (segments, sides))
    out = np.cos(major)[:, None, None] * u + np.sin(major)[:, None, None] * v
    points = (
        out * (radius + thickness * np.cos(minor))[:, None] + thickness * np.sin(minor)[:, None] * w
    )
    i, j = np.meshgrid(np.arange(segments), np.arange(sides), indexing="ij")
    i2, j2 = (i + 1) % segments, (j + 1) % sides
    quads = np.stack([i * sides + j, i2 * sides + j, i2 * sides + j2, i * sides + j2], -1)
    return mesh_of(np.asarray(centre, float) + points, split_quads(quads), look)
