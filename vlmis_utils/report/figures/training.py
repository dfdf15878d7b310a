"""Figures of the embedded models: how they learned, what they reach by class, where they fail."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from vlmis_utils.protocol.classes import LANGUAGE_NAMES, TRAIN_CLASSES
from vlmis_utils.report.figures.intervals import plot_intervals
from vlmis_utils.report.figures.scenes import colourise, draw_pictures
from vlmis_utils.report.figures.segmentation import bold_critical
from vlmis_utils.report.style import GREY, colour, label_lines, new_figure, styled
from vlmis_utils.training.evaluation.gallery import Failure
from vlmis_utils.training.recipes.facts import LOGS, STAGES, load_log

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["load_curves", "plot_curves", "plot_dots", "plot_failures", "plot_scenes"]

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
    figure, axes = new_figure(0.6 + 1.8 * len(panels), len(panels))
    for axis, panel in zip(axes[:, 0], panels, strict=True):
        ends = {}
        for stage, rows in frame[frame.panel == panel].groupby("stage", sort=False):
            model = rows.model.iloc[0]
            tint = colour(model) if model else GREY
            axis.plot(rows.minutes, rows.metric, color=tint, marker="o", markersize=3,
                      linestyle="--" if stage == "qwen2-vl-joint" else "-")  # fmt: skip
            words = labels.get(model, model) if model else "shared trunk"
            ends[words] = (rows.minutes.iloc[-1], rows.metric.iloc[-1], tint)
        axis.set(ylabel=panel, xlim=(0, None))
        label_lines(axis, ends)
    axes[-1, 0].set_xlabel("wall minutes of training")
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
    worst_last = rows.groupby("class").value.mean().sort_values(ascending=False).index
    figure = plot_intervals(
        rows, "value", "class", "model", 1.1 + 0.33 * len(worst_last), labels=labels,
        names={name: LANGUAGE_NAMES.get(name, name) for name in worst_last},
    )  # fmt: skip
    (axis,) = figure.axes
    for words, value in (lines or {}).items():
        axis.axvline(value, color=GREY, linestyle="--", linewidth=1.2, zorder=0.9)
        axis.annotate(words, (value, 1), xycoords=("data", "axes fraction"), ha="center",
                      va="bottom", fontsize=9, color=GREY)  # fmt: skip
    bold_critical(axis)
    start = 0.0 if set(worst_last) <= set(TRAIN_CLASSES) and measure == "IoU" else 0.4
    axis.set(xlim=(min(start, float(rows.low.min()) - 0.02), 1.01))
    axis.set_xlabel(f"{measure} on clean held-out scenes")
    return figure


@styled
def plot_failures(failures: Sequence[Failure], labels: Mapping[str, str]) -> Figure:
    """A row a failure of a segmenter: the image, the truth, what the model made of it."""
    pictures, titles = [], []
    for failure in failures:
        nothing = np.full(failure.labels.shape, 255, np.uint8)
        output = nothing if failure.output is None else failure.output
        pictures += [failure.image, colourise(failure.labels), colourise(output)]
        titles += [f"{labels.get(failure.model, failure.model)}: {failure.reason}", "", ""]
    return draw_pictures(pictures, titles, 3, 0.24, 9, loc="left")[0]


@styled
def plot_scenes(failures: Sequence[Failure], labels: Mapping[str, str]) -> Figure:
    """The images of failures, two in a row, a model's beside each other, with a letter each."""
    titles = [f"{chr(97 + index)}  {labels.get(failure.model, failure.model)}"
              for index, failure in enumerate(failures)]  # fmt: skip
    pictures = [failure.image for failure in failures]
    return draw_pictures(pictures, titles, 2, 0.26, 10, loc="left")[0]
