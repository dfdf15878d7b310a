"""How far the worlds agree, and on what they do not, in sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from vlmis_utils.analysis.carry_over import PRINTED
from vlmis_utils.analysis.claims.decision import VERDICTS
from vlmis_utils.core.formatting import capital, listing, number, value_range
from vlmis_utils.report.tables.carry_over import finding_words
from vlmis_utils.report.text.sentences import NAMES

__all__ = [
    "agreement_lines",
    "dispute_lines",
    "opposed_lines",
    "ranking_lines",
    "unmoved_lines",
    "verdict_lines",
]


def agreement_lines(
    agreed: pd.DataFrame, labels: Mapping[str, str], counted: bool = False
) -> list[str]:
    """Return for each pair of worlds how often they agree, and on what they are opposed.

    Args:
        agreed: from `analysis.carry_over.agreement`.
        labels: model name to label.
        counted: give each finding's count of comparisons decided alike, and name none that is
            opposed: for findings with too many.
    """
    lines = []
    pairs = agreed.groupby(["first", "second"], sort=False) if len(agreed) else ()
    for (first, second), own in pairs:
        if not own.n.sum():
            continue
        same, opposite = int(own.same.sum()), int(own.opposite.sum())
        line = (
            f"**{capital(first)} and {second}** decide {same + opposite} of {int(own.n.sum())} "
            f"comparisons both: {same} alike, {opposite} the opposite way"
        )
        if counted:
            each = (
                f"{finding_words(r.finding, r.over)} {r.same} of {r.same + r.opposite}"
                for r in own.itertuples()
            )
            lines.append(f"{line}. Alike are {listing(each)}.")
            continue
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
            f"**{capital(world)}**: {counts[0]} of {len(judged)} claims supported, {counts[1]} "
            f"contradicted, {counts[2]} not decidable."
        )
    lines += [
        f"{capital(row.first)} and {row.second} decide {row.same + row.opposite} claims both, and "
        f"agree on {row.same}."
        for row in verdicts.itertuples()
    ]
    return lines


def dispute_lines(
    disputes: pd.DataFrame, labels: Mapping[str, str], printed: str = PRINTED
) -> list[str]:
    """Return how often the printed tables stand alone, and which models the worlds dispute.

    Args:
        disputes: from `analysis.disagreement.disputed`.
        labels: model name to label.
        printed: the name of the printed tables.
    """
    if disputes.empty:
        return ["No comparison is for a claim in one world and against it in another."]
    measured = disputes[
        [
            bool(set(r.supports) - {printed}) and bool(set(r.contradicts) - {printed})
            for r in disputes.itertuples()
        ]
    ]
    alone = disputes.number.nunique() - measured.number.nunique()
    lines = [
        f"Of {disputes.number.nunique()} claims with comparisons that worlds decide the opposite "
        f"way, {alone} set the printed tables alone against measured worlds."
    ]
    for place, own in measured.groupby("number", sort=False):
        models = dict.fromkeys(_label(m, labels) for m in own.model)
        clause = own.claim.iloc[0].clause
        lines.append(
            f"Claim {place}, “{clause}”: measured worlds are divided on {listing(models)}."
        )
    return lines


def opposed_lines(changes: pd.DataFrame, labels: Mapping[str, str]) -> list[str]:
    """Return each rate that rises in one measured world and falls in another, with its levels.

    Args:
        changes: from `analysis.disagreement.opposed`.
        labels: model name to label.
    """
    lines = []
    for row in changes.to_dict("records"):
        parts = [
            f"{verb} on {row[side]}, from {number(row[f'{side}_clean'])} to "
            f"{number(row[f'{side}_then'])} ({number(row[f'{side}_named'], 1)} classes named an "
            f"image, then {number(row[f'{side}_named_then'], 1)})"
            for side, verb in (("rises", "rises"), ("falls", "falls"))
        ]
        lines.append(
            f"**{NAMES[row['finding']]} of {_label(row['model'], labels)}** "
            f"({listing(row['conditions'])}): {' and '.join(parts)}."
        )
    return lines or ["No rate rises in one measured world and falls in another."]


def unmoved_lines(rates: pd.DataFrame, labels: Mapping[str, str]) -> list[str]:
    """Return which rates cannot move, and why where a model names all classes there are.

    Args:
        rates: from `analysis.disagreement.unmoved`.
        labels: model name to label.
    """
    lines = []
    for row in rates.itertuples():
        why = (
            f": the labels tell {row.known} classes of objects apart, and a model that names the "
            f"K = {row.top_k} likeliest names them all"
            if row.known <= row.top_k
            else ""
        )
        lines.append(
            f"On {row.world} {listing(NAMES[m] for m in row.metrics)} of "
            f"{_label(row.model, labels)} are the same under every condition{why}. Such "
            "comparisons count as open."
        )
    return lines


def _label(model: str, labels: Mapping[str, str]) -> str:
    return listing(labels.get(part, part) for part in model.split(" and "))


def _words(key: str, labels: Mapping[str, str]) -> str:
    return " ".join(labels.get(part, part) for part in key.split(" "))
