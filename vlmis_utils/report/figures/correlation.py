"""Figures of correlation at four levels, and of what may stand behind it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from vlmis_utils.analysis.panel import Panel
from vlmis_utils.analysis.quality_measures import Measure
from vlmis_utils.report.figures.intervals import coefficient_axes, plot_intervals
from vlmis_utils.report.figures.language import by_metric_and_vlm
from vlmis_utils.report.style import GREY, colour, mark_handle, marker, new_figure, styled
from vlmis_utils.report.words import LEVEL_WORDS, METRICS
from vlmis_utils.statistics.intervals import interval_sign
from vlmis_utils.statistics.prediction import reliability

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = [
    "excludes_zero", "plot_levels", "plot_one_pair", "plot_strips", "symmetric", "zero_handles",
]  # fmt: skip


@styled
def plot_one_pair(
    panel: Panel, measure: Measure, column: str, segmenter: str, vlm: str, metric: str
) -> Figure:
    """Draw one Q and one L at the four levels: what a point is, and what is taken away.

    Over conditions each dot is a condition. Elsewhere grey dots are images, and the line joins
    the means of ten groups of equal size, from the lowest Q to the highest.

    Args:
        panel: of the run.
        measure: of Q.
        column: of L, such as ``hr_i``.
        segmenter, vlm: which.
        metric: hr, cor or smr, for the axis.
    """
    place = list(panel.counts).index(segmenter)
    q, failed = panel.quality(measure)[place], panel.failures[vlm][column]
    q_mean = panel.quality_means(measure, np.ones((1, len(panel.scenes))))[0, place]
    both = np.isfinite(q) & np.isfinite(failed)
    q, failed = np.where(both, q, np.nan), np.where(both, failed, np.nan)
    views = {
        "conditions": (q_mean, np.nanmean(failed, axis=0)),
        "images": (q, failed),
        "within": tuple(v - np.nanmean(v, axis=1, keepdims=True) for v in (q, failed)),
        "between": tuple(v - np.nanmean(v, axis=0, keepdims=True) for v in (q, failed)),
    }
    figure, axes = new_figure(4.9, 2, 2)
    for axis, (level, (x, y)) in zip(axes.flat, views.items(), strict=True):
        x, y = np.ravel(x), np.ravel(y)
        x, y = x[np.isfinite(x) & np.isfinite(y)], y[np.isfinite(x) & np.isfinite(y)]
        line = {"color": colour(vlm), "marker": marker(vlm)}
        if level == "conditions":
            axis.plot(x, y, linestyle="", **line)
        else:
            axis.scatter(x, y, s=6, color=GREY, alpha=0.25, linewidths=0)
            mean, share, _ = reliability(y, x, 10).T
            axis.plot(mean, share, markersize=5, **line)
        axis.set_title(LEVEL_WORDS[level], loc="left")
        axis.locator_params(nbins=5)
    for axis in axes[:, 0]:
        axis.set_ylabel(METRICS[metric])
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
    rows, names = by_metric_and_vlm(frame[frame.method == method], labels)
    scenes = rows[["scene_low", "scene_high"]].where(rows.over == "conditions")
    return coefficient_axes(plot_intervals(
        rows.assign(wide_low=scenes.scene_low, wide_high=scenes.scene_high),
        "r", "pair", "segmenter", 1.4 + 0.62 * len(names), labels=labels, names=names,
        columns="over", titles=LEVEL_WORDS, wrap=2, wide=("wide_low", "wide_high"), line=0,
        words=f"{method.capitalize()} correlation with mIoU",
    ))  # fmt: skip


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

    A dot is filled where its 95 % interval excludes zero, else hollow.

    Args:
        frame: rows with metric, vlm, r, low, high, method and the two columns named next.
        group: column whose values are the rows within a metric, such as ``given``.
        panels: column whose values are the panels.
        words: value -> words, of ``panels`` and ``group``.
        method: pearson or spearman.
    """
    words = {k: v.removeprefix("over ") for k, v in LEVEL_WORDS.items()} | dict(words or {})
    rows = frame[frame.method == method]
    rows = rows.assign(line=rows.metric + ", " + rows[group], clear=excludes_zero(rows))
    metrics = [metric for metric in METRICS if metric in set(rows.metric)]
    several = len(metrics) > 1 or None
    names = {
        f"{m}, {g}": ", ".join(filter(None, (several and METRICS[m], words.get(g, g))))
        for m in metrics for g in dict.fromkeys(rows[group])
    }  # fmt: skip
    titles = {kind: words.get(kind, kind) for kind in dict.fromkeys(rows[panels])}
    figure = plot_intervals(
        rows, "r", "line", "vlm", 1.2 + 0.28 * len(names), labels=labels, more=zero_handles(),
        names=names, columns=panels if len(titles) > 1 else None, titles=titles, interval=None,
        line=0, filled="clear", size=4.5, words=f"{method.capitalize()} correlation",
    )  # fmt: skip
    groups = len(names) // len(metrics)
    for axis in figure.axes:
        for place in range(groups, len(names), groups):
            axis.axhline(place - 0.5, color=GREY, linewidth=0.8, zorder=0.9)
    symmetric(figure.axes[0], rows.r)
    return figure


def excludes_zero(frame: pd.DataFrame) -> pd.Series:
    """Return for each row whether the interval from low to high leaves zero out."""
    return pd.Series(interval_sign(frame.low, frame.high) != 0, frame.index)


def zero_handles() -> list[Any]:
    """Return the legend's handles of filled and hollow points."""
    return [mark_handle("interval excludes 0"), mark_handle("includes 0", markerfacecolor="white")]


def symmetric(axis: Axes, values: Sequence[float]) -> None:
    """Set a horizontal axis around 0 that holds the values, with three ticks."""
    most = float(np.nanmax(np.abs([*values, 0.0])))
    most = most if most > 0 else 1.0
    tick = next((t for t in (1.0, 0.5, 0.2, 0.1) if t <= most), 0.05)
    axis.set_xlim(-1.12 * max(most, tick), 1.12 * max(most, tick))
    axis.set_xticks([-tick, 0, tick], [f"−{tick:g}", "0", f"{tick:g}"])
