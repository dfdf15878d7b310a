"""What the tests of `analysis.changes` show, in sentences and in finished table cells.

A change counts if p stays below 0.05 after Holm's correction. Every sentence is chosen from the
numbers and says what was tested against what.
"""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from vlmis_utils.core.formatting import estimate, listing, number
from vlmis_utils.report.tables.markdown import beside

__all__ = [
    "ALPHA", "agreement", "churn_findings", "flip_findings", "flip_summary", "flip_table",
    "p_value", "quality_finding", "quality_table", "severity_findings", "severity_table",
]  # fmt: skip

ALPHA = 0.05

_UPPER = {"hr": "HR", "cor": "COR", "smr": "SMR"}
_CORRUPTIONS = {"LL": "low light", "MB": "motion blur", "OCC": "occlusion"}


def p_value(p: float) -> str:
    """Return p as the book prints it.

    >>> p_value(0.0312), p_value(1e-9), p_value(float("nan"))
    ('0.031', '< 0.001', '–')
    """
    return "< 0.001" if p < 0.001 else number(p, 3)


# Sentences ----------------------------------------------------------------------------------------


def flip_findings(frame: pd.DataFrame, labels: Mapping[str, str]) -> list[str]:
    """Return a sentence for each VLM: how many changes are told from none, and which way they go.

    Args:
        frame: from `analysis.changes.misalignment_tests`.
    """
    found = []
    for vlm, rows in frame.groupby("vlm", sort=False):
        kept = rows[rows.holm <= ALPHA]
        parts = []
        for metric, mine in rows.groupby("metric", sort=False):
            told = mine[mine.holm <= ALPHA]
            parts.append(
                f"{_UPPER[metric]} rises in {(told.delta > 0).sum()} and falls in "
                f"{(told.delta < 0).sum()} of {len(mine)}"
            )
        text = (
            f"**{labels.get(vlm, vlm)}**: of {len(rows)} tests, {(rows.p <= ALPHA).sum()} have p "
            f"below {ALPHA}, and {len(kept)} keep it after Holm's correction: {listing(parts)} "
            "conditions."
        )
        if len(kept):
            row = kept.loc[kept.delta.abs().idxmax()]
            text += f" The largest change is {_flipped(row)}."
        found.append(text)
    return found


def churn_findings(frame: pd.DataFrame, labels: Mapping[str, str]) -> list[str]:
    """Return a sentence for each VLM: where the rate hides most flips that cancel.

    Args:
        frame: from `analysis.changes.misalignment_tests`; HR is left out, as it is no yes or no.
    """
    found = []
    for vlm, rows in frame[frame.metric != "hr"].groupby("vlm", sort=False):
        hidden = rows[["destructive", "corrective"]].min(axis=1)
        row = rows.loc[hidden.idxmax()]
        name = labels.get(vlm, vlm)
        if not hidden.max():
            found.append(f"**{name}**: under no condition do scenes flip both ways.")
            continue
        found.append(
            f"**{name}**: {_UPPER[row.metric]} under {row.condition} moves by "
            f"{number(row.delta, sign=True)}, yet {row.destructive + row.corrective} of {row.n} "
            f"scenes flip: {_flips(row)}."
        )
    return found


def agreement(frame: pd.DataFrame) -> dict[str, int]:
    """Return how often interval and exact test agree on a change of COR or SMR.

    Args:
        frame: from `analysis.changes.misalignment_tests`.

    Returns:
        tests; both (interval leaves zero out and p, uncorrected, is below 0.05); interval and
        test, those that only one of them tells from zero.
    """
    rows = frame[frame.metric != "hr"]
    away, small = (rows.low > 0) | (rows.high < 0), rows.p <= ALPHA
    return {
        "tests": len(rows), "both": int((away & small).sum()),
        "interval": int((away & ~small).sum()), "test": int((small & ~away).sum()),
    }  # fmt: skip


def severity_findings(frame: pd.DataFrame, labels: Mapping[str, str]) -> list[str]:
    """Return a sentence for each VLM: along which ladders COR and SMR differ.

    Args:
        frame: from `analysis.changes.severity_tests`.
    """
    found = []
    for vlm, rows in frame.groupby("vlm", sort=False):
        alone, clean = rows[rows.span == "severities"], rows[rows.span == "with clean"]
        flat = alone[~(alone.holm <= ALPHA)]
        ladders = [
            f"{_UPPER[r.metric]} under {_CORRUPTIONS[r.corruption]}" for r in flat.itertuples()
        ]
        text = (
            f"**{labels.get(vlm, vlm)}**: with the clean step, {(clean.holm <= ALPHA).sum()} of "
            f"{len(clean)} ladders differ between their steps; between the degraded steps alone, "
            f"{(alone.holm <= ALPHA).sum()} of {len(alone)}"
        )
        found.append(f"{text} (not told: {listing(ladders)})." if ladders else f"{text}.")
    return found


