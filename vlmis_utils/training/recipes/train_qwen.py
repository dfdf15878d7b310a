"""Recipe of the embedded Qwen2-VL: see first, then speak, then both.

Question and answer alone do not ground a small model. So the vision tower is trained densely
(`dense`), with its merger, on crops and then on whole images, until its tokens say what their
patches hold; then the language model learns all questions on cached vision tokens of each scene and
its mirror image; then both are tuned together, the dense loss kept.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.metrics import balanced_accuracy_score
from torch import Tensor

from vlmis_utils.protocol.classes import PRESENCE_CLASSES
from vlmis_utils.training.loop import Fit, fit
from vlmis_utils.training.nets.dense import class_weights, dense_loss, loudest, object_auc
from vlmis_utils.training.nets.pixels import encoded, kept, normalise
from vlmis_utils.training.nets.qwen_model import (
    PATCH,
    TEXT_LAYERS,
    VISION_LAYERS,
    WIDTH,
    QwenTraining,
    name_what_is_seen,
    save_qwen,
)
from vlmis_utils.training.nets.qwen_turns import Packed, pack, prefix_of
from vlmis_utils.training.nets.scenes import Batch, Scenes, crops_first, sampler
from vlmis_utils.training.recipes.contrastive_losses import balance_weights
from vlmis_utils.training.recipes.train_contrastive import log_row

__all__ = ["train_qwen"]

# Shares of the minutes or steps: dense, language on cached tokens, both.
STAGES = (0.60, 0.30, 0.10)


@dataclass(frozen=True, eq=False)
class Spoken:
    """A batch of the language stages: cached vision tokens or images, and packed turns."""

    packed: Packed
    tokens: Tensor | None
    scenes: Batch | None


def encode(
    model: QwenTraining, scenes: Scenes, device: str, mirrored: bool, workers: int = 1
) -> Tensor:
    """Return the merged vision tokens of all scenes, float16 (N, h, w, width) on the CPU."""
    return encoded(model.see, scenes.data.images, device, mirrored, workers)


@torch.inference_mode()
def validate(
    model: QwenTraining, scenes: Scenes, tokens: Tensor, device: str, batch: int = 16
) -> dict[str, float]:
    """Return balanced accuracies of the greedy first word: presence by class, safety, their mean.

    Args:
        tokens: of `encode`, for these scenes.
    """
    prefix = prefix_of(model.tokenizer, tokens.shape[1], tokens.shape[2])
    said: dict[str, list[tuple[bool, bool]]] = {}
    yes = model.tokenizer("Yes").input_ids[0]
    for start in range(0, len(scenes), batch):
        known = scenes.facts[start : start + batch]
        packed = pack(model.tokenizer, prefix, known, np.random.default_rng(0), answers=False)
        seen = tokens[start : start + batch].float().to(device)
        hidden = model.speak(seen, packed.to(device), prefix.image)
        for row, (fact, starts) in enumerate(zip(known, packed.starts, strict=True)):
            names = [name for name in starts if name != "describe"]
            best = model.model.lm_head(hidden[row, [starts[n] for n in names]]).argmax(-1)
            for name, token in zip(names, best.tolist(), strict=True):
                asked = name.removeprefix("presence/")
                truth = fact.safe if name == "safety" else asked in fact.shown
                said.setdefault(asked, []).append((truth, token == yes))
    scores = {}
    for name in (*PRESENCE_CLASSES, "safety"):
        truth, answer = (
            list(column) for column in zip(*said.get(name, [(True, True)]), strict=True)
        )
        both = len(set(truth)) == 2
        scores[name] = float(balanced_accuracy_score(truth, answer)) if both else float("nan")
    scores["presence"] = float(np.nanmean([scores[c] for c in PRESENCE_CLASSES]))
    return scores


@torch.inference_mode()
def validate_tower(model: QwenTraining, scenes: Scenes, device: str, batch: int = 16) -> float:
    """Return the mean AUC with which the loudest token tells each object class."""
    rows = []
    for start in range(0, len(scenes), batch):
        images = torch.from_numpy(np.array(scenes.data.images[start : start + batch]))
        seen = model.see(normalise(images.permute(0, 3, 1, 2)).to(device))
        rows.append(loudest(model.head(seen)[1]).float().cpu().numpy())
    return object_auc(scenes, np.concatenate(rows))


def train_qwen(
    train: Scenes,
    val: Scenes,
    *,
    out: Path,
    work: Path,
    log: Path,
    device: str,
    minutes: float | None,
    steps: int | None,
    seed: int,
    eval_every: int,
    batch: int = 8,
    lr: float = 1e-3,
    start: Path | None = None,
    workers: int = 1,
    mirrored: bool = True,
    evenly: bool = False,
) -> Fit:
    """Train the three stages, each resumable; a usable checkpoint lies in ``out`` after the first.

    Args:
        start: earlier checkpoint to begin with; its language model keeps what its words mean.
        batch: scenes a step, of all workers together.
        mirrored: the language stage sees each scene's mirror image, too.
        evenly: the language stages draw every scene alike, so that descriptions name a class as
            often as it is there; the dense stage draws rare classes more often in any case.
        The rest is as in `train_vlms.train_vlm`.

    Returns:
        the last stage; its metric is the mean of presence and safety balanced accuracy.
    """
    torch.manual_seed(seed)
    model = QwenTraining(train)
    if start is not None:
        model.begin_with(start)
    batch = max(1, batch // workers)
    weights = class_weights(train.data).to(device)
    spoken_of = replace(train, weights=np.full(len(train), 1 / len(train))) if evenly else train
    balance = balance_weights(spoken_of).numpy()
    signature = f"{len(train)} {seed} {batch} {lr} {WIDTH} {VISION_LAYERS} {TEXT_LAYERS} {evenly} 3"
    draw = sampler(spoken_of, PATCH, batch)

    def stage(number: int, **settings: Any) -> Fit:
        name = f"qwen2-vl-{('dense', 'language', 'joint')[number]}"
        share = STAGES[number]
        return fit(
            name,
            settings.pop("module"),
            settings.pop("make"),
            settings.pop("loss"),
            steps=max(1, round((steps or 0) * share)),
            minutes=None if minutes is None else minutes * share,
            weight_decay=0.05,
            warmup=60,
            out=work,
            seed=seed + number,
            save_every=100,
            device=device,
            workers=workers,
            log=log.with_name(f"{name}.csv"),
            signature=f"{signature} {number} {minutes} {steps}",
            **settings,
        )

    def dense(module: Any, drawn: Batch) -> Tensor:
        drawn = drawn.to(device)
        return dense_loss(*module.head(module.see(drawn.images)), drawn, weights)

    language_parts = (model.model.model.language_model, model.model.lm_head)
    for part in language_parts:
        part.requires_grad_(False)
    stage(
        0, module=model, make=crops_first(train, PATCH, 2 * batch), loss=dense, lr=2 * lr,
        eval_every=3 * eval_every,
        evaluate=lambda average: validate_tower(average, val, device),
    )  # fmt: skip

    if start is None:
        name_what_is_seen(model)
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    for part in language_parts:
        part.requires_grad_(True)
    cache = [
        kept(
            partial(encode, model, train, device, m, workers),
            work / f"qwen2-vl-tokens-{int(m)}.pt",
            f"{signature} {minutes} {steps}",
        )
        for m in ((False, True) if mirrored else (False,))
    ]
    held_out = encode(model, val, device, False, workers)
    prefix = prefix_of(model.tokenizer, *held_out.shape[1:3])

    def spoken(rng: np.random.Generator, progress: float) -> Spoken:
        size = min(batch, len(train))
        chosen = rng.choice(len(train), size=size, p=spoken_of.weights, replace=False)
        tokens = torch.stack([cache[int(rng.integers(len(cache)))][i] for i in chosen]).float()
        known = [train.facts[i] for i in chosen]
        return Spoken(pack(model.tokenizer, prefix, known, rng, balance), tokens, None)

    def scored(average: Any, tokens: Tensor) -> float:
        scores = validate(average, val, tokens, device)
        log_row(log.with_name("qwen2-vl-val.csv"), scores)
        save_qwen(average, out)
        return (scores["presence"] + scores["safety"]) / 2

    def language(module: Any, drawn: Spoken) -> Tensor:
        assert drawn.tokens is not None
        return module.language_loss(drawn.tokens.to(device), drawn.packed.to(device), prefix.image)

    stage(
        1, module=model, make=spoken, loss=language, lr=lr, eval_every=2 * eval_every,
        evaluate=lambda average: scored(average, held_out),
    )  # fmt: skip

    def seen_and_spoken(rng: np.random.Generator, progress: float) -> Spoken:
        drawn = draw(rng, progress)
        known = [train.facts[i] for i in drawn.index]
        return Spoken(pack(model.tokenizer, prefix, known, rng, balance), None, drawn)

    def both(module: Any, drawn: Spoken) -> Tensor:
        assert drawn.scenes is not None
        scenes = drawn.scenes.to(device)
        tokens = module.see(scenes.images)
        spoke = module.language_loss(tokens, drawn.packed.to(device), prefix.image)
        return spoke + 0.5 * dense_loss(*module.head(tokens), scenes, weights)

    model.requires_grad_(True)
    return stage(
        2, module=model, make=seen_and_spoken, loss=both, lr=0.5 * lr, eval_every=eval_every,
        evaluate=lambda average: scored(average, encode(average, val, device, False, workers)),
    )  # fmt: skip
