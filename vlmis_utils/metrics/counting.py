"""Pairs of bytes counted in one pass, compiled by numba.

Label maps have long runs of one label: where eight pixels in a row agree, they are counted at once.
Importing this module compiles it; the import fails where numba does not work.
"""

from __future__ import annotations

import numpy as np
from numba import types

from vlmis_utils.core.jit import compiled

__all__ = ["count_pairs"]

_BYTE, _EIGHT, _SPREAD = np.uint64(0xFF), np.uint64(8), np.uint64(0x0101010101010101)


def count_pairs(first: np.ndarray, second: np.ndarray, marked: np.ndarray) -> np.ndarray:
    """Count the pairs of values at the same place, apart where a mask is set and where it is not.

    Args:
        first, second: uint8, of one shape.
        marked: bool, of the same shape or empty for no mask.

    Returns:
        int64 (2, 256, 256): by mask, first and second value. Up to seven pairs (255, 255) where
        the mask is not set are made up.

    >>> one = np.arange(4, dtype=np.uint8)
    >>> counts = count_pairs(one, one[::-1], one > 2)
    >>> int(counts[0, 1, 2]), int(counts[1, 3, 0])
    (1, 1)
    """
    counts = np.zeros((2, 256, 256), np.int64)
    _count(_words(first, 255), _words(second, 255), _words(marked.view(np.uint8), 0), counts)
    return counts


def _words(values: np.ndarray, rest: int) -> np.ndarray:
    """Return the bytes eight to a word, aligned, the last word filled up."""
    flat = values.ravel()
    if short := -len(flat) % 8:
        flat = np.concatenate([flat, np.full(short, rest, np.uint8)])
    return np.require(flat.view(np.uint64), requirements="A")


_WORDS = types.Array(types.uint64, 1, "C", readonly=True)


@compiled(types.void(_WORDS, _WORDS, _WORDS, types.int64[:, :, ::1]))
def _count(first, second, marked, counts):
    masked = len(marked) > 0
    for i in range(len(first)):
        a, b, m = first[i], second[i], marked[i] if masked else np.uint64(0)
        a0, b0, m0 = a & _BYTE, b & _BYTE, m & _BYTE
        if a == a0 * _SPREAD and b == b0 * _SPREAD and m == m0 * _SPREAD:
            counts[m0, a0, b0] += 8
            continue
        for _ in range(8):
            counts[m & _BYTE, a & _BYTE, b & _BYTE] += 1
            a, b, m = a >> _EIGHT, b >> _EIGHT, m >> _EIGHT
