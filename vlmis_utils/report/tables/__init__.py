"""The tables of the book: a ``load_`` gives the cells, `numbered` makes them a numbered table.

A module a subject; names are looked up when they are asked for, so that a page loads what it shows.
"""

from __future__ import annotations

from vlmis_utils.core.lazy import lazy

# Module to what can be imported from here.
_HOMES = {
    "language": "load_controls load_correlations load_misalignment load_parsers load_presence"
    " load_quotes load_smr_split load_visible",
    "markdown": "Column beside cells crossed fold numbered span",
    "segmentation": "load_agreement load_class_iou load_facts load_miou load_quality load_table1",
}

__all__, __getattr__, __dir__ = lazy(__name__, _HOMES)
