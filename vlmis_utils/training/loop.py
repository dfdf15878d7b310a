"""The training loop of every embedded model: AdamW, cosine schedule, moving average, resumable.

A step's randomness derives from (seed, step) alone, so a run that was killed and resumed gives the
weights of one that was not.
"""

from __future__ import annotations

import copy
import csv
import math
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from vlmis_utils.core.errors import RunError
from vlmis_utils.training.workers import Workers

__all__ = ["Fit", "fit", "use_threads"]

MakeBatch = Callable[[np.random.Generator, float], Any]
Loss = Callable[[nn.Module, Any], Tensor]
Evaluate = Callable[[nn.Module], float]


@dataclass(frozen=True, eq=False)
class Fit:
    """A finished run: the averaged model in evaluation mode, on its device.

    Attributes:
        model: the model with the moving average of its weights.
        step: optimiser steps done.
        minutes: wall minutes spent, evaluations included, over all resumed runs.
        metric: the last evaluation.
    """

    model: nn.Module
    step: int
    minutes: float
    metric: float


def use_threads(threads: int | None = None) -> int:
    """Set torch's threads: ``threads``, else ``OMP_NUM_THREADS``, else the cores of the machine."""
    count = threads or int(os.environ.get("OMP_NUM_THREADS") or os.cpu_count() or 1)
    torch.set_num_threads(count)
    return count


def fit(
    name: str,
    model: nn.Module,
    make_batch: MakeBatch,
    loss: Loss,
    *,
    steps: int,
    lr: float,
    weight_decay: float,
    warmup: int,
    out: str | Path,
    seed: int,
    save_every: int,
    eval_every: int,
    evaluate: Evaluate,
    device: str = "cpu",
    minutes: float | None = None,
    log: str | Path | None = None,
    ema: float = 0.99,
    clip: float = 1.0,
    signature: str = "",
    lr_scale: Callable[[str], float] | None = None,
    workers: int = 1,
    mixed: bool = False,
) -> Fit:
    """Train ``model`` in place and return it with averaged weights.

    Args:
        name: names the state file ``<out>/<name>.state.pt`` and the progress lines.
        model: the network; parameters with ``requires_grad`` are trained.
        make_batch: (rng of this step, progress in [0, 1)) -> batch, on the CPU or the device.
        loss: (model in training mode, batch) -> scalar tensor.
        steps: optimiser steps; ignored where ``minutes`` is given.
        lr, weight_decay: AdamW's, the decay on tensors of two or more dimensions only.
        warmup: steps of linear warm-up; then the rate follows half a cosine to 1 % of ``lr``.
        out: folder of the resume state.
        seed: of the batches and of torch's generators.
        save_every, eval_every: steps between states saved, and between evaluations; the last step
            always does both.
        evaluate: (averaged model in evaluation mode) -> metric, greater is better. The caller may
            save a usable checkpoint in it.
        device: such as "cpu" or "cuda"; on CUDA the forward pass runs under bfloat16 autocast.
        workers: batches a step, each in a thread of its own; their gradients are averaged. With
            more than one, what torch draws in the threads has no fixed order.
        mixed: bfloat16 autocast on a CPU too.
        minutes: wall minutes for the whole run, resumed parts included; the schedule follows them.
        log: CSV file (step, minutes, loss, metric); a resumed run appends.
        ema: decay of the moving average of weights and buffers; 0 for none.
        clip: largest gradient norm.
        signature: identifies the recipe; a state with another signature is not resumed.
        lr_scale: parameter name -> factor on ``lr``.

    Raises:
        RunError: the loss stays infinite or undefined for 20 steps.
    """
    state_path = Path(out) / f"{name}.state.pt"
    state_path.parent.mkdir(parents=True, exist_ok=True)
    model.to(device)
    optimiser = torch.optim.AdamW(_groups(model, lr, weight_decay, lr_scale), lr=lr)
    average = copy.deepcopy(model).eval().requires_grad_(False)
    step, spent, metric, bad = 0, 0.0, math.nan, 0
    if state_path.exists():
        state = torch.load(state_path, map_location=device, weights_only=True)
        if state["signature"] == signature:
            model.load_state_dict(state["model"])
            average.load_state_dict(state["average"])
            optimiser.load_state_dict(state["optimiser"])
            step, spent, metric = state["step"], state["minutes"], state["metric"]
            _say(f"{name}: resumed at step {step}, minute {spent:.1f}")
    together = Workers(model, workers)
    kind = "cuda" if device.startswith("cuda") else "cpu"

    def value_of(replica: nn.Module, worker: int) -> Tensor:
        rng = np.random.default_rng((seed, step, worker) if worker else (seed, step))
        batch = make_batch(rng, done)
        with torch.autocast(kind, torch.bfloat16, enabled=mixed or kind == "cuda"):
            return loss(replica, batch)

    began, begun_at, shown = time.monotonic(), spent, time.monotonic()
    trailing: list[float] = []

    def progress() -> float:
        return spent / minutes if minutes is not None else step / max(steps, 1)

    def save() -> None:
        _save(
            state_path,
            {
                "signature": signature,
                "model": model.state_dict(),
                "average": average.state_dict(),
                "optimiser": optimiser.state_dict(),
                "step": step,
                "minutes": spent,
                "metric": metric,
            },
        )

    while progress() < 1:
        done = progress()
        rate = _rate(done, step, warmup)
        for group in optimiser.param_groups:
            group["lr"] = group["base"] * rate
        torch.manual_seed(hash((seed, step)) & 0x7FFFFFFF)
        value = together.gradients(value_of)
        if bool(torch.isfinite(value)):
            bad = 0
            nn.utils.clip_grad_norm_(model.parameters(), clip)
            optimiser.step()
            _blend(average, model, min(ema, (1 + step) / (10 + step)) if ema else 0.0)
        elif (bad := bad + 1) >= 20:
            raise RunError(f"{name}: the loss is not finite at step {step}: lower lr ({lr})")
        optimiser.zero_grad(set_to_none=True)
        step += 1
        trailing.append(float(value))
        spent = begun_at + (time.monotonic() - began) / 60
        if step % eval_every == 0 or progress() >= 1:
            metric = float(evaluate(average))
            spent = begun_at + (time.monotonic() - began) / 60
            mean = sum(trailing) / len(trailing)
            _append(log, (step, round(spent, 3), round(mean, 5), round(metric, 5)))
            _say(f"{name}: step {step}, minute {spent:.1f}, loss {mean:.3f}, metric {metric:.3f}")
            trailing.clear()
            save()
        elif step % save_every == 0:
            save()
        if time.monotonic() - shown > (2 if sys.stderr.isatty() else 30):
            shown = time.monotonic()
            left = spent * (1 - progress()) / max(progress(), 1e-9)
            _say(f"{name}: {progress():.0%}, step {step}, {max(left, 0):.1f} min left")
    together.close()
    model.load_state_dict(average.state_dict())
    return Fit(model.eval(), step, spent, metric)


