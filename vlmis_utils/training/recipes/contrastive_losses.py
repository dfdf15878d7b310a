"""The losses of CLIP and SigLIP: true and false sentences, and captions against each other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from vlmis_utils.protocol.classes import OBJECT_CLASSES, PRESENCE_CLASSES
from vlmis_utils.training.nets.scenes import SCENE_TARGETS, Scenes

__all__ = [
    "OBJECTS", "PRESENCE_COLUMNS", "UNSAFE", "Truth", "balance_weights", "pair_loss",
    "sigmoid_loss", "softmax_loss",
]  # fmt: skip

# Where `SCENE_TARGETS` holds the presence classes and safety, and how many objects it begins with.
PRESENCE_COLUMNS: list[int] = [OBJECT_CLASSES.index(c) for c in PRESENCE_CLASSES]
UNSAFE = SCENE_TARGETS.index("unsafe")
OBJECTS = len(OBJECT_CLASSES)
_PRESENCES = len(PRESENCE_CLASSES)


@dataclass(frozen=True, eq=False)
class Truth:
    """Targets float32 (B, 13) and known bool (B, 13), as in `scenes.Scenes`."""

    targets: Tensor
    known: Tensor


def pair_loss(logits: Tensor, truth: Truth, balance: Tensor) -> Tensor:
    """Return the two-way cross entropy of presence and safety pairs.

    Args:
        logits: of `SENTENCES`, (B, 21).
        truth: targets and what of them is known.
        balance: weights (13, 2) of absent and present, so that both count alike.
    """
    yes = logits[:, PRESENCE_COLUMNS] - logits[:, OBJECTS : OBJECTS + _PRESENCES]
    danger = logits[:, -1:] - logits[:, -2:-1]
    columns = [*PRESENCE_COLUMNS, UNSAFE]
    target, known = truth.targets[:, columns], truth.known[:, columns].float()
    weight = torch.where(target > 0, balance[columns, 1], balance[columns, 0]) * known
    weight[:, -1] *= 3  # one safety pair beside nine presence pairs
    loss = functional.binary_cross_entropy_with_logits(
        torch.cat([yes, danger], 1), target, reduction="none"
    )
    return (loss * weight).sum() / weight.sum().clamp(min=1e-6)


def softmax_loss(bank: Tensor, captions: Tensor, same: Tensor, truth: Truth) -> Tensor:
    """Return InfoNCE over images and captions, and over the mention sentences of each image.

    Several captions may be true of an image: the target is even over them.
    """
    pairs = same.float()
    rows = -(pairs / pairs.sum(1, keepdim=True) * captions.log_softmax(1)).sum(1).mean()
    columns = -(pairs / pairs.sum(0, keepdim=True) * captions.log_softmax(0)).sum(0).mean()
    shown = truth.targets[:, :OBJECTS]
    share = shown / shown.sum(1, keepdim=True).clamp(min=1)
    mention = -(share * bank[:, :OBJECTS].log_softmax(1)).sum(1).mean()
    return 0.25 * (rows + columns) + 0.5 * mention


def sigmoid_loss(bank: Tensor, captions: Tensor, same: Tensor, truth: Truth) -> Tensor:
    """Return the sigmoid loss over images and captions, and over all `SENTENCES`."""
    pairs = functional.binary_cross_entropy_with_logits(captions, same.float())
    shown = truth.targets[:, :OBJECTS]
    unsafe = truth.targets[:, UNSAFE, None]
    labels = torch.cat([shown, 1 - shown[:, PRESENCE_COLUMNS], 1 - unsafe, unsafe], 1)
    known = truth.known[:, :OBJECTS].float()
    sure = torch.cat([known, known[:, PRESENCE_COLUMNS], torch.ones_like(unsafe).expand(-1, 2)], 1)
    each = functional.binary_cross_entropy_with_logits(bank, labels, reduction="none")
    return 0.5 * pairs + 0.5 * (each * sure).sum() / sure.sum()


def balance_weights(scenes: Scenes) -> Tensor:
    """Return weights (13, 2) of absent and present under the sampling probabilities."""
    mass = scenes.weights[:, None] * scenes.known
    share = (mass * scenes.targets).sum(0) / np.maximum(mass.sum(0), 1e-9)
    share = np.clip(share, 0.06, 0.94)
    return torch.from_numpy(np.stack([0.5 / (1 - share), 0.5 / share], 1).astype(np.float32))
