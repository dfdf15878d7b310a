"""Bilinear upsampling and the greatest class in one pass over the coarse scores, by numba.

A cell is the square between four neighbouring scores. Interpolation is a convex combination whose
rounded steps are each monotone, so a class whose greatest corner lies below another's least corner
wins nowhere in the cell. In most cells one class is left, and fills the pixels. Elsewhere the
classes that are left are interpolated, along the rows and then between them, as torch does; a sum
may be rounded otherwise, so that scores equal up to their last bits may give another label there.

Importing this module compiles it; the import fails where numba does not work.
"""

from __future__ import annotations

import numba
import numpy as np

from vlmis_utils.core.jit import compiled

__all__ = ["greatest"]

_TILE = 16  # cells that are decided together
_BITS = 32  # classes in a word of a cell's mask
_ONE = np.uint32(1)


def greatest(
    scores: np.ndarray, size: tuple[int, int], ids: np.ndarray, bound: float
) -> np.ndarray:
    """Return the id of each pixel's greatest class, the first of equal ones.

    The classes are those of torch's ``interpolate(mode="bilinear", align_corners=False)`` and
    ``argmax(1)``, near ties aside.

    Args:
        scores: float32 (B, C, h, w), C-contiguous, finite.
        size: (height, width) of the labels.
        ids: uint8 (C,), the id of each class.
        bound: what no score exceeds in magnitude.

    Returns:
        uint8 (B, *size).
    """
    labels = np.empty((len(scores), *size), np.uint8)
    # Above what rounding can do to two interpolated scores: some units in the bound's last place.
    slack = np.float32(bound * 2.0**-20 + 1e-37)
    rows, columns = (_axis(n, m) for n, m in zip(scores.shape[2:], size, strict=True))
    _label(scores, ids, slack, rows, columns, labels)
    return labels


def _axis(coarse: int, fine: int) -> tuple[np.ndarray, ...]:
    """Return the first pixel of each cell, then each pixel's two neighbours and their weights.

    A pixel's place, ``scale * (i + 0.5) - 0.5`` in float32, is rounded once.
    """
    scale = np.float64(np.float32(coarse) / np.float32(fine))
    place = (scale * (np.arange(fine) + 0.5) - 0.5).astype(np.float32).clip(0)
    before = np.minimum(place.astype(np.int64), coarse - 1)
    share = (place - before.astype(np.float32)).clip(0, 1)
    starts = np.searchsorted(before, np.arange(coarse + 1)).astype(np.int64)
    after = np.minimum(before + 1, coarse - 1)
    return starts, before.astype(np.uint32), after.astype(np.uint32), 1 - share, share


@numba.njit
def _mark(scores, image, i, slack, least, masks):
    """Set the bit of each class that may win somewhere in a cell, for the row ``i`` of cells."""
    classes, width = scores.shape[1], scores.shape[3]
    below, last = min(i + 1, scores.shape[2] - 1), width - 1
    least[:] = -np.inf
    masks[:] = 0
    for c in range(classes):
        for j in range(last):
            a, b = scores[image, c, i, j], scores[image, c, i, j + 1]
            d, e = scores[image, c, below, j], scores[image, c, below, j + 1]
            upper, lower = a if a < b else b, d if d < e else e
            smallest = upper if upper < lower else lower
            least[j] = smallest if smallest > least[j] else least[j]
        smallest = min(scores[image, c, i, last], scores[image, c, below, last])
        least[last] = max(least[last], smallest)
    for j in range(width):
        least[j] -= slack
    for c in range(classes):
        word, bit = c // _BITS, _ONE << np.uint32(c % _BITS)
        for j in range(last):
            a, b = scores[image, c, i, j], scores[image, c, i, j + 1]
            d, e = scores[image, c, below, j], scores[image, c, below, j + 1]
            upper, lower = a if a > b else b, d if d > e else e
            largest = upper if upper > lower else lower
            masks[word, j] |= bit if largest >= least[j] else np.uint32(0)
        if max(scores[image, c, i, last], scores[image, c, below, last]) >= least[last]:
            masks[word, last] |= bit


@numba.njit
def _left(masks, start, stop, found):
    """Write the classes that may win in some of the cells, in order, and return how many."""
    count = 0
    for word in range(len(masks)):
        mask = np.uint32(0)
        for j in range(start, stop):
            mask |= masks[word, j]
        c = word * _BITS
        while mask:
            if mask & _ONE:
                found[count] = c
                count += 1
            mask >>= _ONE
            c += 1
    return count


@numba.njit
def _across(line, left, right, before, after, out):
    """Interpolate along a row of scores."""
    for x in range(len(out)):
        out[x] = before[x] * line[left[x]] + after[x] * line[right[x]]


@numba.njit
def _between(upper, lower, u, v, best, labels, label):
    """Interpolate between two rows that are interpolated along, and keep what is greater."""
    for x in range(len(best)):
        score = u * upper[x] + v * lower[x]
        greater = score > best[x]
        best[x] = score if greater else best[x]
        labels[x] = label if greater else labels[x]


_AXIS = "Tuple((int64[::1], uint32[::1], uint32[::1], float32[::1], float32[::1]))"


@compiled(f"void(float32[:, :, :, ::1], uint8[::1], float32, {_AXIS}, {_AXIS}, uint8[:, :, ::1])")
def _label(scores, ids, slack, rows, columns, labels):
    batch, classes, height, width = scores.shape
    tops, _, _, near, far = rows
    edges, before, after, u, v = columns
    least = np.empty(width, np.float32)
    masks = np.empty(((classes + _BITS - 1) // _BITS, width), np.uint32)
    found = np.empty(classes, np.int64)
    parts = np.empty((2, classes, labels.shape[2]), np.float32)
    best = np.empty(labels.shape[2], np.float32)
    for image in range(batch):
        for i in range(height):
            if tops[i] == tops[i + 1]:
                continue
            below = min(i + 1, height - 1)
            _mark(scores, image, i, slack, least, masks)
            for cell in range(0, width, _TILE):
                beyond = min(cell + _TILE, width)
                start, stop = edges[cell], edges[beyond]
                count = _left(masks, cell, beyond, found)
                if count == 1:
                    for y in range(tops[i], tops[i + 1]):
                        labels[image, y, start:stop] = ids[found[0]]
                    continue
                left, right = before[start:stop], after[start:stop]
                us, vs, top = u[start:stop], v[start:stop], best[start:stop]
                for k in range(count):
                    upper, lower = scores[image, found[k], i], scores[image, found[k], below]
                    _across(upper, left, right, us, vs, parts[0, k, start:stop])
                    _across(lower, left, right, us, vs, parts[1, k, start:stop])
                for y in range(tops[i], tops[i + 1]):
                    line = labels[image, y, start:stop]
                    top[:] = -np.inf
                    for k in range(count):
                        upper, lower = parts[0, k, start:stop], parts[1, k, start:stop]
                        _between(upper, lower, near[y], far[y], top, line, ids[found[k]])
