"""How many scenes, and how many pairs: what a study of a given size can detect."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from vlmis_utils.core.formatting import number
from vlmis_utils.report.style import INK, LINES, label_lines, new_figure, styled
from vlmis_utils.statistics.power import (
    detectable_change,
    detectable_correlation,
    half_width,
    scenes_needed,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = [
    "RATES", "SHARES", "load_detectable", "load_needed", "load_sizes", "plot_detectable",
    "power_cells",
]  # fmt: skip

# Shares of scenes that flip either way, and rates, for which tables and curves are drawn.
SHARES: tuple[float, ...] = (0.1, 0.2, 0.4)
RATES: tuple[float, ...] = (0.5, 0.2, 0.05)

_DASHES = ("-", "--", ":", "-.")


def load_detectable(
    sizes: Sequence[int], shares: Sequence[float] = SHARES, power: float = 0.8
) -> pd.DataFrame:
    """Return what can be detected with each number of scenes, or of pairs.

    Args:
        sizes: numbers of scenes or pairs.
        shares: of scenes that flip.
        power: chance of p <= 0.05 at the detectable size.

    Returns:
        One row a size: n; half width of the 95 % interval of a rate of 0.5 (``half_0.5``) and the
        others of `RATES`; smallest change of a rate (``change_0.1`` and the other shares) found by
        exact McNemar; ``r``, smallest correlation. NaN where nothing can be found.
    """
    rows = []
    for n in sizes:
        row: dict[str, float] = {"n": n}
        row |= {f"half_{rate:g}": half_width(rate, n) for rate in RATES}
        row |= {f"change_{share:g}": detectable_change(n, share, power) for share in shares}
        rows.append(row | {"r": detectable_correlation(n, power)})
    return pd.DataFrame(rows)


def load_sizes(largest: int = 1000, smallest: int = 6, steps: int = 60) -> list[int]:
    """Return numbers of scenes, evenly spread on a logarithmic scale, each once.

    >>> load_sizes(40, 10, 3)
    [10, 20, 40]
    """
    spread = np.geomspace(smallest, largest, steps).round().astype(int)
    return [int(n) for n in np.unique(spread)]


def power_cells(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the finished cells of a table from `load_detectable`."""
    cells = {"n": [str(int(n)) for n in frame.n]}
    for column in frame.columns.drop("n"):
        kind, _, size = column.partition("_")
        words = {"half": f"rate {size}", "change": f"{100 * float(size or 0):.0f} % flip"}
        cells[words.get(kind, "correlation")] = [
            number(v, 3 if kind == "half" else 2) for v in frame[column]
        ]
    return pd.DataFrame(cells)


def load_needed(
    changes: Sequence[float], shares: Sequence[float] = SHARES, power: float = 0.8
) -> pd.DataFrame:
    """Return the scenes that changes need, as finished cells: a row a change, a column a share."""
    cells: dict[str, list[str]] = {"change": [number(change) for change in changes]}
    for share in shares:
        cells[f"{100 * share:.0f} % flip"] = [
            str(scenes_needed(change, share, power)) if change <= share else number(math.nan)
            for change in changes
        ]
    return pd.DataFrame(cells)


@styled
def plot_detectable(
    frame: pd.DataFrame, marks: Mapping[str, int], pairs: Mapping[str, int]
) -> Figure:
    """Above the smallest change of a rate over scenes, below the smallest |r| over pairs.

    Args:
        frame: from `load_detectable`.
        marks: words to a number of scenes, drawn as a line in the upper panel.
        pairs: words to a number of pairs, drawn in the lower panel.
    """
    figure, axes = new_figure(6.6, 2, 1)
    above, below = axes[:, 0]
    curves = [c for c in frame if c.startswith("change_")]
    for column, tint, dash in zip(curves, LINES, _DASHES, strict=False):
        above.plot(frame.n, frame[column], color=tint, linestyle=dash)
    below.plot(frame.n, frame.r, color=INK)
    above.set(ylabel="smallest change of a rate", xlabel="scenes")
    below.set(ylabel="smallest |r|", xlabel="pairs")
    ticks = [n for n in (10, 20, 50, 100, 200, 500, 1000, 2000) if n <= frame.n.max()]
    for axis, lines in ((above, marks), (below, pairs)):
        axis.set(xscale="log", xlim=(frame.n.min(), frame.n.max()), ylim=(0, None))
        axis.set_xticks(ticks, [str(n) for n in ticks])
        axis.minorticks_off()
        _mark(axis, lines)
    ends = {f"{100 * float(c.removeprefix('change_')):.0f} % discordant": (c, tint)
            for c, tint in zip(curves, LINES, strict=False)}  # fmt: skip
    last = frame.n.max()
    label_lines(above, {w: (last, frame[c].iloc[-1], t) for w, (c, t) in ends.items()})
    return figure


def _mark(axis: Axes, lines: Mapping[str, int]) -> None:
    """Draw a line at each size, its words above the panel; equal sizes share one line."""
    joined: dict[int, list[str]] = {}
    for words, n in lines.items():
        joined.setdefault(n, []).append(words)
    sizes = sorted(joined)
    for n in sizes:
        axis.axvline(n, color=INK, linewidth=1, linestyle=(0, (2, 2)))
        near = [other for other in sizes if other != n and 0.4 < other / n < 2.5]
        side = "center" if not near else "right" if min(near) > n else "left"
        axis.annotate(
            f"{', '.join(joined[n])}\n{n}", (n, 1.0), xycoords=("data", "axes fraction"),
            xytext=(0, 3), textcoords="offset points", va="bottom", ha=side,
        )  # fmt: skip
