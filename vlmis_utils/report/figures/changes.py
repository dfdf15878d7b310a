"""Changes in both directions: how many scenes fail under a condition only, and how many recover."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import pandas as pd

from vlmis_utils.protocol.conditions import ordered
from vlmis_utils.report.style import GREY, INK, colour, legend, mark_handle, new_figure, styled
from vlmis_utils.report.words import METRICS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["plot_transitions"]


@styled
def plot_transitions(
    frame: pd.DataFrame,
    labels: Mapping[str, str],
    metrics: Sequence[str] = ("cor", "smr"),
    alpha: float = 0.05,
) -> Figure:
    """Rows metrics, columns models: bars to the right turn to failure, bars to the left recover.

    Args:
        frame: from `analysis.changes.misalignment_tests`.
        labels: model name to short name.
        metrics: keys of `METRICS`.
        alpha: bound of Holm's p for the filled mark at the net change.
    """
    import seaborn as sns
    from matplotlib.patches import Patch
    from matplotlib.ticker import MaxNLocator

    rows = frame[frame.metric.isin(list(metrics))]
    rows = rows.assign(worse=rows.destructive / rows.n, better=-rows.corrective / rows.n)
    models, names = list(dict.fromkeys(rows.vlm)), ordered(rows.condition)
    height = 1.1 + (0.5 + 0.23 * len(names)) * len(metrics)
    figure, axes = new_figure(height, len(metrics), len(models), sharex=True, sharey=True)
    for line, metric in zip(axes, metrics, strict=True):
        for axis, model in zip(line, models, strict=True):
            mine = rows[(rows.vlm == model) & (rows.metric == metric)]
            for column, alpha_of_bar in (("worse", 1), ("better", 0.45)):
                sns.barplot(mine, x=column, y="condition", order=names, color=colour(model),
                            saturation=1, alpha=alpha_of_bar, legend=False, ax=axis)  # fmt: skip
            axis.axvline(0, color=INK, linewidth=1)
            faces = [INK if clear else "white" for clear in mine.holm <= alpha]
            places = [names.index(name) for name in mine.condition]
            axis.scatter(mine.worse + mine.better, places, marker="D", s=18, c=faces,
                         edgecolor=INK, zorder=3)  # fmt: skip
            axis.grid(axis="y", visible=False)
            axis.tick_params(axis="y", length=0)
            axis.set(xlabel="", ylabel="")
        line[0].set_ylabel(METRICS[metric])
    left, right = min(rows.better.min(), -0.02), max(rows.worse.max(), 0.02)
    axes[0, 0].set_xlim(1.1 * left - 0.02, 1.1 * right)
    axes[0, 0].xaxis.set_major_locator(MaxNLocator(4))
    axes[0, 0].xaxis.set_major_formatter(lambda x, _: f"{abs(x):.2g}")
    for axis, model in zip(axes[0], models, strict=True):
        axis.set_title(labels.get(model, model))
    figure.supxlabel("share of scenes")
    handles = [
        Patch(color=GREY, alpha=0.45, label="recover (left)"),
        Patch(color=GREY, label="newly fail (right)"),
        mark_handle(f"net change, Holm's p ≤ {alpha}", INK, "D", markersize=5),
        mark_handle("net change, not significant", INK, "D", markersize=5,
                    markerfacecolor="white"),
    ]  # fmt: skip
    legend(figure, handles, 2, handletextpad=0.6)
    return figure
