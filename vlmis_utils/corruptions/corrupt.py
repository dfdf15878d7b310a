"""The corruptions of the paper's Table 1: motion blur, low light, occlusion, three severities each.

Images go in and come out as uint8, like a camera's. The random parts (sensor noise, the place of
the occluder) are a pure function of (seed, scene_id, corruption, severity): the same pixels alone
or in any batch, in any order, on CPU or GPU. To that end blur sums integers, gamma is a table of
256 levels, and noise comes from a counter (`corruptions.noise`). Kornia says what the result is and
works on any device (`corruptions.kornia_backend`); on a CPU compiled kernels give the same bytes
(`corruptions.numba_backend`).
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import ModuleType

import torch

from vlmis_utils.core.errors import UserError, closest
from vlmis_utils.corruptions import kornia_backend
from vlmis_utils.corruptions.noise import digest_words
from vlmis_utils.protocol.conditions import (
    BLUR_SCALES,
    CONDITIONS,
    NOISE_SIGMA,
    PAPER_WIDTH,
    TABLE1,
    Row,
    blur_kernel_size,
    condition_row,
)

__all__ = [
    "BLUR_SCALES",
    "CONDITIONS",
    "NOISE_SIGMA",
    "PAPER_WIDTH",
    "TABLE1",
    "Applied",
    "Row",
    "blur_kernel_size",
    "condition_row",
    "corrupt",
    "occluder",
    "psnr",
]

_ASPECT = 2.0


@dataclass(frozen=True)
class Applied:
    """What `corrupt` did to one image.

    Attributes:
        scene_id, condition: which image, which condition.
        psnr: peak signal-to-noise ratio to the input in dB, infinite if nothing changed.
        occluder: (top, left, height, width) in pixels, or None.
    """

    scene_id: str
    condition: str
    psnr: float
    occluder: tuple[int, int, int, int] | None


def corrupt(
    images: torch.Tensor,
    condition: str,
    *,
    scene_ids: Sequence[str],
    seed: int = 0,
    blur_scale: str = "absolute",
    noise_sigma: Sequence[float] = NOISE_SIGMA,
    return_info: bool = False,
) -> torch.Tensor | tuple[torch.Tensor, list[Applied]]:
    """Degrade a batch of images as Table 1 of the paper says.

    Args:
        images: uint8 (B, 3, H, W), RGB, on any device; left unchanged.
        condition: one of `CONDITIONS`; ``clean`` returns a copy.
        scene_ids: B names; with ``seed`` they determine noise and occluder.
        seed: the study's seed.
        blur_scale: ``absolute`` uses the paper's kernel in pixels, ``relative`` the kernel that
            covers the same angle of view at this width (see `blur_kernel_size`).
        noise_sigma: noise of LL1, LL2, LL3 as standard deviation in [0, 1] units, drawn for each
            pixel and channel and added after gamma.
        return_info: also return an `Applied` for each image.

    Returns:
        uint8 (B, 3, H, W) on the input's device; with ``return_info`` a pair.

    Raises:
        UserError: wrong dtype or shape, a number of scene ids other than B, an unknown condition or
            blur scale, noise that is not three non-negative numbers.

    >>> street = torch.full((1, 3, 40, 50), 100, dtype=torch.uint8)
    >>> dark = corrupt(street, "LL3", scene_ids=["a"], noise_sigma=(0, 0, 0))
    >>> int(dark[0, 0, 0, 0])  # 255 * (100 / 255) ** 3 = 15.4
    15
    >>> hidden = corrupt(street, "OCC3", scene_ids=["a"])
    >>> bool(abs(int((hidden[0, 0] == 0).sum()) - 0.25 * 40 * 50) < 50)
    True
    """
    row = condition_row(condition)
    _check(images, scene_ids, blur_scale, noise_sigma)
    boxes: list[tuple[int, int, int, int] | None] = [None] * len(images)
    if row is None or images.numel() == 0:
        out = images.clone()
    elif row.kernel is not None:
        kernel = blur_kernel_size(row.kernel, images.shape[-1], blur_scale)
        out = _kernels(images).motion_blur(images, kernel)
    elif row.gamma is not None:
        sigma = float(noise_sigma[row.severity - 1])
        keys = [digest_words(seed, name, row.corruption, row.severity)[0] for name in scene_ids]
        out = _kernels(images).low_light(images, row.gamma, sigma, keys)
    else:
        height, width = images.shape[-2:]
        boxes = [occluder(name, row.severity, height, width, seed) for name in scene_ids]
        out = _kernels(images).occlude(images, boxes)
    if not return_info:
        return out
    ratios = psnr(images, out)
    return out, [
        Applied(name, condition, ratio, box)
        for name, ratio, box in zip(scene_ids, ratios, boxes, strict=True)
    ]


def _check(
    images: torch.Tensor, scene_ids: Sequence[str], blur_scale: str, noise_sigma: Sequence[float]
) -> None:
    if not isinstance(images, torch.Tensor) or images.dtype != torch.uint8:
        got = getattr(images, "dtype", type(images).__name__)
        raise UserError(f"images must be a uint8 tensor (B, 3, H, W), got {got}: convert it first")
    if images.ndim != 4 or images.shape[1] != 3:
        raise UserError(
            f"images must have shape (B, 3, H, W), got {tuple(images.shape)}: "
            "put the channels second and add a batch dimension"
        )
    if isinstance(scene_ids, str) or len(scene_ids) != len(images):
        raise UserError(f"scene_ids must be a list of {len(images)} names, one for each image")
    if blur_scale not in BLUR_SCALES:
        raise UserError(f"unknown blur_scale {blur_scale!r}{closest(blur_scale, BLUR_SCALES)}")
    try:
        sigmas = [float(value) for value in noise_sigma]
    except (TypeError, ValueError):
        sigmas = []
    if len(sigmas) != 3 or not all(math.isfinite(value) and value >= 0 for value in sigmas):
        raise UserError(
            f"noise_sigma must be three numbers >= 0, for LL1, LL2 and LL3, got {noise_sigma!r}"
        )


def _kernels(images: torch.Tensor) -> ModuleType:
    """Return the module that degrades: compiled kernels on a CPU where they work, else Kornia."""
    compiled = _compiled() if images.device.type == "cpu" else None
    return compiled or kornia_backend


@lru_cache(maxsize=1)
def _compiled() -> ModuleType | None:
    """Import the compiled kernels, None where numba fails; once in a process, on first use."""
    try:
        from vlmis_utils.corruptions import numba_backend
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        warnings.warn(
            f"numba cannot compile here, so images are degraded by Kornia, with the same result "
            f"but more slowly: {reason}",
            RuntimeWarning,
            stacklevel=4,
        )
        return None
    return numba_backend


def occluder(
    scene_id: str, severity: int, height: int, width: int, seed: int = 0
) -> tuple[int, int, int, int]:
    """Place the black rectangle of OCC1, OCC2 or OCC3 in an image of ``height`` x ``width`` pixels.

    Its aspect (width to height) is log-uniform between 1:2 and 2:1, or as near as the frame
    allows; its position is uniform among those where it lies wholly inside. Its area misses the
    share of Table 1 by at most half a row of its own pixels.

    Args:
        scene_id: name of the scene.
        severity: 1, 2 or 3.
        height, width: size of the image in pixels.
        seed: the study's seed.

    Returns:
        (top, left, height, width) in pixels.

    Raises:
        UserError: an unknown severity, or an image without pixels.

    >>> top, left, tall, wide = occluder("a", 3, 256, 512)
    >>> round(tall * wide / (256 * 512), 2)
    0.25
    """
    row = next((r for r in TABLE1 if r.condition == f"OCC{severity}"), None)
    if row is None:
        raise UserError(f"unknown severity {severity!r} of occlusion (known: 1, 2, 3)")
    if height < 1 or width < 1:
        raise UserError(f"an image of {height} x {width} pixels has no room for an occluder")
    words = digest_words(seed, scene_id, row.corruption, row.severity)
    area = max(1, round(row.share * height * width))
    narrowest, widest = max(1, math.ceil(area / height)), min(width, area)
    low = min(max(math.sqrt(area / _ASPECT), narrowest), widest)
    high = min(max(math.sqrt(area * _ASPECT), narrowest), widest)
    wide = min(max(round(low * (high / low) ** (words[0] / 2**64)), narrowest), widest)
    tall = min(max(1, round(area / wide)), height)
    top = words[1] * (height - tall + 1) >> 64
    left = words[2] * (width - wide + 1) >> 64
    return top, left, tall, wide


def psnr(images: torch.Tensor, degraded: torch.Tensor) -> list[float]:
    """Return the peak signal-to-noise ratio of each image in dB, over all pixels and channels.

    Args:
        images, degraded: uint8 (B, 3, H, W), peak 255.

    Returns:
        B numbers; infinite where the two are equal.

    >>> black = torch.zeros(1, 3, 2, 2, dtype=torch.uint8)
    >>> psnr(black, black + 255), psnr(black, black)
    ([0.0], [inf])
    """
    gaps = (images.to(torch.int32) - degraded.to(torch.int32)).square().flatten(1)
    errors = gaps.sum(1, dtype=torch.int64).tolist()
    size = gaps.shape[1]
    return [10 * math.log10(255**2 * size / e) if e else math.inf for e in errors]
