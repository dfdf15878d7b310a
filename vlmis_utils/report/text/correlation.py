"""What the correlations at four levels show, in sentences chosen from the numbers.

A coefficient is told from zero where its 95 % interval leaves zero out. Frames come from
`analysis.correlation`.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from vlmis_utils.core.formatting import listing, number, percent

__all__ = [
    "LEVEL_WORDS", "METRIC_NAMES", "ALPHA", "counts", "false_alarm_finding", "holm_findings",
    "interval_finding", "level_findings", "opposition_finding", "partial_findings",
    "richness_finding", "share_finding", "strata_findings", "told", "ways",
]  # fmt: skip

ALPHA = 0.05
METRIC_NAMES: dict[str, str] = {"hr": "HR", "cor": "COR", "smr": "SMR"}
_NAMES = {"miou": "mIoU"} | METRIC_NAMES
LEVEL_WORDS: dict[str, str] = {
    "conditions": "over conditions",
    "images": "over pictures",
    "within": "within scenes",
    "between": "between scenes",
}


def told(frame: pd.DataFrame, low: str = "low", high: str = "high") -> pd.Series:
    """Return -1, 0 or 1 for each row: below zero, not told from it, above it, by its interval.

    >>> told(pd.DataFrame({"low": [-0.4, -0.1, 0.1], "high": [-0.2, 0.2, 0.5]})).tolist()
    [-1, 0, 1]
    """
    return (frame[low] > 0).astype(int) - (frame[high] < 0).astype(int)


def counts(frame: pd.DataFrame) -> dict[str, int]:
    """Return how many coefficients there are, and how many are told from zero, which way.

    Returns:
        pairs (with a coefficient), negative, positive, unclear.
    """
    rows = frame.dropna(subset=["r"])
    way = told(rows)
    number_of = {"negative": int((way < 0).sum()), "positive": int((way > 0).sum())}
    return {"pairs": len(rows), **number_of, "unclear": int((way == 0).sum())}


def ways(frame: pd.DataFrame) -> str:
    """Return in words how many coefficients are told from zero, and which way.

    >>> ways(pd.DataFrame({"r": [-0.3, 0.1], "low": [-0.4, -0.1], "high": [-0.2, 0.2]}))
    'negative in 1 of 2'
    """
    n = counts(frame)
    if not n["pairs"]:
        return "without a coefficient, as nothing varies or points are too few"
    parts = [f"{way} in {n[way]}" for way in ("negative", "positive") if n[way]]
    if not parts:
        return f"told from zero in none of {n['pairs']}"
    return f"{listing(parts)} of {n['pairs']}"


def level_findings(frame: pd.DataFrame, method: str = "spearman") -> list[str]:
    """Return a sentence for each metric: how it goes with mIoU at each level.

    Args:
        frame: from `analysis.correlation.correlations`.
    """
    found = []
    for metric, rows in frame[frame.method == method].groupby("metric", sort=False):
        parts = [
            f"{LEVEL_WORDS[level]} {ways(group)}{_range(group.r)}"
            for level, group in rows.groupby("over", sort=False)
        ]
        found.append(f"**{METRIC_NAMES[metric]}** is {'; '.join(parts)}.")
    return found


def _range(r: pd.Series) -> str:
    if not r.notna().any():
        return ""
    low, high = number(r.min()), number(r.max())
    return f" ({low})" if low == high else f" ({low} to {high})"


def opposition_finding(frame: pd.DataFrame, method: str = "spearman") -> str:
    """Return whether within and between scenes point opposite ways, and what pooling makes of it.

    Args:
        frame: from `analysis.correlation.correlations`.
    """
    rows = frame[frame.method == method].copy()
    rows["way"] = told(rows)
    table = rows.pivot(index=["metric", "vlm", "segmenter"], columns="over", values="way")
    table = table.reindex(columns=list(LEVEL_WORDS)).dropna(subset=["within", "between"])
    against = table[table.within * table.between < 0]
    total = f"{len(table)} combinations of metric, VLM and segmenter"
    if against.empty:
        return (
            f"In none of the {total} are the coefficients within and between scenes both told from "
            "zero with opposite signs."
        )
    metrics = [METRIC_NAMES[m] for m in dict.fromkeys(against.index.get_level_values("metric"))]
    down = int((against.within < 0).sum())
    kinds = {
        "negative within and positive between": down,
        "positive within and negative between": len(against) - down,
    }
    turned = listing(f"{kind} in {n}" for kind, n in kinds.items() if n)
    hidden = int((against.images == 0).sum())
    text = (
        f"In {len(against)} of the {total} the coefficients within and between scenes are both "
        f"told from zero and have opposite signs ({turned}; {listing(metrics)}). "
    )
    if not hidden:
        return text + "The pooled coefficient is a mixture of the two."
    return text + (
        f"Pooled over pictures, {hidden} of these {len(against)} cannot be told from zero: two "
        "relations cancel, and the mixture looks like no relation."
    )


def holm_findings(frame: pd.DataFrame) -> list[str]:
    """Return a sentence for each level: how many p are small, before and after Holm's correction.

    Args:
        frame: from `analysis.correlation.correlations`.
    """
    found = []
    for level, rows in frame.groupby("over", sort=False):
        parts = []
        for method, group in rows.groupby("method", sort=False):
            tests = group.p.notna().sum()
            parts.append(
                f"{method.capitalize()} {(group.p < ALPHA).sum()} of {tests} below {ALPHA}, "
                f"{(group.holm < ALPHA).sum()} after correction"
            )
        found.append(f"**{LEVEL_WORDS[level].capitalize()}**: {'; '.join(parts)}.")
    return found


def interval_finding(frame: pd.DataFrame, method: str = "spearman") -> str:
    """Return how the two intervals over conditions compare.

    Args:
        frame: from `analysis.correlation.correlations`.
    """
    rows = frame[(frame.over == "conditions") & (frame.method == method)]
    rows = rows.dropna(subset=["fisher_low", "scene_low"])
    if rows.empty:
        return "Over conditions no interval can be computed."
    fisher, scene = (told(rows, f"{k}_low", f"{k}_high").ne(0).sum() for k in ("fisher", "scene"))
    widths = [number((rows[f"{k}_high"] - rows[f"{k}_low"]).median()) for k in ("fisher", "scene")]
    return (
        f"Of {len(rows)} coefficients over conditions, Fisher's interval leaves zero out in "
        f"{fisher}, the interval over scenes in {scene}; half of Fisher's intervals are wider than "
        f"{widths[0]}, half of the others wider than {widths[1]}."
    )


def partial_findings(frame: pd.DataFrame, method: str = "spearman") -> list[str]:
    """Return a sentence for each level: what is left of the correlations given the condition.

    Args:
        frame: from `analysis.confounding.partial_correlations`.
    """
    found = []
    for level, rows in frame[frame.method == method].groupby("over", sort=False):
        parts = []
        for given, group in rows.groupby("given", sort=False):
            size = (
                f", median size {number(group.r.abs().median())}" if group.r.notna().any() else ""
            )
            parts.append(f"given {given} {ways(group)}{size}")
        found.append(f"**{LEVEL_WORDS[level].capitalize()}**: {'; '.join(parts)}.")
    return found


def strata_findings(frame: pd.DataFrame, method: str = "spearman") -> list[str]:
    """Return a sentence for each metric: its correlation over pictures in each stratum.

    Args:
        frame: from `analysis.confounding.stratified_correlations`.
    """
    rows = frame[(frame.method == method) & (frame.over == "images")]
    found = []
    for metric, mine in rows.groupby("metric", sort=False):
        parts = []
        for (kind, stratum), group in mine.groupby(["kind", "stratum"], sort=False):
            parts.append(f"{'under' if kind == 'corruption' else 'at'} {stratum} {ways(group)}")
        found.append(f"**{METRIC_NAMES[metric]}** is {'; '.join(parts)}.")
    return found


def false_alarm_finding(rates: Mapping[float, Mapping[str, float]]) -> str:
    """Return what counting pictures as independent does to p, from simulated unrelated numbers.

    Args:
        rates: share of the variance that is the scene's -> `pooled` and `clustered` of
            `analysis.validation.error_rates.pooling_errors`.
    """
    most = max(rates)
    clustered = np.array([r["clustered"] for r in rates.values()])
    low, high = percent(clustered.min()), percent(clustered.max())
    return (
        f"Where the scene makes {percent(most)} of the variance, the pooled p calls "
        f"{percent(rates[most]['pooled'])} of unrelated studies correlated. The p over scenes "
        f"calls {low if low == high else f'{low} to {high}'}, over all shares tried."
    )


def richness_finding(frame: pd.DataFrame) -> str:
    """Return in how many models each quantity goes with the number of classes in a scene.

    Args:
        frame: from `analysis.confounding.scene_richness`.
    """
    parts = [
        f"for {_NAMES[quantity]} {ways(rows)} models"
        for quantity, rows in frame.groupby("quantity", sort=False)
    ]
    return f"Correlation with the number of classes in a scene: {'; '.join(parts)}."


def share_finding(frame: pd.DataFrame) -> str:
    """Return how much of the variance of mIoU and of each metric is the scene's.

    Args:
        frame: from `analysis.confounding.scene_shares`.
    """
    parts = []
    for quantity, rows in frame.dropna(subset=["share"]).groupby("quantity", sort=False):
        low, high = percent(max(0.0, rows.share.min())), percent(max(0.0, rows.share.max()))
        of = "that" if parts else "the variance"
        parts.append(f"{low if low == high else f'{low} to {high}'} of {of} of {_NAMES[quantity]}")
    if not parts:
        return "No variance can be divided."
    return (
        "In this run, with the means of conditions taken away, the scene makes "
        f"{listing(parts)}, over the models."
    )
