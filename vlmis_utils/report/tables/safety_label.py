"""Table of a safety label that changed after models had learned it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from vlmis_utils.report.tables.markdown import Column, crossed
from vlmis_utils.training.evaluation import store

__all__ = ["load_label_change"]

_STAGES = {"old label": "label that they learned", "learned on": "today's, learned on"}
_TODAY = "today's label"


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
