"""What the training recipes say, as facts for pages and model cards, and what training has cost.

Facts are read from the recipes themselves, and minutes from the logs that training keeps.
"""

from __future__ import annotations

import inspect
from pathlib import Path

import pandas as pd

from vlmis_utils.core.errors import UserError, closest
from vlmis_utils.core.formatting import percent
from vlmis_utils.training.recipes import (
    train_contrastive,
    train_qwen,
    train_segmenters,
    train_trunk,
    train_vlms,
)
from vlmis_utils.training.weights import MODELS, SEGMENTERS

__all__ = ["LOGS", "STAGES", "costs", "load_log", "recipe"]

LOGS = Path(__file__).resolve().parents[1] / "logs"
# The stages of a training in order: name, file of its log. CLIP and SigLIP share their first.
STAGES: dict[str, tuple[tuple[str, str], ...]] = {
    **{name: (("training", name),) for name in SEGMENTERS},
    "clip": (("shared trunk", "contrastive-trunk"), ("towers", "clip")),
    "siglip": (("shared trunk", "contrastive-trunk"), ("towers", "siglip")),
    "qwen2-vl": (
        ("vision tower", "qwen2-vl-dense"),
        ("language", "qwen2-vl-language"),
        ("both", "qwen2-vl-joint"),
    ),
}


def recipe(name: str, data: str = "streetworld") -> list[str]:
    """Return the stages of a recipe, a sentence each.

    Args:
        name: of an embedded model.
        data: a key of `weights.DATA`.

    Raises:
        UserError: no such model.

    >>> recipe("segformer")[0].startswith("AdamW")
    True
    """
    if name not in MODELS:
        raise UserError(f"unknown model {name!r}{closest(name, MODELS)}")
    if data == "streetworld":
        if name in SEGMENTERS:
            return _segmenter(train_segmenters.RECIPES[name])
        return _qwen() if name == "qwen2-vl" else _contrastive(name)
    begin = "It begins with the weights of the StreetWorld checkpoint"
    if name in SEGMENTERS:
        lines = [f"{begin}.", *_segmenter(train_segmenters.PHOTOGRAPH_RECIPES[name])]
        if name in train_segmenters.AVERAGED:
            lines.append("The mean of the weights before and after the last part is kept.")
        return lines
    if name == "qwen2-vl":
        share = train_vlms.PHOTOGRAPH_RECIPES[name].named_from
        return [
            f"{begin}.",
            *_qwen(),
            f"The descriptions that it learns name a class from {100 * share:g} % of the pixels"
            " on.",
        ]
    return [
        f"{begin}, but for the trunk.",
        *_contrastive(name, train_vlms.PHOTOGRAPH_RECIPES[name].workers),
    ]


def _segmenter(made: train_segmenters.Recipe) -> list[str]:
    lines = [
        f"AdamW, learning rate {made.lr:g}, weight decay {made.weight_decay:g}, half a cosine after"
        f" {made.warmup} steps of warm-up; averaged weights, decay {made.ema:g}."
    ]
    begin = 0.0
    for phase in made.phases:
        low, high = phase.scales
        scaled = f", shrunk by a factor from {low:g} to {high:g}" if low < high else ""
        focus = (
            f", {percent(phase.focus)} of them on a class that is drawn evenly"
            if phase.focus
            else ""
        )
        lines.append(
            f"From {percent(begin)} to {percent(phase.until)} of the training:"
            f" {phase.batch * made.workers} crops"
            f" a step of {phase.height} x {phase.width} pixels{scaled}{focus}."
        )
        begin = phase.until
    return lines


def _contrastive(name: str, workers: int = 1) -> list[str]:
    trunk, towers = (
        _defaults(f) for f in (train_trunk.train_trunk, train_contrastive.train_contrastive)
    )
    loss = "sigmoid loss with a bias" if name == "siglip" else "softmax loss"
    share = train_contrastive.TRUNK_SHARE
    return [
        f"{percent(share)} of the time, shared by CLIP and SigLIP: a {train_trunk.TRUNK} that"
        " starts as the backbone of the embedded DeepLabV3+ learns to tell what each patch of the"
        " scene holds, and by the maxima of its last map what the scene shows,"
        f" {trunk['batch']} crops a step, learning rate {trunk['lr']:g}; then all but its last"
        " block is frozen.",
        f"{percent(1 - share)} of the time: that block, the head and the text tower learn with the"
        f" {loss} and with the pairs of the zero-shot prompts, {towers['batch'] * workers} scenes a"
        f" step, learning rate {towers['lr']:g}.",
    ]


def _qwen() -> list[str]:
    made = _defaults(train_qwen.train_qwen)
    dense, language, both = train_qwen.STAGES
    return [
        f"{percent(dense)} of the time: the vision tower learns to tell what each patch holds, on"
        f" crops and then on whole scenes, learning rate {2 * made['lr']:g}.",
        f"{percent(language)}: the language model learns all questions on the tower's cached"
        f" tokens, {made['batch']} scenes a step, learning rate {made['lr']:g}.",
        f"{percent(both)}: both together, learning rate {0.5 * made['lr']:g}.",
    ]


def _defaults(function: object) -> dict[str, float]:
    parameters = inspect.signature(function).parameters  # type: ignore[arg-type]
    return {k: p.default for k, p in parameters.items() if p.default is not p.empty}


def load_log(stage: str, logs: str | Path = LOGS) -> pd.DataFrame:
    """Return the log of a stage: part, step, minutes, loss, metric.

    A model that is trained further begins its steps and minutes anew in the same file: such a part
    gets the next number, and its steps and minutes go on from the last.

    Args:
        stage: file name without ending.
        logs: folder; an empty frame where it lacks the file.
    """
    path = Path(logs) / f"{stage}.csv"
    if not path.exists():
        return pd.DataFrame({c: [] for c in ("part", "step", "minutes", "loss", "metric")})
    frame = pd.read_csv(path)
    frame["part"] = (frame.step.diff() <= 0).cumsum() + 1
    for column in ("step", "minutes"):
        ends = frame.groupby("part")[column].last().cumsum().shift(fill_value=0)
        frame[column] += frame.part.map(ends)
    return frame[["part", "step", "minutes", "loss", "metric"]]


def costs(logs: str | Path = LOGS) -> pd.DataFrame:
    """Return what each stage of each model cost: model, stage, steps, minutes, parts, metric.

    Minutes are wall time with the evaluations in between, all parts together; the metric is the
    last one, on validation scenes.
    """
    rows = []
    for model, stages in STAGES.items():
        for stage, file in stages:
            log = load_log(file, logs)
            if len(log):
                last = log.iloc[-1]
                rows.append(
                    {"model": model, "stage": stage, "steps": int(last.step),
                     "minutes": float(last.minutes), "parts": int(last.part),
                     "metric": float(last.metric)}
                )  # fmt: skip
    columns = ["model", "stage", "steps", "minutes", "parts", "metric"]
    return pd.DataFrame(rows, columns=columns)
