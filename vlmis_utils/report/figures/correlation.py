"""Pictures of correlation at four levels, and of what may stand behind it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from vlmis_utils.analysis.panel import Panel
from vlmis_utils.analysis.quality_measures import Measure
from vlmis_utils.report.style import (
    GREY,
    INK,
    colour,
    legend,
    marker,
    new_figure,
    styled,
)
from vlmis_utils.report.text.correlation import LEVEL_WORDS, METRIC_NAMES
from vlmis_utils.statistics.prediction import reliability

__all__ = ["plot_levels", "plot_one_pair", "plot_strips"]

_TICKS = {"xticks": [-1, -0.5, 0, 0.5, 1], "xticklabels": ["−1", "", "0", "", "1"]}


@styled
def plot_one_pair(
    panel: Panel, measure: Measure, column: str, segmenter: str, vlm: str, metric: str
) -> Figure:
    """Draw one Q and one L at the four levels: what a point is, and what is taken away.

    Over conditions each dot is a condition. Elsewhere grey dots are pictures, and the line joins
    the means of ten groups of equal size, from the lowest Q to the highest.

    Args:
        panel: of the run.
        measure: of Q.
        column: of L, such as ``hr_i``.
        segmenter, vlm: which.
        metric: hr, cor or smr, for the axis.
    """
    q = panel.quality(measure)[list(panel.counts).index(segmenter)]
    failed = panel.failures[vlm][column]
    whole = np.ones((1, len(panel.scenes)))
    q_mean = panel.quality_means(measure, whole)[0, list(panel.counts).index(segmenter)]
    both = np.isfinite(q) & np.isfinite(failed)
    q, failed = np.where(both, q, np.nan), np.where(both, failed, np.nan)
    views = {
        "conditions": (q_mean, np.nanmean(failed, axis=0)),
        "images": (q, failed),
        "within": tuple(v - np.nanmean(v, axis=1, keepdims=True) for v in (q, failed)),
        "between": tuple(v - np.nanmean(v, axis=0, keepdims=True) for v in (q, failed)),
    }
    figure, axes = new_figure(4.9, 2, 2)
    for axis, (level, (x, y)) in zip(axes.ravel(), views.items(), strict=True):
        x, y = np.ravel(x), np.ravel(y)
        x, y = x[np.isfinite(x) & np.isfinite(y)], y[np.isfinite(x) & np.isfinite(y)]
        if level == "conditions":
            axis.scatter(x, y, s=36, color=colour(vlm), marker=marker(vlm))
        else:
            axis.scatter(x, y, s=6, color=GREY, alpha=0.25, linewidths=0)
            mean, share, _ = reliability(y, x, 10).T
            axis.plot(mean, share, color=colour(vlm), marker=marker(vlm), markersize=5)
        axis.set_title(LEVEL_WORDS[level], loc="left")
        axis.locator_params(nbins=5)
    for axis in axes[:, 0]:
        axis.set_ylabel(METRIC_NAMES[metric])
    for axis in axes[-1]:
        axis.set_xlabel(measure.words)
    return figure


@styled
def plot_levels(frame: pd.DataFrame, labels: Mapping[str, str], method: str = "spearman") -> Figure:
    """Draw coefficients with 95 % intervals at the four levels, one panel each.

    Thin lines are the interval in ``low`` and ``high``; over conditions, where that is Fisher's,
    the thick line is the interval over scenes.

    Args:
        frame: from `analysis.correlation.correlations`.
        method: pearson or spearman.
    """
    rows = frame[frame.method == method]
    vlms, segmenters = (list(dict.fromkeys(rows[c])) for c in ("vlm", "segmenter"))
    lines = [(metric, vlm) for metric in METRIC_NAMES for vlm in vlms][::-1]
    height = {pair: y for y, pair in enumerate(lines)}
    shifts = dict(zip(segmenters, np.linspace(0.25, -0.25, len(segmenters)), strict=True))
    figure, axes = new_figure(1.4 + 0.62 * len(lines), 2, 2, sharey=True, sharex=True)
    for axis, (level, words) in zip(axes.ravel(), LEVEL_WORDS.items(), strict=True):
        axis.axvline(0, color=INK, linewidth=1)
        for row in rows[rows.over == level].dropna(subset=["r"]).itertuples():
            y = height[row.metric, row.vlm] + shifts[row.segmenter]
            tint = colour(row.segmenter)
            axis.plot([row.low, row.high], [y, y], color=tint, linewidth=1)
            if level == "conditions":
                axis.plot([row.scene_low, row.scene_high], [y, y], color=tint, linewidth=3,
                          alpha=0.55, solid_capstyle="butt")  # fmt: skip
            axis.plot(row.r, y, color=tint, marker=marker(row.segmenter), markersize=4.5)
        axis.set(title=words, xlim=(-1.05, 1.05), **_TICKS)
    for axis in axes[:, 0]:
        axis.set_yticks(
            range(len(lines)), [f"{METRIC_NAMES[m]}, {labels.get(v, v)}" for m, v in lines]
        )
    figure.supxlabel(f"{method.capitalize()} correlation with mIoU", fontsize=11)
    legend(figure, segmenters, labels)
    return figure


@styled
def plot_strips(
    frame: pd.DataFrame,
    labels: Mapping[str, str],
    group: str,
    panels: str = "over",
    words: Mapping[str, str] | None = None,
    method: str = "spearman",
) -> Figure:
    """Draw a dot for each pair of segmenter and VLM: rows groups within metrics, columns panels.

    A filled dot is told from zero by its 95 % interval, a hollow one is not.

    Args:
        frame: rows with metric, vlm, r, low, high, method and the two columns named next.
        group: column whose values are the rows within a metric, such as ``given``.
        panels: column whose values are the panels.
        words: value -> words, of ``panels`` and ``group``.
        method: pearson or spearman.
    """
    words = {k: v.removeprefix("over ") for k, v in LEVEL_WORDS.items()} | dict(words or {})
    rows = frame[frame.method == method]
    names, kinds, vlms = (list(dict.fromkeys(rows[c])) for c in (group, panels, "vlm"))
    metrics = [m for m in METRIC_NAMES if m in set(rows.metric)]
    lines = [(metric, name) for metric in metrics for name in names][::-1]
    place = {line: y + (len(metrics) - 1 - metrics.index(line[0])) * 0.6
             for y, line in enumerate(lines)}  # fmt: skip
    figure, axes = new_figure(1.2 + 0.26 * len(lines), 1, len(kinds), sharey=True, sharex=True)
    for axis, kind in zip(axes[0], kinds, strict=True):
        axis.axvline(0, color=INK, linewidth=1)
        part = rows[(rows[panels] == kind)].dropna(subset=["r"])
        dots(axis, part, [place[m, g] for m, g in zip(part.metric, part[group], strict=True)], vlms)
        axis.set_title(words.get(kind, kind) if len(kinds) > 1 else "", fontsize=10)
    symmetric(axes[0, 0], rows.r)
    several = len(metrics) > 1
    axes[0, 0].set_yticks(
        [place[line] for line in lines],
        [f"{METRIC_NAMES[m]}, {words.get(g, g)}" if several else words.get(g, g) for m, g in lines],
    )
    figure.supxlabel(f"{method.capitalize()} correlation with mIoU", fontsize=11)
    dots_legend(figure, vlms, labels)
    return figure


def dots(axis: Axes, rows: pd.DataFrame, heights: Sequence[float], vlms: Sequence[str]) -> None:
    """Draw r of each row at its height, filled where low and high leave zero out."""
    heights, clear = np.asarray(heights, dtype=float), ((rows.low > 0) | (rows.high < 0)).to_numpy()
    for vlm, shift in zip(vlms, np.linspace(0.24, -0.24, len(vlms)), strict=True):
        mine = (rows.vlm == vlm).to_numpy()
        for part, fill in ((mine & ~clear, "white"), (mine & clear, colour(vlm))):
            axis.plot(rows.r.to_numpy()[part], heights[part] + shift, linestyle="",
                      marker=marker(vlm), markersize=4.5, color=colour(vlm), markerfacecolor=fill,
                      markeredgewidth=1)  # fmt: skip


def symmetric(axis: Axes, values: pd.Series) -> None:
    """Set a horizontal axis around 0 that holds the values, with three ticks."""
    most = float(values.abs().max()) if values.notna().any() else 1.0
    tick = next((t for t in (1.0, 0.5, 0.2, 0.1) if t <= most), 0.05)
    axis.set_xlim(-1.12 * max(most, tick), 1.12 * max(most, tick))
    axis.set_xticks([-tick, 0, tick], [f"−{tick:g}", "0", f"{tick:g}"])


def dots_legend(figure: Figure, vlms: Sequence[str], labels: Mapping[str, str]) -> None:
    """Put a legend of models, and of filled and hollow, above the panels."""
    handles = [
        Line2D([], [], linestyle="", color=colour(v), marker=marker(v), label=labels.get(v, v))
        for v in vlms
    ]
    handles += [
        Line2D([], [], linestyle="", marker="o", color=GREY, label="told from zero"),
        Line2D([], [], linestyle="", marker="o", color=GREY, markerfacecolor="white", label="not"),
    ]
    figure.legend(handles=handles, loc="outside upper center", ncols=5 if len(vlms) < 4 else 3,
                  handletextpad=0, columnspacing=0.8, fontsize=9)  # fmt: skip
