"""Figures of segmentation quality, by class and over the severity of each corruption."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from vlmis_utils.protocol.classes import CRITICAL_CLASSES, LANGUAGE_NAMES, TRAIN_CLASSES
from vlmis_utils.protocol.conditions import FAMILIES, ladder, ordered
from vlmis_utils.protocol.models import architecture
from vlmis_utils.report.figures.intervals import plot_intervals
from vlmis_utils.report.style import FEW, GREY, colour, label_lines, new_figure, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = [
    "bold_critical", "load_class_iou", "load_severities", "plot_class_drop", "plot_class_iou",
    "plot_ladders",
]  # fmt: skip


def load_severities(frame: pd.DataFrame, key: str, values: Mapping[str, str]) -> pd.DataFrame:
    """Return values over the severity of each corruption, 0 being clean in each.

    Args:
        frame: columns ``key`` (the model), condition, and for each value its column, with
            ``_low`` and ``_high`` where an interval is known.
        values: column name to words.

    Returns:
        ``key``, family, severity, measure, value, low, high.
    """
    nothing = pd.Series(np.nan, frame.index)
    parts = []
    for family in FAMILIES:
        severity = {name: level for level, name in ladder(family, set(frame.condition))}
        for measure in values:
            part = frame[[key]].assign(
                family=family, severity=frame.condition.map(severity), measure=measure,
                value=frame[measure], low=frame.get(f"{measure}_low", nothing),
                high=frame.get(f"{measure}_high", nothing),
            )  # fmt: skip
            parts.append(part.dropna(subset=["severity"]))
    return pd.concat(parts, ignore_index=True)


@styled
def plot_ladders(
    frame: pd.DataFrame,
    key: str,
    values: Mapping[str, str],
    labels: Mapping[str, str],
    paper: pd.DataFrame | None = None,
) -> Figure:
    """Rows of panels, one a value; columns, one a corruption; values over severity, 0 to 3.

    Args:
        frame: see `load_severities`.
        key: name of the model column.
        values: column name to axis label, one row of panels each.
        labels: model name to the name shown.
        paper: the printed values, columns ``key``, condition and values: hollow, dotted; or None.
    """
    long = load_severities(frame, key, values)
    printed = None if paper is None else load_severities(paper, key, values)
    if printed is not None:
        names = pd.DataFrame({"name": long[key].unique()})
        names[key] = names.name.map(architecture)
        printed = printed.merge(names, on=key).drop(columns=key).rename(columns={"name": key})
    few = long[key].nunique() <= FEW
    figure = plot_intervals(
        long, "value", "severity", key, 0.9 + 2.0 * len(values),
        labels=None if few else labels, reference=printed,
        columns="family", titles=FAMILIES, rows="measure", row_titles=values, connect=True,
        upright=True, share={"y": "row"}, words="severity (0 = clean)",
    )  # fmt: skip
    drawn = pd.concat([long, printed])
    for axis, measure in zip(figure.axes[:: len(FAMILIES)], values, strict=True):
        part = drawn[drawn.measure == measure]
        axis.set(xticks=[0, 1, 2, 3], xlim=(-0.3, 3.3))
        axis.set_ylim(0, min(1.03, 1.1 * np.nanmax([part.value.max(), part.high.max()])))
    if few:
        for axis, measure in zip(figure.axes[len(FAMILIES) - 1 :: len(FAMILIES)], values,
                                 strict=False):  # fmt: skip
            _name_lines(axis, long[long.measure == measure], key, labels)
    return figure


def _name_lines(axis: Axes, rows: pd.DataFrame, key: str, labels: Mapping[str, str]) -> None:
    """Write each model beside the end of its line in the last panel of a row."""
    rows = rows[rows.family == list(FAMILIES)[-1]].dropna(subset=["value"])
    ends = rows.sort_values("severity").groupby(key, sort=False).last()
    label_lines(axis, {
        labels.get(name, name): (row.severity, row.value, colour(name))
        for name, row in ends.iterrows()
    })  # fmt: skip


def load_class_iou(by_condition: pd.DataFrame) -> pd.DataFrame:
    """Return segmenter, condition, train_class, iou, from ``Results.segmentation_by_condition``."""
    long = by_condition.melt(
        ["segmenter", "condition"], [f"iou_{c}" for c in TRAIN_CLASSES], "train_class", "iou"
    )
    return long.assign(train_class=long.train_class.str.removeprefix("iou_"))


def bold_critical(axis: Axes) -> None:
    """Set the names of safety-critical classes along the vertical axis in bold."""
    for tick in axis.get_yticklabels():
        if tick.get_text() in CRITICAL_CLASSES:
            tick.set_fontweight("bold")


@styled
def plot_class_iou(frame: pd.DataFrame, labels: Mapping[str, str]) -> Figure:
    """One dot for each class and segmenter, clean images; safety-critical names in bold."""
    clean = frame[frame.condition == "clean"]
    ends = clean.groupby("train_class").iou.agg(["mean", "min", "max"])
    ends = ends.fillna(-1).sort_values("mean", ascending=False)
    names = {name: LANGUAGE_NAMES[name] for name in ends.index}
    figure = plot_intervals(
        clean, "iou", "train_class", "segmenter", 5.4, labels=labels, names=names, interval=None,
        apart=0, size=6,
    )  # fmt: skip
    (axis,) = figure.axes
    axis.hlines(range(len(ends)), ends["min"], ends["max"], color=GREY, linewidth=1, zorder=0.9)
    bold_critical(axis)
    axis.set(xlabel="IoU on clean images", xlim=(-0.02, 1))
    return figure


@styled
def plot_class_drop(frame: pd.DataFrame, segmenter: str) -> Figure:
    """A heatmap of classes by conditions: the IoU that is left, in % of the clean IoU."""
    import seaborn as sns

    rows = frame[frame.segmenter == segmenter]
    table = rows.pivot(index="train_class", columns="condition", values="iou")
    table = table[[c for c in ordered(table.columns) if c != "clean"]].div(
        table["clean"].where(table["clean"] > 0.02), axis=0
    )
    table = 100 * table.reindex([c for c in TRAIN_CLASSES if c in table.index])
    figure, axes = new_figure(5.6)
    axis = axes[0, 0]
    sns.heatmap(
        table, annot=True, fmt=".0f", cmap="cividis", vmin=0, vmax=100, ax=axis,
        annot_kws={"fontsize": 9}, yticklabels=[LANGUAGE_NAMES[n] for n in table.index],
        cbar_kws={"location": "top", "shrink": 0.6, "label": "IoU left, % of the clean IoU"},
    )  # fmt: skip
    for y, x in np.argwhere(table.isna().to_numpy()):
        axis.text(x + 0.5, y + 0.5, "–", ha="center", va="center", fontsize=9)
    axis.set(xlabel="", ylabel="")
    axis.tick_params(length=0, rotation=0)
    bold_critical(axis)
    return figure
