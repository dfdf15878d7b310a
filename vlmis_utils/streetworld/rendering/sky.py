"""Weather and light: five moods, the sky they make, and a noise that the surfaces share."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

__all__ = ["MOODS", "Mood", "draw_mood", "fbm", "grain", "sky_radiance"]

Array = NDArray[np.float32]
Colour = tuple[float, float, float]

# Shares of the moods over scenes.
MOODS: dict[str, float] = {
    "clear": 0.42, "overcast": 0.17, "haze": 0.13, "low sun": 0.15, "wet": 0.13,
}  # fmt: skip

_SIZE = 1024


@dataclass(frozen=True)
class Mood:
    """The light of one scene. Radiances are linear; `sun` points towards the sun (unit vector)."""

    name: str
    sun: Colour
    sun_colour: Colour
    zenith: Colour
    horizon: Colour
    ambient: Colour
    bounce: Colour
    haze: float
    haze_colour: Colour
    clouds: float
    cloud_shift: tuple[float, float]
    wet: float
    exposure: float


def draw_mood(rng: np.random.Generator) -> Mood:
    """Draw a mood by the shares of `MOODS`, then its sun, haze, clouds and exposure."""
    name = str(rng.choice(list(MOODS), p=list(MOODS.values())))
    azimuth = rng.uniform(-np.pi, np.pi)
    elevation = np.radians(rng.uniform(32, 60))
    sun, clouds, wet, haze = 3.1, rng.uniform(0.25, 0.6), 0.0, 1 / rng.uniform(500, 900)
    tint, zenith, horizon = (1.0, 0.93, 0.80), (0.13, 0.30, 0.72), (0.55, 0.74, 0.98)
    ambient, bounce, fog = (0.40, 0.53, 0.78), (0.30, 0.28, 0.25), (0.62, 0.76, 0.95)
    exposure = rng.uniform(0.86, 1.04)
    if name == "overcast":
        sun, clouds, haze = rng.uniform(0.15, 0.5), 0.9, 1 / rng.uniform(250, 500)
        zenith, horizon, tint = (0.42, 0.54, 0.74), (0.76, 0.84, 0.95), (1.0, 0.97, 0.92)
        ambient, bounce, fog = (0.82, 0.90, 1.02), (0.36, 0.36, 0.35), (0.72, 0.80, 0.90)
    elif name == "haze":
        sun, clouds, haze = rng.uniform(0.3, 1.1), 0.5, 1 / rng.uniform(60, 130)
        zenith, horizon, tint = (0.45, 0.58, 0.78), (0.80, 0.86, 0.93), (1.0, 0.92, 0.80)
        ambient, bounce, fog = (0.76, 0.83, 0.94), (0.36, 0.36, 0.35), (0.76, 0.82, 0.89)
    elif name == "low sun":
        elevation = np.radians(rng.uniform(11, 22))
        sun, tint, clouds = 3.0, (1.0, 0.70, 0.40), rng.uniform(0.3, 0.7)
        zenith, horizon = (0.13, 0.29, 0.68), (0.86, 0.74, 0.60)
        ambient, bounce, fog = (0.42, 0.46, 0.62), (0.34, 0.27, 0.21), (0.90, 0.72, 0.55)
        haze = 1 / rng.uniform(250, 500)
    elif name == "wet":
        sun, clouds, wet, haze = (
            rng.uniform(0.0, 0.4),
            0.95,
            rng.uniform(0.6, 1.0),
            1 / rng.uniform(140, 300),
        )
        zenith, horizon, tint = (0.34, 0.44, 0.60), (0.66, 0.73, 0.82), (1.0, 0.97, 0.92)
        ambient, bounce, fog = (0.68, 0.75, 0.86), (0.28, 0.28, 0.28), (0.62, 0.69, 0.77)
        exposure *= 1.05
    direction = np.array(
        [
            np.cos(elevation) * np.sin(azimuth),
            np.cos(elevation) * np.cos(azimuth),
            np.sin(elevation),
        ]
    )
    shift = rng.uniform(0, 1, 2)
    return Mood(
        name, _colour(direction), _colour(np.multiply(tint, sun)), zenith, horizon, ambient, bounce,
        float(haze), fog, float(clouds), (float(shift[0]), float(shift[1])),
        float(wet), float(exposure),
    )  # fmt: skip


def _colour(values: NDArray[np.float64]) -> Colour:
    return float(values[0]), float(values[1]), float(values[2])


@lru_cache(maxsize=1)
def _texture() -> Array:
    """Fractal noise (1024, 1024) that tiles: flat histogram in [0, 1], spectrum as 1/f^1.7."""
    rng = np.random.default_rng(20240607)
    frequency = np.hypot(np.fft.fftfreq(_SIZE)[:, None], np.fft.rfftfreq(_SIZE)[None]) * _SIZE
    spectrum = np.fft.rfft2(rng.standard_normal((_SIZE, _SIZE))) / np.maximum(frequency, 3.0) ** 1.7
    field = np.fft.irfft2(spectrum, (_SIZE, _SIZE))
    rank = np.empty(field.size, np.float32)
    rank[np.argsort(field, axis=None, kind="stable")] = np.linspace(
        0, 1, field.size, dtype=np.float32
    )
    return rank


def fbm(x: Array, y: Array, period: float) -> Array:
    """Sample the noise, nearest texel, at points of the plane; it repeats every `period`."""
    scale = np.float32(_SIZE / period)
    column = (x * scale).astype(np.int32) & (_SIZE - 1)
    row = (y * scale).astype(np.int32) & (_SIZE - 1)
    return _texture()[row * _SIZE + column]


@lru_cache(maxsize=1)
def _speckle() -> Array:
    return np.random.default_rng(20240608).random(_SIZE * _SIZE, dtype=np.float32)


def grain(x: Array, y: Array, size: float) -> Array:
    """White noise in [0, 1], constant on cells of `size` metres."""
    column = np.floor(x / np.float32(size)).astype(np.int32) & (_SIZE - 1)
    row = np.floor(y / np.float32(size)).astype(np.int32) & (_SIZE - 1)
    return _speckle()[row * _SIZE + column]


def sky_radiance(mood: Mood, direction: Array, detail: bool = True) -> Array:
    """Radiance (N, 3) of the sky along unit directions (N, 3); `detail` adds clouds and sun."""
    up = np.maximum(direction[:, 2], 0)
    blend = (1 - np.exp(-4.5 * up))[:, None]
    sky = np.float32(mood.horizon) * (1 - blend) + np.float32(mood.zenith) * blend
    facing = direction @ np.float32(mood.sun)
    strength = min(1.0, max(mood.sun_colour) / 3.0)
    glow = np.maximum(facing, 0) ** 12 * (0.28 * strength)
    sky = sky + glow[:, None] * np.float32([1.0, 0.82, 0.58])
    if detail:
        reach = 1 / (up + 0.09)
        x, y = direction[:, 0] * reach + 40, direction[:, 1] * reach + 40
        x, y = x + mood.cloud_shift[0] * 9, y + mood.cloud_shift[1] * 9
        field = 0.72 * fbm(x, y, 13.0) + 0.28 * fbm(x + 3.1, y, 4.1)
        edge = 1 - mood.clouds
        cover = np.clip((field - edge) / 0.30, 0, 1) * np.clip(up * 9, 0, 1) * 0.85
        light = np.float32(mood.horizon) * 0.5 + np.float32([0.5, 0.5, 0.5])
        shade = (1.02 - 0.34 * np.clip((field - edge) / 0.6, 0, 1) * mood.clouds)[:, None]
        sky = sky * (1 - cover[:, None]) + (light * shade) * cover[:, None]
        disc = np.clip((facing - 0.9992) * 4000, 0, 1) * (6 * strength)
        sky = sky + disc[:, None]
    return sky.astype(np.float32)
