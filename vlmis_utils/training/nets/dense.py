"""Dense pretraining of the vision towers: every token predicts what its patch holds.

A vision transformer trained from scratch on a thousand scenes learns little from captions alone.
Here each of its tokens predicts the shares of the 19 classes in its patch, with the cross entropy
between shares and prediction, rare classes weighted up, and which objects it shows at all. The
image as a whole predicts which objects are there and what makes it unsafe, by its loudest
token. Images are cropped and flipped, nothing else: no augmentation may imitate the studied
corruptions.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
from sklearn.metrics import roc_auc_score
from torch import Tensor, nn
from torch.nn import functional

from vlmis_utils.protocol.classes import (
    LANGUAGE_CLASSES,
    MIN_SHARE,
    OBJECT_CLASSES,
    TRAIN_CLASSES,
    pixel_counts,
)
from vlmis_utils.training.data import TrainingData, scene_weights
from vlmis_utils.training.recipes.captions import AMBIGUOUS_PIXELS, Facts, facts

__all__ = [
    "MEAN",
    "SCENE_TARGETS",
    "STD",
    "Batch",
    "DenseHead",
    "Scenes",
    "auc",
    "class_weights",
    "crops_first",
    "dense_loss",
    "encoded",
    "load_scenes",
    "loudest",
    "normalise",
    "object_auc",
    "principal_patches",
    "sampler",
    "scene_loss",
    "take",
    "token_shares",
    "windows",
]

# What an image predicts as a whole, beside its objects.
SCENE_TARGETS: tuple[str, ...] = (*OBJECT_CLASSES, "unsafe", "hazard", "stop light")

# Share of a token that an object covers where the token shows it: 20 of 32 x 32 pixels.
TOKEN_SHARE = 0.02
_OBJECT_COLUMNS = [LANGUAGE_CLASSES.index(name) for name in OBJECT_CLASSES]

# Until this share of the training, crops instead of whole images.
CROPS = 0.7

MEAN = (0.4815, 0.4578, 0.4082)
STD = (0.2686, 0.2613, 0.2758)


@dataclass(frozen=True, eq=False)
class Scenes:
    """Training data as the recipes of the VLMs need it.

    Attributes:
        data: the frames.
        facts: what can be said about each scene.
        targets: float32 (N, 13), 1 where a `SCENE_TARGETS` holds; known: bool (N, 13).
        weights: sampling probabilities float64 (N,), rare classes more often.
    """

    data: TrainingData
    facts: list[Facts]
    targets: np.ndarray
    known: np.ndarray
    weights: np.ndarray

    def __len__(self) -> int:
        return len(self.facts)


@dataclass(frozen=True, eq=False)
class Batch:
    """Scenes of one step.

    Attributes:
        index: int64 (B,), which scenes.
        flipped: bool (B,), which are mirrored.
        images: float32 (B, 3, H, W), normalised by `MEAN` and `STD`.
        shares: float32 (B, 19, h, w), class shares of each patch.
        targets, known: float32 and bool (B, 13), as in `Scenes`.
    """

    index: np.ndarray
    flipped: np.ndarray
    images: Tensor
    shares: Tensor
    targets: Tensor
    known: Tensor

    def to(self, device: str) -> Batch:
        """Return the batch with its tensors on a device."""
        moved = [t.to(device) for t in (self.images, self.shares, self.targets, self.known)]
        return Batch(self.index, self.flipped, *moved)


def load_scenes(data: TrainingData) -> Scenes:
    """Derive facts and whole-image targets from training data."""
    known = [
        facts(counts, bool(safe), reason)
        for counts, safe, reason in zip(data.counts, data.safe, data.reasons, strict=True)
    ]
    targets = np.zeros((len(known), len(SCENE_TARGETS)), dtype=np.float32)
    certain = np.ones(targets.shape, dtype=bool)
    for row, fact in enumerate(known):
        for column, name in enumerate(OBJECT_CLASSES):
            targets[row, column] = name in fact.shown
            certain[row, column] = name in fact.shown or name in fact.absent
        lights = [key for key in fact.hazards if key.endswith("light")]
        targets[row, -3:] = (not fact.safe, len(fact.hazards) > len(lights), bool(lights))
    return Scenes(data, known, targets, certain, scene_weights(data))


def token_shares(labels: np.ndarray, patch: int) -> Tensor:
    """Return the share of each class in each square patch, float32 (N, 19, H/patch, W/patch).

    Args:
        labels: train ids, uint8 (N, H, W); ignored pixels belong to no class.
        patch: side of a patch, pixels; divides H and W.
    """
    count, height, width = labels.shape
    rows, columns = height // patch, width // patch
    tiles = labels.reshape(count, rows, patch, columns, patch).transpose(0, 1, 3, 2, 4)
    tiles = np.minimum(tiles.reshape(count * rows * columns, patch * patch), len(TRAIN_CLASSES))
    bins = tiles + np.arange(len(tiles))[:, None] * (len(TRAIN_CLASSES) + 1)
    counts = np.bincount(bins.ravel(), minlength=len(tiles) * (len(TRAIN_CLASSES) + 1))
    shares = counts.reshape(count, rows, columns, -1)[..., :-1] / patch**2
    return torch.from_numpy(shares.astype(np.float32)).permute(0, 3, 1, 2)


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
    held = functional.avg_pool2d(batch.shares[:, _OBJECT_COLUMNS], side)
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


def sampler(scenes: Scenes, patch: int, size: int) -> Callable[[np.random.Generator, float], Batch]:
    """Return ``make_batch`` of `training.fit`: ``size`` scenes, rare classes more often."""

    def make(rng: np.random.Generator, progress: float) -> Batch:
        count = min(size, len(scenes))
        chosen = rng.choice(len(scenes), size=count, p=scenes.weights, replace=False)
        return take(scenes, chosen, rng.random(count) < 0.5, patch)

    return make


def windows(
    scenes: Scenes, patch: int, size: int, height: int, width: int, aimed: float = 0.7
) -> Callable[[np.random.Generator, float], Batch]:
    """Return ``make_batch`` of `training.fit`: crops at full resolution, most of them on an object.

    A share ``aimed`` of the crops is centred near a pixel of an object class of the scene, each
    class alike: small and rare things are met far more often than in whole images, at a fraction of
    the cost. What a crop shows is counted in the crop; its safety is not known.
    """
    objects = _OBJECT_COLUMNS

    def corner(labels: np.ndarray, rng: np.random.Generator) -> tuple[int, int]:
        rows, columns = labels.shape
        top, left = rng.integers(0, rows - height + 1), rng.integers(0, columns - width + 1)
        shown = [c for c in objects if (labels == c).any()]
        if shown and rng.random() < aimed:
            places = np.flatnonzero(labels == rng.choice(shown))
            row, column = divmod(int(rng.choice(places)), columns)
            top = np.clip(row - rng.integers(height // 8, height - height // 8), 0, rows - height)
            left = np.clip(
                column - rng.integers(width // 8, width - width // 8), 0, columns - width
            )
        return int(top), int(left)

    def make(rng: np.random.Generator, progress: float) -> Batch:
        index = rng.choice(len(scenes), size=size, p=scenes.weights, replace=len(scenes) < size)
        images, labels = [], []
        for i in index:
            top, left = corner(scenes.data.labels[i], rng)
            step = -1 if rng.random() < 0.5 else 1
            images.append(scenes.data.images[i][top : top + height, left : left + width][:, ::step])
            labels.append(scenes.data.labels[i][top : top + height, left : left + width][:, ::step])
        counts = np.stack([pixel_counts(each) for each in labels])[:, objects]
        least = MIN_SHARE * scenes.data.labels[0].size
        targets = np.zeros((len(index), len(SCENE_TARGETS)), dtype=np.float32)
        known = np.zeros(targets.shape, dtype=bool)
        targets[:, : len(objects)] = counts >= least
        known[:, : len(objects)] = (counts >= least) | (counts < AMBIGUOUS_PIXELS)
        return Batch(
            index=index,
            flipped=np.zeros(len(index), dtype=bool),
            images=normalise(torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2)),
            shares=token_shares(np.stack(labels), patch),
            targets=torch.from_numpy(targets),
            known=torch.from_numpy(known),
        )

    return make


def crops_first(
    scenes: Scenes, patch: int, size: int
) -> Callable[[np.random.Generator, float], Batch]:
    """Return ``make_batch`` of `training.fit`: ``size`` crops, and later half as many whole images.

    Crops are of `windows`, a half by a half of an image, until `CROPS` of the training.
    """
    height, width = scenes.data.labels.shape[1:]
    near = windows(scenes, patch, size, height // 2, width // 2)
    whole = sampler(scenes, patch, max(1, size // 2))

    def make(rng: np.random.Generator, progress: float) -> Batch:
        return (near if progress < CROPS else whole)(rng, progress)

    return make


def take(scenes: Scenes, index: np.ndarray, flipped: np.ndarray, patch: int) -> Batch:
    """Return the batch of some scenes, mirrored where ``flipped``."""
    images = np.stack([scenes.data.images[i] for i in index])
    labels = np.stack([scenes.data.labels[i] for i in index])
    images[flipped], labels[flipped] = images[flipped, :, ::-1], labels[flipped, :, ::-1]
    return Batch(
        index=index,
        flipped=flipped,
        images=normalise(torch.from_numpy(images).permute(0, 3, 1, 2)),
        shares=token_shares(labels, patch),
        targets=torch.from_numpy(scenes.targets[index]),
        known=torch.from_numpy(scenes.known[index]),
    )


def encoded(
    see: Callable[[Tensor], Tensor],
    scenes: Scenes,
    device: str,
    mirrored: bool = False,
    workers: int = 1,
    batch: int = 16,
) -> Tensor:
    """Return what a frozen tower makes of all scenes, float16 (N, ...), on the CPU.

    Args:
        see: maps normalised images (B, 3, H, W) to (B, ...).
        scenes: their images are used.
        device: of the tower.
        mirrored: flip the images.
        workers: threads that encode batches.
        batch: images at a time.
    """

    @torch.inference_mode()
    def rows(start: int) -> Tensor:
        images = torch.from_numpy(np.array(scenes.data.images[start : start + batch]))
        images = normalise(images.permute(0, 3, 1, 2)).to(device)
        return see(images.flip(-1) if mirrored else images).half().cpu()

    with ThreadPoolExecutor(workers) as pool:
        return torch.cat(list(pool.map(rows, range(0, len(scenes), batch))))


def normalise(images: Tensor) -> Tensor:
    """Map uint8 (B, 3, H, W) to float32 with the mean and deviation that checkpoints declare."""
    mean, std = (torch.tensor(value).view(1, 3, 1, 1) for value in (MEAN, STD))
    return ((images.float() / 255 - mean) / std).contiguous()


def principal_patches(data: TrainingData, patch: int, width: int, scenes: int = 48) -> Tensor:
    """Return the ``width`` leading principal directions of patches, whitened: (width, 3, p, p).

    A patch embedding that starts from them hands the transformer decorrelated tokens of unit
    variance, instead of a thousandfold spread of scales that it would first have to learn away.
    """
    step = max(1, len(data) // scenes)
    sample = torch.from_numpy(np.array(data.images[::step][:scenes]))
    images = normalise(sample.permute(0, 3, 1, 2))
    rows = functional.unfold(images, patch, stride=patch).transpose(1, 2).reshape(-1, 3 * patch**2)
    values, vectors = torch.linalg.eigh(torch.cov(rows.T))
    values, vectors = values[-width:].flip(0), vectors[:, -width:].flip(1)
    scaled = vectors / (values.clamp(min=0) + 0.01).sqrt()
    return scaled.T.reshape(-1, 3, patch, patch).contiguous()


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
