"""What could warn, in sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from vlmis_utils.analysis.warnings.signals import TARGETS
from vlmis_utils.core.formatting import capital, estimate, listing, number, percent

__all__ = ["avoided", "best_signals", "control", "kept_promises", "unpredictable", "unseen"]


def best_signals(single: pd.DataFrame, labels: Mapping[str, str]) -> list[str]:
    """Return, for each failure, the label-free signal with the highest AUC for each VLM.

    The best of many is flattered by chance; its interval does not know that it was chosen.
    """
    rows = single.dropna(subset=["auc"])
    lines = []
    for target, group in rows[rows.source != "truth"].groupby("target", sort=False):
        best = group.loc[group.groupby("vlm", sort=False).auc.idxmax()]
        said = (
            f"{labels.get(r.vlm, r.vlm)} by “{r.words}”, AUC {estimate(r.auc, r.low, r.high)}"
            for r in best.itertuples()
        )
        lines.append(f"**{capital(TARGETS[target])}**: {listing(said)}.")
    return lines


def avoided(rows: pd.DataFrame, labels: Mapping[str, str], refused: Sequence[float]) -> list[str]:
    """Return which share of the failures refusing avoids, for each failure.

    Args:
        rows: from `analysis.warnings.refusal.refusals`.
        labels: words of VLMs.
        refused: shares of refused answers.
    """
    if rows.empty:
        return []
    lines = []
    for target, group in rows[rows.score == "all signals"].groupby("target", sort=False):
        parts = []
        for share in refused:
            ends = (f"avoided_{share:g}{end}" for end in ("", "_low", "_high"))
            columns = (group[name] for name in ends)
            each = (
                f"{estimate(*numbers)} of those of {labels.get(vlm, vlm)}"
                for vlm, *numbers in zip(group.vlm, *columns, strict=True)
            )
            parts.append(f"refusing {percent(share)} of the answers avoids {listing(each)}")
        lines.append(f"**{capital(TARGETS[target])}**: {'; '.join(parts)}.")
    return lines


def unpredictable(single: pd.DataFrame, labels: Mapping[str, str]) -> list[str]:
    """Return which failures cannot be predicted in a run, and why."""
    rows = single[single.reason != ""]
    return [
        f"{capital(TARGETS[r.target])} of {labels.get(r.vlm, r.vlm)}: {r.reason}."
        for r in rows.itertuples()
    ]


def within(single: pd.DataFrame) -> str:
    """Return what is left of signals where only images of one condition are compared."""
    rows = single[single.auc.notna() & single.source.ne("truth")]
    if rows.empty:
        return ""
    warns = rows[rows.low > 0.5]
    said = (
        f"Over all images {len(warns)} of {len(rows)} comparisons of a signal, a VLM and a failure "
        "have an interval above 0.5."
    )
    if warns.within.isna().all():
        return said
    whole, part = warns.auc.mean(), warns.within.mean()
    line = (
        f"{said} The mean AUC of those is {number(whole)}; where only images of one condition are "
        f"compared it is {number(part)}."
    )
    lost = " What is lost was knowledge of the condition, not of the image."
    return line + (lost if whole - part >= 0.005 else "")


def unseen(models: pd.DataFrame) -> str:
    """Return what all signals lose when a corruption was never seen, compared within each."""
    rows = models[models.features == "all signals"]
    wide = rows.pivot_table(index=["vlm", "target"], columns="protocol", values="auc")
    if not {"known corruption", "new corruption"} <= set(wide):
        return "With fewer than two corruptions in the run none can be left out."
    wide = wide.dropna(subset=["known corruption", "new corruption"])
    lost = wide["known corruption"] - wide["new corruption"]
    new = rows[rows.protocol == "new corruption"]
    above = int((new.low > 0.5).sum())
    return (
        f"On a corruption that was never seen the mean AUC is "
        f"{number(wide['new corruption'].mean())}, against "
        f"{number(wide['known corruption'].mean())} on one that was: {_change(lost.mean())}. "
        f"The 95 % interval lies above 0.5 in {above} of {len(new)} pairs of VLM and failure."
    )


def control(models: pd.DataFrame) -> str:
    """Return where models end whose target was shuffled: they should be no better than a coin."""
    rows = models[models.features.eq("shuffled target") & models.protocol.eq("new scenes")]
    if rows.empty:
        return "Nothing can be predicted in this run, so there is no control either."
    holds = int(((rows.low <= 0.5) & (rows.high >= 0.5)).sum())
    return (
        f"With the target shuffled the mean AUC is {number(rows.auc.mean())}, and {holds} of "
        f"{len(rows)} 95 % intervals hold 0.5."
    )


def kept_promises(rows: pd.DataFrame) -> list[str]:
    """Return on which pictures the risk promised was kept, and by how much it was exceeded.

    Args:
        rows: from `analysis.warnings.refusal.conformal`.
    """
    if rows.empty:
        return []
    limit = rows.limit.iloc[0]
    lines = []
    for where, group in rows.groupby(rows["where"] != "clean and mild"):
        kind = "Stronger ones" if where else "Clean and mild images, where the promise holds"
        over = int((group.risk > limit).sum())
        worst = group.loc[group.risk.idxmax()]
        lines.append(
            f"**{kind}**: a risk of {percent(limit)} was promised, {number(group.risk.min())} to "
            f"{number(group.risk.max())} was found, above the promise in {over} of {len(group)} "
            f"cases"
            + (
                f"; at worst it was {number(worst.risk / limit, 1)} times what was promised "
                f"({worst['where']})."
                if over
                else "."
            )
        )
    return lines


def _change(lost: float) -> str:
    if not np.isfinite(lost) or abs(lost) < 0.005:
        return "no difference"
    return f"{number(abs(lost))} {'less' if lost > 0 else 'more'}"
