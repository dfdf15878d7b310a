"""Figures of what could warn: AUC of signals, risk over coverage, where entropy lies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from vlmis_utils.analysis.examples import View
from vlmis_utils.analysis.warnings.signals import TARGETS
from vlmis_utils.analysis.warnings.single import MEAN
from vlmis_utils.protocol.conditions import CONDITION_NAMES
from vlmis_utils.report.style import (
    GREY,
    INK,
    LINES,
    PALE,
    WIDTH,
    new_figure,
    styled,
)
from vlmis_utils.report.tables.carry_over import signal_words

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["plot_curves", "plot_single", "plot_unsure", "plot_worlds"]

# Curves of `plot_curves`: words, colour (dark enough for text), dashes.
_LOOKS = {"all signals": ("all signals", LINES[0], "-"), "mIoU": ("low mIoU", "#8a5a00", "--")}


def _legible(axis: Axes) -> None:
    """Write the numbers of a heatmap of AUC dark, and white only where a cell is dark itself."""
    for text in axis.texts:
        text.set_color("white" if abs(float(text.get_text()) - 0.5) > 0.33 else INK)


@styled
def plot_single(single: pd.DataFrame, labels: Mapping[str, str]) -> Figure:
    """A heatmap of the AUC of each signal alone: a panel for each VLM, a column for each target.

    Args:
        single: of `analysis.warnings.evaluation.Evaluation`, with at least one number.
        labels: words of VLMs.
    """
    import seaborn as sns

    rows = single.dropna(subset=["auc"])
    signals, vlms = list(dict.fromkeys(rows.words)), list(dict.fromkeys(rows.vlm))
    figure, axes = new_figure(1.9 + 0.21 * len(signals), 1, len(vlms))
    for place, (axis, vlm) in enumerate(zip(axes[0], vlms, strict=True)):
        own = rows[rows.vlm == vlm].pivot(index="words", columns="target", values="auc")
        own = own.reindex(index=signals, columns=list(TARGETS))
        sns.heatmap(
            own, ax=axis, vmin=0, vmax=1, center=0.5, cmap="PuOr", annot=True, fmt=".2f",
            annot_kws={"fontsize": 6}, cbar=False, yticklabels=signals if place == 0 else False,
            xticklabels=[TARGETS[t] for t in own],
        )  # fmt: skip
        _legible(axis)
        axis.set(xlabel="", ylabel="", title=labels.get(vlm, vlm))
        axis.grid(False)
        axis.tick_params(length=0, labelsize=7)
        axis.tick_params(axis="x", rotation=90)
    return figure


@styled
def plot_worlds(found: pd.DataFrame) -> Figure:
    """A heatmap of the AUC of each signal, mean over VLMs: a panel a failure, a column a world.

    A number is pale where its interval holds 0.5.

    Args:
        found: from `analysis.carry_over.warning_signs`, with at least one row.
    """
    import seaborn as sns

    rows = found[found.vlm == MEAN].assign(words=found.signal.map(signal_words))
    signals, worlds = list(dict.fromkeys(rows.words)), list(dict.fromkeys(rows.world))
    targets = [target for target in TARGETS if (rows.finding == target).any()]
    figure, axes = new_figure(1.7 + 0.21 * len(signals), 1, len(targets))
    for place, (axis, target) in enumerate(zip(axes[0], targets, strict=True)):
        own = rows[rows.finding == target]
        value, sign = (
            own.pivot(index="words", columns="world", values=v).reindex(signals, columns=worlds)
            for v in ("value", "sign")
        )
        sns.heatmap(
            value, ax=axis, vmin=0, vmax=1, center=0.5, cmap="PuOr", annot=True, fmt=".2f",
            annot_kws={"fontsize": 6}, cbar=False, yticklabels=signals if place == 0 else False,
            xticklabels=worlds,
        )  # fmt: skip
        _legible(axis)
        for text in axis.texts:
            column, row = (int(at) for at in text.get_position())
            text.set_alpha(1.0 if sign.iloc[row, column] else 0.45)
        axis.set(xlabel="", ylabel="")
        axis.set_title(TARGETS[target].replace(" ", "\n", 1), fontsize=9)
        axis.grid(False)
        axis.tick_params(length=0, labelsize=7)
        axis.tick_params(axis="x", rotation=90)
    return figure


@styled
def plot_unsure(views: Sequence[tuple[View, np.ndarray]]) -> Figure:
    """Each picture above the entropy of the segmenter's softmax on it, 0 to 1.

    Args:
        views: from `analysis.examples.unsure`.
    """
    tall, wide = views[0][0].image.shape[:2]
    width = WIDTH / len(views)
    figure, axes = new_figure(2 * width * tall / wide + 0.75, 2, len(views))
    for (view, spread), above, below in zip(views, *axes, strict=True):
        above.imshow(view.image, interpolation="antialiased")
        above.set_title(CONDITION_NAMES[view.condition], fontsize=9, pad=3)
        drawn = below.imshow(
            spread, vmin=0, vmax=1, cmap="cividis", extent=(0, wide, tall, 0),
            interpolation="nearest",
        )  # fmt: skip
        for axis in (above, below):
            axis.axis("off")
    bar = figure.colorbar(drawn, ax=axes, location="bottom", shrink=0.6, aspect=40, pad=0.02)
    bar.set_label("entropy of the softmax by log 19", fontsize=9)
    bar.ax.tick_params(labelsize=8)
    return figure


@styled
def plot_curves(curves: pd.DataFrame, labels: Mapping[str, str]) -> Figure:
    """Risk over coverage, a panel for each VLM; grey between refusing at random and the best.

    Args:
        curves: from `analysis.warnings.refusal.curves`, with at least one row.
        labels: words of VLMs.
    """
    vlms = list(dict.fromkeys(curves.vlm))
    figure, axes = new_figure(3.0, 1, len(vlms), sharey=True)
    top = float(np.nanmax(curves.risk)) if curves.risk.notna().any() else 1.0
    axes[0, 0].set(ylabel="risk of the answers kept", ylim=(0, 1.15 * max(top, 1e-3)))
    for axis, vlm in zip(axes[0], vlms, strict=True):
        lines = curves[curves.vlm == vlm].pivot(index="coverage", columns="score", values="risk")
        axis.fill_between(lines.index, lines.truth, lines.order, color=PALE, alpha=0.6, lw=0)
        axis.plot(lines.order, color=GREY, linestyle=":")
        for name, (_, tint, dashes) in _LOOKS.items():
            axis.plot(lines[name], color=tint, linestyle=dashes)
        axis.set(title=labels.get(vlm, vlm), xlim=(0, 1), xticks=[0, 0.5, 1])
        axis.set_xticklabels(["0", "0.5", "1"])
        if axis is axes[0, 0]:
            _label_curves(axis, lines)
    figure.supxlabel("coverage: share of answers kept")
    return figure


def _label_curves(axis: Axes, lines: pd.DataFrame) -> None:
    """Write what each line is beside it: left above the upper, right below the lower curve."""
    middle = lines.iloc[len(lines) // 2]
    upper = max(_LOOKS, key=lambda name: middle[name])
    for name, (words, tint, _) in _LOOKS.items():
        above = name == upper
        axis.annotate(
            words, (middle.name, middle[name]), xytext=(-3, 3) if above else (3, -3),
            textcoords="offset points", color=tint, fontsize=9,
            ha="right" if above else "left", va="bottom" if above else "top",
        )  # fmt: skip
    first = lines.iloc[0]
    for words, height in (("at random", first.order), ("the best", 0.0)):
        axis.annotate(words, (first.name, height), xytext=(0, 2), textcoords="offset points",
                      color=INK, fontsize=9, va="bottom")  # fmt: skip