def _rate(progress: float, step: int, warmup: int) -> float:
    cosine = 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(progress, 1.0)))
    return cosine * min(1.0, (step + 1) / max(warmup, 1))


def _groups(
    model: nn.Module, lr: float, decay: float, scale: Callable[[str], float] | None
) -> list[dict[str, Any]]:
    groups: dict[tuple[float, float], list[Tensor]] = {}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            key = (lr * (scale(name) if scale else 1.0), decay if parameter.ndim > 1 else 0.0)
            groups.setdefault(key, []).append(parameter)
    return [
        {"params": parameters, "weight_decay": decay, "base": base}
        for (base, decay), parameters in groups.items()
    ]


@torch.no_grad()
def _blend(average: nn.Module, model: nn.Module, decay: float) -> None:
    mine = [*average.parameters(), *average.buffers()]
    theirs = [*model.parameters(), *model.buffers()]
    for old, new in zip(mine, theirs, strict=True):
        if new.is_floating_point() and bool(new.isfinite().all()):  # a causal mask holds -inf
            old.lerp_(new, 1 - decay)
        else:
            old.copy_(new)


def _save(path: Path, state: dict[str, Any]) -> None:
    partial = path.with_suffix(".partial")
    torch.save(state, partial)
    os.replace(partial, path)


def _append(log: str | Path | None, row: tuple[float, ...]) -> None:
    if log is None:
        return
    path = Path(log)
    path.parent.mkdir(parents=True, exist_ok=True)
    new = not path.exists()
    with path.open("a", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        if new:
            writer.writerow(("step", "minutes", "loss", "metric"))
        writer.writerow(row)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
