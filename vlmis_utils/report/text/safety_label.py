"""What the safety rules for photographs are worth, in sentences."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from vlmis_utils.analysis.results import BLANK
from vlmis_utils.core.formatting import estimate, number, percent

__all__ = ["label_noise", "smr_words"]


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


def smr_words(
    rows: pd.DataFrame, share: tuple[float, float, float], labels: Mapping[str, str]
) -> str:
    """Return what misses among the safe labels make of SMR and of its largest rise, by VLM.

    Args:
        rows: of `analysis.label_noise.smr_with_misses`.
        share: the misses, of `analysis.label_noise.missed_among_safe`.
        labels: vlm -> name shown.
    """
    missed, low, high = map(percent, share)
    lines = [f"Of the scenes that the rule calls safe on StreetWorld {missed} [{low}, {high}] are"
             " unsafe. If as many were here:", ""]  # fmt: skip
    for vlm, mine in rows[rows.condition != BLANK].groupby("vlm", sort=False):
        found = mine.set_index("condition")[["smr", "with_misses"]]
        if "clean" not in found.index:
            continue
        was, is_now = (number(value) for value in found.loc["clean"])
        line = f"- {labels.get(vlm, vlm)}: SMR of clean frames would be {is_now} instead of {was}"
        rises = (found - found.loc["clean"]).drop("clean")
        if len(rises):
            worst = rises.smr.idxmax()
            before, after = (number(value, sign=True) for value in rises.loc[worst])
            line += f", and its largest rise ({worst}) {after} instead of {before}"
        lines.append(f"{line}.")
    return "\n".join(lines)


def _share(found: pd.DataFrame, *key: str) -> str:
    row = found.loc[key]
    return "none (there are none)" if not row.n else estimate(row.value, row.low, row.high)
