"""Recipe that teaches the embedded VLMs a changed safety label, from their own checkpoints.

What the towers see does not change with the label, so they stay as they are. CLIP and SigLIP learn
with their usual losses behind the frozen part of the trunk, Qwen2-VL's language model answers all
questions about cached vision tokens: presence and descriptions go on being asked, lest they are
forgotten. Few scenes carry the label that changed; they are searched for and drawn more often.

Tried when STOP signs and looking ahead came, on 196 scenes, it cost more than it gave
(``label_change.csv``): the committed checkpoints are as they were.
"""

from __future__ import annotations

import dataclasses
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from vlmis_utils.core.errors import UserError, closest
from vlmis_utils.datasets.registry import open_dataset
from vlmis_utils.datasets.streetworld import world_seed
from vlmis_utils.streetworld.world import compose
from vlmis_utils.training.data import gathered
from vlmis_utils.training.loop import Fit, fit
from vlmis_utils.training.nets.contrastive_model import ContrastiveTraining, save_open_clip
from vlmis_utils.training.nets.qwen_model import QwenTraining, save_qwen
from vlmis_utils.training.nets.qwen_turns import pack, prefix_of
from vlmis_utils.training.nets.scenes import Scenes, load_scenes
from vlmis_utils.training.recipes import train_contrastive as contrastive
from vlmis_utils.training.recipes import train_qwen as qwen
from vlmis_utils.training.recipes.contrastive_losses import balance_weights

__all__ = ["AMONG", "FIRST", "RATES", "STEPS", "foreseen", "train_further", "with_foreseen"]

# The first scenes of the training world; and of how many those are added whose label is new.
FIRST, AMONG = 150, 990
# Share of the draws that falls to the scenes whose label is new.
SHARE = 0.25
# Optimiser steps and learning rate of each model.
STEPS: dict[str, int] = {"clip": 60, "siglip": 60, "qwen2-vl": 40}
RATES: dict[str, float] = {"clip": 3e-4, "siglip": 3e-4, "qwen2-vl": 2e-4}


def foreseen(reason: str) -> bool:
    """Whether a safety label rests on nothing but what is coming, or a STOP sign.

    >>> foreseen("pedestrian enters corridor at 9.3 m in 1.2 s"), foreseen("red light")
    (True, False)
    """
    parts = reason.split("; ")
    return all(" enters corridor " in part or part.startswith("stop sign") for part in parts)


def with_foreseen(first: int = FIRST, among: int = AMONG, seed: int = 0) -> Scenes:
    """Return training scenes: the first so many, and of the next those that are `foreseen`.

    The latter have `SHARE` of the sampling probability together; only they are rendered.

    Args:
        first: scenes taken as they come.
        among: where the search ends.
        seed: of the worlds.
    """
    world = open_dataset("streetworld", split="train", limit=max(first, among), seed=seed)
    own = world_seed("train", seed)
    later = [i for i in range(first, among) if foreseen(compose(own, i).safety_reason)]
    scenes = load_scenes(gathered([world[i] for i in (*range(first), *later)]))
    new = np.array([foreseen(reason) for reason in scenes.data.reasons])
    weights = scenes.weights.copy()
    if new.any() and not new.all():
        for part, mass in ((new, SHARE), (~new, 1 - SHARE)):
            weights[part] *= mass / weights[part].sum()
    return dataclasses.replace(scenes, weights=weights)


def train_further(
    name: str,
    scenes: Scenes,
    *,
    start: Path,
    out: Path,
    work: Path,
    log: Path,
    device: str = "cpu",
    steps: int | None = None,
    seed: int = 0,
    batch: int | None = None,
) -> Fit:
    """Train ``clip``, ``siglip`` or ``qwen2-vl`` on from its checkpoint.

    Args:
        name: of the model.
        scenes: of `with_foreseen`.
        start: folder of the checkpoint to begin with.
        out: folder of the new one.
        work: folder of the resume state.
        log: CSV file of the training.
        steps: optimiser steps, by default `STEPS`.
        batch: scenes a step; by default as in the model's own recipe.

    Returns:
        the finished run; its metric is the presence AUC, or for Qwen2-VL the mean of presence and
        safety balanced accuracy, of the scenes it learned from.

    Raises:
        UserError: no such model.
    """
    if name not in STEPS:
        raise UserError(f"unknown VLM recipe {name!r}{closest(name, STEPS)}")
    torch.manual_seed(seed)
    parts = _qwen if name == "qwen2-vl" else partial(_contrastive, name)
    model, make, loss, evaluate = parts(scenes, start, out, device, batch)
    steps = steps or STEPS[name]
    return fit(
        f"{name}-further", model, make, loss, steps=steps, lr=RATES[name], weight_decay=0.05,
        warmup=min(20, steps), out=work, seed=seed, save_every=50, eval_every=steps,
        evaluate=evaluate, device=device, log=log, ema=0.97,
        signature=f"{name} further {len(scenes)} {seed} {batch} {steps} {RATES[name]}",
    )  # fmt: skip


def _contrastive(
    name: str, scenes: Scenes, start: Path, out: Path, device: str, batch: int | None
) -> tuple[Any, Any, Any, Any]:
    """Return model, make_batch, loss and evaluate of `fit`."""
    model = ContrastiveTraining(name, scenes.data.labels.shape[1:])
    model.begin_with(start)
    model.to(device).eval()
    cells = [contrastive.encode(model, scenes, device, side) for side in (False, True)]

    def evaluate(average: Any) -> float:
        save_open_clip(average.model, average.config, out)
        scores = contrastive.validate(average, scenes, cells[0], device)
        return float(np.nanmean([v for key, v in scores.items() if key != "safety"]))

    make = partial(contrastive.captioned, scenes, cells, batch or 48)
    balance = balance_weights(scenes).to(device)
    return model, make, partial(contrastive.training_loss, balance=balance, device=device), evaluate


def _qwen(
    scenes: Scenes, start: Path, out: Path, device: str, batch: int | None
) -> tuple[Any, Any, Any, Any]:
    """Return model, make_batch, loss and evaluate of `fit`."""
    model = QwenTraining(scenes)
    model.begin_with(start)
    model.to(device).eval().requires_grad_(False)
    for part in (model.model.model.language_model, model.model.lm_head):
        part.requires_grad_(True)
    cache = [qwen.encode(model, scenes, device, side) for side in (False, True)]
    prefix = prefix_of(model.tokenizer, *cache[0].shape[1:3])
    balance = balance_weights(scenes).numpy()

    def spoken(rng: np.random.Generator, _: float) -> qwen.Spoken:
        count = min(batch or 8, len(scenes))
        chosen = rng.choice(len(scenes), size=count, p=scenes.weights, replace=False)
        tokens = torch.stack([cache[int(rng.integers(2))][i] for i in chosen]).float()
        known = [scenes.facts[i] for i in chosen]
        return qwen.Spoken(pack(model.tokenizer, prefix, known, rng, balance), tokens, None)

    def loss(module: Any, drawn: qwen.Spoken) -> Tensor:
        assert drawn.tokens is not None
        return module.language_loss(drawn.tokens.to(device), drawn.packed.to(device), prefix.image)

    def evaluate(average: Any) -> float:
        save_qwen(average, out)
        scores = qwen.validate(average, scenes, cache[0], device)
        return (scores["presence"] + scores["safety"]) / 2

    return model, spoken, loss, evaluate
