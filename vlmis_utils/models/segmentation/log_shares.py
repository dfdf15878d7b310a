"""From a segmenter's scores to log probabilities of the 19 train classes."""

from __future__ import annotations

import torch
from torch import Tensor

from vlmis_utils.protocol.classes import TRAIN_CLASSES

__all__ = ["log_shares"]

_LEAST = 1e-12  # probability of a class that a checkpoint lacks, and of a score of nothing


def log_shares(scores: Tensor, ids: Tensor, logits: bool) -> Tensor:
    """Return log probabilities of the train classes.

    Args:
        scores: float32 (B, C, h, w) of a checkpoint's labels: logits, or else non-negative scores
            such as Mask2Former's sums over queries, which are divided by their sum.
        ids: uint8 (C,), the train class of each label; labels of one class are added up.
        logits: whether scores are logits.

    Returns:
        float32 (B, 19, h, w), at least log 1e-12.

    >>> scores = torch.tensor([1.0, 3.0]).reshape(1, 2, 1, 1)
    >>> log_shares(scores, torch.tensor([0, 4], dtype=torch.uint8), False).exp()[0, [0, 4], 0, 0]
    tensor([0.2500, 0.7500])
    """
    if logits:
        shares = torch.softmax(scores, dim=1)
    else:
        shares = scores.clamp_min(0)
        shares = shares / shares.sum(dim=1, keepdim=True).clamp_min(_LEAST)
    own = shares.new_zeros((len(shares), len(TRAIN_CLASSES), *shares.shape[2:]))
    own.index_add_(1, ids.to(shares.device, torch.long), shares)
    return own.clamp_min(_LEAST).log()
