"""Scenes as the recipes of the VLMs draw them: facts, targets, crops and whole images.

Images are cropped and flipped, nothing else: no augmentation may imitate the studied corruptions.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from vlmis_utils.protocol.classes import (
    LANGUAGE_CLASSES,
    MIN_SHARE,
    OBJECT_CLASSES,
    TRAIN_CLASSES,
    pixel_counts,
)
from vlmis_utils.training.data import TrainingData, scene_weights
from vlmis_utils.training.nets.pixels import normalise
from vlmis_utils.training.recipes.captions import AMBIGUOUS_PIXELS, Facts, facts

__all__ = [
    "OBJECT_COLUMNS", "SCENE_TARGETS", "Batch", "Scenes", "crops_first", "load_scenes", "sampler",
    "take", "token_shares", "windows",
]  # fmt: skip

# What an image predicts as a whole, beside its objects.
SCENE_TARGETS: tuple[str, ...] = (*OBJECT_CLASSES, "unsafe", "hazard", "stop light")

# Where the object classes stand among the train classes.
OBJECT_COLUMNS: list[int] = [LANGUAGE_CLASSES.index(name) for name in OBJECT_CLASSES]

# Until this share of the training, crops instead of whole images.
CROPS = 0.7


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


def load_scenes(data: TrainingData, named_from: float = MIN_SHARE) -> Scenes:
    """Derive facts and whole-image targets from training data.

    Args:
        named_from: see `captions.facts`.
    """
    known = [
        facts(counts, bool(safe), reason, named_from)
        for counts, safe, reason in zip(data.counts, data.safe, data.reasons, strict=True)
    ]
    targets = np.zeros((len(known), len(SCENE_TARGETS)), dtype=np.float32)
    certain = np.ones(targets.shape, dtype=bool)
    for row, fact in enumerate(known):
        for column, name in enumerate(OBJECT_CLASSES):
            targets[row, column] = name in fact.shown
            certain[row, column] = name in fact.shown or name in fact.absent
        lights = [key for key in fact.hazards if key.endswith("light")]
        users = [key for key in fact.hazards if key not in lights and key != "stop sign"]
        targets[row, -3:] = (not fact.safe, bool(users), bool(lights))
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
    objects = OBJECT_COLUMNS

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
