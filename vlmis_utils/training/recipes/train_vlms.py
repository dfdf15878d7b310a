"""Recipes of the embedded VLMs, by name: which trainer, and how long on one core."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from vlmis_utils.core.device import resolve_device
from vlmis_utils.core.errors import UserError, closest
from vlmis_utils.protocol.classes import MIN_SHARE
from vlmis_utils.training.data import SCENES, TrainingData, load_training
from vlmis_utils.training.loop import Fit
from vlmis_utils.training.nets.scenes import load_scenes
from vlmis_utils.training.recipes.train_contrastive import train_contrastive
from vlmis_utils.training.recipes.train_qwen import train_qwen

__all__ = ["PHOTOGRAPH_RECIPES", "RECIPES", "Recipe", "train_vlm"]


@dataclass(frozen=True)
class Recipe:
    """How one VLM is trained.

    Attributes:
        train: the trainer.
        minutes: default wall minutes on one core.
        eval_every: steps between evaluations.
        workers: see `training.loop.fit`.
        named_from: share of the pixels from which a description names a class.
    """

    train: Callable[..., Fit]
    minutes: float
    eval_every: int
    workers: int = 1
    named_from: float = MIN_SHARE


RECIPES: dict[str, Recipe] = {
    "clip": Recipe(partial(train_contrastive, "clip"), 36, 200),
    "siglip": Recipe(partial(train_contrastive, "siglip"), 36, 200),
    "qwen2-vl": Recipe(train_qwen, 78, 150),
}

# On photographs, from the StreetWorld weights. A fifth of the classes that count as present there
# are smaller than Qwen2-VL's share: taught to name them too, it names much that is not there.
PHOTOGRAPH_RECIPES: dict[str, Recipe] = {
    "clip": Recipe(partial(train_contrastive, "clip"), 28, 200, 2),
    "siglip": Recipe(partial(train_contrastive, "siglip"), 28, 200, 2),
    "qwen2-vl": Recipe(partial(train_qwen, evenly=True), 40, 150, 2, 4 * MIN_SHARE),
}


def train_vlm(
    name: str,
    *,
    out: str | Path,
    work: str | Path = "build/training",
    device: str = "auto",
    minutes: float | None = None,
    steps: int | None = None,
    scenes: int = SCENES,
    seed: int = 0,
    held_out: int = 150,
    data: tuple[TrainingData, TrainingData] | None = None,
    eval_every: int | None = None,
    log: str | Path | None = None,
    start: str | Path | None = None,
    recipe: Recipe | None = None,
) -> Fit:
    """Train one VLM; a usable checkpoint lies in ``out/<name>`` after its evaluations.

    Args:
        name: a key of `RECIPES`.
        out: folder of checkpoints; logs go to its sibling ``logs``.
        work: folder of the resume states; delete it to start anew.
        device: "auto", "cpu" or "cuda".
        minutes: wall minutes; the recipe's own when neither minutes nor steps are given.
        steps: a schedule of so many steps instead.
        scenes, held_out: scenes of the splits train and val.
        seed: of weights, batches and worlds.
        data: (train, val), instead of loading them.
        start: earlier checkpoint folder to begin with.
        recipe: instead of that of `RECIPES`.

    Raises:
        UserError: no such recipe.
    """
    if name not in RECIPES:
        raise UserError(f"unknown VLM recipe {name!r}{closest(name, RECIPES)}")
    recipe = recipe or RECIPES[name]
    train, val = data or (
        load_training("train", scenes, seed),
        load_training("val", held_out, seed),
    )
    settings: dict[str, Any] = {
        "out": Path(out) / name,
        "work": Path(work),
        "log": Path(log) if log else Path(out).parent / "logs" / f"{name}.csv",
        "device": resolve_device(device),
        "minutes": recipe.minutes if minutes is None and steps is None else minutes,
        "steps": steps,
        "seed": seed,
        "eval_every": eval_every or recipe.eval_every,
        "start": Path(start) if start else None,
        "workers": recipe.workers,
    }
    scenes_of = partial(load_scenes, named_from=recipe.named_from)
    return recipe.train(scenes_of(train), scenes_of(val), **settings)
