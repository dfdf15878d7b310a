"""The pictures of the book: a ``load_`` gives the frame, a ``plot_`` draws it, `show` embeds it.

Figures are built without pyplot, so a page's kernel shows each exactly once.
"""

from vlmis_utils.report.figures.language import (  # fmt: skip
    METRICS,
    plot_changes,
    plot_correlations,
    plot_presence,
    plot_scatter,
    plot_smr_split,
)
from vlmis_utils.report.figures.scenes import (  # fmt: skip
    colourise,
    load_class_shares,
    load_psnr,
    load_reasons,
    plot_class_shares,
    plot_gallery,
    plot_palette,
    plot_psnr,
    plot_reasons,
)
from vlmis_utils.report.figures.segmentation import (  # fmt: skip
    load_class_iou,
    plot_class_drop,
    plot_class_iou,
    plot_ladders,
)

__all__ = [ "METRICS", "colourise", "load_class_iou",
    "load_class_shares", "load_psnr", "load_reasons", "plot_changes",
    "plot_class_drop", "plot_class_iou", "plot_class_shares", "plot_correlations", "plot_gallery",
    "plot_ladders", "plot_palette", "plot_presence", "plot_psnr", "plot_reasons", "plot_scatter",
    "plot_smr_split",
]  # fmt: skip
