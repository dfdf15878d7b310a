"""What a run shows, in sentences: every claim of the book that depends on numbers is made here.

A change counts only if its 95 % interval leaves zero out. Nothing here knows what should come out.
"""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from vlmis_utils.core.formatting import direction, estimate, listing, number, strength

__all__ = [
    "blindness", "correlation_counts", "correlation_findings", "cover",
    "misalignment_findings", "quality_findings", "sight", "strongest", "trend_counts",
    "worst_change",
]  # fmt: skip

_WORDS = {
    "hr": "hallucination (HR)",
    "cor": "critical omission (COR)",
    "smr": "safety misjudgement (SMR)",
}
_UPPER = {"hr": "HR", "cor": "COR", "smr": "SMR", "f1": "F1"}


def trend_counts(changes: pd.DataFrame) -> dict[str, int]:
    """Return how many changes are above zero, below zero, and not told from zero.

    Args:
        changes: one row each, with low and high.

    >>> trend_counts(pd.DataFrame({"low": [0.1, -0.2], "high": [0.3, 0.2]}))
    {'up': 1, 'down': 0, 'same': 1}
    """
    ways = [direction(r.low, r.high, "up", "down", "same") for r in changes.itertuples()]
    return {way: ways.count(way) for way in ("up", "down", "same")}


def quality_findings(changes: pd.DataFrame, labels: Mapping[str, str]) -> list[str]:
    """Return a sentence for each segmenter: in how many conditions it loses mIoU, and where most.

    Args:
        changes: from `analysis.changes.quality_changes`.
    """
    found = []
    for segmenter, rows in changes.groupby("segmenter", sort=False):
        count = trend_counts(rows)
        worst = rows.loc[rows.delta.idxmax()]
        found.append(
            f"**{labels.get(segmenter, segmenter)}** loses mIoU in {count['up']} of {len(rows)} "
            f"degraded conditions, most under {worst.condition}: "
            f"{estimate(-worst.delta, -worst.high, -worst.low, sign=True)}."
        )
    return found


def misalignment_findings(changes: pd.DataFrame, labels: Mapping[str, str]) -> list[str]:
    """Return a sentence for each VLM: in how many conditions HR, COR and SMR rise or fall.

    Args:
        changes: from `analysis.changes.misalignment_changes`.
    """
    found = []
    rows = changes[(changes.condition != "blank") & (changes.metric != "f1")]
    for vlm, mine in rows.groupby("vlm", sort=False):
        parts = []
        for metric, group in mine.groupby("metric", sort=False):
            count = trend_counts(group)
            most = group.loc[group.delta.abs().idxmax()]
            parts.append(
                f"{_UPPER[metric]} rises in {count['up']} and falls in {count['down']} of "
                f"{len(group)} conditions (largest change {most.condition}, "
                f"{estimate(most.delta, most.low, most.high, sign=True)})"
            )
        found.append(f"**{labels.get(vlm, vlm)}**: {'; '.join(parts)}.")
    return found


def worst_change(changes: pd.DataFrame, model: str, key: str) -> str:
    """Return the change for the worse that stands out most from its interval, or that none does.

    Args:
        changes: rows with ``key``, condition, delta, low, high, positive meaning worse, and
            metric where there are several.
        model: name in the column ``key``.
    """
    rows = changes[(changes[key] == model) & (changes.condition != "blank") & (changes.low > 0)]
    if rows.empty:
        return "no change for the worse beyond its interval"
    row = rows.loc[rows.low.idxmax()]
    metric = row.get("metric", "mIoU loss")
    metric = _UPPER.get(metric, metric)
    return f"{metric} {estimate(row.delta, row.low, row.high, sign=True)} under {row.condition}"


def blindness(changes: pd.DataFrame, labels: Mapping[str, str]) -> list[str]:
    """Return a sentence for each VLM: does a blank image make it worse than the clean one?

    Args:
        changes: from `analysis.changes.misalignment_changes`, with the control arm.
    """
    found = []
    for vlm, rows in changes[changes.condition == "blank"].groupby("vlm", sort=False):
        parts = []
        for row in rows.itertuples():
            way = direction(row.low, row.high, "higher", "lower", "not told apart")
            parts.append(
                f"{_UPPER[row.metric]} {way} ({estimate(row.delta, row.low, row.high, sign=True)})"
            )
        name = labels.get(vlm, vlm)
        found.append(f"**{name}** on a blank image against clean: {'; '.join(parts)}.")
    return found


def correlation_counts(
    correlations: pd.DataFrame, metric: str, method: str = "spearman", over: str = "conditions"
) -> dict[str, object]:
    """Return, over all pairs of segmenter and VLM, how many correlations are told from zero.

    Returns:
        pairs (those that can be computed), negative and positive (interval leaves zero out),
        unclear, lowest and highest coefficient.
    """
    rows = correlations[
        (correlations.metric == metric)
        & (correlations.method == method)
        & (correlations.over == over)
    ].dropna(subset=["r"])
    count = trend_counts(rows)
    return {
        "pairs": len(rows), "negative": count["down"], "positive": count["up"],
        "unclear": count["same"], "lowest": rows.r.min(), "highest": rows.r.max(),
    }  # fmt: skip


