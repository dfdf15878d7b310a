"""Tables of paired tests: frames of `analysis.changes` become finished cells."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from vlmis_utils.core.formatting import number, p_value
from vlmis_utils.protocol.conditions import FAMILIES
from vlmis_utils.report.tables.markdown import Column, beside, cells
from vlmis_utils.report.words import METRICS
from vlmis_utils.statistics.paired import ALPHA

__all__ = ["change_summary", "change_table", "quality_table", "severity_table"]


def change_summary(frame: pd.DataFrame, labels: Mapping[str, str]) -> pd.DataFrame:
    """Return one line for each VLM and metric: tests, significant ones, scenes that change."""
    lines = []
    for (vlm, metric), rows in frame.groupby(["vlm", "metric"], sort=False):
        significant, moved = rows[rows.holm <= ALPHA], (rows.destructive + rows.corrective) / rows.n
        row = rows.loc[rows.delta.abs().idxmax()]
        lines.append({
            "model": labels.get(vlm, vlm), "metric": METRICS[metric], "tests": len(rows),
            "p < 0.05": (rows.p <= ALPHA).sum(), "Holm, up": (significant.delta > 0).sum(),
            "Holm, down": (significant.delta < 0).sum(),
            "share of scenes that move": f"{number(moved.min())} to {number(moved.max())}",
            "largest change": f"{beside(row.delta, row.low, row.high)} {row.condition}",
        })  # fmt: skip
    return pd.DataFrame(lines)


def change_table(frame: pd.DataFrame, vlm: str) -> pd.DataFrame:
    """Return one line for each metric and condition of a VLM, with every number of its test."""
    lines = []
    for row in frame[frame.vlm == vlm].itertuples():
        effect, odds = (row.rank_biserial, "") if row.metric == "hr" else (row.g, _odds(row))
        lines.append({
            "metric": METRICS[row.metric], "condition": row.condition,
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
            "model": labels.get(vlm, vlm), "metric": METRICS[metric],
            "corruption": FAMILIES[corruption],
            "rate by step": " → ".join(number(r) for r in by_span.rates["with clean"]),
        }  # fmt: skip
        for span, words in (("with clean", "clean and degraded"), ("severities", "degraded alone")):
            row = by_span.loc[span]
            line[f"Q, {words}"] = number(row.q, 1)
            line[f"Holm, {words}"] = p_value(row.holm)
        lines.append(line | {"η²": number(by_span.eta2["severities"])})
    return pd.DataFrame(lines)


def quality_table(frame: pd.DataFrame, labels: Mapping[str, str]) -> pd.DataFrame:
    """Return one line for each segmenter and condition: change of an image's mIoU."""
    return cells(
        frame, Column("segmenter", "segmenter", words=labels), Column("condition", "condition"),
        Column("scenes up", "rising"), Column("scenes down", "falling"),
        Column("change", "delta", interval=("low", "high")), Column("d_z", "d_z"),
        Column("r", "rank_biserial"), Column("Holm", "holm", form=p_value),
    )  # fmt: skip


def _odds(row: tuple) -> str:
    low, high = (
        ("∞" if v == float("inf") else number(v, 1)) for v in (row.odds_low, row.odds_high)
    )
    odds = "∞" if row.odds == float("inf") else number(row.odds, 1)
    return odds if odds == "–" else f"{odds} [{low} to {high}]{{.interval}}"
