"""Rays through a pinhole camera into a stage of triangles, traced by Embree."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from embreex import rtcore_scene
from embreex.mesh_construction import TriangleMesh
from numpy.typing import NDArray

from vlmis_utils.streetworld.geometry.mesh import Mesh
from vlmis_utils.streetworld.rendering.sky import Mood
from vlmis_utils.streetworld.scene.layout import Camera, Plan

__all__ = ["SAMPLES", "Hits", "Stage", "Tracer", "centre_hits", "directions", "origins"]

Array = NDArray[np.float32]

# Sub-pixel sample positions; the first is the pixel centre, whose hit also gives the labels.
SAMPLES = np.array([[0.5, 0.5], [0.13, 0.36], [0.63, 0.11], [0.83, 0.80], [0.30, 0.88], [0.9, 0.4]])


@dataclass(frozen=True, eq=False)
class Stage:
    """All that a picture needs: the mesh, the thing each face belongs to (int32 (F,)), facade rows
    (things, K), the plan and the mood."""

    mesh: Mesh
    thing: NDArray[np.int32]
    facades: Array
    plan: Plan
    mood: Mood

    @cached_property
    def tracer(self) -> Tracer:
        """Embree's view of the mesh, built once."""
        return Tracer(self.mesh)


@dataclass(frozen=True, eq=False)
class Hits:
    """First hits of N rays: face int32 (N,), -1 for none; distance, u, v float32 (N,)."""

    face: NDArray[np.int32]
    distance: Array
    u: Array
    v: Array


class Tracer:
    def __init__(self, mesh: Mesh) -> None:
        self.scene = rtcore_scene.EmbreeScene()
        self.mesh = TriangleMesh(self.scene, mesh.vertices, mesh.faces)

    def first(self, origin: Array, direction: Array) -> Hits:
        out = self.scene.run(origin, direction, output=True)
        return Hits(out["primID"], out["tfar"], out["u"], out["v"])

    def blocked(self, origin: Array, direction: Array, reach: float) -> NDArray[np.bool_]:
        reaches = np.full(len(origin), reach, np.float32)
        return self.scene.run(origin, direction, dists=reaches, query="OCCLUDED") >= 0


def directions(camera: Camera, height: int, width: int, offset: NDArray[np.float64]) -> Array:
    focal = width / 2 / np.tan(camera.fov / 2)
    right = (np.arange(width) + offset[0] - width / 2) / focal
    down = (np.arange(height) + offset[1] - height / 2) / focal
    x, z = (a.ravel() for a in np.broadcast_arrays(right[None], -down[:, None]))
    c, s = np.cos(camera.pitch), np.sin(camera.pitch)
    forward, up = c - s * z, s + c * z
    c, s = np.cos(camera.yaw), np.sin(camera.yaw)
    rays = np.stack([c * x - s * forward, s * x + c * forward, up], 1)
    rays /= np.linalg.norm(rays, axis=1, keepdims=True)
    return rays.astype(np.float32)


def origins(camera: Camera, count: int) -> Array:
    return np.broadcast_to(np.float32([0, camera.ahead, camera.height]), (count, 3)).copy()


def centre_hits(stage: Stage, height: int, width: int) -> Hits:
    """Hits of the rays through the pixel centres, row by row: what the labels are read from."""
    rays = directions(stage.plan.camera, height, width, SAMPLES[0])
    return stage.tracer.first(origins(stage.plan.camera, len(rays)), rays)
