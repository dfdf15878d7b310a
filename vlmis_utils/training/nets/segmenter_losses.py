"""The losses that the three small segmentation networks are trained with."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from vlmis_utils.protocol.classes import IGNORE

__all__ = ["class_weights", "pixel_loss", "query_loss"]


def class_weights(frequencies: np.ndarray) -> Tensor:
    """Return cross-entropy weights 1 / log(1.1 + share), float32 (19,), with mean 1 over pixels.

    The inverse logarithm (Paszke et al. 2016, ENet) lifts rare classes by at most about tenfold.
    """
    weights = 1 / np.log(1.1 + np.asarray(frequencies, dtype=np.float64))
    weights /= max(float((weights * frequencies).sum()), 1e-9)
    return torch.tensor(weights, dtype=torch.float32)


def pixel_loss(scores: Tensor, labels: Tensor, weights: Tensor, stride: int = 2) -> Tensor:
    """Return weighted cross-entropy plus soft Jaccard loss on every ``stride``-th pixel.

    Which of the stride x stride sub-grids is compared is drawn for each call, so that all pixels
    count equally in the long run.

    Args:
        scores: logits (B, 19, h, w) of any resolution.
        labels: int64 (B, H, W), 255 = ignore.
        weights: (19,), of the classes.
    """
    top, left = torch.randint(0, stride, (2,)).tolist()
    target = labels[:, top::stride, left::stride]
    full = functional.interpolate(
        scores.float(), target.shape[1:], mode="bilinear", align_corners=False
    )
    logs = full.log_softmax(1)
    entropy = functional.nll_loss(logs, target, weights, ignore_index=IGNORE)
    return entropy + 0.5 * _jaccard(logs.exp(), target)


def _jaccard(shares: Tensor, target: Tensor) -> Tensor:
    """Return 1 - soft IoU over the batch, averaged over the classes that it shows."""
    classes = shares.shape[1]
    known = (target != IGNORE).to(shares.dtype)
    marks = target.clamp(max=classes - 1)
    own = shares.gather(1, marks[:, None])[:, 0] * known
    flat = marks.flatten()
    hits = own.new_zeros(classes).index_add(0, flat, own.flatten())
    truth = own.new_zeros(classes).index_add(0, flat, known.flatten())
    claimed = torch.einsum("bchw,bhw->c", shares, known)
    shown = truth > 0
    return 1 - (hits[shown] / (truth + claimed - hits)[shown].clamp_min(1e-6)).mean()


def query_loss(classes: Tensor, masks: Tensor, labels: Tensor, weights: Tensor) -> Tensor:
    """Return Mask2Former's losses under the fixed matching of query k with class k.

    Each query is classified as its class where the image shows it, else as "no object"; masks get
    binary cross-entropy and the pixel loss, which compares them with each other.

    Args:
        classes: logits (B, 19, 20), the last output "no object".
        masks: logits (B, 19, h, w).
        labels: int64 (B, H, W), 255 = ignore.
        weights: (19,), of the classes.
    """
    count = masks.shape[1]
    grid = functional.interpolate(labels[:, None].float(), masks.shape[2:], mode="nearest-exact")
    hot = (grid == torch.arange(count, device=masks.device).view(1, -1, 1, 1)).float()
    own = torch.arange(count, device=classes.device)
    target = own.where(hot.flatten(2).any(-1), count)
    balance = torch.ones(count + 1, device=classes.device)
    balance[-1] = 0.5
    classify = functional.cross_entropy(classes.flatten(0, 1).float(), target.flatten(), balance)
    binary = functional.binary_cross_entropy_with_logits(masks.float(), hot)
    return pixel_loss(masks, labels, weights) + 2 * binary + 0.5 * classify
