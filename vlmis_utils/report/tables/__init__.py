"""The tables of the book: a ``load_`` gives the cells, `numbered` makes them a numbered table.

A module a subject; names are looked up when they are asked for, so that a page loads what it shows.
"""

from __future__ import annotations

import importlib
from typing import Any

# Module to what can be imported from here.
_HOMES = {
    "language": "load_controls load_correlations load_misalignment load_parsers load_presence"
    " load_quotes load_smr_split load_visible",
    "markdown": "Column beside cells crossed fold numbered span",
    "segmentation": "load_agreement load_class_iou load_facts load_miou load_quality load_table1",
}
_WHERE = {name: module for module, names in _HOMES.items() for name in names.split()}

__all__ = sorted(_WHERE)


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_WHERE[name]}"), name)


def __dir__() -> list[str]:
    return __all__
