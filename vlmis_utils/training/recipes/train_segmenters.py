"""Recipes of the embedded segmenters: three architectures, on clean scenes.

From scratch on StreetWorld, and from those weights on photographs.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from vlmis_utils.core.device import resolve_device
from vlmis_utils.metrics.confusion import confusion
from vlmis_utils.metrics.segmentation import miou
from vlmis_utils.training.data import SCENES, TrainingData, class_frequencies, load_training
from vlmis_utils.training.loop import Fit, fit
from vlmis_utils.training.nets.segmenter_losses import class_weights
from vlmis_utils.training.nets.segmenter_nets import BUILDERS, Network
from vlmis_utils.training.recipes.crops import Phase, batches

__all__ = [
    "AVERAGED", "PHOTOGRAPH_RECIPES", "RECIPES", "Recipe", "begin_with", "train_segmenter",
    "validate",
]  # fmt: skip


@dataclass(frozen=True)
class Recipe:
    """How one segmenter is trained.

    Attributes:
        lr, weight_decay, warmup: of AdamW, see `training.fit`.
        minutes: default wall minutes on one core.
        phases: in order; the last ends at 1.
        ema: decay of the moving average.
        workers, mixed: see `training.loop.fit`.
        adjust: how much of the class weights is taken back at the end, see `Network.adjust`.
    """

    lr: float
    weight_decay: float
    warmup: int
    minutes: float
    phases: tuple[Phase, ...]
    ema: float = 0.99
    workers: int = 1
    mixed: bool = False
    adjust: float = 0.0


_PHASES = (
    Phase(0.70, 128, 256, (0.5, 1.0), 8, focus=0.7),
    Phase(1.00, 256, 512, (1.0, 1.0), 4),
)

# Photographs are larger, and no class of theirs is as rare as in a drawn world.
_PHOTOGRAPH_PHASES = (
    Phase(0.75, 192, 384, (0.6, 1.0), 4, focus=0.5),
    Phase(1.00, 320, 640, (1.0, 1.0), 2),
)

RECIPES: dict[str, Recipe] = {
    "deeplabv3plus": Recipe(3e-3, 0.02, 40, 65, _PHASES),
    "segformer": Recipe(1.5e-3, 0.02, 60, 70, _PHASES),
    "mask2former": Recipe(1e-3, 0.02, 60, 100, _PHASES),
}
# On photographs, from the StreetWorld weights; batches are of one worker, two to a step. bfloat16
# makes a step of Mask2Former a fifth to a quarter shorter, and one of the others no shorter. Half
# of the class weights is taken back: of 0, 0.5 and 1 that gave the best mIoU on validation frames.
# Mask2Former has no logit a class.
PHOTOGRAPH_RECIPES: dict[str, Recipe] = {
    name: replace(RECIPES[name], phases=_PHOTOGRAPH_PHASES, workers=2, minutes=minutes,
                  mixed=name == "mask2former", adjust=0.0 if name == "mask2former" else 0.5)
    for name, minutes in {"deeplabv3plus": 60, "segformer": 70, "mask2former": 42}.items()
}  # fmt: skip


# Checkpoints on photographs that are the mean of the weights before and after their last part.
AVERAGED: frozenset[str] = frozenset({"segformer"})


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


def begin_with(network: Network, start: str | Path) -> None:
    """Give a network the weights of the checkpoint folder ``start``."""
    earlier = type(network.core).from_pretrained(start)
    network.core.load_state_dict(earlier.float().state_dict())


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
    start: str | Path | None = None,
    recipe: Recipe | None = None,
    average: bool = False,
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
        start: checkpoint folder to begin with instead of random weights.
        recipe: instead of that of `RECIPES`.
        average: keep the mean of the weights of ``start``, a folder other than the output's, and of
            those at the end (Wortsman et al. 2022, "Model soups").

    Returns:
        the finished run; its metric is the mIoU over the held-out scenes, before any averaging or
        adjustment.
    """
    recipe = recipe or RECIPES[name]
    device = resolve_device(device)
    train, val = data or (
        load_training("train", scenes, seed),
        load_training("val", held_out, seed),
    )
    torch.manual_seed(seed)
    weights = class_weights(class_frequencies(train))
    network = BUILDERS[name](train.images.shape[1:3], weights)
    out = Path(out)
    if start is not None:
        begin_with(network, start)
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

    done = fit(
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
        workers=recipe.workers,
        mixed=recipe.mixed,
        signature=_signature(network, seed),
    )
    if average and start is not None:
        ends = {key: value.clone() for key, value in network.core.state_dict().items()}
        begin_with(network, start)
        for key, value in network.core.state_dict().items():
            value.copy_(value.lerp(ends[key], 0.5) if value.is_floating_point() else ends[key])
    if recipe.adjust:
        network.adjust(recipe.adjust)
    network.export(out / name)
    return done


def _signature(network: nn.Module, seed: int) -> str:
    """Identify what a saved state fits: the tensors' names and shapes, and the seed.

    Not the schedule: a finished run goes on when it is given more minutes.
    """
    shapes = [(name, tuple(value.shape)) for name, value in network.state_dict().items()]
    return f"{hashlib.sha256(repr(shapes).encode()).hexdigest()[:16]}-{seed}"
