"""Stacked horizontal bars: how a whole splits into parts, by condition or choice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from vlmis_utils.report.figures.intervals import seaborn_theme
from vlmis_utils.report.style import new_figure, patch_legend

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["plot_stacked"]


def plot_stacked(
    frame: pd.DataFrame,
    parts: Mapping[str, tuple[str, str]],
    along: str,
    height: float,
    *,
    columns: str | None = None,
    rows: str | None = None,
    titles: Mapping[str, str] | None = None,
    names: Mapping[Any, str] | None = None,
    more: Sequence[Any] = (),
    legend_columns: int = 3,
) -> Figure:
    """Draw a bar for each row of a frame, its parts beside each other from the left.

    Args:
        frame: one row a bar, in the order from top to bottom.
        parts: column of a part to its words and colour, from left to right; a missing one is 0.
        along: column of the bar's place.
        height: of the figure, in inches.
        columns, rows: one of them, a column of the frame whose values are panels.
        titles: of the panels, by those values.
        names: value of ``along`` to the words shown.
        more: handles that the legend has beside the parts.
    """
    import seaborn.objects as so

    keys = [c for c in (along, columns, rows) if c]
    long = frame[[*keys, *parts]].melt(keys, list(parts), "part", "share").fillna({"share": 0})
    places = list(dict.fromkeys(frame[along]))
    panels = {"col": columns, "row": rows}
    order = {d: list(dict.fromkeys(frame[c])) for d, c in panels.items() if c}
    figure, _ = new_figure(height, rows=0)
    plot = so.Plot(long, x="share", y=along, color="part").add(
        so.Bar(alpha=1, width=0.8, edgecolor="white", edgewidth=0.6),
        so.Stack(),
        orient="y",
        legend=False,
    )
    if order:
        plot = plot.facet(**panels, order=order)
    tints = {part: tint for part, (_, tint) in parts.items()}
    plot = plot.scale(color=so.Nominal(tints, order=list(tints)), y=so.Nominal(order=places))
    plot.label(x="", y="").theme(seaborn_theme()).on(figure).plot()
    for axis in figure.axes:
        axis.set_title("")
        axis.set_yticks(range(len(places)), [(names or {}).get(p, p) for p in places])
        axis.grid(axis="y", visible=False)
        axis.tick_params(axis="y", length=0)
    for axis, value in zip(figure.axes, sum(order.values(), []), strict=False):
        axis.set_title((titles or {}).get(value, value), loc="left" if rows else "center")
    patch_legend(figure, dict(parts.values()), more, legend_columns)
    return figure
