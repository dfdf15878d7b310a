"""Where the black rectangle of a scene lies: three severities, one inside the other."""

from __future__ import annotations

import math

from vlmis_utils.core.errors import UserError
from vlmis_utils.corruptions.noise import scene_words
from vlmis_utils.protocol.conditions import TABLE1

__all__ = ["occluder"]

_ASPECT = 2.0  # widest: width to height 2:1; tallest: 1:2
_SHARES = {row.severity: row.share for row in TABLE1 if row.share is not None}


def occluder(
    scene_id: str, severity: int, height: int, width: int, seed: int = 0
) -> tuple[int, int, int, int]:
    """Place the black rectangle of OCC1, OCC2 or OCC3 in an image of ``height`` x ``width`` pixels.

    The three rectangles of a scene are nested, so that a higher severity hides more and never
    something else. They share one aspect (width to height), log-uniform between 1:2 and 2:1, or
    as near as the frame allows. The place of OCC1 is uniform among those where it lies wholly
    inside; OCC2 and OCC3 have the same centre, to half a pixel, or are shifted inwards by as much
    as the frame demands. An area misses the share of Table 1 by at most half a row of its own
    pixels; in frames of few pixels (below 23 a side) by one row more, to stay nested.

    Args:
        scene_id: name of the scene, in any Unicode normal form.
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
    if severity not in _SHARES:
        raise UserError(f"unknown severity {severity!r} of occlusion (known: 1, 2, 3)")
    if height < 1 or width < 1:
        raise UserError(f"an image of {height} x {width} pixels has no room for an occluder")
    words = scene_words(seed, scene_id, "occlusion")
    aspect = _ASPECT ** (2 * words[0] / 2**64 - 1)
    first = tall, wide = _size(_SHARES[1], height, width, aspect)
    for step in range(2, severity + 1):
        taller, wider = _size(_SHARES[step], height, width, aspect)
        tall, wide = max(tall, taller), max(wide, wider)
    top = _start(words[1], first[0], tall, height)
    left = _start(words[2], first[1], wide, width)
    return top, left, tall, wide


def _size(share: float, height: int, width: int, aspect: float) -> tuple[int, int]:
    """Return (height, width) of a rectangle of an area and aspect that fits into the frame."""
    area = max(1, round(share * height * width))
    narrowest, widest = max(1, math.ceil(area / height)), min(width, area)
    wide = min(max(round(math.sqrt(area * aspect)), narrowest), widest)
    return min(max(1, round(area / wide)), height), wide


def _start(word: int, first: int, length: int, frame: int) -> int:
    """Return where a side begins: about the centre of the first one's, shifted into the frame."""
    start = (word * (frame - first + 1) >> 64) - (length - first) // 2
    return min(max(start, 0), frame - length)
