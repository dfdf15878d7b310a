"""Figures of alternative measures of Q, and of how well a failure can be predicted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from vlmis_utils.report.figures.correlation import excludes_zero, symmetric, zero_handles
from vlmis_utils.report.figures.intervals import plot_intervals
from vlmis_utils.report.style import GREY, LINES, label_lines, styled
from vlmis_utils.report.words import LEVEL_WORDS, METRICS
from vlmis_utils.statistics.prediction import reliability

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["plot_auc", "plot_reliability", "plot_measures"]


@styled
def plot_measures(
    frame: pd.DataFrame,
    labels: Mapping[str, str],
    words: Mapping[str, str],
    segmenter: str | None = None,
) -> Figure:
    """Draw correlations of every measure of Q: rows levels and measures, columns metrics.

    A dot is a pair of segmenter and VLM; filled where its interval over scenes excludes zero.

    Args:
        frame: from `analysis.alternative_measures.measure_correlations`.
        words: name -> words of a measure.
        segmenter: whose measures only; all when None.
    """
    rows = frame if segmenter is None else frame[frame.segmenter == segmenter]
    rows = rows.assign(clear=excludes_zero(rows))
    levels = list(dict.fromkeys(rows.over))
    figure = plot_intervals(
        rows, "r", "quality", "vlm", 1.1 + 2.2 * len(levels), labels=labels, more=zero_handles(),
        names=words, columns="metric", titles=METRICS, rows="over",
        row_titles={level: LEVEL_WORDS[level] for level in levels}, interval=None, line=0,
        filled="clear", share={"x": "row"}, size=4.5, words="correlation with the failure",
    )  # fmt: skip
    for axis in figure.axes:
        axis.tick_params(axis="y", labelsize=9)
    for axis, level in zip(figure.axes[:: rows.metric.nunique()], levels, strict=False):
        symmetric(axis, rows[rows.over == level].r)
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
    return plot_intervals(
        scores.assign(who=scores.segmenter.fillna("")), "auc", "features", "vlm",
        1.2 + 0.5 * scores.features.nunique(), labels=labels, columns="metric",
        titles=METRICS | dict(words or {}), line=0.5, within="who", size=4, words="AUC",
    )  # fmt: skip


@styled
def plot_reliability(
    pictures: pd.DataFrame,
    labels: Mapping[str, str],
    segmenter: str,
    features: Sequence[str] = ("condition", "mIoU + condition", "clean + condition"),
    bins: int = 8,
) -> Figure:
    """Draw the share of failures over the predicted probability: rows failures, columns VLMs.

    Args:
        pictures: ``pictures`` of `analysis.failure_prediction.Prediction`.
        segmenter: whose Q, for the feature sets that have one.
        features: which sets, at most four.
        bins: groups of images of equal size, each a dot.
    """
    rows = pictures[pictures.segmenter.isin(["", segmenter]) & pictures.features.isin(features)]
    keys = ["metric", "vlm", "features"]
    parts = []
    for key, part in rows.groupby(keys, sort=False):
        known = part.dropna(subset=["probability"])
        x, y = [np.nan], [np.nan]
        if len(known):
            x, y, _ = reliability(known.outcome, known.probability, bins).T
        point = dict(zip(keys, key, strict=True)) | {"predicted": x, "share": y}
        parts.append(pd.DataFrame(point))
    points = pd.concat(parts, ignore_index=True)
    figure = plot_intervals(
        points, "share", "predicted", "features",
        1.1 + 1.75 * rows.metric.nunique(), columns="vlm", titles=labels, rows="metric",
        row_titles={metric: f"share that fail, {words}" for metric, words in METRICS.items()},
        interval=None, looks={f: (tint, "o") for f, tint in zip(features, LINES, strict=False)},
        connect=True, upright=True, apart=0, size=3.5, words="predicted probability of failure",
    )  # fmt: skip
    for axis in figure.axes:
        axis.plot([0, 1], [0, 1], color=GREY, linewidth=1, linestyle="--", zorder=0.9)
        axis.set(xlim=(0, 1), ylim=(0, 1), yticks=[0, 0.5, 1])
        axis.set_xticks([0, 0.5, 1], ["0", "0.5", "1"])
    vlms = list(dict.fromkeys(points.vlm))
    metrics = [metric for metric in METRICS if metric in set(points.metric)]
    for axis, metric in zip(figure.axes[len(vlms) - 1 :: len(vlms)], metrics, strict=True):
        own = points[(points.metric == metric) & (points.vlm == vlms[-1])].dropna(subset="share")
        ends = own.sort_values("predicted").groupby("features", sort=False).last()
        label_lines(axis, {
            name: (end.predicted, end.share, LINES[list(features).index(name)])
            for name, end in ends.iterrows()
        }, 9)  # fmt: skip
    return figure
