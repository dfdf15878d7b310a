"""Natural low light beside the ladder of Table 1, over mean luma."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pandas as pd

from vlmis_utils.analysis.natural_light import DUSK, Light
from vlmis_utils.report.figures.intervals import plot_intervals
from vlmis_utils.report.style import colour, legend, mark_handle, marker, new_figure, styled
from vlmis_utils.report.tables.natural_light import ladder_words
from vlmis_utils.report.text.sentences import NAMES

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["plot_light", "plot_light_gap"]


@styled
def plot_light(levels: pd.DataFrame, labels: Mapping[str, str]) -> Figure:
    """A panel a measure: the ladder of the day frames over mean luma, and dusk as a large mark.

    Args:
        levels: of `analysis.natural_light.Light`.
        labels: model name to label.
    """
    measures = list(dict.fromkeys(levels.measure))
    columns = 2
    lines = -(-len(measures) // columns)
    figure, axes = new_figure(0.8 + 2.0 * lines, lines, columns)
    for axis in axes.flat[len(measures) :]:
        axis.remove()
    for axis, measure in zip(axes.flat, measures, strict=False):
        for model, own in levels[levels.measure == measure].groupby("model", sort=False):
            look = {"color": colour(model), "marker": marker(model)}
            ladder, dusk = own[own.light != DUSK], own[own.light == DUSK]
            for part, style in ((ladder, {"markersize": 4}), (dusk, {"markersize": 9})):
                errors = [part.value - part.value_low, part.value_high - part.value]
                axis.errorbar(part.luma, part.value, errors, elinewidth=1, **look, **style,
                              linestyle="-" if part is ladder else "")  # fmt: skip
        axis.set(ylabel=NAMES[measure], ylim=(0, None))
    for axis in axes[-1]:
        axis.set_xlabel("mean luma")
    models = list(dict.fromkeys(levels.model))
    handles = [mark_handle(labels.get(m, m), colour(m), marker(m)) for m in models]
    legend(figure, [*handles, mark_handle("large: dusk", markersize=9)])
    return figure


@styled
def plot_light_gap(light: Light, labels: Mapping[str, str]) -> Figure:
    """The change by dusk, and that of the ladder beside it, for each model and measure.

    Args:
        light: day, darkened day and dusk.
        labels: model name to label.
    """
    matched = light.matched
    kinds = {"natural": "dusk", "synthetic": ladder_words(light)}
    rows = pd.concat(
        matched[["model", "measure"]].assign(
            kind=kind, change=matched[kind], low=matched[f"{kind}_low"],
            high=matched[f"{kind}_high"],
            place=[f"{labels.get(m, m)}, {NAMES[q]}"
                   for m, q in zip(matched.model, matched.measure, strict=True)],
        )
        for kind in kinds
    )  # fmt: skip
    looks = {"natural": ("#332288", "D"), "synthetic": ("#999933", "o")}
    return plot_intervals(
        rows, "change", "place", "kind", 1.1 + 0.34 * len(matched), labels=kinds, looks=looks,
        line=0, words="change from day",
    )  # fmt: skip
