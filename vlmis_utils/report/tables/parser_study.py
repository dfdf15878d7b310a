"""Tables of parser validation: each ``load_`` takes frames of `analysis.parser_study`."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from vlmis_utils.analysis.parser_study.accuracy import ALL, CLOSED_RULES, labelled_rows
from vlmis_utils.analysis.parser_study.first_token import TASKS
from vlmis_utils.analysis.parser_study.rereading import EVERY
from vlmis_utils.metrics.parsing.gold import PHENOMENA
from vlmis_utils.protocol.conditions import CONDITION_NAMES, ordered
from vlmis_utils.report.tables.markdown import Column, cells, crossed

__all__ = [
    "load_agreement", "load_closed_quality", "load_confusions", "load_effects", "load_imagined",
    "load_mention_quality", "load_phenomena", "load_telling",
]  # fmt: skip

_PHENOMENON = [Column("phenomenon", "phenomenon", words={ALL: "**all answers**"})]
_VALUE = Column("", "value", interval=("low", "high"))
_CONDITIONS = {EVERY: "**mean of all**", "blank": CONDITION_NAMES["blank"]}


def load_phenomena(split: str = "unseen") -> pd.DataFrame:
    """Return each phenomenon with its definition, an example, and its answers in each task."""
    frame = pd.concat([labelled_rows(task, split) for task in ("mentions", *TASKS)])
    lines = []
    for name, words in PHENOMENA.items():
        mine = frame[[name in row for row in frame.phenomenon]]
        alone = mine[(mine.phenomenon.str.len() == 1) & (mine.text.str.strip() != "")]
        alone = alone[alone.text.str.len().between(12, 60)]
        example = f"“{_one_line(alone.text.iloc[0])}”" if len(alone) else ""
        counts = mine.task.value_counts()
        lines.append(
            {"phenomenon": name, "an answer has it if": words, "example": example}
            | {task: str(counts.get(task, 0)) for task in ("mentions", *TASKS)}
        )
    return pd.DataFrame(lines)


def load_mention_quality(quality: pd.DataFrame) -> pd.DataFrame:
    """Return precision, recall and exact share of both rules by phenomenon, with intervals."""
    rows = quality.assign(place=quality.phenomenon.map(_place)).sort_values("place", kind="stable")
    lead = [*_PHENOMENON, Column("answers", "answers")]
    return crossed(rows, [lead[0], Column("rule", "rule"), lead[1]], "measure", _VALUE)


def load_closed_quality(quality: pd.DataFrame) -> pd.DataFrame:
    """Return the accuracy of each closed rule by task and phenomenon, with intervals."""
    lead = [Column("task", "task"), *_PHENOMENON, Column("answers", "answers")]
    table = crossed(quality, lead, "rule", _VALUE, missing="")
    return table[[*(column.heading for column in lead), *CLOSED_RULES["safety"]]]


def load_confusions(confusions: pd.DataFrame) -> pd.DataFrame:
    """Return, for each task, rule and label, how many answers were read as what."""
    lead = [Column("task", "task"), Column("rule", "rule"), Column("label", "said")]
    place = confusions.groupby(["task", "rule", "said"], sort=False).cumcount()
    words = dict(enumerate(("yes or safe", "no or unsafe", "undecided")))
    return crossed(confusions.assign(place=place), lead, "place", Column("", "count"), words=words)


def load_telling(telling: pd.DataFrame, tasks: tuple[str, ...]) -> pd.DataFrame:
    """Return sentences that the plain rule misreads and ours does not, one a phenomenon."""
    rows = telling[telling.task.isin(tasks)]
    counts = [f"{wrong} of {n}" for wrong, n in zip(rows.wrong, rows.answers, strict=True)]
    return cells(
        rows.assign(misread=counts),
        Column("task", "task"),
        Column("phenomenon", "phenomenon"),
        Column("answer", "text", form=lambda text: f"“{_one_line(text)}”"),
        Column("meant", "label"),
        Column("read plainly", "plain"),
        Column("misread", "misread"),
    )


def load_imagined(imagined: pd.DataFrame) -> pd.DataFrame:
    """Return the imagined HR and COR by phenomenon and reader; that HR is 0 as labelled is said."""
    rows = imagined[(imagined.metric != "hr") | (imagined.reader != "labels")]
    readers = rows.reader.replace("labels", "as labelled")
    rows = rows.assign(
        read=rows.metric.str.upper() + ", " + readers,
        place=rows.phenomenon.map(_place),
        order=readers.map(["as labelled", "scoped", "keyword"].index),
    ).sort_values(["place", "metric", "order"], ascending=[True, False, True])
    return crossed(rows, [*_PHENOMENON, Column("answers", "answers")], "read", _VALUE)


def load_effects(
    effects: pd.DataFrame, labels: Mapping[str, str], condition: str | None = EVERY
) -> pd.DataFrame:
    """Return how the rates move with the reading, in one condition, or in each (None).

    By condition only the readings that change some answer of the model are listed.
    """
    names = [EVERY, *ordered(effects.condition)] if condition is None else [condition]
    rows = effects[effects.condition.isin(names)]
    if condition is None:
        moved = rows.groupby(["vlm", "reading"]).changed.transform("max") > 0
        rows = rows[moved]
    keys = ["vlm", "reading", "metric"]
    rows = rows.assign(
        pair=rows.groupby(keys, sort=False).ngroup(), place=rows.condition.map(names.index),
        moved=[f"{c} of {n}" for c, n in zip(rows.changed, rows.answers, strict=True)],
    ).sort_values(["pair", "place"])  # fmt: skip
    return cells(
        rows,
        Column("model", "vlm", words=labels),
        Column("read with", "reading"),
        Column("metric", "metric", form=str.upper),
        *([Column("condition", "condition", words=_CONDITIONS)] if condition is None else []),
        Column("answers that change", "moved"),
        Column("scoped", "base"),
        Column("so read", "other"),
        Column("change", "delta", digits=3, interval=("low", "high")),
    )


def load_agreement(
    agreement: pd.DataFrame,
    discrimination: pd.DataFrame,
    labels: Mapping[str, str],
    conditions: tuple[str, ...] | None = None,
) -> pd.DataFrame:
    """Return agreement of text and first token, mass outside, and AUC of both, by condition.

    Args:
        agreement, discrimination: from `analysis.parser_study.first_token`.
        conditions: which; None for all that occur.
    """
    names = list(conditions or (*ordered(agreement.condition), EVERY))
    keys = ["vlm", "task", "condition"]
    rows = agreement[agreement.condition.isin(names)]
    rows = rows.assign(pair=rows.groupby(keys[:2], sort=False).ngroup())
    rows = rows.assign(place=rows.condition.map(names.index)).sort_values(["pair", "place"])
    for measure in ("score", "text", "gain"):
        part = discrimination[discrimination.measure == measure]
        part = part.set_index(keys)[["value", "low", "high"]]
        part.columns = [measure, f"{measure}_low", f"{measure}_high"]
        rows = rows.join(part, on=keys)
    return cells(
        rows,
        Column("model", "vlm", words=labels),
        Column("question", "task"),
        Column("condition", "condition", words=_CONDITIONS),
        Column("agree", "agree", digits=3, interval=("low", "high")),
        Column("κ", "kappa", digits=3),
        Column("outside", "outside", digits=4),
        Column("AUC, score", "score", interval=True),
        Column("AUC, text", "text", interval=True),
        Column("gain", "gain", interval=True),
    )


def _place(name: str) -> int:
    return list(PHENOMENA).index(name) if name in PHENOMENA else len(PHENOMENA)


def _one_line(text: str) -> str:
    return (
        " / ".join(text.splitlines()).replace("*", "\\*").replace("`", "\\`").replace("<", "&lt;")
    )
