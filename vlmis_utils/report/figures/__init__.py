"""The figures of the book: a ``load_`` gives the frame, a ``plot_`` draws it, `show` embeds it.

A module a subject; names are looked up when they are asked for, so that a page loads what it draws.
"""

from __future__ import annotations

from vlmis_utils.core.lazy import lazy

# Module to what can be imported from here.
_HOMES = {
    "language": "METRICS plot_changes plot_correlations plot_presence plot_scatter plot_smr_split",
    "scenes": "colourise load_class_shares load_psnr load_reasons plot_class_shares plot_gallery"
    " plot_palette plot_psnr plot_reasons",
    "segmentation": "load_class_iou plot_class_drop plot_class_iou plot_ladders",
}

__all__, __getattr__, __dir__ = lazy(__name__, _HOMES)
