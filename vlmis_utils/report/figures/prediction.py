"""Pictures of rival measures of Q, and of how well a failure can be foretold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from vlmis_utils.report.figures.correlation import dots, dots_legend, symmetric
from vlmis_utils.report.style import GREY, INK, colour, marker, new_figure, styled
from vlmis_utils.report.text.correlation import LEVEL_WORDS, METRIC_NAMES
from vlmis_utils.statistics.prediction import reliability

__all__ = ["plot_auc", "plot_reliability", "plot_rivals"]

_LINES = ("#0072B2", "#E69F00", "#009E73", "#CC79A7")


@styled
def plot_rivals(
    frame: pd.DataFrame,
    labels: Mapping[str, str],
    words: Mapping[str, str],
    segmenter: str | None = None,
) -> Figure:
    """Draw correlations of every measure of Q: rows levels and measures, columns metrics.

    A dot is a pair of segmenter and VLM; filled where its interval over scenes leaves zero out.

    Args:
        frame: from `analysis.alternative_measures.measure_correlations`.
        words: name -> words of a measure.
        segmenter: whose measures only; all when None.
    """
    rows = frame if segmenter is None else frame[frame.segmenter == segmenter]
    levels, vlms = (list(dict.fromkeys(rows[c])) for c in ("over", "vlm"))
    metrics = [m for m in METRIC_NAMES if m in set(rows.metric)]
    names = list(dict.fromkeys(rows.quality))[::-1]
    figure, axes = new_figure(
        1.1 + 2.2 * len(levels), len(levels), len(metrics), sharex="row", sharey=True
    )
    for line, level in zip(axes, levels, strict=True):
        for axis, metric in zip(line, metrics, strict=True):
            axis.axvline(0, color=INK, linewidth=1)
            part = rows[(rows.over == level) & (rows.metric == metric)].dropna(subset=["r"])
            dots(axis, part, [names.index(q) for q in part.quality], vlms)
            axis.set_title(METRIC_NAMES[metric], loc="right", fontsize=10)
        symmetric(line[0], rows[rows.over == level].r)
        line[0].set_yticks(range(len(names)), [words.get(q, q) for q in names], fontsize=9)
        line[0].set_title(LEVEL_WORDS[level], loc="left", x=-1.05, fontsize=11, fontweight="bold")
    figure.supxlabel("correlation with the failure", fontsize=11)
    dots_legend(figure, vlms, labels)
    return figure


@styled
def plot_auc(
    scores: pd.DataFrame, labels: Mapping[str, str], words: Mapping[str, str] | None = None
) -> Figure:
    """Draw the AUC of each feature set with 95 % intervals, one panel a failure.

    Args:
        scores: ``scores`` of `analysis.failure_prediction.Prediction`.
        words: metric -> title of its panel.
    """
    words = dict(METRIC_NAMES) | dict(words or {})
    metrics, vlms, names = (list(dict.fromkeys(scores[c])) for c in ("metric", "vlm", "features"))
    names = names[::-1]
    figure, axes = new_figure(1.2 + 0.5 * len(names), 1, len(metrics), sharey=True)
    for axis, metric in zip(axes[0], metrics, strict=True):
        axis.axvline(0.5, color=INK, linewidth=1, linestyle="--")
        for vlm, shift in zip(vlms, np.linspace(0.28, -0.28, len(vlms)), strict=True):
            mine = scores[(scores.metric == metric) & (scores.vlm == vlm)].dropna(subset=["auc"])
            for features, part in mine.groupby("features", sort=False):
                spread = np.linspace(0.07, -0.07, len(part)) if len(part) > 1 else [0.0]
                y = names.index(features) + shift + np.asarray(spread)
                bars = np.clip([part.auc - part.low, part.high - part.auc], 0, None)
                axis.errorbar(part.auc, y, xerr=bars, linestyle="", color=colour(vlm),
                              marker=marker(vlm), markersize=4, elinewidth=0.7)  # fmt: skip
        axis.set_title(words[metric], fontsize=10)
        axis.set_xlabel("AUC")
    axes[0, 0].set_yticks(range(len(names)), names)
    handles = [
        Line2D([], [], linestyle="", color=colour(v), marker=marker(v), label=labels.get(v, v))
        for v in vlms
    ]
    figure.legend(handles=handles, loc="outside upper center", ncols=3)
    return figure


@styled
def plot_reliability(
    pictures: pd.DataFrame,
    labels: Mapping[str, str],
    segmenter: str,
    features: Sequence[str] = ("condition", "mIoU + condition", "clean + condition"),
    bins: int = 8,
) -> Figure:
    """Draw the share of failures over the foretold probability: rows failures, columns VLMs.

    Args:
        pictures: ``pictures`` of `analysis.failure_prediction.Prediction`.
        segmenter: whose Q, for the feature sets that have one.
        features: which sets, at most four.
        bins: groups of pictures of equal size, each a dot.
    """
    rows = pictures[pictures.segmenter.isin(["", segmenter])].dropna(subset=["probability"])
    metrics, vlms = (list(dict.fromkeys(pictures[c])) for c in ("metric", "vlm"))
    figure, axes = new_figure(
        1.1 + 1.75 * len(metrics), len(metrics), len(vlms), sharex=True, sharey=True
    )
    for line, metric in zip(axes, metrics, strict=True):
        line[0].set_ylabel(f"share that fail, {METRIC_NAMES[metric]}")
        for axis, vlm in zip(line, vlms, strict=True):
            axis.plot([0, 1], [0, 1], color=GREY, linewidth=1, linestyle="--")
            for name, tint in zip(features, _LINES, strict=False):
                part = rows[(rows.metric == metric) & (rows.vlm == vlm) & (rows.features == name)]
                if len(part):
                    x, y, _ = reliability(part.outcome, part.probability, bins).T
                    axis.plot(x, y, color=tint, marker="o", markersize=3.5, linewidth=1.3)
            axis.set(xlim=(0, 1), ylim=(0, 1), xticks=[0, 0.5, 1], yticks=[0, 0.5, 1])
            axis.set_xticklabels(["0", "0.5", "1"])
    for axis, vlm in zip(axes[0], vlms, strict=True):
        axis.set_title(labels.get(vlm, vlm), fontsize=10)
    axes[-1, len(vlms) // 2].set_xlabel("foretold probability of failure")
    handles = [
        Line2D([], [], color=tint, marker="o", markersize=4, label=name)
        for name, tint in zip(features, _LINES, strict=False)
    ]
    figure.legend(handles=handles, loc="outside upper center", ncols=3, fontsize=9)
    return figure