def quality_finding(frame: pd.DataFrame, labels: Mapping[str, str]) -> str:
    """Return in two sentences how many changes of a picture's mIoU are told from none.

    Args:
        frame: from `analysis.changes.quality_tests`.
    """
    told = frame[frame.holm <= ALPHA]
    least, most = (
        frame.loc[index] for index in (frame.d_z.abs().idxmin(), frame.d_z.abs().idxmax())
    )
    return (
        f"A picture's mIoU falls in {(told.delta < 0).sum()} and rises in "
        f"{(told.delta > 0).sum()} of {len(frame)} pairs of segmenter and condition after Holm's "
        "correction; d_z goes from "
        f"{number(least.d_z, 1)} ({labels.get(least.segmenter, least.segmenter)} under "
        f"{least.condition}) to {number(most.d_z, 1)} "
        f"({labels.get(most.segmenter, most.segmenter)} under {most.condition}). Depending on the "
        f"pair, mIoU falls in {_percents(frame.falling / frame.n)} of the scenes and rises in "
        f"{_percents(frame.rising / frame.n)}."
    )


def _flips(row: pd.Series) -> str:
    fail = "fails that was fine" if row.destructive == 1 else "fail that were fine"
    recover = "recovers" if row.corrective == 1 else "recover"
    return f"{row.destructive} {fail} and {row.corrective} {recover}"


def _percents(shares: pd.Series) -> str:
    low, high = (f"{100 * share:.0f}" for share in (shares.min(), shares.max()))
    return f"{low} %" if low == high else f"{low} to {high} %"


def _flipped(row: pd.Series) -> str:
    size = estimate(row.delta, row.low, row.high, sign=True)
    ways = (
        f"it rises in {row.destructive} and falls in {row.corrective} of {row.n} scenes"
        if row.metric == "hr"
        else f"of {row.n} scenes, {_flips(row)}"
    )
    return f"{_UPPER[row.metric]} under {row.condition}, {size}: {ways}"


# Table cells --------------------------------------------------------------------------------------


def flip_summary(frame: pd.DataFrame, labels: Mapping[str, str]) -> pd.DataFrame:
    """Return one line for each VLM and metric: tests, those told apart, scenes that move."""
    lines = []
    for (vlm, metric), rows in frame.groupby(["vlm", "metric"], sort=False):
        told, moved = rows[rows.holm <= ALPHA], (rows.destructive + rows.corrective) / rows.n
        row = rows.loc[rows.delta.abs().idxmax()]
        lines.append({
            "model": labels.get(vlm, vlm), "metric": _UPPER[metric], "tests": len(rows),
            "p < 0.05": (rows.p <= ALPHA).sum(), "Holm, up": (told.delta > 0).sum(),
            "Holm, down": (told.delta < 0).sum(),
            "share of scenes that move": f"{number(moved.min())} to {number(moved.max())}",
            "largest change": f"{beside(row.delta, row.low, row.high)} {row.condition}",
        })  # fmt: skip
    return pd.DataFrame(lines)


def flip_table(frame: pd.DataFrame, vlm: str) -> pd.DataFrame:
    """Return one line for each metric and condition of a VLM, with every number of its test."""
    lines = []
    for row in frame[frame.vlm == vlm].itertuples():
        effect, odds = (row.rank_biserial, "") if row.metric == "hr" else (row.g, _odds(row))
        lines.append({
            "metric": _UPPER[row.metric], "condition": row.condition,
            "worse": row.destructive, "better": row.corrective,
            "change": beside(row.delta, row.low, row.high), "p": p_value(row.p),
            "Holm": p_value(row.holm), "g or r": number(effect), "odds": odds or "–",
        })  # fmt: skip
    return pd.DataFrame(lines)


def severity_table(frame: pd.DataFrame, labels: Mapping[str, str]) -> pd.DataFrame:
    """Return one line for each VLM, metric and corruption: rates by step, and both tests."""
    keys, lines = ["vlm", "metric", "corruption"], []
    for (vlm, metric, corruption), rows in frame.groupby(keys, sort=False):
        by_span = rows.set_index("span")
        line = {
            "model": labels.get(vlm, vlm), "metric": _UPPER[metric],
            "corruption": _CORRUPTIONS[corruption],
            "rate by step": " → ".join(number(r) for r in by_span.rates["with clean"]),
        }  # fmt: skip
        for span, words in (("with clean", "clean and degraded"), ("severities", "degraded alone")):
            row = by_span.loc[span]
            line[f"Q, {words}"] = number(row.q, 1)
            line[f"Holm, {words}"] = p_value(row.holm)
        lines.append(line | {"η²": number(by_span.eta2["severities"])})
    return pd.DataFrame(lines)


def quality_table(frame: pd.DataFrame, labels: Mapping[str, str]) -> pd.DataFrame:
    """Return one line for each segmenter and condition: change of a picture's mIoU."""
    return pd.DataFrame(
        {
            "segmenter": [labels.get(s, s) for s in frame.segmenter],
            "condition": frame.condition.to_list(),
            "scenes up": frame.rising.to_list(),
            "scenes down": frame.falling.to_list(),
            "change": [beside(r.delta, r.low, r.high) for r in frame.itertuples()],
            "d_z": [number(v) for v in frame.d_z],
            "r": [number(v) for v in frame.rank_biserial],
            "Holm": [p_value(p) for p in frame.holm],
        }
    )


def _odds(row: tuple) -> str:
    low, high = (
        ("∞" if v == float("inf") else number(v, 1)) for v in (row.odds_low, row.odds_high)
    )
    odds = "∞" if row.odds == float("inf") else number(row.odds, 1)
    return odds if odds == "–" else f"{odds} [{low} to {high}]{{.interval}}"
