"""Short trainings of a recipe with one choice changed, for `training.recipes.ablations`."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from vlmis_utils.metrics.confusion import confusion
from vlmis_utils.metrics.miou_intervals import jackknife_miou
from vlmis_utils.protocol.classes import OBJECT_CLASSES, PRESENCE_CLASSES
from vlmis_utils.statistics.intervals import Interval
from vlmis_utils.training.data import TrainingData, class_frequencies
from vlmis_utils.training.evaluation import intervals
from vlmis_utils.training.loop import fit
from vlmis_utils.training.nets.contrastive_model import ContrastiveTraining
from vlmis_utils.training.nets.dense import class_weights
from vlmis_utils.training.nets.pixels import normalise
from vlmis_utils.training.nets.scenes import Scenes, load_scenes, windows
from vlmis_utils.training.nets.segmenter_losses import class_weights as pixel_weights
from vlmis_utils.training.nets.segmenter_nets import BUILDERS
from vlmis_utils.training.recipes import train_contrastive as contrastive
from vlmis_utils.training.recipes import train_segmenters as segmenters
from vlmis_utils.training.recipes.contrastive_losses import balance_weights
from vlmis_utils.training.recipes.crops import Phase
from vlmis_utils.training.recipes.train_trunk import SeeingTrunk, load_backbone, trunk_loss
from vlmis_utils.training.weights import CHECKPOINTS

if TYPE_CHECKING:
    from vlmis_utils.training.recipes.ablations import Run

__all__ = ["CROPS", "contrast", "first", "segment", "shrink"]

# Of photographs, in the comparison of starts.
CROPS = Phase(1.0, 192, 384, (0.6, 1.0), 8, focus=0.5)


def shrink(data: TrainingData, factor: int) -> TrainingData:
    """Return scenes with sides divided by ``factor``: mean colours, and the label in the middle.

    Args:
        data: N scenes; sides are multiples of ``factor``.
        factor: 1 returns the scenes as they are.
    """
    if factor == 1:
        return data
    count, height, width = data.labels.shape
    rows, columns = height // factor, width // factor
    images = np.empty((count, rows, columns, 3), np.uint8)
    for index in range(count):
        tiles = data.images[index].reshape(rows, factor, columns, factor, 3)
        images[index] = np.round(tiles.mean(axis=(1, 3))).astype(np.uint8)
    middle = factor // 2
    labels = np.ascontiguousarray(data.labels[:, middle::factor, middle::factor])
    return dataclasses.replace(data, images=images, labels=labels)


def first(data: TrainingData, count: int) -> TrainingData:
    """Return the first ``count`` scenes."""
    cut = {f.name: getattr(data, f.name)[:count] for f in dataclasses.fields(data)}
    return TrainingData(**cut)


def segment(
    run: Run,
    train: TrainingData,
    test: TrainingData,
    work: Path,
    phases: Sequence[Phase] = (),
    start: Path | None = None,
) -> Interval:
    """Train a segmenter for ``run.steps`` and return its mIoU on whole scenes of full size.

    Args:
        run: what to train.
        train, test: scenes of full size.
        work: folder of the resume states.
        phases: of the crops, in place of the recipe's.
        start: folder of the checkpoint to begin with, in place of random weights.
    """
    small, recipe = shrink(train, run.shrink), segmenters.RECIPES[run.model]
    phases = tuple(
        dataclasses.replace(p, height=p.height // run.shrink, width=p.width // run.shrink)
        for p in phases or recipe.phases
    )
    torch.manual_seed(0)
    weights = pixel_weights(class_frequencies(train))
    network = BUILDERS[run.model](small.images.shape[1:3], weights)
    if start is not None:
        segmenters.begin_with(network, start)
    done = _fit(
        run, "net", network, segmenters.batches(small, phases), lambda m, b: m(*b), run.steps, work,
        lr=recipe.lr, weight_decay=recipe.weight_decay, warmup=recipe.warmup, ema=recipe.ema,
    )  # fmt: skip
    return jackknife_miou(_confusions(done, shrink(test, run.shrink), test.labels))


@torch.inference_mode()
def _confusions(network: Any, small: TrainingData, truth: np.ndarray) -> np.ndarray:
    found = []
    for image, labels in zip(small.images, truth, strict=True):
        pixels = torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1)[None].float() / 255
        scores = functional.interpolate(
            network.scores(pixels), labels.shape, mode="bilinear", align_corners=False
        )
        found.append(confusion(labels[None], scores.argmax(1).numpy()))
    return np.stack(found)


class _EndToEnd(ContrastiveTraining):
    """CLIP whose trunk learns from captions too: its "cells" are images."""

    free = None


class _Pictures:
    """Normalised images on demand, where `train_contrastive.captioned` expects cached maps."""

    def __init__(self, scenes: Scenes, mirrored: bool) -> None:
        self._images, self._step = scenes.data.images, -1 if mirrored else 1

    def __getitem__(self, index: int) -> Tensor:
        image = torch.from_numpy(np.ascontiguousarray(self._images[index][:, :: self._step]))
        return normalise(image.permute(2, 0, 1)[None])[0]


def contrast(run: Run, train: TrainingData, test: TrainingData, work: Path) -> Interval:
    """Train CLIP for ``run.steps`` in all and return its mean presence AUC.

    With dense pretraining the trunk sees first and is then frozen but for its end, as in the
    recipe; without, all of it learns from captions, in smaller batches. Either way a mean over
    `PRESENCE_CLASSES`.
    """
    scenes, seen = (load_scenes(shrink(data, run.shrink)) for data in (train, test))
    torch.manual_seed(0)
    eye, before = SeeingTrunk(), round(run.steps * run.dense)
    if run.backbone:
        load_backbone(eye.trunk, CHECKPOINTS / "deeplabv3plus")
    if before:
        weights = class_weights(scenes.data)
        crops = windows(scenes, 8, 16, 128 // run.shrink, 256 // run.shrink)
        eye = _fit(
            run, "trunk", eye, crops, partial(trunk_loss, weights=weights, device="cpu"), before,
            work, lr=2e-3, weight_decay=0.03, warmup=60, ema=0.99,
        )  # fmt: skip
    model = (ContrastiveTraining if before else _EndToEnd)("clip")
    model.model.visual.trunk.load_state_dict(eye.trunk.state_dict(), strict=False)
    if before:
        cells = tuple(contrastive.encode(model.eval(), scenes, "cpu", m) for m in (False, True))
    else:
        cells = tuple(_Pictures(scenes, mirrored) for mirrored in (False, True))
    loss = partial(contrastive.training_loss, balance=balance_weights(scenes), device="cpu")
    draw = partial(contrastive.captioned, scenes, cells, 48 if before else 16)
    model = _fit(
        run, "towers", model, draw, loss, run.steps - before, work,
        lr=1e-3, weight_decay=0.05, warmup=60, ema=0.99,
    )  # fmt: skip
    return _presence(model, seen)


@torch.inference_mode()
def _presence(model: Any, seen: Scenes) -> Interval:
    rows = []
    for start in range(0, len(seen), 16):
        pixels = torch.from_numpy(seen.data.images[start : start + 16]).permute(0, 3, 1, 2)
        vectors = model.see(model.cells(normalise(pixels)))
        rows.append(model.compare(vectors, model.sentences))
    logits, objects = torch.cat(rows).numpy(), len(OBJECT_CLASSES)
    columns = [OBJECT_CLASSES.index(c) for c in PRESENCE_CLASSES]
    score = logits[:, columns] - logits[:, objects : objects + len(columns)]
    truth = seen.targets[:, columns] > 0
    draws = intervals.auc_draws(truth, score, intervals.resampled(len(truth)))
    return intervals.from_auc(intervals.mean_draws(draws), len(truth))


def _fit(
    run: Run,
    stage: str,
    model: nn.Module,
    batch: Any,
    loss: Any,
    steps: int,
    work: Path,
    **how: Any,
) -> Any:
    return fit(
        f"{run.key}-{stage}", model, batch, loss, steps=steps, out=work, seed=0, save_every=50,
        eval_every=steps + 1, evaluate=lambda average: float("nan"), signature=run.key, **how,
    ).model  # fmt: skip
