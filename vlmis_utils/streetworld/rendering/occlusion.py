"""Ambient occlusion: how much open sky a pixel's surface sees within a few metres."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vlmis_utils.streetworld.rendering.rays import Tracer

__all__ = ["ambient_occlusion"]

Array = NDArray[np.float32]

AO_REACH = 2.2  # m


def _box_blur(value: Array, guide: Array, axis: int) -> Array:
    total, weight = np.zeros_like(value), np.zeros_like(value)
    for shift in (-2, -1, 0, 1):
        near = np.roll(guide, shift, axis)
        similar = np.exp(-np.abs(near - guide).sum(-1) * 4) + 1e-4
        total += np.roll(value, shift, axis) * similar
        weight += similar
    return total / weight


def ambient_occlusion(
    tracer: Tracer, shape: tuple[int, int], at: NDArray[np.int64], position: Array, normal: Array,
    distance: Array, thing: NDArray[np.int32],
) -> Array:  # fmt: skip
    """Share of open sky (H*W,): two rays a pixel from a 4x4 interleaved set of 32, box-blurred."""
    height, width = shape
    index = (np.arange(32) + 0.5) / 32
    golden = (np.arange(32) * 0.61803398875) % 1.0 * 2 * np.pi
    table = np.stack(
        [np.sqrt(index) * np.cos(golden), np.sqrt(index) * np.sin(golden), np.sqrt(1 - index)], 1
    )
    table = table[(np.arange(32) * 13) % 32].astype(np.float32)
    phase = (at // width % 4) * 4 + at % width % 4
    sign = np.where(normal[:, 2] >= 0, np.float32(1), np.float32(-1))
    a = -1 / (sign + normal[:, 2])
    b = normal[:, 0] * normal[:, 1] * a
    tangent = np.stack([1 + sign * normal[:, 0] ** 2 * a, sign * b, -sign * normal[:, 0]], 1)
    bitangent = np.stack([b, sign + normal[:, 1] ** 2 * a, -normal[:, 1]], 1)
    start = position + normal * (0.004 + 4e-4 * distance)[:, None]
    open_share = np.zeros(len(at), np.float32)
    for turn in range(2):
        d = table[phase + 16 * turn]
        ray = tangent * d[:, :1] + bitangent * d[:, 1:2] + normal * d[:, 2:]
        open_share += 0.5 * ~tracer.blocked(start, ray, AO_REACH)
    image = np.ones(height * width, np.float32)
    image[at] = open_share
    guide = np.zeros((height * width, 5), np.float32)
    guide[at, :3] = normal
    guide[at, 3] = np.log(distance) * 3
    guide[at, 4] = (thing % 97) * 0.5
    image, guide = image.reshape(shape), guide.reshape(height, width, 5)
    return _box_blur(_box_blur(image, guide, 0), guide, 1).ravel()
