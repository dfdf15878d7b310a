"""Light and colour of each pixel: sun shadows, open sky, one reflection, haze, tone curve."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vlmis_utils.streetworld.geometry.mesh import MATERIALS, Mesh
from vlmis_utils.streetworld.rendering.occlusion import ambient_occlusion
from vlmis_utils.streetworld.rendering.rays import SAMPLES, Hits, Stage, Tracer, directions, origins
from vlmis_utils.streetworld.rendering.shading import surface
from vlmis_utils.streetworld.rendering.sky import fbm, sky_radiance

__all__ = ["render"]

Array = NDArray[np.float32]

SKY_ID = 10
FAR = 1e6
_SUN_DISC = np.array([[0.0, 0.0], [1.0, 0.2], [-0.6, 0.8], [-0.5, -0.9], [0.7, -0.7], [0.1, 1.0]])
_SUN_RADIUS = 0.0045
_TRANSLUCENT = np.isin(np.arange(256), [MATERIALS["leaf"], MATERIALS["grass"], MATERIALS["hedge"]])


def _vertex_normals(mesh: Mesh, face_normals: Array) -> Array:
    corners = mesh.faces[mesh.smooth].ravel()
    weights = np.repeat(face_normals[mesh.smooth], 3, axis=0)
    count = len(mesh.vertices)
    summed = np.stack([np.bincount(corners, weights[:, k], count) for k in range(3)], 1)
    return (summed / np.maximum(np.linalg.norm(summed, axis=1, keepdims=True), 1e-9)).astype(
        np.float32
    )


def _normals(
    stage: Stage, hits: Hits, rays: Array, flat: Array, corner: Array
) -> tuple[Array, Array]:
    geometric = flat[hits.face]
    back = np.einsum("ij,ij->i", geometric, rays) > 0
    geometric[back] *= -1
    shading = geometric.copy()
    at = np.flatnonzero(stage.mesh.smooth[hits.face])
    index = stage.mesh.faces[hits.face[at]]
    u, v = hits.u[at, None], hits.v[at, None]
    smooth = corner[index[:, 0]] * (1 - u - v) + corner[index[:, 1]] * u + corner[index[:, 2]] * v
    smooth[back[at]] *= -1
    length = np.sqrt(np.einsum("ij,ij->i", smooth, smooth))[:, None]
    shading[at] = np.where(length > 0.2, smooth / np.maximum(length, 1e-6), shading[at])
    return geometric, shading


def _reflections(
    stage: Stage, tracer: Tracer, flat: Array, position: Array, normal: Array, rays: Array
) -> Array:
    mirrored = rays - 2 * np.einsum("ij,ij->i", rays, normal)[:, None] * normal
    radiance = sky_radiance(stage.mood, mirrored)
    hits = tracer.first(position + normal * np.float32(0.02), mirrored)
    at = np.flatnonzero(hits.face >= 0)
    face = hits.face[at]
    n = flat[face]
    mesh, mood = stage.mesh, stage.mood
    colour = mesh.colour[face]
    facade = mesh.material[face] == MATERIALS["facade"]
    colour[facade] = stage.facades[stage.thing[face[facade]], 13:16] * 0.7
    lit = np.maximum(n @ np.float32(mood.sun), 0)[:, None] * np.float32(mood.sun_colour) * 0.6
    light = np.float32(mood.ambient) * (0.45 + 0.35 * n[:, 2:]) + lit
    fade = 1 - np.exp(-hits.distance[at, None] * np.float32(mood.haze * 1.5))
    radiance[at] = colour * light * (1 - fade) + np.float32(mood.haze_colour) * fade
    return radiance


def _tone(radiance: Array) -> NDArray[np.uint8]:
    x = np.maximum(radiance, 0) * np.float32(0.72)
    film = np.clip(x * (2.51 * x + 0.03) / (x * (2.43 * x + 0.59) + 0.14), 0, 1)
    srgb = np.where(film <= 0.0031308, film * 12.92, 1.055 * film ** np.float32(1 / 2.4) - 0.055)
    return np.round(srgb * 255).astype(np.uint8)


def render(
    stage: Stage, height: int, width: int, rays: int
) -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.int32], Array]:
    """Render a stage.

    Returns:
        image uint8 (H, W, 3) sRGB, train ids uint8 (H, W), thing of each pixel int32 (H, W) with -1
        for sky, and depth float32 (H, W): distance along the optical axis, m, inf for sky.
    """
    mesh, mood, camera = stage.mesh, stage.mood, stage.plan.camera
    flat = mesh.face_normals().astype(np.float32)
    corner = _vertex_normals(mesh, flat)
    tracer = stage.tracer
    count = height * width
    total = np.zeros((count, 3), np.float32)
    openness = mirror = centre = None
    sun = np.float32(mood.sun)
    across = np.cross(sun, [0, 0, 1]).astype(np.float32)
    across /= np.linalg.norm(across)
    upward = np.cross(across, sun)
    for sample in range(rays):
        view = directions(camera, height, width, SAMPLES[sample % len(SAMPLES)])
        hits = tracer.first(origins(camera, count), view)
        at = np.flatnonzero(hits.face >= 0)
        hits_at = Hits(hits.face[at], hits.distance[at], hits.u[at], hits.v[at])
        seen, t = view[at], hits_at.distance
        position = seen * t[:, None]
        position[:, 1] += camera.ahead
        position[:, 2] += camera.height
        geometric, normal = _normals(stage, hits_at, seen, flat, corner)
        material, thing = mesh.material[hits_at.face], stage.thing[hits_at.face]
        look = surface(
            stage.plan,
            mood,
            stage.facades,
            material,
            mesh.colour[hits_at.face],
            thing,
            position,
            normal,
            t,
        )
        if sample == 0:
            centre = hits
            openness = ambient_occlusion(tracer, (height, width), at, position, geometric, t, thing)
            mirror = np.broadcast_to(np.float32(mood.horizon) * 0.5, (count, 3)).copy()
            shiny = np.flatnonzero(look.gloss > 0.004)
            tilt = normal[shiny].copy()
            if mood.wet:
                ripple = material[shiny] == MATERIALS["road"]
                wobble = fbm(position[shiny, 0], position[shiny, 1], 1.3) - 0.5
                tilt[:, 1] += 0.05 * wobble * ripple
                tilt /= np.linalg.norm(tilt, axis=1, keepdims=True)
            mirror[at[shiny]] = _reflections(
                stage, tracer, flat, position[shiny], tilt, seen[shiny]
            )
        shift = _SUN_DISC[sample % len(_SUN_DISC)] * _SUN_RADIUS
        towards = (sun + shift[0] * across + shift[1] * upward).astype(np.float32)
        thin = _TRANSLUCENT[material]
        facing = normal @ sun
        direct = np.where(thin, 0.30 + 0.70 * np.abs(facing), np.maximum(facing, 0))
        direct *= np.where(thin, 1, np.clip((geometric @ sun) * 8, 0, 1))
        lit = np.flatnonzero(direct > 1e-3)
        start = position[lit] + geometric[lit] * (0.006 + 5e-4 * t[lit])[:, None]
        shadow = tracer.blocked(start, np.broadcast_to(towards, start.shape).copy(), FAR)
        direct[lit[shadow]] = 0
        ao = openness[at]
        hemi = (0.5 + 0.5 * normal[:, 2])[:, None]
        ambient = np.float32(mood.ambient) * hemi + np.float32(mood.bounce) * (1 - hemi)
        light = ambient * (0.22 + 0.78 * ao)[:, None] + direct[:, None] * np.float32(
            mood.sun_colour
        )
        radiance = look.albedo * (light + look.glow[:, None])
        shiny = np.flatnonzero(look.gloss > 0)
        cosine = np.clip(-np.einsum("ij,ij->i", seen[shiny], normal[shiny]), 0, 1)
        f0 = look.gloss[shiny]
        fresnel = (f0 + np.minimum(12 * f0, 1) * (1 - f0) * (1 - cosine) ** 5)[:, None]
        radiance[shiny] = radiance[shiny] * (1 - fresnel) + fresnel * mirror[at[shiny]]
        haze = (1 - np.exp(-t * np.float32(mood.haze)))[:, None]
        frame = np.empty((count, 3), np.float32)
        above = np.flatnonzero(hits.face < 0)
        frame[above] = sky_radiance(mood, view[above])
        frame[at] = radiance * (1 - haze) + np.float32(mood.haze_colour) * haze
        total += np.minimum(frame, 4)
    image = _tone(total * np.float32(mood.exposure / rays)).reshape(height, width, 3)
    hit = centre.face >= 0
    labels = np.where(hit, mesh.train_id[centre.face], np.uint8(SKY_ID))
    things = np.where(hit, stage.thing[centre.face], np.int32(-1))
    axis = directions(camera, 1, 1, np.array([0.5, 0.5]))[0]
    axial = directions(camera, height, width, SAMPLES[0]) @ axis
    depth = np.where(hit, centre.distance * axial, np.float32(np.inf)).astype(np.float32)
    return (
        image,
        labels.reshape(height, width),
        things.reshape(height, width),
        depth.reshape(height, width),
    )
