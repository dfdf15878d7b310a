"""What a picture tells of its own quality, without a label, a reference picture or a model.

Grey values are the mean of red, green and blue, in [0, 1]. Sharpness is the variance of the
Laplacian (Pech-Pacheco et al., ICPR 2000). Noise is the standard deviation that Immerkaer's
difference of two Laplacians sees (Computer Vision and Image Understanding 64, 1996). Total
variation is that of torchmetrics, for a pixel.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torchmetrics.functional.image import total_variation

from vlmis_utils.protocol.signals import PICTURE_SIGNALS

__all__ = ["picture_signals"]

_DARK, _LIGHT = 5, 250


def picture_signals(images: Tensor) -> dict[str, list[float]]:
    """Return the signals of pictures, one number a picture for each of `PICTURE_SIGNALS`.

    Args:
        images: uint8 (B, 3, H, W), on any device.

    >>> flat = picture_signals(torch.full((1, 3, 8, 8), 51, dtype=torch.uint8))
    >>> round(flat["brightness"][0], 3), flat["sharpness"][0], flat["noise"][0]
    (0.2, 0.0, 0.0)
    """
    shares = images.float() / 255
    grey = shares.mean(dim=1)
    seen = grey
    if min(grey.shape[1:]) < 3:  # no neighbours all around: nothing is sharp, and no noise seen
        seen = grey.mean(dim=(1, 2), keepdim=True).expand(-1, 3, 3)
    across, down = _bend(seen, 2), _bend(seen, 1)
    edges, grain = across[:, 1:-1] + down[:, :, 1:-1], _bend(across, 1)
    varied = total_variation(shares, reduction="none") / shares[0, 0].numel()
    greatest = torch.maximum(torch.maximum(images[:, 0], images[:, 1]), images[:, 2])
    found = {
        "sharpness": _variance(edges),
        "brightness": grey.mean(dim=(1, 2)),
        "contrast": _variance(grey).sqrt(),
        "noise": grain.abs().mean(dim=(1, 2)) * (math.sqrt(math.pi / 2) / 6),
        "black_share": (greatest <= _DARK).float().mean(dim=(1, 2)),
        "white_share": (greatest >= _LIGHT).float().mean(dim=(1, 2)),
        "variation": varied,
    }
    return {name: found[name].double().tolist() for name in PICTURE_SIGNALS}


def _bend(grey: Tensor, dim: int) -> Tensor:
    """Return second differences along a dimension, which loses its two ends.

    The Laplacian is their sum over both, Immerkaer's kernel one of the other.
    """
    size = grey.shape[dim] - 2
    first, middle, last = (grey.narrow(dim, start, size) for start in range(3))
    return first + last - 2 * middle


def _variance(values: Tensor) -> Tensor:
    """Return the variance of each picture (B, h, w), in two passes, which is fast and exact."""
    return (values - values.mean(dim=(1, 2), keepdim=True)).square().mean(dim=(1, 2))
