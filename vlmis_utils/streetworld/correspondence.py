"""Which pixel of one frame shows the same place of the street as a pixel of the next."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vlmis_utils.protocol.classes import IGNORE
from vlmis_utils.streetworld.rendering.rays import SAMPLES, directions
from vlmis_utils.streetworld.scene.layout import Camera

__all__ = ["Seen", "pixels_before"]

_TOLERANCE = 0.03  # of the depth, by which the two frames may differ at one place


@dataclass(frozen=True, eq=False)
class Seen:
    """A frame's truth: labels uint8 (H, W); depth float32 (H, W) m, inf = sky; what moves during
    the drive, bool (H, W); the camera's height, pitch, yaw, field of view; metres it has gone."""

    labels: NDArray[np.uint8]
    depth: NDArray[np.float32]
    moving: NDArray[np.bool_]
    camera: tuple[float, float, float, float]
    gone: float


def pixels_before(now: Seen, before: Seen) -> NDArray[np.int64]:
    """Return, for each pixel, where what it shows was seen in the frame before.

    A pixel has a partner where it shows something that stands still, labelled, that was in the
    picture before and not hidden: depth and class agree there. The sky is infinitely far, so it
    keeps its pixel.

    Returns:
        int64 (H, W): row-major index into the frame before, -1 without a partner.
    """
    height, width = now.labels.shape
    camera = Camera(*now.camera)
    rays = directions(camera, height, width, SAMPLES[0]).astype(np.float64)
    axis = directions(camera, 1, 1, np.array([0.5, 0.5]))[0].astype(np.float64)
    depth = now.depth.ravel().astype(np.float64)
    far = np.isinf(depth)
    points = rays * (np.where(far, 1.0, depth) / (rays @ axis))[:, None]
    points[~far, 1] += now.gone - before.gone
    right, up, ahead = _in_camera(points, camera)
    focal = width / 2 / np.tan(camera.fov / 2)
    with np.errstate(divide="ignore", invalid="ignore"):
        column = np.floor(right / ahead * focal + width / 2)
        row = np.floor(height / 2 - up / ahead * focal)
    inside = (ahead > 0.1) & (column >= 0) & (column < width) & (row >= 0) & (row < height)
    index = np.where(inside, row * width + column, 0).astype(np.int64)
    then = before.depth.ravel()[index].astype(np.float64)
    with np.errstate(invalid="ignore"):
        agrees = np.where(far, np.isinf(then), np.abs(then - ahead) <= _TOLERANCE * ahead)
    labels = now.labels.ravel()
    agrees &= inside & (labels != IGNORE) & (labels == before.labels.ravel()[index])
    agrees &= ~now.moving.ravel() & ~before.moving.ravel()[index]
    return np.where(agrees, index, -1).reshape(height, width)


def _in_camera(points: NDArray, camera: Camera) -> tuple[NDArray, NDArray, NDArray]:
    """Right, up and ahead of points (N, 3) as the camera sees them: `directions` turned back."""
    c, s = np.cos(camera.yaw), np.sin(camera.yaw)
    right, level = c * points[:, 0] + s * points[:, 1], c * points[:, 1] - s * points[:, 0]
    c, s = np.cos(camera.pitch), np.sin(camera.pitch)
    return right, c * points[:, 2] - s * level, c * level + s * points[:, 2]
