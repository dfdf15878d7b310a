"""Points with intervals by group, in panels: what most figures of the book are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from vlmis_utils.report.style import INK, Look, colour, legend, mark_handle, marker, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["coefficient_axes", "plot_intervals", "seaborn_theme"]


def plot_intervals(
    frame: pd.DataFrame,
    value: str,
    along: str,
    by: str,
    height: float,
    *,
    labels: Mapping[str, str] | None = None,
    more: Sequence[Any] = (),
    words: str = "",
    names: Mapping[str, str] | None = None,
    columns: str | None = None,
    titles: Mapping[str, str] | None = None,
    wrap: int | None = None,
    rows: str | None = None,
    row_titles: Mapping[str, str] | None = None,
    interval: tuple[str, str] | None = ("low", "high"),
    wide: tuple[str, str] | None = None,
    line: float | None = None,
    marks: str | None = None,
    filled: str | None = None,
    within: str | None = None,
    looks: Mapping[str, Look] | None = None,
    reference: pd.DataFrame | None = None,
    connect: bool = False,
    upright: bool = False,
    apart: float | None = None,
    share: Mapping[str, bool | str] | None = None,
    size: float = 5,
) -> Figure:
    """Draw a point with its interval for each row, coloured and marked by group.

    Without ``upright``, places are categories from top to bottom, and values run to the right. With
    it, places are numbers along x, and values run upward. Categories and panels come in the order
    of their words where those are given, else in that of the frame.

    Args:
        frame: one row a point; rows without a value are left out.
        value: column of the value.
        along: column of the place; ``names`` gives words for categories.
        by: column of the group; ``looks`` gives colours and markers, those of models otherwise.
        height: of the figure, in inches.
        labels: words of groups, for a legend with ``more`` handles; None for no legend.
        words: what runs along x.
        columns, rows: columns whose values are panels, with ``titles`` above and ``row_titles``
            beside; ``wrap`` columns in a line.
        interval: columns of its lower and upper end, drawn as a thin line; None for none.
        wide: columns of a second interval, drawn as a thick pale line.
        line: a value at which a line is drawn across; dashed unless it is 0.
        marks: column of the marker, when it is not the group.
        filled: column of truth values; a point where it is false is hollow.
        within: column that sets points of one group at one place apart.
        reference: rows with the same columns to compare with, hollow and dotted.
        connect: join the points of a group.
        apart: how far the first and the last group at one place are apart.
        share: axes that panels share, as in `seaborn.objects.Plot.share`.
        size: of a point, in points.

    Returns:
        The figure; its panels are empty without a single value.
    """
    import seaborn.objects as so

    figure, _ = new_figure(height, rows=0)
    groups, places = list(dict.fromkeys(frame[by])), _order(frame, along, names)
    across, down = _order(frame, columns, titles), _order(frame, rows, row_titles)
    moves = _spread(groups, (0.2 if upright else 0.46) if apart is None else apart)
    known, printed = (
        f if f is None else f.dropna(subset=[value], ignore_index=True)
        for f in (frame, reference)
    )  # fmt: skip
    shifts = {by: moves} | ({within: _spread(frame[within], 0.13)} if within else {})
    for part in (f for f in (known, printed) if f is not None):
        start = part[along] if upright else part[along].map(list(places).index)
        part["place"] = sum((part[c].map(s).astype(float) for c, s in shifts.items()),
                            start.astype(float))  # fmt: skip
    x, y, ends = ("place", value, "y") if upright else (value, "place", "x")
    layer: dict[str, Any] = {"orient": "x" if upright else "y", "legend": False}
    plot = so.Plot(known, x=x, y=y, color=by, marker=marks or by)
    for pair, style in ((wide, {"linewidth": 3.5, "alpha": 0.45}), (interval, {"linewidth": 1.1})):
        if pair:
            plot = plot.add(so.Range(**style), **layer,
                            **{f"{ends}min": pair[0], f"{ends}max": pair[1]})  # fmt: skip
    if connect:
        plot = plot.add(so.Line(linewidth=1.6), **layer, marker=None, group=marks or by)
    hollow = {"fill": filled} if filled else {}
    plot = plot.add(so.Dot(pointsize=size, edgewidth=1), **layer, **hollow)
    if printed is not None:
        dotted = so.Line(linewidth=1.2, linestyle=":", pointsize=0.9 * size, fillcolor="white")
        plot = plot.add(dotted, data=printed, **layer)
    orders = {d: list(o) for d, o in (("col", across), ("row", down)) if o}
    if orders:
        plot = plot.facet(columns, rows, wrap=wrap, order=orders)
    tints = {g: looks[g][0] if looks else colour(g) for g in groups}
    signs = {g: looks[g][1] if looks else marker(g) for g in dict.fromkeys(frame[marks or by])}
    scales = {"color": tints, "marker": signs} | ({"fill": {True: True, False: False}} if filled
                                                  else {})  # fmt: skip
    plot = plot.scale(**{p: so.Nominal(v, order=list(v)) for p, v in scales.items()})
    plot = plot.share(**dict(share or {})).label(x="", y="")
    if known.empty:
        figure.subplots(max(1, len(down)), max(1, len(across)))
    else:
        plot.theme(seaborn_theme()).on(figure).plot()
    for axis in figure.axes:
        axis.set_title("")
        for points in axis.collections:
            faces = points.get_facecolor()
            points.set_facecolor(np.where(faces[:, 3:] == 0, 1.0, faces))
        if line is not None:
            rule = axis.axhline if upright else axis.axvline
            rule(line, color=INK, linewidth=1, linestyle="--" if line else "-", zorder=0.9)
        if not upright:
            axis.set(ylim=(len(places) - 0.5, -0.5))
            axis.set_yticks(range(len(places)), places.values())
            axis.tick_params(axis="y", length=0)
    for axis, title in zip(figure.axes, across.values(), strict=False):
        axis.set_title(title, fontsize=11 if len(across) < 3 else 10)
    for axis, title in zip(figure.axes[:: max(1, len(across))], down.values(), strict=False):
        axis.set_ylabel(title)
    if words:
        figure.supxlabel(words)
    if labels is not None:
        dash = {"linestyle": "-"} if connect else {}
        handles = [mark_handle(labels.get(g, g), tints[g], signs.get(g, "o"), **dash)
                   for g in groups]  # fmt: skip
        legend(figure, [*handles, *more])
    return figure


def _spread(values: Iterable[str], reach: float) -> dict[str, float]:
    """Return a shift for each value, evenly from -reach / 2 to reach / 2."""
    each = list(dict.fromkeys(values))
    steps = np.linspace(-reach / 2, reach / 2, len(each)) if len(each) > 1 else [0.0]
    return dict(zip(each, steps, strict=True))


def _order(
    frame: pd.DataFrame, column: str | None, words: Mapping[str, str] | None
) -> dict[str, str]:
    """Return the values that occur in a column, in the order of their words, with those words."""
    found = dict.fromkeys(frame[column]) if column else {}
    known = words or {}
    kept = [*(v for v in known if v in found), *(v for v in found if v not in known)]
    return {value: known.get(value, value) for value in kept}


def seaborn_theme() -> dict[str, Any]:
    """Return the look in force as a theme of `seaborn.objects`, which has one of its own."""
    import matplotlib as mpl
    import seaborn.objects as so

    return {key: mpl.rcParams[key] for key in so.Plot.config.theme}


def coefficient_axes(figure: Figure) -> Figure:
    """Let every panel run from -1 to 1."""
    for axis in figure.axes:
        axis.set(xlim=(-1.05, 1.05), xticks=[-1, -0.5, 0, 0.5, 1])
        axis.set_xticklabels(["−1", "", "0", "", "1"])
    return figure
