"""Recipes of the embedded segmenters: three architectures, from scratch, on clean StreetWorld.

Augmentation is flipping, cropping, shrinking and a turn of the chroma at constant luma. Nothing
darkens, blurs, adds noise, enlarges or cuts out: that would imitate the studied corruptions.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from vlmis_utils.core.device import resolve_device
from vlmis_utils.metrics.confusion import confusion
from vlmis_utils.metrics.segmentation import miou
from vlmis_utils.training.data import (
    SCENES,
    TrainingData,
    class_frequencies,
    load_training,
    scene_weights,
)
from vlmis_utils.training.loop import Fit, fit
from vlmis_utils.training.nets.segmenter_nets import BUILDERS, Network, class_weights

__all__ = ["RECIPES", "Phase", "Recipe", "augment", "batches", "train_segmenter", "validate"]


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


@dataclass(frozen=True)
class Recipe:
    """How one segmenter is trained.

    Attributes:
        lr, weight_decay, warmup: of AdamW, see `training.fit`.
        minutes: default wall minutes on one core.
        phases: in order; the last ends at 1.
        ema: decay of the moving average.
    """

    lr: float
    weight_decay: float
    warmup: int
    minutes: float
    phases: tuple[Phase, ...]
    ema: float = 0.99


_PHASES = (
    Phase(0.70, 128, 256, (0.5, 1.0), 8, focus=0.7),
    Phase(1.00, 256, 512, (1.0, 1.0), 4),
)

RECIPES: dict[str, Recipe] = {
    "deeplabv3plus": Recipe(3e-3, 0.02, 40, 65, _PHASES),
    "segformer": Recipe(1.5e-3, 0.02, 60, 70, _PHASES),
    "mask2former": Recipe(1e-3, 0.02, 60, 100, _PHASES),
}


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
    crop = np.ascontiguousarray(image[top : top + rows, left : left + columns])
    marks = np.ascontiguousarray(labels[top : top + rows, left : left + columns])
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


@torch.inference_mode()
def validate(
    network: Network, data: TrainingData, device: str = "cpu", batch: int = 4
) -> np.ndarray:
    """Return the confusion counts int64 (19, 19) over whole scenes at full size."""
    total = np.zeros((19, 19), dtype=np.int64)
    for start in range(0, len(data), batch):
        images = torch.from_numpy(np.ascontiguousarray(data.images[start : start + batch]))
        images = images.permute(0, 3, 1, 2).to(device).float() / 255
        scores = functional.interpolate(
            network.scores(images), images.shape[2:], mode="bilinear", align_corners=False
        )
        total += confusion(data.labels[start : start + batch], scores.argmax(1).cpu().numpy())
    return total


def train_segmenter(
    name: str,
    *,
    out: str | Path,
    work: str | Path = "build/training",
    device: str = "auto",
    minutes: float | None = None,
    steps: int | None = None,
    scenes: int = SCENES,
    seed: int = 0,
    held_out: int = 60,
    data: tuple[TrainingData, TrainingData] | None = None,
    eval_every: int = 100,
    log: str | Path | None = None,
    further: bool = False,
) -> Fit:
    """Train one segmenter; a usable checkpoint lies in ``out/<name>`` after every evaluation.

    Args:
        name: a key of `RECIPES`.
        out: folder of checkpoints; ``log`` defaults to ``<name>.csv`` in its sibling ``logs``.
        work: folder of the resume state; delete it to start anew.
        device: "auto", "cpu" or "cuda".
        minutes: wall minutes; the recipe's own when neither minutes nor steps are given.
        steps: a schedule of so many steps instead.
        scenes, held_out: scenes of the splits train and val.
        seed: of weights, batches and worlds.
        data: (train, val), instead of loading them.
        further: begin with the weights in ``out/<name>`` instead of random ones.

    Returns:
        the finished run; its metric is the mIoU over the held-out scenes.
    """
    recipe = RECIPES[name]
    device = resolve_device(device)
    train, val = data or (
        load_training("train", scenes, seed),
        load_training("val", held_out, seed),
    )
    torch.manual_seed(seed)
    weights = class_weights(class_frequencies(train))
    network = BUILDERS[name](train.images.shape[1:3], weights)
    out = Path(out)
    if further:
        earlier = type(network.core).from_pretrained(out / name)
        network.core.load_state_dict(earlier.float().state_dict())
    if steps is None and minutes is None:
        minutes = recipe.minutes

    def evaluate(average: nn.Module) -> float:
        assert isinstance(average, Network)
        value = float(miou(validate(average, val, device)))
        average.export(out / name)
        return value

    def loss(model: Any, batch: tuple[Tensor, Tensor]) -> Tensor:
        images, labels = (part.to(device, non_blocking=True) for part in batch)
        return model(images, labels)

    return fit(
        name,
        network,
        batches(train, recipe.phases),
        loss,
        steps=steps or 0,
        minutes=None if steps is not None else minutes,
        lr=recipe.lr,
        weight_decay=recipe.weight_decay,
        warmup=recipe.warmup,
        out=work,
        seed=seed,
        save_every=20,
        eval_every=eval_every,
        evaluate=evaluate,
        device=device,
        log=log or out.parent / "logs" / f"{name}.csv",
        ema=recipe.ema,
        signature=_signature(network, seed),
    )


def _signature(network: nn.Module, seed: int) -> str:
    """Identify what a saved state fits: the tensors' names and shapes, and the seed.

    Not the schedule: a finished run goes on when it is given more minutes.
    """
    shapes = [(name, tuple(value.shape)) for name, value in network.state_dict().items()]
    return f"{hashlib.sha256(repr(shapes).encode()).hexdigest()[:16]}-{seed}"
