"""Flips both ways: how many scenes turn to failure under a condition, and how many turn back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from vlmis_utils.protocol.conditions import ordered
from vlmis_utils.report.figures.language import METRICS
from vlmis_utils.report.style import GREY, INK, colour, new_figure, styled

__all__ = ["plot_flips"]


@styled
def plot_flips(
    frame: pd.DataFrame,
    labels: Mapping[str, str],
    metrics: Sequence[str] = ("cor", "smr"),
    alpha: float = 0.05,
) -> Figure:
    """Rows metrics, columns models: bars to the right turn to failure, bars to the left turn back.

    Args:
        frame: from `analysis.changes.misalignment_tests`.
        labels: model name to short name.
        metrics: keys of `METRICS`.
        alpha: bound of Holm's p for the filled mark at the net change.
    """
    rows = frame[frame.metric.isin(list(metrics))]
    models, names = list(dict.fromkeys(rows.vlm)), ordered(rows.condition)[::-1]
    height = 1.1 + (0.5 + 0.23 * len(names)) * len(metrics)
    figure, axes = new_figure(height, len(metrics), len(models), sharex=True, sharey=True)
    for line, metric in zip(axes, metrics, strict=True):
        for axis, model in zip(line, models, strict=True):
            mine = rows[(rows.vlm == model) & (rows.metric == metric)]
            mine = mine.set_index("condition").reindex(names)
            up, down = mine.destructive / mine.n, mine.corrective / mine.n
            axis.barh(names, up, color=colour(model))
            axis.barh(names, -down, color=colour(model), alpha=0.45)
            axis.axvline(0, color=INK, linewidth=1)
            faces = [INK if kept else "white" for kept in mine.holm <= alpha]
            axis.scatter(up - down, names, marker="D", s=18, c=faces, edgecolor=INK, zorder=3)
            axis.grid(axis="y", visible=False)
            axis.tick_params(axis="y", length=0)
        line[0].set_ylabel(METRICS[metric])
    reach = (
        max((rows.destructive / rows.n).max(), 0.02),
        max((rows.corrective / rows.n).max(), 0.02),
    )
    axes[0, 0].set_xlim(-1.1 * reach[1] - 0.02, 1.1 * reach[0])
    axes[0, 0].xaxis.set_major_locator(MaxNLocator(4))
    axes[0, 0].xaxis.set_major_formatter(lambda x, _: f"{abs(x):.2g}")
    for axis, model in zip(axes[0], models, strict=True):
        axis.set_title(labels.get(model, model))
    axes[-1, len(models) // 2].set_xlabel("share of scenes")
    mark = {"linestyle": "", "marker": "D", "markersize": 5}
    handles = [
        Patch(color=GREY, alpha=0.45, label="recover (left)"),
        Patch(color=GREY, label="fail that were fine (right)"),
        Line2D([], [], **mark, color=INK, label=f"net, Holm's p ≤ {alpha}"),
        Line2D([], [], **mark, color="white", markeredgecolor=INK, label="net, not told from 0"),
    ]
    figure.legend(handles=handles, loc="outside upper center", ncols=2)
    return figure
