"""Dense pretraining of the vision towers: every token predicts what its patch holds.

A vision transformer trained from scratch on a thousand scenes learns little from captions alone.
Here each of its tokens predicts the shares of the 19 classes in its patch, with the cross entropy
between shares and prediction, rare classes weighted up, and which objects it shows at all. The
image as a whole predicts which objects are there and what makes it unsafe, by its loudest
token. Images are cropped and flipped, nothing else: no augmentation may imitate the studied
corruptions.
"""

from __future__ import annotations

import numpy as np
import torch
from sklearn.metrics import roc_auc_score
from torch import Tensor, nn
from torch.nn import functional

from vlmis_utils.protocol.classes import OBJECT_CLASSES, TRAIN_CLASSES
from vlmis_utils.training.data import TrainingData
from vlmis_utils.training.nets.scenes import OBJECT_COLUMNS, SCENE_TARGETS, Batch, Scenes

__all__ = ["DenseHead", "auc", "class_weights", "dense_loss", "loudest", "object_auc", "scene_loss"]

# Share of a token that an object covers where the token shows it: 20 of 32 x 32 pixels.
TOKEN_SHARE = 0.02


def class_weights(data: TrainingData, power: float = 0.45) -> Tensor:
    """Return loss weights (19,): frequency to the power of minus ``power``, mean 1 over pixels."""
    frequency = np.maximum(data.counts.sum(axis=0) / max(data.counts.sum(), 1), 1e-5)
    weight = frequency**-power
    return torch.from_numpy((weight / (weight * frequency).sum()).astype(np.float32))


class DenseHead(nn.Module):
    """Predicts class shares of the patches of a token, and the whole-image targets.

    Args:
        width: channels of a token.
        side: a token covers ``side`` x ``side`` patches.
    """

    def __init__(self, width: int, side: int = 1) -> None:
        super().__init__()
        self.side = side
        self.norm = nn.LayerNorm(width)
        self.tokens = nn.Linear(width, len(TRAIN_CLASSES) * side**2)
        self.scene = nn.Linear(width, len(SCENE_TARGETS))
        nn.init.constant_(self.scene.bias, -4.0)

    def forward(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Map tokens (B, h, w, width) to logits (B, 19, side h, side w) and (B, 13, h, w).

        The second say, token by token, which `SCENE_TARGETS` show there; `loudest` joins them.
        """
        tokens = self.norm(tokens)
        patches = functional.pixel_shuffle(self.tokens(tokens).permute(0, 3, 1, 2), self.side)
        return patches, self.scene(tokens).permute(0, 3, 1, 2)


def loudest(votes: Tensor) -> Tensor:
    """Join logits of tokens (B, 13, h, w) to those of the image (B, 13): their soft maximum."""
    return votes.flatten(2).logsumexp(2)


def dense_loss(patches: Tensor, votes: Tensor, batch: Batch, weights: Tensor) -> Tensor:
    """Return the sum of three losses, of patches, tokens and whole images.

    Patches: the weighted cross entropy of the class shares. Tokens: the binary one of what shows in
    each, an object counting from `TOKEN_SHARE` of the token. Images: that of the loudest token, the
    only one that tells what makes a scene unsafe.

    Args:
        patches, votes: of `DenseHead`.
        batch: the truth.
        weights: of `class_weights`.
    """
    logs = patches.float().log_softmax(1)
    entropy = -(batch.shares * weights[:, None, None] * logs).sum(1).mean()
    side = patches.shape[-1] // votes.shape[-1]
    held = functional.avg_pool2d(batch.shares[:, OBJECT_COLUMNS], side)
    shown = (held >= TOKEN_SHARE).float()
    tokens = functional.binary_cross_entropy_with_logits(
        votes[:, : len(OBJECT_CLASSES)].float(), shown, pos_weight=weights.new_tensor(4.0)
    )
    return entropy + 2 * tokens + 0.5 * scene_loss(loudest(votes), batch)


def scene_loss(logits: Tensor, batch: Batch) -> Tensor:
    """Return the binary cross entropy of logits (B, 13) of `SCENE_TARGETS`, where known."""
    each = functional.binary_cross_entropy_with_logits(
        logits.float(), batch.targets, reduction="none"
    )
    return (each * batch.known).sum() / batch.known.sum().clamp(min=1)


def auc(truth: np.ndarray, score: np.ndarray, known: np.ndarray) -> float:
    """Return the area under the ROC curve where the truth is known; NaN for one class."""
    truth, score = truth[known], score[known]
    return float(roc_auc_score(truth, score)) if 0 < truth.sum() < len(truth) else float("nan")


def object_auc(scenes: Scenes, logits: np.ndarray) -> float:
    """Return the mean over the object classes of the `auc` of whole-image logits (N, 13)."""
    each = [
        auc(scenes.targets[:, i], logits[:, i], scenes.known[:, i])
        for i in range(len(OBJECT_CLASSES))
    ]
    return float(np.nanmean(each))
