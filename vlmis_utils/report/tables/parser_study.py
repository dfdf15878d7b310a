"""Tables of the parser study: a ``load_`` takes frames of `analysis.parser_study`, gives cells."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from vlmis_utils.analysis.parser_study.accuracy import ALL, CLOSED_RULES, labelled_rows
from vlmis_utils.analysis.parser_study.first_token import TASKS
from vlmis_utils.analysis.parser_study.rereading import EVERY
from vlmis_utils.core.formatting import number
from vlmis_utils.metrics.parsing.gold import PHENOMENA
from vlmis_utils.protocol.conditions import CONDITION_NAMES, ordered
from vlmis_utils.report.tables.markdown import beside

__all__ = [
    "load_agreement", "load_closed_quality", "load_confusions", "load_effects", "load_imagined",
    "load_mention_quality", "load_phenomena", "load_telling",
]  # fmt: skip

_ALL = "**all answers**"


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
    lines = []
    for (name, rule), group in quality.groupby(["phenomenon", "rule"], sort=False):
        line = {"phenomenon": _ALL if name == ALL else name, "rule": rule}
        line["answers"] = str(group.answers.iloc[0])
        for row in group.itertuples():
            line[row.measure] = beside(row.value, row.low, row.high)
        lines.append((_place(name), line))
    return pd.DataFrame([line for _, line in sorted(lines, key=lambda pair: pair[0])])


def load_closed_quality(quality: pd.DataFrame) -> pd.DataFrame:
    """Return the accuracy of each closed rule by task and phenomenon, with intervals."""
    lines = []
    for (task, name), group in quality.groupby(["task", "phenomenon"], sort=False):
        line = {"task": task, "phenomenon": _ALL if name == ALL else name}
        line["answers"] = str(group.answers.iloc[0])
        rows = group.set_index("rule")
        for rule in CLOSED_RULES["safety"]:
            line[rule] = ""
            if rule in rows.index:
                line[rule] = beside(*rows.loc[rule, ["value", "low", "high"]])
        lines.append(line)
    return pd.DataFrame(lines)


def load_confusions(confusions: pd.DataFrame) -> pd.DataFrame:
    """Return, for each task, rule and label, how many answers were read as what."""
    lines = []
    for (task, rule, said), group in confusions.groupby(["task", "rule", "said"], sort=False):
        counts = [str(c) for c in group["count"]]
        lines.append((task, rule, said, *counts))
    columns = ["task", "rule", "label", "yes or safe", "no or unsafe", "undecided"]
    return pd.DataFrame(lines, columns=columns)


def load_telling(telling: pd.DataFrame, tasks: tuple[str, ...]) -> pd.DataFrame:
    """Return sentences that the plain rule misreads and ours does not, one a phenomenon."""
    rows = telling[telling.task.isin(tasks)]
    return pd.DataFrame(
        {
            "task": rows.task.to_list(),
            "phenomenon": rows.phenomenon.to_list(),
            "answer": [f"“{_one_line(text)}”" for text in rows.text],
            "meant": rows.label.to_list(),
            "read plainly": rows.plain.to_list(),
            "misread": [f"{w} of {n}" for w, n in zip(rows.wrong, rows.answers, strict=True)],
        }
    )


def load_imagined(imagined: pd.DataFrame) -> pd.DataFrame:
    """Return the imagined HR and COR by phenomenon and reader; that HR is 0 as labelled is said."""
    table = imagined.set_index(["phenomenon", "reader", "metric"])
    lines = []
    for name in sorted(imagined.phenomenon.unique(), key=_place):
        line = {"phenomenon": _ALL if name == ALL else name}
        line["answers"] = str(table.loc[name].answers.iloc[0])
        for metric, reader in (
            ("hr", "scoped"), ("hr", "keyword"), ("cor", "labels"), ("cor", "scoped"),
            ("cor", "keyword"),
        ):  # fmt: skip
            words = "as labelled" if reader == "labels" else reader
            cells = table.loc[(name, reader, metric), ["value", "low", "high"]]
            line[f"{metric.upper()}, {words}"] = beside(*cells)
        lines.append(line)
    return pd.DataFrame(lines)


def load_effects(
    effects: pd.DataFrame, labels: Mapping[str, str], condition: str | None = EVERY
) -> pd.DataFrame:
    """Return how the rates move with the reading, in one condition, or in each (None).

    By condition only the readings that change some answer of the model are listed.
    """
    lines = []
    names = [EVERY, *ordered(effects.condition)] if condition is None else [condition]
    columns = ["model", "read with", "metric", *(["condition"] if condition is None else []),
               "answers that change", "scoped", "so read", "change"]  # fmt: skip
    if condition is None:
        moves = effects.groupby(["vlm", "reading"]).changed.transform("max") > 0
        effects = effects[moves]
    for (vlm, reading, metric), group in effects.groupby(["vlm", "reading", "metric"], sort=False):
        rows = group.set_index("condition")
        for name in (n for n in names if n in rows.index):
            row = rows.loc[name]
            line = {"model": labels.get(vlm, vlm), "read with": reading, "metric": metric.upper()}
            if condition is None:
                line["condition"] = _condition(name)
            line["answers that change"] = f"{row.changed} of {row.answers}"
            line["scoped"], line["so read"] = number(row.base), number(row.other)
            line["change"] = beside(row.delta, row.low, row.high, digits=3)
            lines.append(line)
    return pd.DataFrame(lines, columns=columns)


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
    auc = discrimination.set_index(["vlm", "task", "condition", "measure"])
    lines = []
    for (vlm, task), group in agreement.groupby(["vlm", "task"], sort=False):
        rows = group.set_index("condition")
        names = conditions or (*ordered(rows.index), EVERY)
        for name in (n for n in names if n in rows.index):
            row = rows.loc[name]
            line = {"model": labels.get(vlm, vlm), "question": task, "condition": _condition(name)}
            line["agree"] = beside(row.agree, row.low, row.high, digits=3)
            line["κ"] = number(row.kappa, 3)
            line["outside"] = number(row.outside, 4)
            for measure, words in (
                ("score", "AUC, score"),
                ("text", "AUC, text"),
                ("gain", "gain"),
            ):
                cells = auc.loc[(vlm, task, name, measure)]
                line[words] = beside(cells.value, cells.low, cells.high)
            lines.append(line)
    columns = ["model", "question", "condition", "agree", "κ", "outside", "AUC, score", "AUC, text",
               "gain"]  # fmt: skip
    return pd.DataFrame(lines, columns=columns)


def _place(name: str) -> int:
    return list(PHENOMENA).index(name) if name in PHENOMENA else len(PHENOMENA)


def _condition(name: str) -> str:
    if name == EVERY:
        return "**mean of all**"
    return CONDITION_NAMES["blank"] if name == "blank" else name


def _one_line(text: str) -> str:
    return (
        " / ".join(text.splitlines()).replace("*", "\\*").replace("`", "\\`").replace("<", "&lt;")
    )
