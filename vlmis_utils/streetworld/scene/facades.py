"""Procedural house fronts: windows with frames, curtains and sills, shopfronts, doors, brick."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vlmis_utils.streetworld.rendering.sky import fbm, grain

__all__ = ["COLUMNS", "draw_facade", "paint_facades"]

Array = NDArray[np.float32]

# Columns of a facade row: see `draw_facade`.
COLUMNS = 24

# Linear albedo of rendered and brick walls, trims and shop boards.
_WALLS = np.float32([
    [0.62, 0.56, 0.44], [0.70, 0.64, 0.50], [0.55, 0.32, 0.20], [0.68, 0.66, 0.62],
    [0.52, 0.50, 0.47],
    [0.60, 0.42, 0.28], [0.42, 0.48, 0.52], [0.72, 0.58, 0.40], [0.50, 0.55, 0.46],
    [0.66, 0.50, 0.44],
])  # fmt: skip
_BRICKS = np.float32(
    [[0.34, 0.14, 0.09], [0.40, 0.20, 0.12], [0.28, 0.15, 0.11], [0.46, 0.33, 0.20]]
)
_SHOPS = np.float32([
    [0.45, 0.05, 0.06], [0.05, 0.12, 0.36], [0.05, 0.25, 0.13], [0.60, 0.42, 0.06],
    [0.07, 0.07, 0.08],
    [0.36, 0.08, 0.32], [0.06, 0.30, 0.36], [0.55, 0.53, 0.50],
])  # fmt: skip


def draw_facade(
    rng: np.random.Generator, centre: tuple[float, float], half: tuple[float, float], floors: int,
    shop: bool,
) -> tuple[Array, float]:  # fmt: skip
    """Draw the parameters of one house.

    Returns:
        row float32 (COLUMNS,): centre x, y; half widths x, y; storey height, ground-floor height,
        bay width, window width and height shares, floors, shop flag, brick flag, seed, wall colour
        (3), trim colour (3), shop colour (3), curtain share, window style; and the wall height, m.
    """
    storey = rng.uniform(2.9, 3.4)
    ground = rng.uniform(3.5, 4.2) if shop else storey + 0.3
    brick = rng.random() < 0.33
    wall = _BRICKS[rng.integers(len(_BRICKS))] if brick else _WALLS[rng.integers(len(_WALLS))]
    wall = np.clip(wall * rng.uniform(0.8, 1.12) * rng.uniform(0.95, 1.05, 3), 0.03, 0.85)
    trim = np.full(3, rng.uniform(0.55, 0.78)) if rng.random() < 0.7 else wall * 0.55
    modern = rng.random() < 0.22
    row = [
        *centre, *half, storey, ground, rng.uniform(2.2, 3.4),
        rng.uniform(0.62, 0.84) if modern else rng.uniform(0.36, 0.52), rng.uniform(0.50, 0.64),
        floors, float(shop), float(brick), rng.integers(1, 4000), *wall, *trim,
        *(_SHOPS[rng.integers(len(_SHOPS))]), rng.uniform(0.2, 0.8), float(rng.integers(3)),
    ]  # fmt: skip
    return np.float32(row), float(ground + storey * (floors - 1) + 0.5)


def _hash(i: NDArray[np.int32], j: NDArray[np.int32], seed: NDArray[np.int32]) -> Array:
    value = i.astype(np.uint32) * np.uint32(73856093)
    value ^= j.astype(np.uint32) * np.uint32(19349663)
    value ^= seed.astype(np.uint32) * np.uint32(83492791)
    value ^= value >> np.uint32(13)
    value *= np.uint32(1274126177)
    value ^= value >> np.uint32(16)
    return (value & np.uint32(0xFFFF)).astype(np.float32) / np.float32(65535)


def paint_facades(
    rows: Array, position: Array, normal: Array, distance: Array
) -> tuple[Array, Array]:
    """Albedo (N, 3) and reflectance (N,) of points on house fronts.

    Args:
        rows: float32 (N, COLUMNS), the house of each point.
        position, normal: float32 (N, 3); distance from the camera (N,), which softens edges.
    """
    side = np.abs(normal[:, 0]) > np.abs(normal[:, 1])
    along = np.where(
        side, position[:, 1] - rows[:, 1] + rows[:, 3], position[:, 0] - rows[:, 0] + rows[:, 2]
    )
    width = 2 * np.where(side, rows[:, 3], rows[:, 2])
    z = position[:, 2]
    seed = rows[:, 12].astype(np.int32) + 7 * side + 3 * (normal[:, 0] + normal[:, 1] > 0)
    storey, ground = rows[:, 4], rows[:, 5]
    bays = np.maximum(1, np.round(width / rows[:, 6]))
    pitch = width / bays
    column = np.floor(along / pitch)
    level = np.where(z < ground, 0, 1 + np.floor((z - ground) / storey))
    top = (level >= rows[:, 9]) | (z < 0)
    u = (along / pitch - column - 0.5) * pitch
    v = z - np.where(level == 0, 0, ground + (level - 1) * storey)
    pick = _hash(column.astype(np.int32), level.astype(np.int32), seed)
    soft = 0.0028 * distance + 0.008

    wall, trim, shop_colour = rows[:, 13:16], rows[:, 16:19], rows[:, 19:22]
    tone = 0.94 + 0.12 * fbm(along, z + seed, 17.0) - 0.12 * np.exp(-z / 0.6)
    albedo = wall * tone[:, None]
    fine = 1 / (1 + distance / 14)
    offset = np.where(np.floor(z / 0.09).astype(np.int32) & 1, np.float32(0.13), 0)
    mortar = ((z / 0.09) % 1 < 0.16) | (((along + offset) / 0.26) % 1 < 0.07)
    albedo += (rows[:, 11] * mortar * fine * 0.14)[:, None]

    def band(value: Array, half: Array | float) -> Array:
        return np.clip((half - np.abs(value)) / soft + 0.5, 0, 1)

    def mix(colour: Array, share: Array) -> None:
        nonlocal albedo
        albedo = albedo + (colour - albedo) * share[:, None]

    string = band(z - ground, 0.11) * (rows[:, 23] > 0.5)
    mix(trim * 0.9, string)

    is_shop = (level == 0) & (rows[:, 10] > 0)
    half_w = np.where(is_shop, pitch * 0.44, pitch * rows[:, 7] * 0.5)
    door = (
        (level == 0)
        & ~is_shop
        & (_hash(column.astype(np.int32), level.astype(np.int32) + 5, seed) < 0.22)
    )
    tall = np.where(is_shop, ground * 0.62, storey * rows[:, 8])
    sill = np.where(is_shop, 0.35, np.where(level == 0, 1.15, (storey - tall) * 0.52))
    tall, sill = np.where(door, 2.3, tall), np.where(door, 0.05, sill)
    half_w = np.where(door, np.minimum(half_w, 0.62), half_w)
    dz = v - sill - tall / 2
    usable = ~top
    surround = (
        band(u, half_w + 0.13) * band(dz, tall / 2 + 0.13) * usable * (rows[:, 23] < 1.5) * ~is_shop
    )
    mix(trim, surround)
    ledge = band(u, half_w + 0.16) * band(v - sill + 0.06, 0.07) * usable * ~door * ~is_shop
    mix(trim * 1.05, ledge)
    below = band(u, half_w + 0.1) * band(v - sill + 0.24, 0.12) * usable * ~door * ~is_shop
    albedo *= (1 - 0.16 * below)[:, None]
    opening = band(u, half_w) * band(dz, tall / 2) * usable
    frame_tone = np.where(pick > 0.15, 0.62, 0.16)[:, None] * np.float32([1, 0.99, 0.96])
    mix(np.where(is_shop[:, None], shop_colour * 0.6, frame_tone.astype(np.float32)), opening)
    bar = np.where(is_shop, 0.05, 0.035)
    pane = band(u, half_w - 0.07) * band(dz, tall / 2 - 0.07) * usable
    pane *= 1 - np.maximum(band(u, bar) * (pitch > 1.4), band(dz - tall * 0.18, bar) * ~door)
    glass = np.float32([0.035, 0.045, 0.055]) + pick[:, None] * np.float32([0.02, 0.025, 0.03])
    curtain = (pick < rows[:, 22]) & ~is_shop
    reach = np.abs(u) / np.maximum(half_w, 0.1) > 0.35 + 0.9 * _hash(
        level.astype(np.int32), column.astype(np.int32), seed
    )
    blind = dz > tall * (0.5 - 0.9 * pick)
    drape = curtain & np.where(pick > 0.4 * rows[:, 22], reach, blind)
    glass = np.where(
        drape[:, None], np.float32([0.42, 0.40, 0.36]) * (0.7 + 0.5 * pick)[:, None], glass
    )
    goods = (
        is_shop & (dz < -tall * (0.02 + 0.2 * pick)) & (grain(along, z * 0.7 + seed, 0.34) > 0.45)
    )
    shelf = 0.05 + 0.30 * np.stack(
        [grain(along + 5 * k, z * 0.7 + seed + 3 * k, 0.34) for k in range(3)], 1
    )
    glass = np.where(goods[:, None], shelf, glass)
    glass = np.where(door[:, None], shop_colour * 0.55 + 0.02, glass)
    shade = 1 - 0.45 * band(dz - tall / 2 + 0.14, 0.12)
    mix((glass * shade[:, None]).astype(np.float32), pane)
    gloss = pane * np.where(door, 0.01, np.where(drape, 0.03, 0.09))
    board = is_shop * band(v - ground * 0.86, ground * 0.085)
    mix(shop_colour, board)
    letters = (
        board
        * (np.abs(v - ground * 0.86) < ground * 0.04)
        * (fbm(along * 2.7, z * 0.0 + seed, 6.1) > 0.55)
    )
    letters *= (np.abs(u) < pitch * 0.36) * fine
    mix(np.broadcast_to(np.float32([0.75, 0.74, 0.7]), albedo.shape), letters)
    return albedo.astype(np.float32), (gloss * (1 - board)).astype(np.float32)
