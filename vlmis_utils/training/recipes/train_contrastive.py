"""Recipes of the embedded CLIP and SigLIP: contrastive losses on a trunk that can already see.

From scratch, on a thousand scenes and two cores, captions alone taught neither a vision transformer
nor a convolutional tower to see. So both towers take a trunk that starts as the backbone of the
embedded DeepLabV3+ and is trained densely (`dense`) until its last map says what each patch holds.
Then all of it but its last block is frozen; what the towers learn is to pool that map and to tie it
to sentences.
CLIP learns with the softmax loss (Radford et al. 2021), SigLIP with the sigmoid loss and a bias
(Zhai et al. 2023). Captions name few things, so each image is also compared with the fixed
sentences of the zero-shot prompts, whose truth is known: with and without each class, safe and not
safe. Those are its hard negatives.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from vlmis_utils.protocol.classes import OBJECT_CLASSES, PRESENCE_CLASSES
from vlmis_utils.training.loop import Fit, fit
from vlmis_utils.training.nets.contrastive_model import (
    CONFIGS,
    SENTENCES,
    ContrastiveTraining,
    save_open_clip,
    tokenise,
)
from vlmis_utils.training.nets.dense import auc
from vlmis_utils.training.nets.pixels import encoded, kept
from vlmis_utils.training.nets.scenes import Scenes
from vlmis_utils.training.recipes.captions import caption
from vlmis_utils.training.recipes.contrastive_losses import (
    OBJECTS,
    PRESENCE_COLUMNS,
    UNSAFE,
    Truth,
    balance_weights,
    pair_loss,
    sigmoid_loss,
    softmax_loss,
)
from vlmis_utils.training.recipes.train_trunk import train_trunk

__all__ = ["captioned", "encode", "log_row", "train_contrastive", "training_loss"]

# Share of the minutes or steps that the dense pretraining of the trunk takes.
TRUNK_SHARE = 0.7


@dataclass(frozen=True, eq=False)
class Captioned:
    """A batch with a caption for each image.

    Attributes:
        cells: float32 (B, C, h, w), what the frozen part of the trunk sees.
        truth: targets and what of them is known, (B, 13).
        tokens: int64 (B, context), the captions.
        same: bool (B, B), whether image i shows the object classes of image j.
    """

    cells: Tensor
    truth: Truth
    tokens: Tensor
    same: Tensor


def encode(
    model: ContrastiveTraining, scenes: Scenes, device: str, mirrored: bool, workers: int = 1
) -> Tensor:
    """Return `ContrastiveTraining.cells` of all scenes, float16 (N, C, h, w), on the CPU."""
    return encoded(model.cells, scenes.data.images, device, mirrored, workers)


def captioned(
    scenes: Scenes, cells: Sequence[Tensor], size: int, rng: np.random.Generator, _: float
) -> Captioned:
    """Draw a batch, half of it mirrored, and write a caption for each of its images."""
    index = rng.choice(len(scenes), size=min(size, len(scenes)), p=scenes.weights, replace=False)
    side = rng.integers(0, len(cells), len(index))
    targets = torch.from_numpy(scenes.targets[index])
    shown = targets[:, :OBJECTS]
    return Captioned(
        cells=torch.stack([cells[s][i] for s, i in zip(side, index, strict=True)]).float(),
        truth=Truth(targets, torch.from_numpy(scenes.known[index])),
        tokens=tokenise([caption(scenes.facts[i], rng) for i in index]),
        same=(shown[:, None] == shown[None]).all(-1),
    )


def training_loss(model: Any, batch: Captioned, *, balance: Tensor, device: str) -> Tensor:
    """Return the loss of one step: the pairs of the prompts, and the contrast with captions."""
    truth = Truth(batch.truth.targets.to(device), batch.truth.known.to(device))
    texts = torch.cat([model.sentences, batch.tokens.to(device)])
    logits = model.compare(model.see(batch.cells.to(device)), texts).float()
    bank, captions = logits[:, : len(SENTENCES)], logits[:, len(SENTENCES) :]
    contrast = sigmoid_loss if model.model.logit_bias is not None else softmax_loss
    return pair_loss(bank, truth, balance) + contrast(bank, captions, batch.same.to(device), truth)


@torch.inference_mode()
def validate(
    model: ContrastiveTraining, scenes: Scenes, cells: Tensor, device: str
) -> dict[str, float]:
    """Return the AUC of each presence pair and of the safety pair on held-out scenes."""
    seen = model.see(cells.float().to(device))
    logits = model.compare(seen, model.sentences).float().cpu().numpy()
    scores = {
        c: (logits[:, column] - logits[:, OBJECTS + row], OBJECT_CLASSES.index(c))
        for row, (c, column) in enumerate(zip(PRESENCE_CLASSES, PRESENCE_COLUMNS, strict=True))
    }
    scores["safety"] = (logits[:, -1] - logits[:, -2], UNSAFE)
    return {
        name: auc(scenes.targets[:, column], score, scenes.known[:, column])
        for name, (score, column) in scores.items()
    }


def log_row(path: Path, row: dict[str, float]) -> None:
    """Append one evaluation to a CSV file, with a header if it is new."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = not path.exists()
    with path.open("a", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        if new:
            writer.writerow(row)
        writer.writerow([round(value, 4) for value in row.values()])


def train_contrastive(
    name: str,
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
    batch: int = 48,
    lr: float = 1e-3,
    backbone: Path | None = None,
    start: Path | None = None,
    workers: int = 1,
    mirrored: bool = True,
) -> Fit:
    """Train ``clip`` or ``siglip``; a usable checkpoint lies in ``out`` after every evaluation.

    Args:
        minutes, steps: of the whole; the trunk, which both models share, takes `TRUNK_SHARE`.
        backbone: checkpoint of the embedded DeepLabV3+; by default the one beside ``out``.
        start: earlier checkpoint that the towers begin with; the trunk begins with it only where
            it is ``out`` itself, trained on.
        mirrored: the towers see each scene's mirror image, too.
        The rest is as in `train_vlms.train_vlm` and `training.fit`.

    Returns:
        the finished run; its metric is the presence AUC, averaged over the classes.

    Raises:
        UserError: no DeepLabV3+ checkpoint yet.
    """

    def share(of: float) -> dict[str, Any]:
        return {
            "steps": max(1, round((steps or 0) * of)),
            "minutes": None if minutes is None else minutes * of,
        }

    own = out if start == out else out.parent / "deeplabv3plus"
    seeing = train_trunk(
        train, val, backbone or own, work=work, device=device, seed=seed,
        log=log.with_name("contrastive-trunk.csv"), eval_every=eval_every, workers=workers,
        **share(TRUNK_SHARE),
    )  # fmt: skip
    torch.manual_seed(seed)
    model = ContrastiveTraining(name, train.data.labels.shape[1:])
    if start is not None:
        model.begin_with(start)
    model.model.visual.trunk.load_state_dict(seeing.model.trunk.state_dict(), strict=False)
    model.to(device).eval()
    cells = [
        kept(
            partial(encode, model, train, device, side, workers),
            work / f"contrastive-cells-{int(side)}.pt",
            f"{_digest(seeing.model)} {len(train)} {seed}",
        )
        for side in ((False, True) if mirrored else (False,))
    ]
    held_out = encode(model, val, device, False)

    def evaluate(average: nn.Module) -> float:
        assert isinstance(average, ContrastiveTraining)
        scores = validate(average, val, held_out, device)
        log_row(log.with_name(f"{name}-val.csv"), scores)
        save_open_clip(average.model, average.config, out)
        return float(np.nanmean([scores[c] for c in PRESENCE_CLASSES]))

    return fit(
        name,
        model,
        partial(captioned, train, cells, batch),
        partial(training_loss, balance=balance_weights(train).to(device), device=device),
        **share(1 - TRUNK_SHARE),
        lr=lr,
        weight_decay=0.05,
        warmup=60,
        out=work,
        seed=seed,
        save_every=200,
        eval_every=eval_every,
        evaluate=evaluate,
        device=device,
        log=log,
        workers=workers,
        signature=f"{CONFIGS[name]} {len(train)} {seed} {batch} {lr} {minutes} {steps} 4",
    )


def _digest(model: nn.Module) -> str:
    """Identify weights: both towers are made of the same cells, which need be made only once."""
    hashed = hashlib.sha256()
    for value in model.state_dict().values():
        hashed.update(value.cpu().numpy().tobytes())
    return hashed.hexdigest()[:16]
