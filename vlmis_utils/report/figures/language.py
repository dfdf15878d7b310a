"""Pictures of what the language did: safety decisions, presence, changes and correlations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from vlmis_utils.protocol.conditions import FAMILIES, ordered
from vlmis_utils.report.style import GREY, INK, colour, legend, marker, new_figure, styled

__all__ = [
    "METRICS", "draw_coefficients", "plot_changes", "plot_correlations", "plot_presence",
    "plot_scatter", "plot_smr_split",
]  # fmt: skip

METRICS: dict[str, str] = {"hr": "HR", "cor": "COR", "smr": "SMR"}

_SPLIT = {
    "false_safe": ("said safe, is unsafe", "#D55E00"),
    "false_alarm": ("said unsafe, is safe", "#56B4E9"),
    "abstained": ("no decision", "#B5BAC2"),
}
_FAMILY_MARKS = {"clean": "*", "LL": "o", "MB": "s", "OCC": "^"}


def _family(condition: str) -> str:
    return next((key for key in FAMILIES if condition.startswith(key)), "clean")


@styled
def plot_smr_split(frame: pd.DataFrame, labels: Mapping[str, str]) -> Figure:
    """One panel a model: SMR by condition as the sum of its three kinds of failure."""
    models = list(dict.fromkeys(frame.vlm))
    names = ordered(frame.condition)[::-1]
    figure, axes = new_figure(0.7 + 0.27 * len(names) * len(models), len(models), 1, sharex=True)
    for axis, model in zip(axes[:, 0], models, strict=True):
        rows = frame[frame.vlm == model].set_index("condition").reindex(names)
        start = np.zeros(len(names))
        for part, (_, tint) in _SPLIT.items():
            axis.barh(names, rows[part], left=start, color=tint)
            start = start + rows[part].fillna(0).to_numpy()
        axis.set_xlim(0, 1)
        axis.set_title(labels.get(model, model), loc="left")
        axis.grid(axis="y", visible=False)
    axes[-1, 0].set_xlabel("share of images")
    handles = [Patch(color=tint, label=words) for words, tint in _SPLIT.values()]
    figure.legend(handles=handles, loc="outside upper center", ncols=2)
    return figure


@styled
def plot_presence(frame: pd.DataFrame, labels: Mapping[str, str], value: str = "auc") -> Figure:
    """One dot for each class and model: how well presence is told, 0.5 being a coin."""
    classes = list(dict.fromkeys(frame["class"]))[::-1]
    models = list(dict.fromkeys(frame.vlm))
    figure, axes = new_figure(1.1 + 0.34 * len(classes))
    axis = axes[0, 0]
    axis.axvline(0.5, color=INK, linewidth=1, linestyle="--")
    for model, shift in zip(models, np.linspace(0.18, -0.18, len(models)), strict=True):
        rows = frame[frame.vlm == model].set_index("class").reindex(classes)
        axis.scatter(
            rows[value], np.arange(len(classes)) + shift, s=42, color=colour(model),
            marker=marker(model),
        )  # fmt: skip
    axis.set_yticks(range(len(classes)), classes)
    words = {"auc": "AUC", "balanced_accuracy": "balanced accuracy"}.get(value, value)
    axis.set_xlabel(f"{words} on clean images")
    axis.set_xlim(min(0.4, frame[value].min() - 0.03), 1.01)
    legend(figure, models, labels)
    return figure


@styled
def plot_changes(frame: pd.DataFrame, labels: Mapping[str, str]) -> Figure:
    """ΔL over ΔQ, one panel a metric: a dot for each condition and model, segmenters averaged.

    Args:
        frame: vlm, condition, delta_miou, delta_hr, delta_cor, delta_smr.
    """
    models = list(dict.fromkeys(frame.vlm))
    rows = frame[frame.condition != "clean"]
    figure, axes = new_figure(0.9 + 2.1 * len(METRICS), len(METRICS), 1, sharex=True)
    for axis, (metric, words) in zip(axes[:, 0], METRICS.items(), strict=True):
        axis.axhline(0, color=INK, linewidth=1)
        for model in models:
            mine = rows[rows.vlm == model]
            for family, mark in _FAMILY_MARKS.items():
                part = mine[mine.condition.map(_family) == family]
                axis.scatter(part.delta_miou, part[f"delta_{metric}"], s=40, marker=mark,
                             color=colour(model), alpha=0.9)  # fmt: skip
        axis.set_ylabel(f"Δ{words}")
    axes[-1, 0].set_xlabel("ΔmIoU, clean minus degraded (mean of segmenters)")
    _families_and_models(figure, models, labels, clean=False)
    return figure


@styled
def plot_scatter(
    pairs: pd.DataFrame, segmenter: str, labels: Mapping[str, str], quality: str = "miou"
) -> Figure:
    """Misalignment over segmentation quality: rows metrics, columns VLMs, a dot each condition.

    Args:
        pairs: ``Results.pairs()``.
        segmenter: whose quality is on the horizontal axis.
    """
    rows = pairs[pairs.segmenter == segmenter]
    models = list(dict.fromkeys(rows.vlm))
    figure, axes = new_figure(
        1.0 + 1.75 * len(METRICS), len(METRICS), len(models), sharex=True, sharey="row"
    )
    for line, (metric, words) in zip(axes, METRICS.items(), strict=True):
        line[0].set_ylabel(words)
        for axis, model in zip(line, models, strict=True):
            mine = rows[rows.vlm == model]
            for family, mark in _FAMILY_MARKS.items():
                part = mine[mine.condition.map(_family) == family]
                axis.errorbar(
                    part[quality], part[metric],
                    np.clip([part[metric] - part[f"{metric}_low"],
                             part[f"{metric}_high"] - part[metric]], 0, None),
                    linestyle="", marker=mark, color=colour(model), elinewidth=0.8,
                    markersize=10 if family == "clean" else 6, markeredgecolor="white",
                    markeredgewidth=0.5,
                )  # fmt: skip
    for axis, model in zip(axes[0], models, strict=True):
        axis.set_title(labels.get(model, model), fontsize=10)
    axes[-1, len(models) // 2].set_xlabel(f"mIoU, {labels.get(segmenter, segmenter)}")
    handles = [
        Line2D([], [], linestyle="", marker=mark, color=GREY, label=FAMILIES.get(family, "clean"))
        for family, mark in _FAMILY_MARKS.items()
    ]
    figure.legend(handles=handles, loc="outside upper center", ncols=4, handletextpad=0.2)
    return figure


def _families_and_models(
    figure: Figure, models: list[str], labels: Mapping[str, str], clean: bool
) -> None:
    marks = {k: m for k, m in _FAMILY_MARKS.items() if clean or k != "clean"}
    handles = [
        Line2D([], [], linestyle="", marker="o", color=colour(m), label=labels.get(m, m))
        for m in models
    ]
    handles += [
        Line2D([], [], linestyle="", marker=mark, color=GREY, label=FAMILIES.get(key, "clean"))
        for key, mark in marks.items()
    ]
    figure.legend(handles=handles, loc="outside upper center", ncols=3, handletextpad=0.2)


def draw_coefficients(
    axis: Axes, rows: pd.DataFrame, segmenters: Sequence[str], height: Mapping[tuple[str, str], int]
) -> None:
    """Draw a dot with its interval for each segmenter, on a scale from -1 to 1.

    Args:
        axis: where.
        rows: segmenter, metric, vlm, r, low, high.
        segmenters: from top to bottom within a line.
        height: of the line of each metric and VLM.
    """
    axis.axvline(0, color=INK, linewidth=1)
    for segmenter, shift in zip(segmenters, np.linspace(0.22, -0.22, len(segmenters)), strict=True):
        part = rows[rows.segmenter == segmenter]
        y = [height[m, v] + shift for m, v in zip(part.metric, part.vlm, strict=True)]
        spread = np.clip([part.r - part.low, part.high - part.r], 0, None)
        axis.errorbar(part.r, y, xerr=spread, linestyle="", marker=marker(segmenter),
                      color=colour(segmenter), markersize=5, elinewidth=1.2)  # fmt: skip
    axis.set(xlim=(-1.05, 1.05), xticks=[-1, -0.5, 0, 0.5, 1])
    axis.set_xticklabels(["−1", "", "0", "", "1"])


@styled
def plot_correlations(frame: pd.DataFrame, labels: Mapping[str, str], method: str) -> Figure:
    """Coefficients with 95 % intervals: over conditions on the left, over images on the right.

    Args:
        frame: over ("conditions" or "images"), segmenter, vlm, metric, method, r, low, high.
        method: pearson or spearman.
    """
    rows = frame[frame.method == method]
    vlms, segmenters = (list(dict.fromkeys(rows[c])) for c in ("vlm", "segmenter"))
    lines = [(metric, vlm) for metric in METRICS for vlm in vlms][::-1]
    height = {pair: y for y, pair in enumerate(lines)}
    figure, axes = new_figure(1.1 + 0.42 * len(lines), 1, 2, sharey=True)
    for axis, over in zip(axes[0], ("conditions", "images"), strict=True):
        draw_coefficients(axis, rows[rows.over == over], segmenters, height)
        axis.set_title(f"over {over}")
    axes[0, 0].set_yticks(
        range(len(lines)), [f"{METRICS[m]}, {labels.get(v, v)}" for m, v in lines]
    )
    figure.supxlabel(f"{method.capitalize()} correlation with mIoU", fontsize=11)
    legend(figure, segmenters, labels)
    return figure
