"""One look for every figure: white card, colour-blind-safe colours, one colour for each model.

Colours are those of Okabe and Ito (2008). A figure is 5.4 inches wide with 11-point text, which a
phone 390 pixels wide shows at about ten pixels; a white card reads in light and in dark theme.
The look starts from matplotlib's own defaults, so that a reader's ``matplotlibrc``, styles or
seaborn settings change nothing. Figures are unknown to pyplot: a page shows each exactly once.
"""

from __future__ import annotations

import contextlib
import functools
import io
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import numpy as np

from vlmis_utils.protocol.models import architecture, load_catalogue

if TYPE_CHECKING:
    from IPython.display import Image
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = [
    "FAMILY_LOOKS", "FEW", "GREY", "INK", "LINES", "PALE", "RIGHT", "WIDTH", "WRONG", "Look",
    "book_look", "colour", "label_lines", "legend", "load_labels", "mark_handle", "marker",
    "new_figure", "patch_legend", "show", "styled",
]  # fmt: skip

Look = tuple[str, str]  # colour and marker

WIDTH = 5.4  # inches
FEW = 3  # lines that are named beside their ends; more have a legend
INK, GREY, PALE = "#1b1f24", "#8a8f98", "#e3e6ea"
# For lines that are no model: blue, orange, green and purple of Okabe and Ito.
LINES = ("#0072B2", "#E69F00", "#009E73", "#CC79A7")
# What is right or safe, and what is wrong or unsafe; what is undecided is GREY.
RIGHT, WRONG = "#009E73", "#D55E00"
# The families of conditions, where they are told apart by colour or by marker.
FAMILY_LOOKS: dict[str, Look] = {
    "clean": (GREY, "*"), "LL": ("#332288", "o"), "MB": ("#117733", "s"), "OCC": ("#882255", "^"),
}  # fmt: skip

_MODELS: dict[str, Look] = {
    "deeplabv3plus": ("#0072B2", "o"), "segformer": ("#E69F00", "s"),
    "mask2former": ("#009E73", "^"), "clip": ("#D55E00", "o"), "siglip": ("#56B4E9", "s"),
    "qwen2-vl": ("#CC79A7", "^"),
}  # fmt: skip
_OTHERS = ("#332288", "#117733", "#882255", "#999933", "#44AA99", "#AA4499")

_LOOK: dict[str, Any] = {
    "font.family": "sans-serif", "font.sans-serif": ["DejaVu Sans"], "font.size": 11,
    "axes.titlesize": 11, "axes.labelsize": 11, "xtick.labelsize": 10, "ytick.labelsize": 10,
    "figure.labelsize": 11, "legend.fontsize": 10, "legend.frameon": False,
    "axes.spines.top": False, "axes.spines.right": False, "axes.grid": True, "grid.color": PALE,
    "grid.linewidth": 0.8, "axes.axisbelow": True, "axes.edgecolor": GREY, "text.color": INK,
    "axes.labelcolor": INK, "xtick.color": INK, "ytick.color": INK, "lines.linewidth": 1.8,
    "lines.markersize": 6,
}  # fmt: skip

_P, _R = ParamSpec("_P"), TypeVar("_R")


@contextlib.contextmanager
def book_look() -> Iterator[None]:
    """Inside, matplotlib has its own defaults and the book's look; outside, what it had before."""
    import matplotlib as mpl

    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(_LOOK)
        yield


def styled(plot: Callable[_P, _R]) -> Callable[_P, _R]:
    """Draw inside `book_look`."""

    @functools.wraps(plot)
    def inside(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        with book_look():
            return plot(*args, **kwargs)

    return inside


def new_figure(height: float, rows: int = 1, columns: int = 1, **grid: Any) -> tuple[Figure, Any]:
    """Return a figure `WIDTH` wide and its axes, an array (rows, columns); no axes for rows=0."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    return figure, figure.subplots(rows, columns, squeeze=False, **grid) if rows else None


def show(figure: Figure, photographs: bool = False, dpi: int = 160) -> Image:
    """Return a figure as the image that a page embeds: PNG, or JPEG for photographs."""
    from IPython.display import Image

    buffer = io.BytesIO()
    kind = "jpeg" if photographs else "png"
    options = {"pil_kwargs": {"quality": 88}} if photographs else {}
    with book_look():
        figure.savefig(buffer, format=kind, dpi=dpi, **options)
    return Image(buffer.getvalue(), format=kind)


def colour(model: str) -> str:
    """Return a model's colour, the same on every page; a new model gets one from its name."""
    if architecture(model) in _MODELS:
        return _MODELS[architecture(model)][0]
    return _OTHERS[zlib.crc32(model.encode()) % len(_OTHERS)]


def marker(model: str) -> str:
    """Return a model's marker, so that lines differ without colour too."""
    return _MODELS.get(architecture(model), ("", "D"))[1]


def load_labels(models: str | Path = "params/models.yaml", full: bool = False) -> dict[str, str]:
    """Return model name -> short name for figures, or the full name for captions and text."""
    return {n: e.shown if full else e.label for n, e in load_catalogue(models).items()}


def mark_handle(words: str, tint: str = GREY, mark: str = "o", **line: Any) -> Any:
    """Return a legend's handle: a marker, with a line where ``linestyle`` is given."""
    from matplotlib.lines import Line2D

    return Line2D([], [], color=tint, marker=mark, label=words, **{"linestyle": ""} | line)


def legend(figure: Figure, handles: Sequence[Any], columns: int = 3, **options: Any) -> None:
    """Put one legend above the panels, its handles in lines of ``columns``."""
    by_line = [handle for start in range(columns) for handle in handles[start::columns]]
    figure.legend(handles=by_line, loc="outside upper center", ncols=min(columns, len(handles)),
                  **{"handletextpad": 0.3} | options)  # fmt: skip


def patch_legend(
    figure: Figure, tints: Mapping[str, str], more: Sequence[Any] = (), columns: int = 3
) -> None:
    """Put a legend of coloured patches above the panels: words to colour, then ``more`` handles."""
    from matplotlib.patches import Patch

    patches = [Patch(color=tint, label=words) for words, tint in tints.items()]
    legend(figure, [*patches, *more], columns, handletextpad=0.8)


def label_lines(axis: Axes, ends: Mapping[str, tuple[float, float, str]], size: float = 10) -> None:
    """Write names beside the right ends of lines, in place of a legend; limits must be set.

    Args:
        axis: where.
        ends: words to the last point of a line, x and y in data units, and its colour.
        size: of the words, in points.
    """
    if not ends:
        return
    places = {w: axis.transData.transform((x, y)) for w, (x, y, _) in ends.items()}
    box = axis.get_window_extent()
    apart = 1.25 * size / 72 * axis.figure.dpi / box.height  # of lines of text
    order = sorted(places, key=lambda w: places[w][1])
    heights = np.array([(places[w][1] - box.y0) / box.height for w in order])
    shifts = apart * np.arange(len(order))
    moved = np.maximum.accumulate(heights - shifts) + shifts
    moved -= max(0.0, (moved - heights).max() / 2)
    for words, height in zip(order, moved, strict=True):
        axis.annotate(words, (1.0, height), xycoords="axes fraction", xytext=(5, 0),
                      textcoords="offset points", va="center", color=ends[words][2],
                      fontsize=size)  # fmt: skip
