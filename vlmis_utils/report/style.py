"""One look for every picture: white card, colour-blind-safe colours, one colour for each model.

Colours are those of Okabe and Ito (2008). A figure is 5.4 inches wide with 11-point text, which a
phone 390 pixels wide shows at about ten pixels; a white card reads in light and in dark theme.
"""

from __future__ import annotations

import functools
import io
import zlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import matplotlib as mpl
from IPython.display import Image
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from vlmis_utils.protocol.models import load_catalogue

__all__ = [
    "GREY", "INK", "WIDTH", "colour", "legend",
    "load_labels", "marker", "new_figure", "show", "styled",
]  # fmt: skip

WIDTH = 5.4  # inches
INK, GREY = "#1b1f24", "#8a8f98"

_COLOURS: dict[str, str] = {
    "deeplabv3plus": "#0072B2", "segformer": "#E69F00", "mask2former": "#009E73",
    "clip": "#D55E00", "siglip": "#56B4E9", "qwen2-vl": "#CC79A7",
}  # fmt: skip
_OTHERS = ("#332288", "#117733", "#882255", "#999933", "#44AA99", "#AA4499")
_MARKERS: dict[str, str] = {
    "deeplabv3plus": "o", "segformer": "s", "mask2former": "^",
    "clip": "o", "siglip": "s", "qwen2-vl": "^",
}  # fmt: skip

_LOOK: dict[str, Any] = {
    "font.family": "sans-serif", "font.sans-serif": ["DejaVu Sans"], "font.size": 11,
    "axes.titlesize": 11, "axes.labelsize": 11, "xtick.labelsize": 10, "ytick.labelsize": 10,
    "legend.fontsize": 10, "legend.frameon": False, "axes.spines.top": False,
    "axes.spines.right": False, "axes.grid": True, "grid.color": "#e3e6ea", "grid.linewidth": 0.8,
    "axes.axisbelow": True, "axes.edgecolor": GREY, "text.color": INK, "axes.labelcolor": INK,
    "xtick.color": INK, "ytick.color": INK, "lines.linewidth": 1.8, "lines.markersize": 6,
    "figure.facecolor": "white", "axes.facecolor": "white", "savefig.facecolor": "white",
}  # fmt: skip

_P, _R = ParamSpec("_P"), TypeVar("_R")


def styled(plot: Callable[_P, _R]) -> Callable[_P, _R]:
    """Draw inside the book's look, and leave everyone else's matplotlib settings alone."""

    @functools.wraps(plot)
    def inside(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        with mpl.rc_context(_LOOK):
            return plot(*args, **kwargs)

    return inside


def new_figure(height: float, rows: int = 1, columns: int = 1, **grid: Any) -> tuple[Figure, Any]:
    """Return a figure `WIDTH` wide, not known to pyplot, and its array of axes (rows, columns)."""
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    return figure, figure.subplots(rows, columns, squeeze=False, **grid)


def show(figure: Figure, photographs: bool = False, dpi: int = 160) -> Image:
    """Return a figure as the picture that a page embeds: PNG, or JPEG for photographs."""
    buffer = io.BytesIO()
    kind = "jpeg" if photographs else "png"
    options = {"pil_kwargs": {"quality": 88}} if photographs else {}
    figure.savefig(buffer, format=kind, dpi=dpi, **options)
    return Image(buffer.getvalue(), format=kind)


def colour(model: str) -> str:
    """Return a model's colour, the same on every page; a new model gets one from its name."""
    return _COLOURS.get(model) or _OTHERS[zlib.crc32(model.encode()) % len(_OTHERS)]


def load_labels(models: str | Path = "params/models.yaml", full: bool = False) -> dict[str, str]:
    """Return model name -> short name for figures, or the full name for captions and text."""
    return {n: e.shown if full else e.label for n, e in load_catalogue(models).items()}


def marker(model: str) -> str:
    """Return a model's marker, so that lines differ without colour too."""
    return _MARKERS.get(model, "D")


def legend(
    figure: Figure, models: Sequence[str], labels: Mapping[str, str], axes: Axes | None = None
) -> None:
    """Put one legend of models above the panels."""
    from matplotlib.lines import Line2D

    handles = [
        Line2D([], [], color=colour(m), marker=marker(m), label=labels.get(m, m)) for m in models
    ]
    figure.legend(handles=handles, loc="outside upper center", ncols=min(3, len(models)))
