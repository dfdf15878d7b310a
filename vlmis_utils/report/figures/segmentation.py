"""Pictures of segmentation quality and of how it changes up each family of conditions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from vlmis_utils.protocol.classes import (
    CRITICAL_CLASSES,
    LANGUAGE_NAMES,
    TRAIN_CLASSES,
)
from vlmis_utils.protocol.conditions import FAMILIES, ladder, ordered
from vlmis_utils.report.style import GREY, colour, legend, marker, new_figure, styled

__all__ = ["draw_ladders", "load_class_iou", "plot_class_drop", "plot_class_iou", "plot_ladders"]


def draw_ladders(
    axes: Sequence[Axes], frame: pd.DataFrame, key: str, value: str, paper: pd.DataFrame | None
) -> None:
    """Draw one panel a corruption: ``value`` over severity 0 to 3, a line for each model.

    Args:
        axes: as many as `FAMILIES`.
        frame: columns ``key`` (the model), condition, ``value``, and its _low and _high if known.
        key: name of the model column.
        value: name of the column to draw.
        paper: the printed values, columns ``key``, condition, ``value``: hollow, dotted; or None.
    """
    models = list(dict.fromkeys(frame[key]))
    shift = dict(zip(models, np.linspace(-0.1, 0.1, len(models)), strict=True))
    for axis, family in zip(axes, FAMILIES, strict=True):
        for model in models:
            rows = frame[frame[key] == model].set_index("condition")
            steps = ladder(family, rows.index)
            x = np.array([level for level, _ in steps]) + shift[model]
            rows = rows.loc[[name for _, name in steps]]
            spread = None
            if f"{value}_low" in rows:
                spread = np.clip(
                    [rows[value] - rows[f"{value}_low"], rows[f"{value}_high"] - rows[value]],
                    0,
                    None,
                )
            axis.errorbar(
                x, rows[value], spread, color=colour(model), marker=marker(model), capsize=2
            )
            if paper is not None:
                printed = paper[paper[key] == model].set_index("condition")[value]
                steps = ladder(family, printed.index)
                axis.plot(
                    [level + shift[model] for level, _ in steps],
                    [printed[name] for _, name in steps],
                    color=colour(model), marker=marker(model), linestyle=":", linewidth=1.2,
                    markerfacecolor="white", markersize=4.5, alpha=0.9,
                )  # fmt: skip
        axis.set(xticks=[0, 1, 2, 3], xlim=(-0.3, 3.3))


@styled
def plot_ladders(
    frame: pd.DataFrame,
    key: str,
    values: Mapping[str, str],
    labels: Mapping[str, str],
    paper: pd.DataFrame | None = None,
) -> Figure:
    """Rows of panels, one a value; columns, one a corruption; see `draw_ladders`.

    Args:
        values: column name to axis label, one row of panels each.
        labels: model name to the name shown.
    """
    figure, axes = new_figure(0.9 + 2.0 * len(values), len(values), 3, sharex=True, sharey="row")
    for row, (value, words) in zip(axes, values.items(), strict=True):
        draw_ladders(row, frame, key, value, paper)
        row[0].set_ylabel(words)
        tops = [frame[column].max() for column in (value, f"{value}_high") if column in frame]
        tops += [paper[value].max()] if paper is not None else []
        row[0].set_ylim(0, min(1.03, 1.1 * max(tops)))
    for axis, words in zip(axes[0], FAMILIES.values(), strict=True):
        axis.set_title(words)
    axes[-1, 1].set_xlabel("severity (0 = clean)")
    legend(figure, list(dict.fromkeys(frame[key])), labels)
    return figure


def load_class_iou(by_condition: pd.DataFrame) -> pd.DataFrame:
    """Return segmenter, condition, train_class, iou, from ``Results.segmentation_by_condition``."""
    long = by_condition.melt(
        ["segmenter", "condition"], [f"iou_{c}" for c in TRAIN_CLASSES], "train_class", "iou"
    )
    return long.assign(train_class=long.train_class.str.removeprefix("iou_"))


def _class_axis(axis: Axes, names: Sequence[str]) -> None:
    axis.set_yticks(range(len(names)), [LANGUAGE_NAMES[n] for n in names])
    for tick, name in zip(axis.get_yticklabels(), names, strict=True):
        if LANGUAGE_NAMES[name] in CRITICAL_CLASSES:
            tick.set_fontweight("bold")
    axis.set_ylim(-0.7, len(names) - 0.3)


@styled
def plot_class_iou(frame: pd.DataFrame, labels: Mapping[str, str]) -> Figure:
    """One dot for each class and segmenter, clean images; safety-critical names in bold."""
    clean = frame[frame.condition == "clean"]
    table = clean.pivot(index="train_class", columns="segmenter", values="iou")
    table = table.loc[table.mean(axis=1).fillna(-1).sort_values().index]
    figure, axes = new_figure(5.4)
    axis = axes[0, 0]
    for y, (_, row) in enumerate(table.iterrows()):
        if row.notna().any():
            axis.plot([row.min(), row.max()], [y, y], color=GREY, linewidth=1, zorder=1)
    models = list(dict.fromkeys(clean.segmenter))
    for model in models:
        axis.scatter(
            table[model],
            range(len(table)),
            s=42,
            color=colour(model),
            marker=marker(model),
            zorder=2,
        )
    _class_axis(axis, list(table.index))
    axis.set(xlabel="IoU on clean images", xlim=(-0.02, 1))
    legend(figure, models, labels)
    return figure


@styled
def plot_class_drop(frame: pd.DataFrame, segmenter: str) -> Figure:
    """A map of classes by conditions: the IoU that is left, as a share of the clean IoU."""
    rows = frame[frame.segmenter == segmenter]
    table = rows.pivot(index="train_class", columns="condition", values="iou")
    table = table[[c for c in ordered(table.columns) if c != "clean"]].div(
        table["clean"].where(table["clean"] > 0.02), axis=0
    )
    table = table.reindex([c for c in reversed(TRAIN_CLASSES) if c in table.index])
    figure, axes = new_figure(5.6)
    axis = axes[0, 0]
    image = axis.imshow(table, cmap="cividis", vmin=0, vmax=1, aspect="auto", origin="lower")
    for (y, x), left in np.ndenumerate(table.to_numpy()):
        text = "–" if np.isnan(left) else f"{100 * left:.0f}"
        axis.text(x, y, text, ha="center", va="center", fontsize=9,
                  color="white" if left < 0.55 else "black")  # fmt: skip
    axis.set_xticks(range(len(table.columns)), table.columns)
    _class_axis(axis, list(table.index))
    axis.set_ylim(-0.5, len(table) - 0.5)
    axis.grid(visible=False)
    figure.colorbar(image, ax=axis, location="top", shrink=0.6, label="share of the clean IoU")
    return figure