def correlation_findings(
    correlations: pd.DataFrame, method: str = "spearman", over: str = "conditions"
) -> list[str]:
    """Return a sentence for each metric: how far mIoU goes with it."""
    found = []
    for metric in ("hr", "cor", "smr"):
        count = correlation_counts(correlations, metric, method, over)
        if not count["pairs"]:
            found.append(f"**{_UPPER[metric]}**: it does not vary, so nothing can be correlated.")
            continue
        found.append(
            f"**{_UPPER[metric]}** goes down with mIoU, as a proxy would demand, in "
            f"{count['negative']} of {count['pairs']} pairs of segmenter and VLM, goes up in "
            f"{count['positive']}, and is not told from zero in {count['unclear']} "
            f"(coefficients from {number(count['lowest'])} to {number(count['highest'])})."
        )
    return found


def strongest(correlations: pd.DataFrame, labels: Mapping[str, str]) -> str:
    """Return the correlation over conditions that is farthest from zero, in words."""
    rows = correlations[correlations.over == "conditions"].dropna(subset=["r"])
    if rows.empty:
        return "no correlation can be computed"
    row = rows.loc[rows.r.abs().idxmax()]
    pair = listing([labels.get(row.segmenter, row.segmenter), labels.get(row.vlm, row.vlm)])
    return f"{strength(row.r, row.low, row.high)} of {_UPPER[row.metric]} with mIoU ({pair})"


def sight(above: pd.DataFrame, labels: Mapping[str, str]) -> str:
    """Return how many VLMs do better on clean pictures than constants, as half a sentence.

    Args:
        above: from `analysis.changes.above_constant`.
    """
    vlms = list(dict.fromkeys(above.vlm))
    better = {
        measure: [labels.get(r.vlm, r.vlm) for r in rows.itertuples() if r.low > 0]
        for measure, rows in above.groupby("measure")
    }
    told = "describe better than the best constant caption, beyond the interval"
    judged = "judge safety better than the better constant answer"
    return (
        f"{len(better['f1'])} of {len(vlms)} VLMs {told} ({listing(better['f1'])}), and "
        f"{len(better['smr'])} of {len(vlms)} {judged} ({listing(better['smr'])})"
    )


def cover(
    quality: pd.DataFrame,
    quality_changes: pd.DataFrame,
    language_changes: pd.DataFrame,
    correlations: pd.DataFrame,
    above: pd.DataFrame,
    labels: Mapping[str, str],
) -> str:
    """Return what the run found as a short Markdown list, for the cover and the conclusion.

    Args:
        quality: ``Results.segmentation_by_condition()``.
        quality_changes, language_changes, correlations: from `analysis.changes`.
        above: from `analysis.changes.above_constant`.
    """
    clean = quality[quality.condition == "clean"].set_index("segmenter").miou
    worst = quality_changes.loc[quality_changes.delta.idxmax()]
    lines = [
        f"**Perception.** Clean mIoU is {_spread(clean)}; it falls beyond its interval in "
        f"{trend_counts(quality_changes)['up']} of {len(quality_changes)} pairs of segmenter and "
        f"degraded condition, most for {labels.get(worst.segmenter, worst.segmenter)} under "
        f"{worst.condition} ({estimate(-worst.delta, -worst.high, -worst.low, sign=True)})."
    ]
    degraded = language_changes[language_changes.condition != "blank"]
    parts = []
    for metric, rows in degraded[degraded.metric != "f1"].groupby("metric", sort=False):
        count = trend_counts(rows)
        parts.append(f"{_WORDS[metric]} rises in {count['up']} and falls in {count['down']}")
    pairs = len(degraded[degraded.metric == "hr"])
    lines.append(
        f"**Language.** Of {pairs} pairs of VLM and degraded condition, {listing(parts)}; the rest "
        "is not told from zero. Degradation does not push the three metrics one way."
        if _mixed(degraded)
        else f"**Language.** Of {pairs} pairs of VLM and degraded condition, {listing(parts)}; the "
        "rest is not told from zero."
    )
    parts = []
    for metric in ("hr", "cor", "smr"):
        count = correlation_counts(correlations, metric)
        parts.append(f"for {_UPPER[metric]} in {count['negative']} of {count['pairs']}")
    lines.append(
        "**Is mIoU a proxy?** Then its rank correlation with each metric over conditions would be "
        "negative. It is, beyond its interval, in these many pairs of segmenter and VLM: "
        f"{listing(parts)}."
    )
    lines.append(f"**Do the models look?** On clean pictures {sight(above, labels)}.")
    return "\n".join(f"- {line}" for line in lines)


def _spread(values: pd.Series) -> str:
    low, high = number(values.min()), number(values.max())
    return low if low == high else f"{low} to {high}"


def _mixed(changes: pd.DataFrame) -> bool:
    """Whether some metric rises under some condition and some metric falls, both told from zero."""
    count = trend_counts(changes[changes.metric != "f1"])
    return count["up"] > 0 and count["down"] > 0
