"""How far the worlds agree, and on what they do not, in sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from vlmis_utils.analysis.claims.decision import VERDICTS
from vlmis_utils.core.formatting import listing, value_range
from vlmis_utils.report.tables.carry_over import finding_words
from vlmis_utils.report.text.sentences import NAMES

__all__ = ["agreement_lines", "disagreements", "ranking_lines", "verdict_lines"]


def agreement_lines(agreed: pd.DataFrame, labels: Mapping[str, str]) -> list[str]:
    """Return for each pair of worlds how often they agree, and on what they are opposed.

    Args:
        agreed: from `analysis.carry_over.agreement`.
        labels: model name to label.
    """
    lines = []
    for (first, second), own in agreed.groupby(["first", "second"], sort=False):
        if not own.n.sum():
            continue
        same, opposite = int(own.same.sum()), int(own.opposite.sum())
        line = (
            f"**{_start(first)} and {second}** decide {same + opposite} of {int(own.n.sum())} "
            f"comparisons both: {same} alike, {opposite} the opposite way"
        )
        against = [
            f"{finding_words(r.finding, r.over)} ({listing(_words(k, labels) for k in r.differ)})"
            for r in own.itertuples()
            if r.differ
        ]
        lines.append(f"{line}{': ' if against else ''}{'; '.join(against)}.")
    return lines


def ranking_lines(ranked: pd.DataFrame) -> list[str]:
    """Return for each measure how alike the worlds order the conditions.

    Args:
        ranked: from `analysis.carry_over.rankings`.
    """
    lines = []
    for finding, own in ranked.dropna(subset=["r"]).groupby("finding", sort=False):
        pairs = [
            f"{value_range(part.r)} between {first} and {second}"
            for (first, second), part in own.groupby(["first", "second"], sort=False)
        ]
        lines.append(f"**{NAMES[finding]}**: {'; '.join(pairs)}.")
    return lines


def verdict_lines(judged: pd.DataFrame, verdicts: pd.DataFrame, worlds: Sequence[str]) -> list[str]:
    """Return how many claims each world supports, and how often two worlds agree.

    Args:
        judged: from `analysis.carry_over.claims_by_world`.
        verdicts: from `analysis.carry_over.agreement`, of its signs.
        worlds: its columns of verdicts.
    """
    lines = []
    for world in worlds:
        counts = [int((judged[world] == word).sum()) for word in VERDICTS]
        lines.append(
            f"**{_start(world)}**: {counts[0]} of {len(judged)} claims supported, {counts[1]} "
            f"contradicted, {counts[2]} not decidable."
        )
    lines += [
        f"{_start(row.first)} and {row.second} decide {row.same + row.opposite} claims both, and "
        f"agree on {row.same}."
        for row in verdicts.itertuples()
    ]
    return lines


def disagreements(judged: pd.DataFrame, worlds: Sequence[str]) -> list[str]:
    """Return the claims that one world supports and another contradicts, with their cells.

    Args:
        judged: from `analysis.carry_over.claims_by_world`.
        worlds: its columns of verdicts.
    """
    lines = []
    for index, row in enumerate(judged.to_dict("records"), start=1):
        if not {VERDICTS[0], VERDICTS[1]} <= {row[world] for world in worlds}:
            continue
        parts = []
        for world in worlds:
            cells = row[f"{world} cells"]
            supports = int((cells.verdict == "supports").sum()) if len(cells) else 0
            against = int((cells.verdict == "contradicts").sum()) if len(cells) else 0
            counts = f"{supports} for and {against} against of {len(cells)} cells"
            parts.append(f"{world} {row[world]} ({counts})")
        lines.append(f"{index}, “{row['claim'].clause}”: {'; '.join(parts)}.")
    return lines or ["No claim is supported in one world and contradicted in another."]


def _words(key: str, labels: Mapping[str, str]) -> str:
    return " ".join(labels.get(part, part) for part in key.split(" "))


def _start(words: str) -> str:
    return words[:1].upper() + words[1:]
