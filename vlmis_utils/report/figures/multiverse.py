"""Pictures of the multiverse: a specification curve, and the verdicts of all specifications."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from vlmis_utils.analysis.multiverse.curves import CONCLUSION, FOUND
from vlmis_utils.report.figures.language import METRICS
from vlmis_utils.report.style import INK, new_figure, styled

__all__ = ["plot_specification", "plot_verdicts"]

# Colours of the diverging scheme PuOr of ColorBrewer, which the colour-blind tell apart, and grey.
_COLOURS = {"up": "#B35806", "same": "#B5BAC2", "down": "#542788"}
_WORDS = {"up": "above zero", "same": "not told from zero", "down": "below zero"}
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
    above.fill_between(x, rows.low, rows.high, step="mid", color="#e3e6ea", linewidth=0)
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
    handles = [
        Line2D([], [], linestyle="", marker="o", color=_COLOURS[v], label=_WORDS[v])
        for v in _COLOURS if (rows.verdict == v).any()
    ] + [Line2D([], [], linestyle="", marker="D", color="white", markeredgecolor=INK,
                label="the study's own")]  # fmt: skip
    figure.legend(handles=handles, loc="outside upper center", ncols=2, handletextpad=0.2)
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
    names = list(dict.fromkeys(found[list(by)].itertuples(index=False, name=None)))
    metrics = [m for m in METRICS if (found.metric == m).any()]
    figure, axes = new_figure(0.95 + 0.27 * len(names), 1, len(metrics), sharey=True)
    for axis, metric in zip(axes[0], metrics, strict=True):
        rows = found[found.metric == metric].set_index(list(by)).reindex(names)
        start = np.zeros(len(names))
        for verdict in ("down", "same", "up"):
            share = rows[verdict].fillna(0).to_numpy(float)
            axis.barh(np.arange(len(names)), share, left=start, color=_COLOURS[verdict], height=0.8)
            own = np.flatnonzero(rows.verdict == verdict)
            middle = (start + share / 2)[own]
            axis.scatter(middle, own, s=16, color="white", edgecolor=INK, zorder=3)
            start = start + share
        axis.set_title(METRICS[metric], fontsize=11)
        axis.set(xlim=(0, 1), xticks=[0, 0.5, 1], ylim=(len(names) - 0.4, -0.6))
        axis.set_xticklabels(["0", "½", "1"])
        axis.grid(visible=False)
    axes[0, 0].set_yticks(
        np.arange(len(names)), [", ".join(labels.get(n, n) for n in name) for name in names]
    )
    figure.supxlabel("share of specifications", fontsize=11)
    handles: list[object] = [
        Patch(color=_COLOURS[v], label=_WORDS[v]) for v in ("down", "same", "up")
    ]
    handles.append(Line2D([], [], linestyle="", marker="o", color="white", markeredgecolor=INK,
                          label="the study's own"))  # fmt: skip
    figure.legend(handles=handles, loc="outside upper center", ncols=2)
    return figure


def _levels(rows: pd.DataFrame) -> list[tuple[str, str, bool]]:
    """Return (choice, level, whether it is the study's own), own levels first in their choice."""
    own = rows[rows.own]
    found = []
    for key in (c for c in rows if c not in FOUND and (c not in CONCLUSION or _varies(rows[c]))):
        chosen = own[key].iloc[0] if len(own) else ""
        names = sorted(rows[key].unique(), key=lambda name: name != chosen)
        found += [(key, name, name == chosen) for name in names]
    return found


def _varies(column: pd.Series) -> bool:
    return column.nunique() > 1


def _matrix(axis: Axes, rows: pd.DataFrame, levels: list[tuple[str, str, bool]]) -> None:
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
    return name if name.startswith(("mIoU", "ε")) else name[:1].upper() + name[1:]
