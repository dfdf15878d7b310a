"""How well the parser reads: hand-labelled answers of our own, and precision and recall on them.

`labelled_answers.csv` holds answers in the styles that models use (terse, paragraphs, lists, JSON,
fields as in the paper's Figure 4) with what a careful reader takes from each. The rules were
written against the rows of split *development*; those of the splits *held-out* and *challenge* were
labelled before the parser first read them. No rule was written to mend one of their rows, but rules
for whole kinds of fault that users report (refusals in words, wrappings, other words for people)
came later, with all rows known: the two splits judge those kinds kindly. The challenge rows were
written with the rules known, each to test one of the `PHENOMENA`: they are harder than what a model
says on most days. One author wrote all three and the rules. Sentences that the parser is known to
get wrong stay in.

One row an answer, with the columns split, task, asked, style, phenomenon, text, asserted, negated,
hedged, answer; several names in a cell are separated by "; ". ``asked`` is the class of a presence
question where the answer shows it. Mentions are labelled for the ten object classes only. Labels
keep the conventions of `metrics.parsing.parse`: a class is asserted if it is asserted once, hedged
if it is named without commitment; a refusal names nothing; a leading yes or no answers a closed
question; words of appearance answer, words of possibility do not; a safety answer that contradicts
itself abstains. Whoever takes a word back ("No, wait, yes") means the last one.
"""

from __future__ import annotations

from importlib import resources
from typing import NamedTuple

import pandas as pd

from vlmis_utils.metrics.parsing.parse import RULES, mentions, parse_presence, parse_safety
from vlmis_utils.protocol.classes import OBJECT_CLASSES

__all__ = ["PHENOMENA", "SPLITS", "load_labelled", "misread", "parser_quality", "read_row"]

SPLITS = ("development", "held-out", "challenge")
_STATES = ("asserted", "negated", "hedged")

# What makes an answer hard to read -> what an answer needs to have it; at least one each.
PHENOMENA: dict[str, str] = {
    "plain": "none of the others: it says outright what there is, or just yes or no",
    "negation": "a word of negation turns a statement round (no, not, without, none, absent); a"
    " bare no that answers, a field's value and words of doubt such as “not sure” do not count",
    "hedge": "possibility, appearance, doubt, condition or reserve",
    "contradiction": "parts of the answer do not agree, or one takes another back",
    "compound": "a key word belongs to something else: a bus stop is no bus, a safe distance no"
    " verdict",
    "field": "a key and its value, a list, a table, JSON or other mark-up",
    "refusal": "it declines, or says nothing",
    "inference": "what is meant needs knowledge of the world: an idiom, a picture of a car, a"
    " reason without its verdict",
}


def load_labelled() -> pd.DataFrame:
    """Return the labelled answers.

    Returns:
        Columns split (of `SPLITS`), task (mentions, presence, safety), style, phenomenon
        (tuple of keys of `PHENOMENA`), text, asked (a class or ""), asserted, negated, hedged
        (frozensets of classes; empty for the closed tasks) and answer (the label of the closed
        tasks, else empty).

    >>> frame = load_labelled()
    >>> frame.phenomenon[frame.text == "No cars."].item()
    ('negation',)
    """
    source = resources.files("vlmis_utils.metrics.parsing") / "labelled_answers.csv"
    with source.open(encoding="utf-8") as stream:
        frame = pd.read_csv(stream, keep_default_na=False, dtype=str)
    for state in _STATES:
        frame[state] = [frozenset(filter(None, cell.split("; "))) for cell in frame[state]]
    frame["phenomenon"] = [tuple(cell.split("; ")) for cell in frame.phenomenon]
    return frame


def parser_quality(split: str | None = None) -> pd.DataFrame:
    """Return how well each rule reads the labelled answers, pooled over answers (micro average).

    Args:
        split: of `SPLITS`; None for all.

    Returns:
        Columns task, rule, state, answers (how many), precision, recall, f1 and exact (share of
        answers read without any error; the accuracy of the closed tasks, whose other columns are
        missing). Mentions have one row for each rule and state; precision, recall and f1 count
        (answer, class) pairs. The keyword rule knows only the state asserted.

    >>> sorted(set(parser_quality().task))
    ['mentions', 'presence', 'safety']
    """
    frame = load_labelled()
    frame = frame if split is None else frame[frame.split == split]
    described = frame[frame.task == "mentions"]
    rows = []
    for rule in RULES:
        read = [mentions(text, rule=rule) for text in described.text]
        for state in _STATES if rule == "scoped" else _STATES[:1]:
            said = [getattr(m, state) & frozenset(OBJECT_CLASSES) for m in read]
            rows.append(
                {"task": "mentions", "rule": rule, "state": state}
                | _scores(said, list(described[state]))
            )
    for task in ("presence", "safety"):
        asked = frame[frame.task == task]
        right = [row.answer == read_row(row) for row in asked.itertuples()]
        rows.append(
            {
                "task": task,
                "rule": "scoped",
                "state": "answer",
                "answers": len(asked),
                "exact": sum(right) / len(right) if right else float("nan"),
            }
        )
    columns = ["task", "rule", "state", "answers", "precision", "recall", "f1", "exact"]
    return pd.DataFrame(rows, columns=columns)


def misread(rule: str = "scoped") -> pd.DataFrame:
    """Return the labelled answers that the parser gets wrong, with what it read.

    Returns:
        Columns split, task, style, text, label, read (texts).
    """
    rows = []
    for row in load_labelled().itertuples():
        if row.task == "mentions":
            said = mentions(row.text, rule=rule)
            objects = frozenset(OBJECT_CLASSES)
            read = _words({state: getattr(said, state) & objects for state in _STATES})
            label = _words({state: getattr(row, state) for state in _STATES})
        else:
            read, label = read_row(row), row.answer
        if read != label:
            rows.append((row.split, row.task, row.style, row.text, label, read))
    return pd.DataFrame(rows, columns=["split", "task", "style", "text", "label", "read"])


def read_row(row: NamedTuple) -> str:
    """Return what the parser reads in the closed answer of a row (text, task, asked)."""
    if row.task == "presence":
        return parse_presence(row.text, row.asked or None)
    return parse_safety(row.text)


def _scores(said: list[frozenset[str]], labels: list[frozenset[str]]) -> dict[str, float]:
    pairs = list(zip(said, labels, strict=True))
    hits = sum(len(s & t) for s, t in pairs)
    named, wanted = sum(len(s) for s, _ in pairs), sum(len(t) for _, t in pairs)
    return {
        "answers": len(pairs),
        "precision": hits / named if named else 1.0,
        "recall": hits / wanted if wanted else 1.0,
        "f1": 2 * hits / (named + wanted) if named + wanted else 1.0,
        "exact": sum(s == t for s, t in pairs) / len(pairs) if pairs else float("nan"),
    }


def _words(states: dict[str, frozenset[str]]) -> str:
    named = [f"{state} {', '.join(sorted(names))}" for state, names in states.items() if names]
    return "; ".join(named) or "nothing"
