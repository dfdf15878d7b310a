"""Tables of the safety label: rules for photographs against geometry, and a label that changed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from vlmis_utils.report.tables.markdown import Column, crossed
from vlmis_utils.training.evaluation import store
from vlmis_utils.training.evaluation.label_agreement import FILE

__all__ = ["load_label_agreement", "load_label_change", "read_label_agreement"]

_STAGES = {"old label": "label that they learned", "learned on": "today's, learned on"}
_TODAY = "today's label"


def read_label_agreement(folder: str | Path = store.FOLDER) -> pd.DataFrame:
    """Return the rows that `training.evaluation.label_agreement` wrote."""
    return store.read(FILE, folder)


def load_label_agreement(rows: pd.DataFrame) -> pd.DataFrame:
    """Return rule, against what, and sensitivity and specificity with 95 % intervals as cells.

    Args:
        rows: from `read_label_agreement`; *unsafe* is the positive.
    """
    value = Column("", "value", interval=("low", "high"))
    lead = [Column("rule", "rule"), Column("against", "against")]
    return crossed(rows, lead, "measure", value)


def load_label_change(
    clean: pd.DataFrame, labels: Mapping[str, str], folder: str | Path = store.FOLDER
) -> pd.DataFrame:
    """Return what a changed safety label did: a row a model and measure, with 95 % intervals.

    Args:
        clean: rows of ``clean.csv``, of the checkpoints as they are.
        labels: model name to the name shown.
        folder: of ``label_change.csv``: the same checkpoints under the label that they had learned,
            and what `training.recipes.further` made of them, which was not kept.
    """
    tried = store.read("label_change.csv", folder)
    known = clean[clean.measure.isin(set(tried.measure)) & clean.model.isin(set(tried.model))]
    parts = [tried[tried.stage == stage].assign(when=when) for stage, when in _STAGES.items()]
    rows = pd.concat([parts[0], known.assign(when=_TODAY), *parts[1:]], ignore_index=True)
    lead = [Column("model", "model", words=labels), Column("measure", "measure")]
    return crossed(rows, lead, "when", Column("", "value", interval=("low", "high")))
