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
from torch.nn import functional
from torchmetrics.functional.image import total_variation

from vlmis_utils.protocol.signals import PICTURE_SIGNALS

__all__ = ["picture_signals"]

_DARK, _LIGHT = 5, 250
_LAPLACIAN = ((0.0, 1.0, 0.0), (1.0, -4.0, 1.0), (0.0, 1.0, 0.0))
_NOISE = ((1.0, -2.0, 1.0), (-2.0, 4.0, -2.0), (1.0, -2.0, 1.0))


def picture_signals(images: Tensor) -> dict[str, list[float]]:
    """Return the signals of pictures, one number a picture for each of `PICTURE_SIGNALS`.

    Args:
        images: uint8 (B, 3, H, W), on any device.

    >>> flat = picture_signals(torch.full((1, 3, 8, 8), 51, dtype=torch.uint8))
    >>> round(flat["brightness"][0], 3), flat["sharpness"][0], flat["noise"][0]
    (0.2, 0.0, 0.0)
    """
    shares = images.float() / 255
    grey = shares.mean(dim=1, keepdim=True)
    seen = grey
    if min(grey.shape[2:]) < 3:  # no neighbours all around: nothing is sharp, and no noise seen
        seen = grey.mean(dim=(2, 3), keepdim=True).expand(-1, -1, 3, 3)
    kernels = torch.tensor([_LAPLACIAN, _NOISE], device=images.device).unsqueeze(1)
    edges, grain = functional.conv2d(seen, kernels).unbind(dim=1)
    varied = total_variation(shares, reduction="none") / shares[0, 0].numel()
    found = {
        "sharpness": edges.flatten(1).var(dim=1, correction=0),
        "brightness": grey.flatten(1).mean(dim=1),
        "contrast": grey.flatten(1).std(dim=1, correction=0),
        "noise": grain.abs().flatten(1).mean(dim=1) * (math.sqrt(math.pi / 2) / 6),
        "black_share": (images.amax(dim=1) <= _DARK).flatten(1).float().mean(dim=1),
        "white_share": (images.amax(dim=1) >= _LIGHT).flatten(1).float().mean(dim=1),
        "variation": varied,
    }
    return {name: found[name].double().tolist() for name in PICTURE_SIGNALS}
