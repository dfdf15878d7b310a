"""What the safety rules for photographs are worth, in sentences."""

from __future__ import annotations

import pandas as pd

from vlmis_utils.core.formatting import estimate

__all__ = ["label_noise"]


def label_noise(rows: pd.DataFrame) -> str:
    """Return how far the labels of photographs can be trusted, as StreetWorld tells it.

    Args:
        rows: of ``label_agreement.csv``.
    """
    found = rows.set_index(["rule", "against", "measure"])
    parts = []
    for rule in dict.fromkeys(rows.rule):
        known = "road user in the corridor"
        hits, passes = (_share(found, rule, known, m) for m in ("sensitivity", "specificity"))
        whole = _share(found, rule, "whole label", "sensitivity")
        parts.append(
            f"The {rule} rule finds {hits} of the scenes with a road user in the corridor and "
            f"passes {passes} of those without; of all that geometry calls unsafe it finds {whole}."
        )
    return " ".join(parts)


def _share(found: pd.DataFrame, *key: str) -> str:
    row = found.loc[key]
    return "none (there are none)" if not row.n else estimate(row.value, row.low, row.high)
