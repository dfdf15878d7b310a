"""Predicted label maps as small pictures, kept beside the counts so that a reader can see them.

Counts are what every number comes from; a mask is for looking at, and may be coarser than what the
counts were taken from.
"""

from __future__ import annotations

import io
import math

import numpy as np
from PIL import Image

from vlmis_utils.protocol.classes import PALETTE, TRAIN_CLASSES

__all__ = ["LONGEST", "NO_CLASS", "mask_png"]

# The longer side of a kept mask has at most so many pixels: StreetWorld's are kept whole.
LONGEST = 512

# What a pixel of no train class is in the file: the entry after the last class, transparent.
NO_CLASS = len(TRAIN_CLASSES)


def mask_png(labels: np.ndarray, longest: int = LONGEST) -> bytes:
    """Return a label map as a palette PNG in Cityscapes' colours, its entries the train ids.

    Args:
        labels: train ids uint8 (H, W); anything from 19 on, such as 255, becomes `NO_CLASS`.
        longest: of the picture's sides, in pixels; a larger map is thinned to every k-th pixel in
            both directions, k as small as that allows.

    >>> picture = Image.open(io.BytesIO(mask_png(np.full((2, 1024), 13, np.uint8))))
    >>> picture.size, picture.mode, picture.getpixel((0, 0))
    ((512, 1), 'P', 13)
    """
    step = max(1, math.ceil(max(labels.shape) / longest))
    picture = Image.fromarray(np.minimum(labels[::step, ::step], NO_CLASS).astype(np.uint8))
    picture.putpalette([*PALETTE.ravel().tolist(), 0, 0, 0])
    out = io.BytesIO()
    picture.save(out, "PNG", transparency=NO_CLASS)
    return out.getvalue()
