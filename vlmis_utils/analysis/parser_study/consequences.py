"""What misreading does: the sentences that show it, and the rates that it would make.

No model and no picture here, only the labelled answers; `analysis.parser_study.rereading` does the
same with the answers of a run, and the two are never mixed.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from vlmis_utils.analysis.parser_study.accuracy import (
    ALL,
    groups,
    labelled_rows,
    read_rows,
    tightened,
)
from vlmis_utils.metrics import language
from vlmis_utils.metrics.parsing.parse import RULES, mentions
from vlmis_utils.protocol.classes import CRITICAL_CLASSES, OBJECT_CLASSES
from vlmis_utils.statistics.resampling import bootstrap_interval

__all__ = ["PLAIN_RULES", "imagined_rates", "telling"]

# The plain rule of each task: it looks for a key word and understands nothing else.
PLAIN_RULES: dict[str, str] = {
    "mentions": "keyword",
    "presence": "first word",
    "safety": "substring",
}


def telling(split: str = "unseen") -> pd.DataFrame:
    """Return, for each task and phenomenon, an answer that `PLAIN_RULES` misread and ours does not.

    Of these the one is chosen that has no other phenomenon, then one of which a warning was read as
    safe, then the shortest.

    Returns:
        Columns task, phenomenon, text, label, plain (what the plain rule read), wrong (answers of
        the phenomenon that the plain rule misreads) and answers; a phenomenon without such an
        answer has no row.
    """
    rows = []
    for task, rule in PLAIN_RULES.items():
        frame = labelled_rows(task, split)
        label, plain, scoped = (_read(frame, task, r) for r in ("label", rule, "scoped"))
        wrong = np.array([p != t for p, t in zip(plain, label, strict=True)])
        only = wrong & np.array([s == t for s, t in zip(scoped, label, strict=True)])
        alarm = [(t, p) == ("unsafe", "safe") for t, p in zip(label, plain, strict=True)]
        order = [
            (len(row.phenomenon), not alarm[i], len(row.text), i)
            for i, row in enumerate(frame.itertuples())
        ]
        for name, chosen in groups(frame):
            found = [order[i] for i in np.flatnonzero(only & chosen) if frame.text[i].strip()]
            if name == ALL or not found:
                continue
            at = min(found)[-1]
            counts = int(wrong[chosen].sum()), int(chosen.sum())
            rows.append((task, name, frame.text[at], label[at], plain[at], *counts))
    columns = ["task", "phenomenon", "text", "label", "plain", "wrong", "answers"]
    return pd.DataFrame(rows, columns=columns)


def imagined_rates(
    split: str = "unseen", critical: Iterable[str] = CRITICAL_CLASSES, resamples: int = 2000
) -> pd.DataFrame:
    """Return the HR and COR that a reading adds to, or hides from, the labelled descriptions.

    Each answer gets two imagined scenes. In the first, what it asserts is exactly what is there, so
    the speaker invents nothing and HR as labelled is 0. In the second, all that it names is there,
    also what it denies or doubts, so COR as labelled is the share of answers that withhold a
    critical class.

    Args:
        split: of `metrics.parsing.gold.SPLITS`, or unseen: all but development.
        critical: the critical classes of COR.
        resamples: of the bootstrap over answers.

    Returns:
        Columns phenomenon, reader (``labels`` for the careful reader, then the rules), metric (hr
        in the first scene, cor in the second), answers, value, low, high: means over answers, with
        intervals from resampled answers; see `tightened` for rates of 0 and 1.
    """
    frame, critical = labelled_rows("mentions", split), frozenset(critical)
    said = {"labels": list(frame.asserted)} | {rule: _asserted(frame.text, rule) for rule in RULES}
    needed = [
        (a | n | h) & critical
        for a, n, h in zip(frame.asserted, frame.negated, frame.hedged, strict=True)
    ]
    rows = []
    for name, chosen in groups(frame):
        for reader, sets in said.items():
            read, true, must = language.indicators(sets, frame.asserted, needed)
            invented = language.hallucination_terms(read, true)
            omitted = np.nan_to_num(language.omission_terms(read, must))
            for metric, terms in (("hr", invented[chosen]), ("cor", omitted[chosen])):
                found = bootstrap_interval(terms, resamples=resamples)
                bounds = tightened(found.value, found.low, found.high, len(terms))
                rows.append((name, reader, metric, len(terms), *bounds))
    columns = ["phenomenon", "reader", "metric", "answers", "value", "low", "high"]
    return pd.DataFrame(rows, columns=columns)


def _asserted(texts: pd.Series, rule: str) -> list[frozenset[str]]:
    return [mentions(text, rule=rule).asserted & frozenset(OBJECT_CLASSES) for text in texts]


def _read(frame: pd.DataFrame, task: str, rule: str) -> list[str]:
    """Return each answer's label (rule ``label``) or what a rule reads, as words."""
    if task != "mentions":
        if rule == "label":
            return list(frame.answer)
        return read_rows(frame, task, rule)
    sets = frame.asserted if rule == "label" else _asserted(frame.text, rule)
    return [", ".join(c for c in OBJECT_CLASSES if c in names) or "nothing" for names in sets]
