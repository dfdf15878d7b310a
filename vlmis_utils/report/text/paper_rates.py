"""Sentences about the printed tables as results: correlations, significance, abstention.

Each function yields the fields of a `report.text.paper_summary.Finding`, as those of
`report.text.paper` do.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from vlmis_utils.analysis.paper import abstention, correlations, significance
from vlmis_utils.analysis.paper.bounds import BANDS
from vlmis_utils.analysis.paper.tables import PRINTED_NAMES
from vlmis_utils.core.formatting import listing, number, value_range

__all__ = ["of_abstention", "of_correlation", "of_detection"]

_PARSED = "parse_success"
_Parts = Iterator[tuple[str, str, str, str, str]]


def of_correlation(n: int, folder: str | Path) -> _Parts:
    table = correlations.band_counts(folder)
    for metric, claim in BANDS.items():
        rows = table[table.metric == metric].set_index("method")
        ranges = [
            f"{method.capitalize()} {number(r.lowest)} to {number(r.highest)}"
            for method, r in rows.iterrows()
        ]
        yield (
            f"correlation-{metric}",
            f"Tables 3 to 6: {metric.upper()} with mIoU, called {claim.words}",
            f"{', '.join(ranges)}. In the band [{number(claim.low)}, {number(claim.high)}):"
            f" {listing(rows.in_band)} of {rows.pairs.max()} pairs. 95 %"
            f" intervals that exclude zero: {listing(rows.excluding_negative)} negative,"
            f" {listing(rows.excluding_positive)} positive; significant after Holm's correction:"
            f" {listing(rows.significant)}. Intervals inside the band:"
            f" {listing(rows.inside)}; outside: {listing(rows.outside)}.",
            "paper.band_counts()", "audit-correlation",
        )  # fmt: skip
    other = correlations.readings(folder)
    cor = other[(other.metric == "cor") & (other.vlms == "together")]
    yield (
        "readings", "Tables 3 to 6: COR with mIoU, VLMs pooled or averaged",
        f"Over {cor.reading.nunique()} ways of pooling or averaging, coefficients lie from"
        f" {number(cor.lowest.min())} to {number(cor.highest.max())}; {cor.in_band.sum()} of"
        f" {cor.pairs.sum()} in the band of “{BANDS['cor'].words}”.",
        "paper.readings()", "audit-correlation",
    )  # fmt: skip
    drawn = correlations.rounding(folder=folder)
    reach = np.maximum(drawn.high - drawn.r, drawn.r - drawn.low)
    widest = drawn.loc[reach.idxmax()]
    yield (
        "rounding", "Tables 3 to 6: Pearson's coefficients, if printed numbers were not rounded",
        f"Rounding moves a coefficient by up to {number(reach.median())} for half of the pairs,"
        f" most for {widest.metric.upper()} of {PRINTED_NAMES[widest.vlm]} with"
        f" {PRINTED_NAMES[widest.segmenter]}: {number(widest.r)} as printed,"
        f" {number(widest.low)} to {number(widest.high)} over random draws.",
        "paper.rounding()", "audit-correlation",
    )  # fmt: skip


def of_detection(n: int, folder: str | Path) -> _Parts:
    half = significance.intervals(n, folder)
    hr = significance.hr_reach(n, folder)
    yield (
        "intervals", f"Tables 4 to 6: 95 % intervals with {n} images",
        f"Half the length of Wilson's interval is {value_range(half.half)} for COR, SMR and parse"
        f" success; for HR it is at most {number(hr.half.max())}.",
        "paper.intervals(n)", "audit-detection",
    )  # fmt: skip
    changes = significance.changes_from_clean(n, folder)
    least = significance.smallest_change()
    yield (
        "changes", f"Tables 4 to 6: COR and SMR, degraded against clean, {n} images",
        f"{_significant(changes[changes.metric != _PARSED])} No change of fewer than {least}"
        f" images ({number(least / n)}) can be found by the exact paired test.",
        "paper.changes_from_clean(n)", "audit-detection",
    )  # fmt: skip
    yield (
        "changes-parsed", f"Table 6: parse success, degraded against clean, {n} images",
        _significant(changes[changes.metric == _PARSED]),
        "paper.changes_from_clean(n)", "audit-detection",
    )  # fmt: skip
    yield (
        "between", f"Tables 4 to 6: COR and SMR, one VLM against another, {n} images",
        _significant(significance.between_models(n, folder)),
        "paper.between_models(n)", "audit-detection",
    )  # fmt: skip


def _significant(frame: pd.DataFrame) -> str:
    count = frame.significant.value_counts()
    least, most = (int((frame[f"holm_{b}"] < significance.ALPHA).sum()) for b in ("high", "low"))
    return (
        f"Of {len(frame)} differences {count.get('yes', 0)} are significant at 5 % whatever the"
        f" pairing, {count.get('depends', 0)} depending on it, {count.get('no', 0)} under no"
        f" pairing; after Holm's correction at least {least} and at most {most}."
    )


def of_abstention(n: int, folder: str | Path) -> _Parts:
    frame = abstention.safety_answers(n, folder)
    parsed = 1 - frame.abstained
    good, bad = frame.n_right.sum(), frame.n_wrong.sum()
    yield (
        "abstention", "Table 6: SMR and parse success together",
        f"{value_range(parsed)} of the answers decide, {value_range(frame.right)} decide rightly."
        f" With {n} images that is {good} right of {good + bad} decided answers over {len(frame)}"
        " conditions. No condition has more right answers than decided ones."
        if frame.consistent.all()
        else f"In {(~frame.consistent).sum()} conditions there are more right answers than decided"
        " ones.",
        "paper.safety_answers(n)", "audit-abstention",
    )  # fmt: skip
    clean = frame[frame.condition == "clean"].iloc[0]
    rest = frame[frame.condition != "clean"]
    yield (
        "wrong-decisions", "Table 6: wrong decisions, degraded against clean",
        f"The share of wrong decisions is {number(clean.wrong)} on clean images and"
        f" {value_range(rest.wrong)} on degraded ones, above clean in"
        f" {(rest.wrong > clean.wrong + 1e-9).sum()} of {len(rest)} conditions; SMR is above clean"
        f" in {(rest.right < clean.right - 1e-9).sum()}.",
        "paper.safety_answers(n)", "audit-abstention",
    )  # fmt: skip
