"""What every picture of the book is held to."""

from __future__ import annotations

import io

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
