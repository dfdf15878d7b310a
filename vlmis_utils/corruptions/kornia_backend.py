"""The three corruptions with Kornia and torch: what they mean, on any device.

On a CPU `corruptions.numba_backend` does the same work faster; its bytes are tested against these.
Kornia blurs and gives the gamma curve. Its noise is not used: torch's random numbers differ from
one kind of device to another and depend on the batch, those of `corruptions.noise` do not.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import torch

from vlmis_utils.corruptions.box import box_of
from vlmis_utils.corruptions.noise import gaussian

__all__ = ["gamma_table", "low_light", "motion_blur", "occlude"]

# What lies beyond the frame is unknown. Repeating the edge column keeps the brightness there and,
# unlike reflection, brings no mirrored second copy of an object into the picture.
_BORDER = "replicate"


def motion_blur(images: torch.Tensor, length: float) -> torch.Tensor:
    """Average the pixels of each row over a horizontal box, edges replicated.

    Args:
        images: uint8 (B, 3, H, W), not empty, on any device.
        length: of the box in pixels, at least 1; its ends may cover a part of a pixel, see
            `corruptions.box`.

    Returns:
        uint8 (B, 3, H, W) on the same device, rounded to the nearest level, halves upwards.
    """
    box = box_of(length)
    sums = _sums(images, box.size) * (box.whole - box.ends)
    if box.ends:
        sums += _sums(images, box.size + 2) * box.ends
    return sums.mul_(2).add_(box.total).floor_divide_(2 * box.total).to(torch.uint8)


def _sums(images: torch.Tensor, size: int) -> torch.Tensor:
    """Return the sum over ``size`` (odd) neighbours in each row, int32, by Kornia's motion kernel.

    At angle 0 that kernel has one row that is not zero, so a single horizontal pass does the work
    of the square one. Weights are one, not 1 / size: sums of whole numbers are exact.
    """
    if size == 1:
        return images.to(torch.int32)
    import kornia

    square = kornia.filters.get_motion_kernel2d(size, 0.0, 0.0)[0]
    line = (square[size // 2] * size).round().to(images.device)
    with torch.autocast(images.device.type, enabled=False):
        sums = kornia.filters.filter2d(images.float(), line[None, None], border_type=_BORDER)
    return sums.round_().to(torch.int32)


@lru_cache(maxsize=16)
def gamma_table(gamma: float) -> torch.Tensor:
    """Return float32 (256,): Kornia's gamma correction of every grey level, in [0, 1].

    A power may differ in its last bit from one device to another; a table read there does not.

    >>> gamma_table(2.0)[[0, 51, 255]].tolist()  # (51 / 255) ** 2 = 0.04
    [0.0, 0.03999999910593033, 1.0]
    """
    import kornia

    levels = torch.arange(256, dtype=torch.float64) / 255
    return kornia.enhance.adjust_gamma(levels.reshape(1, 1, 1, 256), gamma).flatten().float()


def low_light(
    images: torch.Tensor, gamma: float, sigma: float, keys: Sequence[int]
) -> torch.Tensor:
    """Darken by gamma, then add sensor noise, clamp to [0, 1] and round to 8 bits.

    Args:
        images: uint8 (B, 3, H, W), on any device.
        gamma: exponent applied to intensities in [0, 1].
        sigma: standard deviation of the noise, in the same units; see `corruptions.noise`.
        keys: B unsigned 64-bit integers, one for each image's noise.

    Returns:
        uint8 (B, 3, H, W) on the same device.
    """
    table = gamma_table(gamma).to(images.device)
    out = torch.empty_like(images, memory_format=torch.contiguous_format)
    for index, key in enumerate(keys):
        dark = table[images[index].long()]
        if sigma > 0:
            dark = dark + gaussian(tuple(dark.shape), key, sigma, images.device)
        out[index] = (dark.clamp_(0, 1) * 255).round_().to(torch.uint8)
    return out


def occlude(images: torch.Tensor, boxes: Sequence[tuple[int, int, int, int]]) -> torch.Tensor:
    """Put a black rectangle into a copy of each image.

    Args:
        images: uint8 (B, 3, H, W), on any device.
        boxes: B of (top, left, height, width) in pixels, inside the image.

    Returns:
        uint8 (B, 3, H, W) on the same device.
    """
    out = images.clone(memory_format=torch.contiguous_format)
    for index, (top, left, tall, wide) in enumerate(boxes):
        out[index, :, top : top + tall, left : left + wide] = 0
    return out
