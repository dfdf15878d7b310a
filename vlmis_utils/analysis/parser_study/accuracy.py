"""The labelled sentences as judges: how well each rule reads, phenomenon by phenomenon.

Two rules read mentions, those of `metrics.parsing.parse`. Closed answers are read by its ladder,
called *scoped* here too, and by two rules that a reader in a hurry would write: *first word* takes
the first yes or no, *substring* looks for "unsafe", then for "safe". Neither knows negation; they
are here to be measured, and nothing else in the project reads with them.

The sentences were chosen, not drawn. An interval says how far a share would move with other
sentences of the same kind, not how often a model speaks that way.
"""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from vlmis_utils.core.errors import UserError, closest
from vlmis_utils.metrics.parsing.gold import PHENOMENA, SPLITS, load_labelled
from vlmis_utils.metrics.parsing.parse import RULES, mentions, parse_presence, parse_safety
from vlmis_utils.protocol.classes import OBJECT_CLASSES
from vlmis_utils.statistics.power import rate_interval
from vlmis_utils.statistics.resampling import percentiles, scene_weights

__all__ = [
    "ALL", "CLOSED_RULES", "closed_quality", "confusions", "gains", "groups", "labelled_rows",
    "mention_quality", "read_closed", "read_rows", "tightened",
]  # fmt: skip

ALL = "all"  # in the column phenomenon: every answer once, whatever its phenomena

CLOSED_RULES: dict[str, tuple[str, ...]] = {
    "presence": ("scoped", "first word"),
    "safety": ("scoped", "first word", "substring"),
}
_FIRST = re.compile(r"\b(yes|no)\b", re.IGNORECASE)
_WORDS = {
    "presence": {"yes": "yes", "no": "no", "": "unknown"},
    "safety": {"yes": "safe", "no": "unsafe", "": "abstain"},
}


def read_closed(text: str, task: str, rule: str, asked: str | None = None) -> str:
    """Return what a rule reads in the answer to a closed question.

    Args:
        text: the answer.
        task: presence or safety.
        rule: one of ``CLOSED_RULES[task]``.
        asked: the class of a presence question, where known; only *scoped* uses it.

    Returns:
        yes, no, unknown for presence; safe, unsafe, abstain for safety.

    Raises:
        UserError: an unknown task, or a rule that the task does not have.

    >>> [read_closed("It is not safe.", "safety", rule) for rule in CLOSED_RULES["safety"]]
    ['unsafe', 'abstain', 'safe']
    """
    if task not in CLOSED_RULES:
        raise UserError(f"unknown closed task {task!r}{closest(task, CLOSED_RULES)}")
    if rule not in CLOSED_RULES[task]:
        raise UserError(f"unknown rule {rule!r} of {task}{closest(rule, CLOSED_RULES[task])}")
    if rule == "scoped":
        return parse_presence(text, asked) if task == "presence" else parse_safety(text)
    if rule == "first word":
        found = _FIRST.search(text)
        return _WORDS[task][found[1].lower() if found else ""]
    plain = text.lower()
    return "unsafe" if "unsafe" in plain else "safe" if "safe" in plain else "abstain"


def mention_quality(split: str = "unseen", resamples: int = 2000) -> pd.DataFrame:
    """Return precision, recall and exactness of the asserted classes, by phenomenon and rule.

    Precision = right / read and recall = right / meant count (answer, class) pairs, summed over
    answers; exact is the share of answers whose asserted classes are read without any error. The
    pairs of one answer depend on each other, so intervals come from resampled answers, and that of
    ``exact`` is Clopper and Pearson's; see `tightened` for ratios of 0 and 1.

    Args:
        split: of `metrics.parsing.gold.SPLITS`, or unseen: all but development.
        resamples: of the bootstrap over answers.

    Returns:
        Columns phenomenon (a key of `PHENOMENA`, or `ALL`; only those that occur), rule, measure
        (precision, recall, exact), answers, value, low, high; NaN where nothing was read or meant.
    """
    frame, rows = labelled_rows("mentions", split), []
    for rule in RULES:
        counts = _counts(frame, rule)
        for name, chosen in groups(frame):
            right, read, meant, exact, _ = counts[chosen].T
            weights = scene_weights(len(right), resamples)
            for measure, over in (("precision", read), ("recall", meant)):
                ratio = _difference(_drawn(right, over, weights), 0.0)
                bounds = tightened(*ratio, int((over > 0).sum()))
                rows.append((name, rule, measure, len(right), *bounds))
            bounds = rate_interval(int(exact.sum()), len(exact), "clopper-pearson")
            rows.append((name, rule, "exact", len(exact), exact.mean(), *bounds))
    columns = ["phenomenon", "rule", "measure", "answers", "value", "low", "high"]
    return pd.DataFrame(rows, columns=columns)


def closed_quality(split: str = "unseen") -> pd.DataFrame:
    """Return the accuracy of yes/no and safety by phenomenon and rule.

    Accuracy is the share of answers read as labelled, all three outcomes counted, with Clopper and
    Pearson's interval.

    Args:
        split: of `metrics.parsing.gold.SPLITS`, or unseen: all but development.

    Returns:
        Columns task, phenomenon, rule, answers, right, value, low, high.
    """
    rows = []
    for task, rules in CLOSED_RULES.items():
        frame = labelled_rows(task, split)
        for rule in rules:
            hit = _right(frame, task, rule)
            for name, chosen in groups(frame):
                n, right = int(chosen.sum()), int(hit[chosen].sum())
                bounds = rate_interval(right, n, "clopper-pearson")
                rows.append((task, name, rule, n, right, right / n, *bounds))
    columns = ["task", "phenomenon", "rule", "answers", "right", "value", "low", "high"]
    return pd.DataFrame(rows, columns=columns)


