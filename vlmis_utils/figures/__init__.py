"""The pictures of the book: a ``load_`` gives the frame, a ``plot_`` draws it, `show` embeds it.

Figures are built without pyplot, so a page's kernel shows each exactly once.
"""

from vlmis_utils.figures.language import (
    METRICS,
    plot_changes,
    plot_correlations,
    plot_presence,
    plot_scatter,
    plot_smr_split,
)  # fmt: skip
from vlmis_utils.figures.quality import (
    load_class_iou,
    plot_class_drop,
    plot_class_iou,
    plot_ladders,
)  # fmt: skip
from vlmis_utils.figures.scenes import (
    colourise,
    load_class_shares,
    load_psnr,
    load_reasons,
    plot_class_shares,
    plot_gallery,
    plot_palette,
    plot_psnr,
    plot_reasons,
)  # fmt: skip
from vlmis_utils.figures.style import CONDITION_NAMES, FAMILIES, colour, load_labels, ordered, show

__all__ = [
    "CONDITION_NAMES", "FAMILIES", "METRICS", "colour", "colourise", "load_class_iou",
    "load_class_shares", "load_labels", "load_psnr", "load_reasons", "ordered", "plot_changes",
    "plot_class_drop", "plot_class_iou", "plot_class_shares", "plot_correlations", "plot_gallery",
    "plot_ladders", "plot_palette", "plot_presence", "plot_psnr", "plot_reasons", "plot_scatter",
    "plot_smr_split", "show",
]  # fmt: skip
