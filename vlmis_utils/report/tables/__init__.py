"""The tables of the book: a ``load_`` gives the cells, `numbered` makes them a numbered table."""

from vlmis_utils.report.tables.language import (
    load_controls,
    load_correlations,
    load_misalignment,
    load_parsers,
    load_presence,
    load_quotes,
    load_smr_split,
    load_visible,
)
from vlmis_utils.report.tables.markdown import beside, fold, numbered, span
from vlmis_utils.report.tables.segmentation import (
    load_agreement,
    load_class_iou,
    load_facts,
    load_miou,
    load_quality,
    load_table1,
)

__all__ = [
    "beside", "fold", "load_agreement", "load_class_iou", "load_controls", "load_correlations",
    "load_facts", "load_misalignment", "load_miou", "load_parsers", "load_presence",
    "load_quality", "load_quotes", "load_smr_split", "load_table1", "load_visible", "numbered",
    "span",
]  # fmt: skip
