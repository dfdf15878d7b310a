"""The run read again: how far HR, COR and SMR move when its texts are read in another way.

The base is always the scoped reading with hedged classes left out, whatever the study chose. No
model runs: the records hold the texts. Contrastive models return none and have no part here.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from vlmis_utils.analysis.parser_study.accuracy import CLOSED_RULES, read_closed
from vlmis_utils.analysis.results import Results
from vlmis_utils.metrics import per_image
from vlmis_utils.metrics.parsing.parse import mentions
from vlmis_utils.metrics.per_image import Reading
from vlmis_utils.records.store import BLANK
from vlmis_utils.statistics.resampling import bootstrap_interval

__all__ = ["EVERY", "READINGS", "contents", "reading_effects", "spoken_answers"]

EVERY = "every"  # in the column condition: the mean over all conditions but the blank one

# Another way to read -> the metrics that it can move.
READINGS: dict[str, tuple[str, ...]] = {
    "keyword": ("hr", "cor"),
    "hedges counted": ("hr", "cor"),
    "first word": ("smr",),
    "substring": ("smr",),
}
_KEYS = ["vlm", "condition", "scene_id"]


def spoken_answers(results: Results) -> pd.DataFrame:
    """Return the rows of the table ``answers`` that are text; none if no model speaks."""
    return results.answers[results.answers.text.notna()]


def contents(results: Results) -> pd.DataFrame:
    """Return what the texts of each model hold that a plain rule would stumble over.

    Returns:
        One row a model: vlm; described and judged (answers to ``describe`` and to ``safety``, all
        conditions but the blank one); distinct_described and distinct_judged (different wordings);
        and counts of answers: negated and hedged (descriptions that negate or hedge a class),
        keyword (descriptions in which the keyword rule reads other classes), abstained (safety
        answers without a decision), first word and substring (safety answers that these rules read
        differently) and example (the most frequent text that substring does, or "").
    """
    spoken = spoken_answers(results)
    spoken = spoken[spoken.condition != BLANK]
    vocabulary, rows = frozenset(results.reading.vocabulary), []
    for vlm, mine in spoken.groupby("vlm", sort=False):
        described = mine.text[mine.prompt == "describe"]
        judged = mine.text[mine.prompt == "safety"]
        said = [mentions(text) for text in described]
        plain = [mentions(text, rule="keyword") for text in described]
        decided = [read_closed(text, "safety", "scoped") for text in judged]
        row = {
            "vlm": vlm, "described": len(described), "distinct_described": described.nunique(),
            "negated": sum(bool(m.negated & vocabulary) for m in said),
            "hedged": sum(bool(m.hedged & vocabulary) for m in said),
            "keyword": sum(
                (m.asserted & vocabulary) != (k.asserted & vocabulary)
                for m, k in zip(said, plain, strict=True)
            ),
            "judged": len(judged), "distinct_judged": judged.nunique(),
            "abstained": decided.count("abstain"),
        }  # fmt: skip
        for rule in CLOSED_RULES["safety"][1:]:
            read = [read_closed(text, "safety", rule) for text in judged]
            differ = [a != b for a, b in zip(decided, read, strict=True)]
            row[rule] = sum(differ)
        common = judged[differ].value_counts()
        rows.append(row | {"example": common.index[0] if len(common) else ""})
    columns = ["vlm", "described", "distinct_described", "negated", "hedged", "keyword", "judged",
               "distinct_judged", "abstained", *CLOSED_RULES["safety"][1:], "example"]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)


def reading_effects(results: Results) -> pd.DataFrame:
    """Return how HR, COR and SMR change with the reading, by model and condition.

    The change is the other reading's rate minus the base's, a mean over scenes of paired
    differences of the same answers; in the rows `EVERY` each scene enters with the mean over its
    conditions. Intervals are percentile bootstraps over scenes. A change of exactly 0 in every
    scene has the interval 0 to 0: the two readings are the same function of these answers, and no
    other sample of scenes is spoken of. One scene alone has no interval (NaN).

    Returns:
        Columns vlm, condition, reading (a key of `READINGS`), metric, answers, changed (answers
        whose mentions or decision differ), base and other (rates), delta, low, high.
    """
    spoken = spoken_answers(results)
    base_reading = replace(results.reading, parser="scoped", count_hedged=False)
    rows: list[tuple] = []
    for vlm, mine in spoken.groupby("vlm", sort=False):
        base = per_image.per_image(mine, results.truth, base_reading)
        for reading, metrics in READINGS.items():
            other = _reread(mine, base, results, base_reading, reading)
            key = "mentioned" if "hr" in metrics else "decision"
            both = base[[*_KEYS, key]].merge(other[[*_KEYS, key]], on=_KEYS)
            differ = both[f"{key}_x"] != both[f"{key}_y"]
            changed = differ.groupby(both.condition, sort=False).agg(["size", "sum"])
            for metric in metrics:
                tables = [_table(frame, metric) for frame in (base, other)]
                rows += [
                    (vlm, row[0], reading, metric, *_counts(changed, row[0]), *row[1:])
                    for row in _changes(*tables, results.bootstrap)
                ]
    columns = ["vlm", "condition", "reading", "metric", "answers", "changed", "base", "other",
               "delta", "low", "high"]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)


def _reread(
    answers: pd.DataFrame, base: pd.DataFrame, results: Results, reading: Reading, name: str
) -> pd.DataFrame:
    """Return the per-image failures of one model's answers, read in another way."""
    if "smr" in READINGS[name]:
        judged = answers[answers.prompt == "safety"]
        words = judged[_KEYS].assign(
            decision=[read_closed(text, "safety", name) for text in judged.text]
        )
        frame = base.drop(columns="decision").merge(words, on=_KEYS, how="left")
        frame["decision"] = frame["decision"].fillna("abstain")
        return per_image.failures(frame, reading.epsilon)
    changed = {"keyword": {"parser": "keyword"}, "hedges counted": {"count_hedged": True}}[name]
    return per_image.per_image(answers, results.truth, replace(reading, **changed))


def _table(frame: pd.DataFrame, metric: str) -> pd.DataFrame:
    """Return a metric's terms, one row a scene, one column a condition, and their mean."""
    table = frame.pivot(
        index="scene_id", columns="condition", values=per_image.METRIC_COLUMNS[metric]
    )
    table = table.astype(float)
    return table.assign(**{EVERY: table.drop(columns=BLANK, errors="ignore").mean(axis=1)})


def _changes(base: pd.DataFrame, other: pd.DataFrame, resamples: int) -> list[tuple]:
    other = other.reindex(index=base.index, columns=base.columns)
    found = bootstrap_interval((other - base).to_numpy(), resamples=resamples)
    rates = np.nanmean(base, axis=0), np.nanmean(other, axis=0)
    bounds = (found.low, found.high) if len(base) > 1 else np.full((2, len(found.value)), np.nan)
    return list(zip(base.columns, *rates, found.value, *bounds, strict=True))


def _counts(changed: pd.DataFrame, condition: str) -> tuple[int, int]:
    if condition == EVERY:
        chosen = changed.drop(index=BLANK, errors="ignore")
        return int(chosen["size"].sum()), int(chosen["sum"].sum())
    return int(changed.loc[condition, "size"]), int(changed.loc[condition, "sum"])
