"""Figures of the answers: safety decisions, presence, changes and correlations."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd

from vlmis_utils.protocol.conditions import FAMILIES, ordered
from vlmis_utils.report.figures.bars import plot_stacked
from vlmis_utils.report.figures.intervals import coefficient_axes, plot_intervals
from vlmis_utils.report.style import (
    FAMILY_LOOKS,
    GREY,
    WRONG,
    Look,
    colour,
    legend,
    mark_handle,
    styled,
)
from vlmis_utils.report.words import LEVEL_WORDS, METRICS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = [
    "METRICS", "family_handles", "family_of", "plot_changes", "plot_correlations", "plot_presence",
    "plot_scatter", "plot_smr_split",
]  # fmt: skip

_SPLIT = {
    "false_safe": ("said safe, is unsafe", WRONG),
    "false_alarm": ("said unsafe, is safe", "#56B4E9"),
    "abstained": ("no decision", GREY),
}


def family_of(condition: str) -> str:
    """Return the key in `FAMILIES` of a condition; else ``clean``."""
    return next((key for key in FAMILIES if condition.startswith(key)), "clean")


@styled
def plot_smr_split(frame: pd.DataFrame, labels: Mapping[str, str]) -> Figure:
    """One panel a model: SMR by condition as the sum of its three kinds of failure."""
    models, names = list(dict.fromkeys(frame.vlm)), ordered(frame.condition)
    whole = pd.MultiIndex.from_product([models, names], names=["vlm", "condition"])
    rows = frame.set_index(["vlm", "condition"])[list(_SPLIT)].reindex(whole).reset_index()
    figure = plot_stacked(
        rows, _SPLIT, "condition", 0.7 + 0.27 * len(rows), rows="vlm", titles=labels,
        legend_columns=2,
    )  # fmt: skip
    figure.axes[-1].set(xlim=(0, 1), xlabel="share of images")
    return figure


@styled
def plot_presence(frame: pd.DataFrame, labels: Mapping[str, str], value: str = "auc") -> Figure:
    """One dot for each class and model: how well presence is told from absence; chance is 0.5."""
    words = {"auc": "AUC", "balanced_accuracy": "balanced accuracy"}.get(value, value)
    figure = plot_intervals(
        frame, value, "class", "vlm", 1.1 + 0.34 * frame["class"].nunique(), labels=labels,
        interval=None, line=0.5, words=f"{words} on clean images", size=6.5,
    )  # fmt: skip
    figure.axes[0].set_xlim(min(0.4, frame[value].min() - 0.03), 1.01)
    return figure


@styled
def plot_changes(frame: pd.DataFrame, labels: Mapping[str, str]) -> Figure:
    """ΔL over ΔQ, one panel a metric: a dot for each condition and model, segmenters averaged.

    Args:
        frame: vlm, condition, delta_miou, delta_hr, delta_cor, delta_smr.
    """
    rows = frame[frame.condition != "clean"]
    rows = rows.rename(columns={f"delta_{metric}": metric for metric in METRICS})
    rows = rows.assign(family=rows.condition.map(family_of))
    long = rows.melt(["vlm", "family", "delta_miou"], list(METRICS), "metric", "change")
    return plot_intervals(
        long, "change", "delta_miou", "vlm", 0.9 + 2.1 * len(METRICS), labels=labels,
        more=family_handles(FAMILIES), interval=None, line=0, rows="metric",
        row_titles={metric: f"Δ{words}" for metric, words in METRICS.items()}, marks="family",
        looks=_looks(long.vlm), upright=True, apart=0, share={"y": False}, size=6.5,
        words="ΔmIoU, clean minus degraded (mean of segmenters)",
    )  # fmt: skip


@styled
def plot_scatter(
    pairs: pd.DataFrame, segmenter: str, labels: Mapping[str, str], quality: str = "miou"
) -> Figure:
    """Misalignment over segmentation quality: rows metrics, columns VLMs, a dot each condition.

    Args:
        pairs: ``Results.pairs()``.
        segmenter: whose quality is on the horizontal axis.
    """
    own = pairs[pairs.segmenter == segmenter]
    long = pd.concat([
        own[["vlm", quality]].assign(
            family=own.condition.map(family_of), metric=metric, value=own[metric],
            low=own[f"{metric}_low"], high=own[f"{metric}_high"],
        )
        for metric in METRICS
    ])  # fmt: skip
    figure = plot_intervals(
        long, "value", quality, "vlm", 1.0 + 1.75 * len(METRICS), columns="vlm", titles=labels,
        rows="metric", row_titles=METRICS, marks="family", looks=_looks(own.vlm), upright=True,
        apart=0, share={"y": "row"}, size=6, words=f"mIoU, {labels.get(segmenter, segmenter)}",
    )  # fmt: skip
    legend(figure, family_handles({"clean": "clean"} | FAMILIES), 4)
    return figure


def _looks(models: Iterable[str]) -> dict[str, Look]:
    marks = {key: (GREY, mark) for key, (_, mark) in FAMILY_LOOKS.items()}
    return {model: (colour(model), "o") for model in models} | marks


def family_handles(families: Mapping[str, str]) -> list[Any]:
    """Return the legend's handles of families, in the order of the paper's tables."""
    return [mark_handle(words, mark=FAMILY_LOOKS[key][1]) for key, words in families.items()]


@styled
def plot_correlations(frame: pd.DataFrame, labels: Mapping[str, str], method: str) -> Figure:
    """Coefficients with 95 % intervals: over conditions on the left, over images on the right.

    Args:
        frame: over ("conditions" or "images"), segmenter, vlm, metric, method, r, low, high.
        method: pearson or spearman.
    """
    kept = frame.over.isin(["conditions", "images"]) & (frame.method == method)
    rows, names = by_metric_and_vlm(frame[kept], labels)
    return coefficient_axes(plot_intervals(
        rows, "r", "pair", "segmenter", 1.1 + 0.42 * len(names), labels=labels, names=names,
        columns="over", titles=LEVEL_WORDS, line=0,
        words=f"{method.capitalize()} correlation with mIoU",
    ))  # fmt: skip


def by_metric_and_vlm(
    frame: pd.DataFrame, labels: Mapping[str, str]
) -> tuple[pd.DataFrame, dict[str, str]]:
    """Return rows with a column ``pair`` of metric and VLM, and the words of all, in order."""
    models = dict.fromkeys(frame.vlm)
    names = {f"{m}, {v}": f"{w}, {labels.get(v, v)}" for m, w in METRICS.items() for v in models}
    return frame.assign(pair=frame.metric + ", " + frame.vlm), names