def confusions(split: str = "unseen") -> pd.DataFrame:
    """Return what the closed answers said and what each rule read.

    Returns:
        Columns task, rule, said, read, count: all pairs of outcomes, also those that never occur.
    """
    rows = []
    for task, rules in CLOSED_RULES.items():
        frame, words = labelled_rows(task, split), list(_WORDS[task].values())
        for rule in rules:
            read = pd.Series(read_rows(frame, task, rule))
            table = pd.crosstab(frame.answer, read).reindex(
                index=words, columns=words, fill_value=0
            )
            rows += [(task, rule, said, got, int(table.loc[said, got])) for said in words
                     for got in words]  # fmt: skip
    return pd.DataFrame(rows, columns=["task", "rule", "said", "read", "count"])


def gains(split: str = "unseen", resamples: int = 2000) -> pd.DataFrame:
    """Return by how much the scoped reading is better than each plain one, on the same answers.

    Args:
        split: of `metrics.parsing.gold.SPLITS`, or unseen: all but development.
        resamples: of the bootstrap over answers; a resample gives both rules the same answers.

    Returns:
        Columns task, phenomenon, plain (the rule compared with), measure (precision, recall, exact
        of mentions; accuracy of the closed tasks), value, low, high: scoped minus plain, NaN where
        one of the two is undefined.
    """
    rows = []
    frame = labelled_rows("mentions", split)
    scoped, plain = (_counts(frame, rule) for rule in RULES)
    for name, chosen in groups(frame):
        weights = scene_weights(int(chosen.sum()), resamples)
        for measure, top, bottom in (("precision", 0, 1), ("recall", 0, 2), ("exact", 3, 4)):
            pair = [_drawn(c[chosen][:, top], c[chosen][:, bottom], weights)
                    for c in (scoped, plain)]  # fmt: skip
            rows.append(("mentions", name, RULES[1], measure, *_difference(*pair)))
    for task, (first, *others) in CLOSED_RULES.items():
        frame = labelled_rows(task, split)
        for name, chosen in groups(frame):
            weights = scene_weights(int(chosen.sum()), resamples)
            hits = {rule: _right(frame, task, rule)[chosen] for rule in (first, *others)}
            drawn = {r: _drawn(hit, np.ones(len(hit)), weights) for r, hit in hits.items()}
            rows += [(task, name, rule, "accuracy", *_difference(drawn[first], drawn[rule]))
                     for rule in others]  # fmt: skip
    columns = ["task", "phenomenon", "plain", "measure", "value", "low", "high"]
    return pd.DataFrame(rows, columns=columns)


def tightened(value: float, low: float, high: float, units: int) -> tuple[float, float, float]:
    """Return a ratio of 0 or 1 with Clopper and Pearson's bounds, any other as it is.

    A percentile bootstrap of units that all agree has no width. The bounds are then those of 0 or
    all of ``units``, independent draws that each agree entirely.

    >>> [round(x, 2) for x in tightened(1.0, 1.0, 1.0, 20)]
    [1.0, 0.83, 1.0]
    """
    if units and value in (0.0, 1.0):
        return (value, *rate_interval(int(value) * units, units, "clopper-pearson"))
    return value, low, high


def _counts(frame: pd.DataFrame, rule: str) -> np.ndarray:
    """Return, for each answer, classes right, read, meant; whether all are right; and 1."""
    read = [mentions(text, rule=rule).asserted & frozenset(OBJECT_CLASSES) for text in frame.text]
    counts = [
        (len(s & t), len(s), len(t), s == t, 1) for s, t in zip(read, frame.asserted, strict=True)
    ]
    return np.array(counts, dtype=np.float64).reshape(-1, 5)


def read_rows(frame: pd.DataFrame, task: str, rule: str) -> list[str]:
    """Return what a rule reads in each labelled answer to a closed question."""
    pairs = zip(frame.text, frame.asked, strict=True)
    return [read_closed(text, task, rule, asked or None) for text, asked in pairs]


def _right(frame: pd.DataFrame, task: str, rule: str) -> np.ndarray:
    read = read_rows(frame, task, rule)
    return np.array([r == a for r, a in zip(read, frame.answer, strict=True)], dtype=np.float64)


def _drawn(hits: np.ndarray, over: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return sum(hits) / sum(over) of all answers and of each resample, (R + 1,)."""
    whole = np.vstack([np.ones(len(hits)), weights])
    tops, bottoms = whole @ hits, whole @ over
    return np.divide(tops, bottoms, out=np.full_like(tops, np.nan), where=bottoms > 0)


def _difference(first: np.ndarray, second: np.ndarray | float) -> tuple[float, float, float]:
    gap = first - second
    if np.isnan(gap[0]):
        return (float("nan"),) * 3
    low, high = percentiles(gap[1:, None])
    return float(gap[0]), float(low[0]), float(high[0])


def labelled_rows(task: str, split: str) -> pd.DataFrame:
    """Return the labelled answers to one task, of one split or all unseen, numbered from 0."""
    frame = load_labelled()
    asked = (frame.split != SPLITS[0]) if split == "unseen" else (frame.split == split)
    return frame[(frame.task == task) & asked].reset_index(drop=True)


def groups(frame: pd.DataFrame) -> list[tuple[str, np.ndarray]]:
    """Return (phenomenon, which rows have it) for those that occur, then all rows."""
    found = [(p, np.array([p in row for row in frame.phenomenon], dtype=bool)) for p in PHENOMENA]
    return [(p, c) for p, c in found if c.any()] + [(ALL, np.ones(len(frame), dtype=bool))]
