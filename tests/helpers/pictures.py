"""What every picture of the book is held to."""

from __future__ import annotations

import io

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.colors import same_color, to_rgba
from matplotlib.figure import Figure
from PIL import Image

from vlmis_utils.report import style
from vlmis_utils.report.style import show


def readable(figure: Figure) -> None:
    """No title inside, page width, ticks large enough to read, something drawn on white."""
    assert figure.get_suptitle() == "" and figure.get_figwidth() == style.WIDTH
    ticks = [t for a in figure.axes for t in (*a.get_xticklabels(), *a.get_yticklabels())]
    assert min(tick.get_fontsize() for tick in ticks) >= 9
    picture = Image.open(io.BytesIO(show(figure, dpi=60).data)).convert("RGB")
    assert picture.getpixel((0, 0)) == (255, 255, 255)
    assert len(picture.getcolors(maxcolors=1 << 20)) > 5


def drawn_points(axis: Axes) -> tuple[np.ndarray, np.ndarray]:
    """Return where the points of a panel lie, (N, 2), and which of them are hollow, (N,)."""
    held = [c for c in axis.collections if isinstance(c, PathCollection) and len(c.get_offsets())]
    places = np.concatenate([np.asarray(c.get_offsets()) for c in held])
    white = [np.broadcast_to((c.get_facecolor() == 1).all(axis=1), len(c.get_offsets()))
             for c in held]  # fmt: skip
    return places, np.concatenate(white)


def drawn_intervals(axis: Axes, colour: str) -> np.ndarray:
    """Return the ends of the lines of one colour in a panel, (N, 2, 2) of x and y."""
    lines = [c for c in axis.collections if isinstance(c, LineCollection)]
    ends = [
        segment for line in lines
        for segment, tint in zip(line.get_segments(), line.get_color(), strict=True)
        if same_color(tint[:3], to_rgba(colour)[:3])
    ]  # fmt: skip
    return np.array(ends)
