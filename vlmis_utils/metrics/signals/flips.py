"""Which pixels change their class when a picture is mirrored and moved by one pixel.

What a picture shows stays the same, so a segmenter that changes its mind was not sure of it.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from vlmis_utils.protocol.classes import CRITICAL_CLASSES, LANGUAGE_CLASSES
from vlmis_utils.protocol.image_corridor import corridor_mask
from vlmis_utils.protocol.signals import FLIPS

__all__ = ["back", "flips", "mirrored"]

_CRITICAL = [LANGUAGE_CLASSES.index(name) for name in CRITICAL_CLASSES]


def mirrored(images: Tensor) -> Tensor:
    """Return images (..., H, W) mirrored and moved right by one pixel, the left edge repeated."""
    turned = images.flip(-1)
    return torch.cat([turned[..., :1], turned[..., :-1]], dim=-1)


def back(labels: np.ndarray) -> np.ndarray:
    """Return label maps (..., H, W) of `mirrored` images as of the images, less the last column.

    >>> images = torch.arange(5)[None]
    >>> back(mirrored(images).numpy()).tolist()
    [[1, 2, 3, 4]]
    """
    return labels[..., ::-1][..., :-1]


def flips(plain: np.ndarray, turned: np.ndarray) -> list[dict[str, float | None]]:
    """Return `FLIPS` of each image.

    Args:
        plain: train ids, uint8 (B, H, W), of images.
        turned: the same of `mirrored` images.
    """
    ahead = corridor_mask(*plain.shape[1:])[:, 1:]
    found = []
    for one, other in zip(plain[..., 1:], back(turned), strict=True):
        changed = one != other
        critical = np.isin(one, _CRITICAL) | np.isin(other, _CRITICAL)
        parts = changed.ravel(), changed[ahead], changed[critical]
        values = [float(part.mean()) if part.size else None for part in parts]
        found.append(dict(zip(FLIPS, values, strict=True)))
    return found
