"""Absent classes, relative errors and drift, in sentences."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from vlmis_utils.core.formatting import estimate, listing, number
from vlmis_utils.protocol.conditions import FAMILIES

__all__ = ["split_gaps", "stable_half", "worse_than_constants"]


def split_gaps(rows: pd.DataFrame, labels: Mapping[str, str]) -> list[str]:
    """Return, for each VLM, how often it says yes by split, on clean pictures and over all others.

    Args:
        rows: from `analysis.presence_splits.presence_splits`.
        labels: words of VLMs.
    """
    lines = []
    for vlm, group in rows.groupby("vlm", sort=False):
        parts = []
        for words, part in (
            ("on clean images", group[group.condition == "clean"]),
            ("on degraded ones (mean over conditions)", group[group.condition != "clean"]),
        ):
            means = part.groupby("split", sort=False).yes.mean().dropna()
            if len(means):
                parts.append(f"{words} {listing(f'{number(v)} ({k})' for k, v in means.items())}")
        lines.append(
            f"**{labels.get(vlm, vlm)}**, share of absent classes called present: "
            f"{'; '.join(parts) or 'no value'}."
        )
    return lines


def worse_than_constants(rows: pd.DataFrame, labels: Mapping[str, str]) -> list[str]:
    """Return, for each error, which models do worse than an answer that never looks, and where.

    Args:
        rows: from `analysis.relative_scores.relative_scores`.
        labels: words of models.
    """
    lines = []
    for measure, group in rows.dropna(subset=["to_constant"]).groupby("measure", sort=False):
        worse = group[group.to_constant > 1]
        named = listing(
            f"{labels.get(r.model, r.model)} under {FAMILIES[r.family]} ({number(r.to_constant)})"
            for r in worse.itertuples()
        )
        said = f"worse than the best constant: {named}" if len(worse) else "none is worse"
        lines.append(f"**{measure}**, {len(group)} pairs of model and corruption: {said}.")
    return lines


def stable_half(rows: pd.DataFrame, labels: Mapping[str, str]) -> list[str]:
    """Return, for each VLM, what embedding drift tells of changed decisions.

    Args:
        rows: from `analysis.drift.drift_by_corruption`.
        labels: words of VLMs.
    """
    if rows.empty:
        return []
    lines = []
    for vlm, group in rows.groupby("vlm", sort=False):
        each = (
            f"{FAMILIES[r.family]}: {number(r.stable_flips)} of the decisions change in the "
            f"stabler half against {number(r.flips)} of all, AUC "
            f"{estimate(r.auc, r.low, r.high) if r.auc == r.auc else 'not defined'}"
            for r in group.itertuples()
        )
        lines.append(f"**{labels.get(vlm, vlm)}**, {'; '.join(each)}.")
    return lines
