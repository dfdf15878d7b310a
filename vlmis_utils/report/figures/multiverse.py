"""Figures of the multiverse: a specification curve, and the verdicts of all specifications."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from vlmis_utils.analysis.multiverse.curves import CONCLUSION, FOUND
from vlmis_utils.core.formatting import capital
from vlmis_utils.protocol.conditions import CONDITION_NAMES
from vlmis_utils.report.figures.bars import plot_stacked
from vlmis_utils.report.style import GREY, INK, PALE, legend, mark_handle, new_figure, styled
from vlmis_utils.report.words import METRICS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["plot_specification", "plot_verdicts"]

# Colours of the diverging scheme PuOr of ColorBrewer, which the colour-blind tell apart, and grey.
_COLOURS = {"up": "#B35806", "same": GREY, "down": "#542788"}
_WORDS = {"up": "interval above 0", "same": "interval includes 0", "down": "interval below 0"}
_BINS = 150  # columns of the matrix: more specifications share one


@styled
def plot_specification(rows: pd.DataFrame, words: str, labels: Mapping[str, str]) -> Figure:
    """Draw the estimates of one conclusion in rising order, above the choices that led to each.

    The shaded band holds the intervals, the diamond is the study's own specification. Below, a row
    a level: it is marked where a specification uses the level, in the colour of its verdict. With
    many specifications neighbours share a column, the paler the fewer of them use the level.

    Args:
        rows: from `analysis.multiverse.robustness.rows_of`.
        words: what the estimate is, for the axis.
        labels: segmenter -> name.
    """
    levels = _levels(rows)
    rows = rows.dropna(subset=["estimate"]).sort_values("estimate", kind="stable")
    count = len(rows)
    heights = [1.9, 0.2 * len(levels)]
    figure, axes = new_figure(
        sum(heights) + 1.1, 2, 1, sharex=True, gridspec_kw={"height_ratios": heights}
    )
    above, below = axes[:, 0]
    x = np.arange(1, count + 1)
    above.fill_between(x, rows.low, rows.high, step="mid", color=PALE, linewidth=0)
    above.axhline(0, color=INK, linewidth=1)
    tints = [_COLOURS[verdict] for verdict in rows.verdict]
    above.scatter(x, rows.estimate, s=14 if count < 60 else 6, color=tints, zorder=3)
    own = np.flatnonzero(rows.own) + 1
    for axis in (above, below):
        for place in own:
            axis.axvline(place, color=INK, linewidth=0.8, linestyle=":")
    above.scatter(own, rows.estimate.to_numpy()[own - 1], s=60, marker="D", color="white",
                  edgecolor=INK, zorder=4)  # fmt: skip
    above.set_ylabel(words)
    above.grid(axis="x", visible=False)
    _matrix(below, rows, levels)
    names = [labels.get(level, level) if key == "segmenter" else level for key, level, _ in levels]
    below.set_yticks(np.arange(len(levels)), [_capital(name) for name in names], fontsize=9)
    for tick, (_, _, chosen) in zip(below.get_yticklabels(), levels, strict=True):
        tick.set_fontweight("bold" if chosen else "normal")
    below.set_xlabel(f"{count} specifications, sorted")
    seen = [verdict for verdict in _COLOURS if (rows.verdict == verdict).any()]
    handles = [mark_handle(_WORDS[verdict], _COLOURS[verdict]) for verdict in seen]
    own_mark = mark_handle("the study's own", INK, "D", markerfacecolor="white")
    legend(figure, [*handles, own_mark], 2)
    return figure


@styled
def plot_verdicts(found: pd.DataFrame, labels: Mapping[str, str], by: Sequence[str]) -> Figure:
    """Draw, one panel a metric and one bar a conclusion, the shares of specifications by verdict.

    A dot marks the verdict of the study's own specification.

    Args:
        found: from `analysis.multiverse.robustness.robustness`.
        labels: model -> name.
        by: columns that make a row, such as vlm and condition.
    """
    rows = found[found.metric.isin(METRICS)]
    rows = rows.sort_values("metric", key=lambda m: m.map(list(METRICS).index), kind="stable")
    places = {place: number for number, place in enumerate(CONDITION_NAMES)}
    models = list(dict.fromkeys(found[by[0]]))
    keys = sorted(
        dict.fromkeys(found[list(by)].itertuples(index=False, name=None)),
        key=lambda key: (models.index(key[0]), [places.get(part, 0) for part in key]),
    )
    metrics = list(dict.fromkeys(rows.metric))
    whole = pd.MultiIndex.from_tuples([(m, *key) for m in metrics for key in keys],
                                      names=["metric", *by])  # fmt: skip
    rows = rows.set_index(["metric", *by]).reindex(whole).reset_index()
    names = {", ".join(key): ", ".join(labels.get(n, n) for n in key) for key in keys}
    rows = rows.assign(line=list(names) * len(metrics))
    parts = {verdict: (_WORDS[verdict], _COLOURS[verdict]) for verdict in ("down", "same", "up")}
    own_mark = mark_handle("the study's own", INK, markerfacecolor="white")
    figure = plot_stacked(
        rows, parts, "line", 0.95 + 0.27 * len(names), columns="metric", titles=METRICS,
        names=names, more=[own_mark], legend_columns=2,
    )  # fmt: skip
    for axis, metric in zip(figure.axes, metrics, strict=True):
        mine = rows[rows.metric == metric].reset_index(drop=True)
        for place, row in mine.dropna(subset=["verdict"]).iterrows():
            before = sum(row[v] for v in list(parts)[: list(parts).index(row.verdict)])
            axis.scatter(before + row[row.verdict] / 2, place, s=16, color="white", edgecolor=INK,
                         zorder=3)  # fmt: skip
        axis.set(xlim=(0, 1), xticks=[0, 0.5, 1])
        axis.set_xticklabels(["0", "0.5", "1"])
        axis.grid(visible=False)
    figure.supxlabel("share of specifications")
    return figure


def _levels(rows: pd.DataFrame) -> list[tuple[str, str, bool]]:
    """Return (choice, level, whether it is the study's own), own levels first in their choice."""
    own = rows[rows.own]
    found = []
    for key in (
        c for c in rows if c not in FOUND and (c not in CONCLUSION or rows[c].nunique() > 1)
    ):
        chosen = own[key].iloc[0] if len(own) else ""
        names = sorted(rows[key].unique(), key=lambda name: name != chosen)
        found += [(key, name, name == chosen) for name in names]
    return found


def _matrix(axis: Axes, rows: pd.DataFrame, levels: list[tuple[str, str, bool]]) -> None:
    from matplotlib.colors import to_rgb

    count = len(rows)
    bins = max(1, min(count, _BINS))
    which = np.arange(count) * bins // max(count, 1)
    tints = np.array([to_rgb(_COLOURS[verdict]) for verdict in rows.verdict]).reshape(-1, 3)
    size = np.bincount(which, minlength=bins)
    picture = np.zeros((len(levels), bins, 4))
    for line, (key, level, _) in enumerate(levels):
        uses = (rows[key] == level).to_numpy(float)
        used = np.bincount(which, uses, bins)
        for channel in range(3):
            total = np.bincount(which, uses * tints[:, channel], bins)
            picture[line, :, channel] = total / np.maximum(used, 1)
        picture[line, :, 3] = used / np.maximum(size, 1)
    right = max(count, 1) + 0.5
    axis.imshow(picture, aspect="auto", interpolation="nearest",
                extent=(0.5, right, len(levels) - 0.5, -0.5))  # fmt: skip
    if count <= 60:
        for edge in range(1, count):
            axis.axvline(edge + 0.5, color="white", linewidth=1)
    keys = [key for key, _, _ in levels]
    for line in range(len(levels)):
        first = line > 0 and keys[line] != keys[line - 1]
        axis.axhline(line - 0.5, color=INK if first else "white", linewidth=0.6 if first else 2)
    axis.grid(visible=False)
    axis.tick_params(axis="both", length=0)


def _capital(name: str) -> str:
    return name if name.startswith("ε") else capital(name)
