"""Crops of scenes for the segmenters: where they lie, and how they are varied.

Augmentation is flipping, cropping, shrinking and a turn of the chroma at constant luma. Nothing
darkens, blurs, adds noise, enlarges or cuts out: that would imitate the studied corruptions.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from vlmis_utils.training.data import TrainingData, scene_weights

__all__ = ["Phase", "augment", "batches", "turn_chroma"]


@dataclass(frozen=True)
class Phase:
    """A part of the schedule.

    Attributes:
        until: progress in (0, 1] at which it ends.
        height, width: of the crops, pixels.
        scales: range of the shrinking factor, at most 1.
        batch: crops a step.
        focus: share of crops that hold a pixel of a class drawn evenly from those the scene shows;
            the others lie anywhere. Small classes are learned from far fewer pixels so.
    """

    until: float
    height: int
    width: int
    scales: tuple[float, float]
    batch: int
    focus: float = 0.0


def augment(
    image: np.ndarray, labels: np.ndarray, phase: Phase, rng: np.random.Generator
) -> tuple[Tensor, Tensor]:
    """Crop, shrink, flip and turn the chroma of one scene.

    Args:
        image: uint8 (H, W, 3).
        labels: train ids, uint8 (H, W).
        phase: gives crop size and scales.
        rng: all randomness.

    Returns:
        image float32 (3, h, w) in [0, 1] and labels int64 (h, w).
    """
    height, width = labels.shape
    low, high = phase.scales
    fit_scale = max(phase.height / height, phase.width / width)
    scale = min(1.0, max(fit_scale, float(np.exp(rng.uniform(np.log(low), np.log(high))))))
    rows, columns = round(phase.height / scale), round(phase.width / scale)
    top, left = _place(labels, rows, columns, phase.focus, rng)
    crop = np.array(image[top : top + rows, left : left + columns])
    marks = np.array(labels[top : top + rows, left : left + columns])
    x = torch.from_numpy(crop).permute(2, 0, 1).float() / 255
    size = (phase.height, phase.width)
    if tuple(x.shape[1:]) != size:
        x = functional.interpolate(x[None], size, mode="bilinear", antialias=True)[0]
        at_rows = ((np.arange(size[0]) + 0.5) * marks.shape[0] / size[0]).astype(int)
        at_columns = ((np.arange(size[1]) + 0.5) * marks.shape[1] / size[1]).astype(int)
        marks = marks[at_rows][:, at_columns]
    y = torch.from_numpy(marks.astype(np.int64))
    if rng.random() < 0.5:
        x, y = x.flip(-1), y.flip(-1)
    return turn_chroma(x, float(rng.normal(0, 0.15)), float(np.exp(rng.normal(0, 0.15)))), y


def _place(
    labels: np.ndarray, rows: int, columns: int, focus: float, rng: np.random.Generator
) -> tuple[int, int]:
    """Return the top left corner of a crop that lies inside the scene."""
    last = np.maximum(np.array(labels.shape) - (rows, columns), 0)
    corner = rng.integers(0, last + 1)
    if rng.random() < focus:
        shown = np.flatnonzero(np.bincount(labels.ravel(), minlength=256)[:19] >= 32)
        if len(shown):
            spots = np.flatnonzero(labels == rng.choice(shown))
            spot = np.divmod(rng.choice(spots), labels.shape[1])
            corner = np.clip(spot - rng.integers(0, (rows, columns)), 0, last)
    return int(corner[0]), int(corner[1])


def turn_chroma(image: Tensor, angle: float, gain: float) -> Tensor:
    """Turn hue by ``angle`` (radians) and scale saturation by ``gain``; luma (BT.601) stays.

    Args:
        image: float (3, H, W) in [0, 1].

    Returns:
        float (3, H, W), clipped to [0, 1].
    """
    yiq = torch.tensor(
        [[0.299, 0.587, 0.114], [0.5959, -0.2746, -0.3213], [0.2115, -0.5227, 0.3112]]
    )
    turn = torch.eye(3)
    turn[1:, 1:] = gain * torch.tensor(
        [[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]]
    )
    matrix = torch.linalg.inv(yiq) @ turn @ yiq
    return torch.einsum("ij,jhw->ihw", matrix, image).clamp(0, 1)


def batches(
    data: TrainingData, phases: tuple[Phase, ...]
) -> Callable[[np.random.Generator, float], tuple[Tensor, Tensor]]:
    """Return ``make_batch`` of `training.fit`: images (B, 3, h, w) in [0, 1] and labels (B, h, w).

    Scenes with rare classes are drawn more often (`training_data.scene_weights`).
    """
    weights = scene_weights(data)

    def make(rng: np.random.Generator, progress: float) -> tuple[Tensor, Tensor]:
        phase = next((p for p in phases if progress < p.until), phases[-1])
        chosen = rng.choice(len(data), size=phase.batch, p=weights, replace=len(data) < phase.batch)
        pairs = [augment(data.images[i], data.labels[i], phase, rng) for i in chosen]
        return torch.stack([x for x, _ in pairs]), torch.stack([y for _, y in pairs])

    return make
