"""Figures of the audit of the printed tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from vlmis_utils.analysis.paper.bounds import BANDS
from vlmis_utils.analysis.paper.significance import ALPHA
from vlmis_utils.analysis.paper.tables import PRINTED_NAMES
from vlmis_utils.protocol.conditions import ordered
from vlmis_utils.report.figures.bars import plot_stacked
from vlmis_utils.report.figures.intervals import coefficient_axes, plot_intervals
from vlmis_utils.report.figures.language import by_metric_and_vlm
from vlmis_utils.report.style import GREY, INK, RIGHT, WRONG, new_figure, styled
from vlmis_utils.report.words import METRICS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["plot_coefficients", "plot_misfits", "plot_paired", "plot_safety_answers"]

_BAND = "#eceef1"
_PARTS = {
    "right": ("decided, right", RIGHT),
    "wrong": ("decided, wrong", WRONG),
    "abstained": ("no decision", GREY),
}


@styled
def plot_coefficients(frame: pd.DataFrame, labels: Mapping[str, str] = PRINTED_NAMES) -> Figure:
    """Every coefficient with its interval; grey behind it, the band that the words are read as.

    Args:
        frame: from `analysis.paper.correlations.printed_correlations`.
        labels: model name to the name shown.
    """
    rows, names = by_metric_and_vlm(frame, labels)
    figure = coefficient_axes(plot_intervals(
        rows, "r", "pair", "segmenter", 1.1 + 0.42 * len(names), labels=labels, names=names,
        columns="method", titles={"pearson": "Pearson", "spearman": "Spearman"}, line=0,
        words="correlation with mIoU over conditions",
    ))  # fmt: skip
    for metric, band in BANDS.items():
        places = [place for place, pair in enumerate(names) if pair.startswith(f"{metric}, ")]
        for axis in figure.axes:
            axis.fill_betweenx((places[0] - 0.45, places[-1] + 0.45), band.low, band.high,
                               color=_BAND, linewidth=0, zorder=0)  # fmt: skip
    return figure


@styled
def plot_misfits(counts: pd.DataFrame, marked: int) -> Figure:
    """How many printed shares each number of images cannot give.

    Args:
        counts: from `analysis.paper.grim.misfit_counts`.
        marked: the n to point out.
    """
    figure, axes = new_figure(2.9)
    axis = axes[0, 0]
    chosen = counts.n == marked
    axis.vlines(counts.n, 0, counts.misfits, color=GREY, linewidth=1)
    axis.scatter(counts.n, counts.misfits, s=np.where(chosen, 46, 12),
                 c=np.where(chosen, INK, GREY), zorder=3)  # fmt: skip
    for row in counts[chosen].itertuples():
        axis.annotate(
            f"n = {row.n}: {row.misfits}", (row.n, row.misfits),
            (row.n, 0.95 * counts.misfits.max()), ha="center",
            arrowprops={"arrowstyle": "-", "color": INK, "linewidth": 1},
        )  # fmt: skip
    axis.set(xlabel="number of images, n", ylabel="values that n cannot give",
             xlim=(0, counts.n.max() + 1), ylim=(0, None))  # fmt: skip
    axis.grid(axis="x", visible=False)
    return figure


@styled
def plot_paired(changes: pd.DataFrame, labels: Mapping[str, str] = PRINTED_NAMES) -> Figure:
    """From the smallest to the largest p that the printed numbers allow, for each change.

    One panel a metric, one line a condition and VLM; a line left of α is significant.

    Args:
        changes: from `analysis.paper.significance.changes_from_clean`.
        labels: model name to the name shown.
    """
    names = {condition: condition for condition in ordered(changes.condition)}
    keys = ["metric", "vlm", "condition"]
    changes = changes[changes.metric.isin(METRICS)]
    both = changes.melt(keys, ["p_low", "p_high"], "end", "p")
    figure = plot_intervals(
        both.merge(changes[[*keys, "p_low", "p_high"]]), "p", "condition", "vlm",
        1.1 + 0.42 * len(names), labels=labels, names=names, interval=("p_low", "p_high"),
        columns="metric", titles=METRICS, size=4,
        words="p of the exact paired test, smallest to largest",
    )  # fmt: skip
    lowest = 10.0 ** np.floor(np.log10(changes.p_low.min()))
    for axis in figure.axes:
        axis.axvspan(lowest / 2, ALPHA, color=_BAND, linewidth=0, zorder=0)
        axis.axvline(ALPHA, color=INK, linewidth=1, linestyle="--", zorder=0.9)
        axis.set(xscale="log", xlim=(lowest / 2, 1.6))
        axis.set_xticks([p for p in (1e-4, 0.01, 1) if p >= lowest], minor=False)
        axis.xaxis.set_major_formatter(lambda p, _: f"{p:g}" if p >= 0.001 else f"{p:.4f}")
        axis.xaxis.set_minor_formatter(lambda *_: "")
    return figure


@styled
def plot_safety_answers(frame: pd.DataFrame) -> Figure:
    """Shares of answers that decide rightly, decide wrongly and abstain, by condition.

    Args:
        frame: from `analysis.paper.abstention.safety_answers`, one VLM.
    """
    names = ordered(frame.condition)
    rows = frame.set_index("condition").reindex(names).reset_index()
    figure = plot_stacked(rows, _PARTS, "condition", 0.9 + 0.28 * len(names))
    figure.axes[0].set(xlim=(0, 1), xlabel="share of answers")
    return figure
