"""The corruptions of the paper's Table 1: motion blur, low light, occlusion, three severities each.

Images go in and come out as uint8, like a camera's. The random parts (sensor noise, the place of
the occluder) are a pure function of (seed, scene_id, corruption) and, for noise, of the severity:
the same pixels alone or in any batch, in any order, on CPU or GPU. To that end blur sums integers,
gamma is a table of 256 levels, and noise comes from a counter (`corruptions.noise`). Kornia says
what the result is and works on any device (`corruptions.kornia_backend`); on a CPU compiled loops
give the same bytes (`corruptions.numba_backend`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch

from vlmis_utils.core.errors import UserError, closest
from vlmis_utils.corruptions.backends import backend_module, resolve_backend
from vlmis_utils.corruptions.noise import scene_words
from vlmis_utils.corruptions.occluder import occluder
from vlmis_utils.protocol.conditions import (
    BLANK,
    BLUR_SCALES,
    CONDITIONS,
    NOISE_SIGMA,
    TABLE1,
    Row,
    blur_length,
    condition_row,
)

__all__ = ["CONDITIONS", "NOISE_SIGMA", "TABLE1", "Row", "corrupt", "degrade", "occluder"]

_GREY = 128  # of the control image


def corrupt(
    images: torch.Tensor,
    condition: str,
    *,
    scene_ids: Sequence[str],
    seed: int = 0,
    blur_scale: str = "absolute",
    noise_sigma: Sequence[float] = NOISE_SIGMA,
    backend: str = "auto",
) -> torch.Tensor:
    """Degrade a batch of images as Table 1 of the paper says.

    Args:
        images: uint8 (B, 3, H, W), RGB, on any device; left unchanged.
        condition: one of `CONDITIONS`; ``clean`` returns a copy.
        scene_ids: B names; with ``seed`` they determine noise and occluder.
        seed: the study's seed.
        blur_scale: ``absolute`` blurs over the paper's number of pixels, ``relative`` over the same
            angle of view at this width (see `protocol.conditions.blur_length`).
        noise_sigma: noise of LL1, LL2, LL3 as standard deviation in [0, 1] units, drawn for each
            pixel and channel and added after gamma.
        backend: ``kornia``, ``compiled`` (on a CPU) or ``auto``, the faster one; same bytes.

    Returns:
        uint8 (B, 3, H, W), contiguous, on the input's device.

    Raises:
        UserError: wrong dtype or shape, a number of scene ids other than B, an unknown condition,
            blur scale or backend, noise that is not three non-negative numbers.

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
    module = backend_module(backend, images.device)
    if row is None or images.numel() == 0:
        return images.clone(memory_format=torch.contiguous_format)
    height, width = images.shape[-2:]
    if row.kernel is not None:
        return module.motion_blur(images, blur_length(row.kernel, width, blur_scale))
    if row.gamma is not None:
        sigma = float(noise_sigma[row.severity - 1])
        keys = [scene_words(seed, name, row.corruption, row.severity)[0] for name in scene_ids]
        return module.low_light(images, row.gamma, sigma, keys)
    boxes = [occluder(name, row.severity, height, width, seed) for name in scene_ids]
    return module.occlude(images, boxes)


def degrade(
    images: torch.Tensor,
    condition: str,
    *,
    scene_ids: Sequence[str],
    device: str = "cpu",
    backend: str = "auto",
    **options: object,
) -> torch.Tensor:
    """Give a study's images the form in which its models see them, where those run.

    Clean images travel to the device and are degraded there by Kornia; with the compiled backend
    they are degraded first and travel then. Either way a picture travels once.

    Args:
        images: uint8 (B, 3, H, W), RGB, clean.
        condition: one of `CONDITIONS`, or ``blank``, the control: uniform mid grey of that size.
        scene_ids: B names.
        device: where the models run.
        backend: of `protocol.conditions.CORRUPTION_BACKENDS`, see `resolve_backend`.
        options: of `corrupt`: seed, blur_scale, noise_sigma.

    Returns:
        uint8 (B, 3, H, W) on ``device``.

    >>> street = torch.zeros(1, 3, 2, 2, dtype=torch.uint8)
    >>> degrade(street, "blank", scene_ids=["a"])[0, 0].tolist()
    [[128, 128], [128, 128]]
    """
    if condition == BLANK:
        return torch.full(images.shape, _GREY, dtype=torch.uint8, device=device)
    backend = resolve_backend(backend, device)
    if backend == "kornia":
        images = images.to(device)
    out = corrupt(images, condition, scene_ids=scene_ids, backend=backend, **options)
    return out.to(device)


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
