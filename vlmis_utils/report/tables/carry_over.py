"""What carries over between worlds, as finished cells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from vlmis_utils.analysis.claims.decision import VERDICTS
from vlmis_utils.analysis.warnings.evaluation import PROTOCOLS
from vlmis_utils.analysis.warnings.signals import SIGNALS, TARGETS
from vlmis_utils.analysis.warnings.single import MEAN, TRUTH
from vlmis_utils.core.formatting import number
from vlmis_utils.protocol.conditions import ordered
from vlmis_utils.report.tables.claims import account
from vlmis_utils.report.tables.markdown import Column, crossed, span
from vlmis_utils.report.text.sentences import NAMES

__all__ = [
    "finding_words", "load_agreement", "load_claims_by_world", "load_disputed", "load_rankings",
    "load_signs", "load_warning_models", "load_warning_signs", "load_worst", "signal_words",
]  # fmt: skip


def finding_words(finding: str, over: str = "") -> str:
    """Return a finding in words.

    >>> finding_words("hr"), finding_words("r cor", "within")
    ('HR rises', 'mIoU and COR, within scenes')
    """
    if finding == "miou":
        return "mIoU falls"
    if finding == "claims":
        return "claims supported"
    if finding in TARGETS:
        return TARGETS[finding]
    if finding.startswith("r "):
        return f"mIoU and {NAMES[finding[2:]]}, {NAMES[over]}"
    return f"{NAMES[finding]} rises"


def load_signs(tallied: pd.DataFrame) -> pd.DataFrame:
    """Return a row a finding and a column a world: how many comparisons are above, below, open.

    Args:
        tallied: from `analysis.carry_over.tallies`.
    """
    rows = {}
    for (finding, over), own in tallied.groupby(["finding", "over"], sort=False):
        row = {"finding": finding_words(finding, over)}
        for each in own.itertuples():
            row[each.world] = f"{each.up} yes, {each.down} no {span(f'of {each.n}', 'interval')}"
            if finding.startswith("r "):
                signs = f"{each.up} positive, {each.down} negative"
                row[each.world] = f"{signs} {span(f'of {each.n}', 'interval')}"
        rows[finding, over] = row
    return _worlds_last(pd.DataFrame(list(rows.values())), tallied)


def load_agreement(agreed: pd.DataFrame) -> pd.DataFrame:
    """Return a row a finding and a column a pair of worlds: same and opposite of those decided.

    Args:
        agreed: from `analysis.carry_over.agreement`.
    """
    rows: dict[tuple[str, str], dict[str, str]] = {}
    for each in agreed.itertuples():
        row = rows.setdefault(
            (each.finding, each.over), {"finding": finding_words(each.finding, each.over)}
        )
        more = f"{each.half + each.neither} open of {each.n}"
        text = f"{each.same} same, {each.opposite} opposite {span(more, 'interval')}"
        row[f"{each.first}, {each.second}"] = text if each.n else "–"
    return pd.DataFrame(list(rows.values())).fillna("–")


def load_rankings(ranked: pd.DataFrame, labels: Mapping[str, str]) -> pd.DataFrame:
    """Return a row a measure and model, a column a pair of worlds: Spearman's coefficient.

    Args:
        ranked: from `analysis.carry_over.rankings`.
    """
    rows: dict[tuple[str, str], dict[str, str]] = {}
    for each in ranked.itertuples():
        row = rows.setdefault(
            (each.finding, each.model),
            {"measure": NAMES[each.finding], "model": labels.get(each.model, each.model)},
        )
        row[f"{each.first}, {each.second}"] = number(each.r) if each.n > 2 else "–"
    return pd.DataFrame(list(rows.values())).fillna("–")


def load_worst(found: pd.DataFrame, labels: Mapping[str, str]) -> pd.DataFrame:
    """Return, by measure and model, the degraded condition with the largest change in each world.

    Args:
        found: from `analysis.carry_over.findings`.
    """
    rows: dict[tuple[str, str], dict[str, str]] = {}
    moved = found[(found.over == "") & found.value.notna()]
    parts = moved.key.str.rsplit(" ", n=1, expand=True)
    moved = moved.assign(model=parts[0], condition=parts[1]) if len(moved) else moved
    for (finding, model, world), own in moved.groupby(["finding", "model", "world"], sort=False):
        row = rows.setdefault(
            (finding, model), {"measure": NAMES[finding], "model": labels.get(model, model)}
        )
        most = own[own.value == own.value.max()]
        size = number(most.value.iloc[0], sign=True)
        row[world] = f"{', '.join(ordered(most.condition))} {span(size, 'interval')}"
    return _worlds_last(pd.DataFrame(list(rows.values())), found).fillna("–")


def signal_words(signal: str) -> str:
    """Return a signal in words; mIoU, turned round, among them."""
    return SIGNALS[signal].words if signal in SIGNALS else TRUTH[0]


def load_warning_signs(found: pd.DataFrame, target: str) -> pd.DataFrame:
    """Return a row a signal and a column a world: AUC for one failure, mean over VLMs.

    Args:
        found: from `analysis.carry_over.warning_signs`.
        target: a key of `analysis.warnings.signals.TARGETS`.
    """
    rows = found[(found.finding == target) & (found.vlm == MEAN)]
    rows = rows.assign(words=rows.signal.map(signal_words))
    auc = Column("", "value", interval=("low", "high"))
    return crossed(rows, [Column("signal: more doubt with", "words")], "world", auc)


def load_warning_models(models: pd.DataFrame, labels: Mapping[str, str]) -> pd.DataFrame:
    """Return failure, model, what is judged, and a column a world: AUC of all signals together.

    Args:
        models: from `analysis.carry_over.warning_models`.
        labels: model name to label.
    """
    lead = [
        Column("failure", "target", words=TARGETS), Column("model", "vlm", words=labels),
        Column("judged on", "protocol", words=PROTOCOLS),
    ]  # fmt: skip
    return crossed(models, lead, "world", Column("", "auc", interval=("low", "high")))


def load_claims_by_world(
    judged: pd.DataFrame, worlds: Sequence[str], labels: Mapping[str, str]
) -> pd.DataFrame:
    """Return number, claim, test, and a column a world: the verdict and its account.

    Args:
        judged: from `analysis.carry_over.claims_by_world`.
        worlds: its columns of verdicts.
    """
    styles = dict(zip(VERDICTS, ("supported", "contradicted", "undecided"), strict=True))
    rows = []
    for index, row in enumerate(judged.to_dict("records"), start=1):
        claim, cells = row["claim"], {}
        for world in worlds:
            verdict = span(row[world], styles[row[world]])
            cells[world] = f"{verdict} {account(row[f'{world} cells'], labels)}"
        rows.append(
            {
                "": str(index),
                "claim": f"“{claim.clause}” {span(claim.place, 'interval')}",
                "test": f"{claim.rule}: *{claim.quantifier}*",
            }
            | cells
        )
    return pd.DataFrame(rows)


def load_disputed(disputes: pd.DataFrame, labels: Mapping[str, str]) -> pd.DataFrame:
    """Return claim, model, comparisons, and the worlds that are for and against.

    Args:
        disputes: from `analysis.disagreement.disputed`.
        labels: model name to label.
    """
    again = disputes.number == disputes.number.shift()
    return pd.DataFrame(
        {
            "": disputes.number.astype(str).mask(again, ""),
            "claim": [
                "" if same else f"“{claim.clause}”"
                for same, claim in zip(again, disputes.claim, strict=True)
            ],
            "model": [
                ", ".join(labels.get(part, part) for part in model.split(" and "))
                for model in disputes.model
            ],
            "comparisons": [", ".join(what) for what in disputes.what],
            "for": [", ".join(worlds) for worlds in disputes.supports],
            "against": [", ".join(worlds) for worlds in disputes.contradicts],
        }
    )


def _worlds_last(table: pd.DataFrame, found: pd.DataFrame) -> pd.DataFrame:
    """Return a table, its columns of worlds in the order of a frame, dashes for nothing."""
    worlds = [world for world in dict.fromkeys(found.world) if world in table]
    return table[[c for c in table if c not in worlds] + worlds].fillna("–")
