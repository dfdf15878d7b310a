"""Pictures of the audit of the printed tables."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from vlmis_utils.analysis.paper.bounds import BANDS
from vlmis_utils.analysis.paper.significance import ALPHA
from vlmis_utils.analysis.paper.tables import PRINTED_NAMES
from vlmis_utils.protocol.conditions import ordered
from vlmis_utils.report.figures.language import METRICS, draw_coefficients
from vlmis_utils.report.style import (
    GREY,
    INK,
    colour,
    legend,
    marker,
    new_figure,
    styled,
)

__all__ = ["plot_coefficients", "plot_misfits", "plot_paired", "plot_safety_answers"]

_BAND = "#eceef1"
_PARTS = {
    "right": ("decided, right", "#0072B2"),
    "wrong": ("decided, wrong", "#D55E00"),
    "abstained": ("no decision", "#B5BAC2"),
}


@styled
def plot_coefficients(frame: pd.DataFrame, labels: Mapping[str, str] = PRINTED_NAMES) -> Figure:
    """Every coefficient with its interval; grey behind it, the band that the words are read as.

    Args:
        frame: from `analysis.paper.correlations.printed_correlations`.
        labels: model name to the name shown.
    """
    vlms, segmenters = (list(dict.fromkeys(frame[c])) for c in ("vlm", "segmenter"))
    methods = list(dict.fromkeys(frame.method))
    lines = [(metric, vlm) for metric in METRICS for vlm in vlms][::-1]
    height = {pair: y for y, pair in enumerate(lines)}
    figure, axes = new_figure(1.1 + 0.42 * len(lines), 1, len(methods), sharey=True)
    for axis, method in zip(axes[0], methods, strict=True):
        for metric, band in BANDS.items():
            rows = [y for (m, _), y in height.items() if m == metric]
            span = (min(rows) - 0.45, max(rows) + 0.45)
            axis.fill_betweenx(span, band.low, band.high, color=_BAND, linewidth=0, zorder=0)
        draw_coefficients(axis, frame[frame.method == method], segmenters, height)
        axis.set_title(method.capitalize())
        axis.grid(axis="y", visible=False)
    axes[0, 0].set_yticks(
        range(len(lines)), [f"{METRICS[m]}, {labels.get(v, v)}" for m, v in lines]
    )
    figure.supxlabel("correlation with mIoU over conditions", fontsize=11)
    legend(figure, segmenters, labels)
    return figure


@styled
def plot_misfits(counts: pd.DataFrame, marked: int) -> Figure:
    """How many printed shares each number of pictures cannot give.

    Args:
        counts: from `analysis.paper.grim.misfit_counts`.
        marked: the n to point out.
    """
    figure, axes = new_figure(2.9)
    axis = axes[0, 0]
    chosen = counts.n == marked
    axis.vlines(counts.n, 0, counts.misfits, color=GREY, linewidth=1)
    axis.scatter(counts.n[~chosen], counts.misfits[~chosen], s=12, color=GREY)
    axis.scatter(counts.n[chosen], counts.misfits[chosen], s=46, color=INK, zorder=3)
    for row in counts[chosen].itertuples():
        axis.annotate(
            f"n = {row.n}: {row.misfits}", (row.n, row.misfits),
            (row.n, 0.95 * counts.misfits.max()), ha="center",
            arrowprops={"arrowstyle": "-", "color": INK, "linewidth": 1},
        )  # fmt: skip
    axis.set(xlabel="number of pictures, n", ylabel="values that n cannot give",
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
    metrics = [m for m in METRICS if m in set(changes.metric)]
    vlms = list(dict.fromkeys(changes.vlm))
    names = ordered(changes.condition)[::-1]
    lowest = 10.0 ** np.floor(np.log10(changes.p_low.min()))
    figure, axes = new_figure(1.1 + 0.42 * len(names), 1, len(metrics), sharey=True)
    for axis, metric in zip(axes[0], metrics, strict=True):
        axis.axvspan(lowest / 2, ALPHA, color=_BAND, linewidth=0, zorder=0)
        axis.axvline(ALPHA, color=INK, linewidth=1, linestyle="--")
        for vlm, shift in zip(vlms, np.linspace(0.24, -0.24, len(vlms)), strict=True):
            part = changes[(changes.metric == metric) & (changes.vlm == vlm)]
            y = [names.index(c) + shift for c in part.condition]
            axis.hlines(y, part.p_low, part.p_high, color=colour(vlm), linewidth=2)
            for bound in (part.p_low, part.p_high):
                axis.scatter(bound, y, s=20, color=colour(vlm), marker=marker(vlm))
        axis.set(xscale="log", xlim=(lowest / 2, 1.6), title=METRICS[metric])
        axis.set_xticks([p for p in (1e-4, 0.01, 1) if p >= lowest], minor=False)
        axis.xaxis.set_major_formatter(lambda p, _: f"{p:g}" if p >= 0.001 else f"{p:.4f}")
        axis.xaxis.set_minor_formatter(lambda *_: "")
        axis.grid(axis="y", visible=False)
    axes[0, 0].set_yticks(range(len(names)), names)
    figure.supxlabel("p of the exact paired test, smallest to largest", fontsize=11)
    legend(figure, vlms, labels)
    return figure


@styled
def plot_safety_answers(frame: pd.DataFrame) -> Figure:
    """Shares of answers that abstain, decide wrongly and decide rightly, by condition.

    Args:
        frame: from `analysis.paper.abstention.safety_answers`, one VLM.
    """
    names = ordered(frame.condition)[::-1]
    rows = frame.set_index("condition").reindex(names)
    figure, axes = new_figure(0.9 + 0.28 * len(names))
    axis = axes[0, 0]
    start = np.zeros(len(names))
    for part, (_, tint) in _PARTS.items():
        axis.barh(names, rows[part], left=start, color=tint)
        start = start + rows[part].to_numpy()
    axis.set(xlim=(0, 1), xlabel="share of answers")
    axis.grid(axis="y", visible=False)
    handles = [
        Patch(color=_PARTS[p][1], label=_PARTS[p][0]) for p in ("right", "wrong", "abstained")
    ]
    figure.legend(handles=handles, loc="outside upper center", ncols=3)
    return figure
