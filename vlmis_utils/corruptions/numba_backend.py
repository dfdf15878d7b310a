"""The three corruptions for one CPU core, compiled: the bytes of `corruptions.kornia_backend`.

Blur adds integers, by windows of one, two, four ... pixels, each of which is two of the one before.
Low light reads gamma and noise from the tables that the reference reads, in one pass over the image
in blocks that stay in the cache; the noise's bits are drawn a block at a time, many counters in an
instruction. Floating-point steps are those of the reference, in float32 and in its order.

Importing this module compiles, or loads what an earlier import on this machine compiled (numba
keeps it beside the module, else in the user's cache, else not at all). The import fails where numba
does not work; `corruptions.backends` then takes the reference.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import numba
import numpy as np
import torch

from vlmis_utils.core.jit import compiled
from vlmis_utils.corruptions import kornia_backend
from vlmis_utils.corruptions.box import box_of
from vlmis_utils.corruptions.kornia_backend import gamma_table
from vlmis_utils.corruptions.noise import quantiles

__all__ = ["LARGEST", "low_light", "motion_blur", "occlude"]

if sys.byteorder != "little":
    raise ImportError("the compiled kernels split words in the order of little-endian machines")

# 257 pixels of 255 add up to 65,535, the largest 16-bit number.
LARGEST = 257

_COUNTERS = 512  # in a block: 4,096 values
_VALUES = 8  # of 16 bits, from one counter
_LOW, _SHIFT = np.uint64(0xFFFFFFFF), np.uint64(32)
# Of Philox4x32-10, as in `corruptions.noise`; written here too because numba's cache would not
# notice a change in another file.
_MULTIPLIERS = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
_WEYL = np.uint64(0x9E3779B9), np.uint64(0xBB67AE85)
_ROUNDS = 10
_ZERO, _ONE, _TOP = np.float32(0), np.float32(1), np.float32(255)


@numba.njit
def _fill(value, out):
    for i in range(out.size):
        out[i] = value


@numba.njit
def _copy(line, out):
    for i in range(out.size):
        out[i] = line[i]


@numba.njit
def _pair(old, gap, out):
    later = old[gap : gap + out.size]
    for i in range(out.size):
        out[i] = old[i] + later[i]


@numba.njit
def _add(part, total):
    for i in range(total.size):
        total[i] += part[i]


@numba.njit
def _divide(total, inverse, out):
    for i in range(out.size):
        out[i] = np.uint8(np.int32(np.rint(np.float32(np.int32(total[i])) * inverse)))


@numba.njit
def _mix(inner, outer, whole, ends, total, out):
    for i in range(out.size):
        level = (whole - ends) * np.int64(inner[i]) + ends * np.int64(outer[i])
        out[i] = np.uint8((2 * level + total) // (2 * total))


@numba.njit
def _sums(line, size, windows, spare, total):
    """Write the sums over ``size`` neighbours, edges replicated; split as ``size`` is in bits."""
    width, side = line.size, size // 2
    _fill(line[0], windows[:side])
    _copy(line, windows[side : side + width])
    _fill(line[width - 1], windows[side + width : width + size - 1])
    _copy(windows[:width], total)
    start, length, count = 1, 1, width + size - 1
    while 2 * length <= size:
        count -= length
        _pair(windows, length, spare[:count])
        windows, spare = spare, windows
        length *= 2
        if size & length:
            _add(windows[start : start + width], total)
            start += length


@compiled("void(uint8[:, ::1], uint8[:, ::1], int64, int64, int64)")
def _blur_rows(rows, out, size, whole, ends):
    """Write the rounded mean over a box, see `corruptions.box`.

    Without ends the sum is multiplied by 1 / size. The product is off by less than 1e-4, and a sum
    over an odd number of pixels is at least 1 / (2 * 257) away from where rounding turns, so it
    rounds as the quotient would.
    """
    width, total = rows.shape[1], size * whole + 2 * ends
    windows = np.empty(width + size + 1, np.uint16)
    spare = np.empty_like(windows)
    inner, outer = np.empty(width, np.uint16), np.empty(width, np.uint16)
    inverse = np.float32(1 / size)
    for row in range(rows.shape[0]):
        _sums(rows[row], size, windows, spare, inner)
        if ends:
            _sums(rows[row], size + 2, windows, spare, outer)
            _mix(inner, outer, whole, ends, total, out[row])
        else:
            _divide(inner, inverse, out[row])


@numba.njit
def _philox(words, first, key):
    for i in range(_COUNTERS):
        c0, c1 = (first + np.uint64(i)) & _LOW, (first + np.uint64(i)) >> _SHIFT
        c2, c3 = np.uint64(0), np.uint64(0)
        k0, k1 = key & _LOW, key >> _SHIFT
        for _ in range(_ROUNDS):
            a, b = c0 * _MULTIPLIERS[0], c2 * _MULTIPLIERS[1]
            c0, c2 = (b >> _SHIFT) ^ c1 ^ k0, (a >> _SHIFT) ^ c3 ^ k1
            c1, c3 = b & _LOW, a & _LOW
            k0, k1 = (k0 + _WEYL[0]) & _LOW, (k1 + _WEYL[1]) & _LOW
        words[4 * i], words[4 * i + 1] = c0, c1
        words[4 * i + 2], words[4 * i + 3] = c2, c3


@numba.njit
def _expose(image, table, noise, bits, out):
    for i in range(out.size):
        level = min(max(table[image[i]] + noise[bits[i]], _ZERO), _ONE)
        out[i] = np.uint8(np.rint(level * _TOP))


@compiled("void(uint8[::1], uint8[::1], float32[::1], float32[::1], uint64)")
def _darken(image, out, table, noise, key):
    """Write gamma plus noise of one image, in its row-major order."""
    words = np.empty(4 * _COUNTERS, np.uint32)
    bits = words.view(np.uint16)
    size = _COUNTERS * _VALUES
    for start in range(0, image.size, size):
        stop = min(start + size, image.size)
        _philox(words, np.uint64(start // _VALUES), key)
        _expose(image[start:stop], table, noise, bits, out[start:stop])


def motion_blur(images: torch.Tensor, length: float) -> torch.Tensor:
    """Average the pixels of each row over a horizontal box, edges replicated.

    Args:
        images: uint8 (B, 3, H, W), not empty, on the CPU, with any strides.
        length: of the box in pixels, at least 1; its ends may cover a part of a pixel, see
            `corruptions.box`. A box of more than `LARGEST` pixels is left to the reference.

    Returns:
        uint8 (B, 3, H, W), contiguous.

    >>> motion_blur(torch.tensor([[[[210, 0, 0, 0]]]], dtype=torch.uint8), 3).flatten().tolist()
    [140, 70, 0, 0]
    """
    box = box_of(length)
    if box.size + (2 if box.ends else 0) > LARGEST:
        return kornia_backend.motion_blur(images, length)
    images = images.contiguous()
    out = torch.empty_like(images)
    rows, blurred = (array.numpy().reshape(-1, images.shape[-1]) for array in (images, out))
    _blur_rows(rows, blurred, box.size, box.whole, box.ends)
    return out


def low_light(
    images: torch.Tensor, gamma: float, sigma: float, keys: Sequence[int]
) -> torch.Tensor:
    """Darken by gamma, then add sensor noise, clamp to [0, 1] and round to 8 bits.

    Args:
        images: uint8 (B, 3, H, W), on the CPU, with any strides.
        gamma: exponent applied to intensities in [0, 1].
        sigma: standard deviation of the noise, in the same units; see `corruptions.noise`.
        keys: B unsigned 64-bit integers, one for each image's noise.

    Returns:
        uint8 (B, 3, H, W), contiguous.

    >>> low_light(torch.full((1, 3, 1, 1), 51, dtype=torch.uint8), 2.0, 0.0, [7]).flatten().tolist()
    [10, 10, 10]
    """
    table, noise = gamma_table(gamma).numpy(), quantiles(float(sigma), torch.device("cpu")).numpy()
    images = images.contiguous()
    out = torch.empty_like(images)
    for image, dark, key in zip(images.numpy(), out.numpy(), keys, strict=True):
        _darken(image.reshape(-1), dark.reshape(-1), table, noise, np.uint64(key))
    return out


def occlude(images: torch.Tensor, boxes: Sequence[tuple[int, int, int, int]]) -> torch.Tensor:
    """Put a black rectangle into a copy of each image; NumPy copies and fills faster than torch.

    Args:
        images: uint8 (B, 3, H, W), on the CPU, with any strides.
        boxes: B of (top, left, height, width) in pixels, inside the image.

    Returns:
        uint8 (B, 3, H, W), contiguous.

    >>> occlude(torch.ones(1, 3, 1, 4, dtype=torch.uint8), [(0, 1, 1, 2)])[0, 0].tolist()
    [[1, 0, 0, 1]]
    """
    out = images.numpy().copy()
    for image, (top, left, tall, wide) in zip(out, boxes, strict=True):
        image[:, top : top + tall, left : left + wide] = 0
    return torch.from_numpy(out)
