"""Pictures of the embedded models: how they learned, what they reach by class, where they fail."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from vlmis_utils.protocol.classes import (
    CRITICAL_CLASSES,
    LANGUAGE_NAMES,
    TRAIN_CLASSES,
)
from vlmis_utils.report.figures.scenes import colourise
from vlmis_utils.report.style import (
    GREY,
    WIDTH,
    colour,
    legend,
    marker,
    new_figure,
    styled,
)
from vlmis_utils.training.evaluation.gallery import Failure
from vlmis_utils.training.recipes.facts import LOGS, STAGES, load_log

__all__ = [
    "load_curves", "plot_curves", "plot_dots", "plot_failures", "plot_scenes",
]  # fmt: skip

# What the metric in a stage's log is, each a panel.
_PANELS: dict[str, tuple[str, ...]] = {
    "mIoU": ("deeplabv3plus", "segformer", "mask2former"),
    "object AUC": ("contrastive-trunk", "qwen2-vl-dense"),
    "AUC, accuracy": ("clip", "siglip", "qwen2-vl-language", "qwen2-vl-joint"),
}
_SHARED = "contrastive-trunk"


def load_curves(logs: str | Path = LOGS) -> pd.DataFrame:
    """Return the learning curves that training kept: stage, model, panel, part, minutes, metric.

    Minutes of a stage begin at 0; those of Qwen2-VL's last stage go on from the stage before. The
    trunk that CLIP and SigLIP share has no model.
    """
    models = {file: model for model, stages in STAGES.items() for _, file in stages}
    frames = []
    for panel, files in _PANELS.items():
        for file in files:
            log = load_log(file, logs)
            if file == "qwen2-vl-joint":
                log["minutes"] += load_log("qwen2-vl-language", logs).minutes.max()
            frames.append(
                log.assign(stage=file, model="" if file == _SHARED else models[file], panel=panel)
            )
    return pd.concat(frames, ignore_index=True)[
        ["stage", "model", "panel", "part", "minutes", "metric"]
    ]


@styled
def plot_curves(frame: pd.DataFrame, labels: Mapping[str, str]) -> Figure:
    """One panel a metric, one line a stage, over wall minutes; see `load_curves`."""
    panels = list(dict.fromkeys(frame.panel))
    figure, axes = new_figure(1.0 + 1.7 * len(panels), len(panels))
    for axis, panel in zip(axes[:, 0], panels, strict=True):
        for stage, rows in frame[frame.panel == panel].groupby("stage", sort=False):
            model = rows.model.iloc[0]
            axis.plot(
                rows.minutes, rows.metric, color=colour(model) if model else GREY,
                marker=marker(model) if model else "D", markersize=3.5,
                linestyle="--" if stage == "qwen2-vl-joint" else "-",
            )  # fmt: skip
        axis.set(ylabel=panel, xlim=(0, None))
    axes[-1, 0].set_xlabel("wall minutes of training")
    models = [m for m in STAGES if m in set(frame.model)]
    names = dict(labels)
    handles = [
        Line2D([], [], color=colour(m), marker=marker(m), label=names.get(m, m)) for m in models
    ]
    if (frame.stage == _SHARED).any():
        handles.append(Line2D([], [], color=GREY, marker="D", label="shared trunk"))
    figure.legend(handles=handles, loc="outside upper center", ncols=3)
    return figure


@styled
def plot_dots(
    clean: pd.DataFrame,
    measure: str,
    labels: Mapping[str, str],
    lines: Mapping[str, float] | None = None,
) -> Figure:
    """One dot with its 95 % interval for each class and model, the classes from worst to best.

    Args:
        clean: rows of ``clean.csv``.
        measure: which of them.
        labels: model name to the name shown.
        lines: words to values at which dashed lines are drawn.
    """
    rows = clean[(clean.measure == measure) & (clean["class"] != "")]
    names = list(rows.groupby("class").value.mean().sort_values().index)
    models = list(dict.fromkeys(rows.model))
    reach = 0.24 if len(models) > 1 else 0.0
    shift = dict(zip(models, np.linspace(reach, -reach, len(models)), strict=True))
    figure, axes = new_figure(1.1 + 0.33 * len(names))
    axis = axes[0, 0]
    for model in models:
        own = rows[rows.model == model].set_index("class").reindex(names)
        spread = np.clip([own.value - own.low, own.high - own.value], 0, None)
        axis.errorbar(
            own.value, np.arange(len(names)) + shift[model], xerr=spread, color=colour(model),
            marker=marker(model), markersize=5, linestyle="none", linewidth=1.2,
        )  # fmt: skip
    for words, value in (lines or {}).items():
        axis.axvline(value, color=GREY, linestyle="--", linewidth=1.2, zorder=0)
        axis.text(value, len(names) - 0.35, words, ha="center", va="bottom", fontsize=9, color=GREY)
    axis.set_yticks(range(len(names)), [LANGUAGE_NAMES.get(n, n) for n in names])
    for tick, name in zip(axis.get_yticklabels(), names, strict=True):
        if LANGUAGE_NAMES.get(name, name) in CRITICAL_CLASSES:
            tick.set_fontweight("bold")
    start = 0.0 if set(names) <= set(TRAIN_CLASSES) and measure == "IoU" else 0.4
    axis.set(xlim=(min(start, float(rows.low.min()) - 0.02), 1.01), ylim=(-0.6, len(names) - 0.4))
    axis.set_xlabel(f"{measure} on clean held-out scenes")
    legend(figure, models, labels)
    return figure


@styled
def plot_failures(failures: Sequence[Failure], labels: Mapping[str, str]) -> Figure:
    """A row a failure of a segmenter: the picture, the truth, what the model made of it."""
    tall, wide = failures[0].image.shape[:2]
    height = len(failures) * (WIDTH / 3 * tall / wide + 0.24)
    figure, axes = new_figure(height, len(failures), 3)
    for row, failure in zip(axes, failures, strict=True):
        output = failure.output if failure.output is not None else np.full((tall, wide), 255)
        pictures = (failure.image, colourise(failure.labels), colourise(output))
        for axis, picture in zip(row, pictures, strict=True):
            axis.imshow(picture, interpolation="antialiased")
            axis.axis("off")
        words = f"{labels.get(failure.model, failure.model)}: {failure.reason}"
        row[0].set_title(words, fontsize=9, pad=3, loc="left")
    figure.get_layout_engine().set(w_pad=0.02, h_pad=0.02, wspace=0.01, hspace=0.01)
    return figure


@styled
def plot_scenes(failures: Sequence[Failure], labels: Mapping[str, str]) -> Figure:
    """The pictures of failures, two in a row, a model's beside each other, with a letter each."""
    tall, wide = failures[0].image.shape[:2]
    rows = -(-len(failures) // 2)
    figure, axes = new_figure(rows * (WIDTH / 2 * tall / wide + 0.26), rows, 2)
    for axis in axes.flat:
        axis.axis("off")
    for index, (axis, failure) in enumerate(zip(axes.flat, failures, strict=False)):
        axis.imshow(failure.image, interpolation="antialiased")
        words = f"{chr(97 + index)}  {labels.get(failure.model, failure.model)}"
        axis.set_title(words, fontsize=10, pad=3, loc="left")
    figure.get_layout_engine().set(w_pad=0.02, h_pad=0.02, wspace=0.01, hspace=0.01)
    return figure
