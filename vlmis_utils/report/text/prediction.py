"""What rival measures of Q, and predictions of failure, show: sentences chosen from the numbers.

Frames come from `analysis.alternative_measures` and `analysis.failure_prediction`. A gain
counts where its 95 % interval leaves zero out.
"""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from vlmis_utils.analysis.failure_prediction import Foresight
from vlmis_utils.core.formatting import listing, number, percent
from vlmis_utils.report.text.correlation import ALPHA, LEVEL_WORDS, METRIC_NAMES, told

__all__ = [
    "OUTCOME_WORDS", "blindness_finding", "calibration_findings", "gain_findings",
    "outcome_findings", "rival_findings",
]  # fmt: skip

OUTCOME_WORDS: dict[str, str] = {
    "cor": "omission, on pictures with a critical class",
    "smr": "wrong safety call",
    "hr": "hallucination",
}


def rival_findings(frame: pd.DataFrame, words: Mapping[str, str]) -> list[str]:
    """Return a sentence for each level: how often other measures beat mIoU, and which does most.

    Args:
        frame: from `analysis.alternative_measures.measure_correlations`.
        words: name -> words of a measure.
    """
    found = []
    for level, rows in frame.groupby("over", sort=False):
        rivals = rows.dropna(subset=["gain", "gain_low"])
        if rivals.empty:
            found.append(f"**{LEVEL_WORDS[level].capitalize()}** nothing can be compared.")
            continue
        way = told(rivals, "gain_low", "gain_high")
        parts = []
        for metric, group in rivals.groupby("metric", sort=False):
            better = (way[group.index] > 0).groupby(group.quality).sum()
            best = better.idxmax()
            mine = way[group.index[group.quality == best]]
            parts.append(
                f"for {METRIC_NAMES[metric]} {words.get(best, best)}, in {better[best]} of "
                f"{len(mine)} pairs (worse in {(mine < 0).sum()})"
                if better[best]
                else f"for {METRIC_NAMES[metric]} none in any pair"
            )
        found.append(
            f"**{LEVEL_WORDS[level].capitalize()}** another measure is the better proxy in "
            f"{(way > 0).sum()} of {len(rivals)} comparisons and the worse one in "
            f"{(way < 0).sum()}; after Holm's correction {_kept(rivals, 1)} and "
            f"{_kept(rivals, -1)} are left. Most often better: {'; '.join(parts)}."
        )
    return found


def _kept(rows: pd.DataFrame, sign: int) -> int:
    return int(((rows.gain * sign > 0) & (rows.gain_holm < ALPHA)).sum())


def blindness_finding(frame: pd.DataFrame, words: Mapping[str, str]) -> str:
    """Return whether it is mIoU that is blind: is one measure better all along the line?

    A measure is the better eye for a metric at a level if it beats mIoU in more than half of the
    pairs of segmenter and VLM, by their intervals.

    Args:
        frame, words: as in `rival_findings`.
    """
    rivals = frame.dropna(subset=["gain", "gain_low"])
    if rivals.empty:
        return "Nothing can be compared with mIoU."
    keys = ["quality", "over", "metric"]
    better = (told(rivals, "gain_low", "gain_high") > 0).groupby([rivals[k] for k in keys]).mean()
    worse = (told(rivals, "gain_low", "gain_high") < 0).groupby([rivals[k] for k in keys]).mean()
    cells = rivals.groupby(["over", "metric"]).ngroups
    won = (better > 0.5).groupby(level="quality").sum()
    lost = (worse > 0.5).groupby(level="quality").sum()
    places = [
        f"{METRIC_NAMES[metric]} {LEVEL_WORDS[over]} ({listing(words.get(q, q) for q in names)})"
        for (over, metric), names in _winners(better).items()
    ]
    start = f"Of the {cells} combinations of level and metric, "
    if not places:
        return (
            start + "none has a measure that is the better proxy in more than half of the pairs: "
            "this run does not show mIoU to be blinder than other measures of segmentation."
        )
    best = won.idxmax()
    text = (
        start + f"{len(places)} have a measure that is the better proxy in more than half of the "
        f"pairs: {listing(places)}. "
    )
    if won[best] == cells:
        return (
            text + f"The {words.get(best, best)} is so in all of them: mIoU is the blinder measure."
        )
    return text + (
        f"No measure is so in all {cells}. The {words.get(best, best)} is so most often, in "
        f"{won[best]}, and is the worse proxy in {lost[best]}."
    )


def _winners(better: pd.Series) -> dict[tuple[str, str], list[str]]:
    winners: dict[tuple[str, str], list[str]] = {}
    for quality, over, metric in better[better > 0.5].index:
        winners.setdefault((over, metric), []).append(quality)
    order = list(LEVEL_WORDS)
    return dict(sorted(winners.items(), key=lambda item: order.index(item[0][0])))


def outcome_findings(found: Foresight) -> list[str]:
    """Return a sentence for each failure: how often it happens, and the AUC of each feature set.

    Args:
        found: from `analysis.failure_prediction.foresee`.
    """
    lines = []
    for metric, rows in found.scores.groupby("metric", sort=False):
        words = OUTCOME_WORDS.get(metric, metric)
        usable = rows.dropna(subset=["auc"])
        if usable.empty:
            lines.append(f"**{METRIC_NAMES[metric]}** ({words}): {rows.reason.iloc[0]}.")
            continue
        spans = {n: _span(group.auc) for n, group in usable.groupby("features", sort=False)}
        best = usable.groupby("features", sort=False).auc.mean().idxmax()
        rates = dict.fromkeys((percent(usable.rate.min()), percent(usable.rate.max())))
        lines.append(
            f"**{METRIC_NAMES[metric]}** ({words}; {' to '.join(rates)} of degraded pictures): "
            f"AUC {spans['condition']} from the condition alone and {spans['mIoU']} from mIoU "
            f"alone, over VLMs and segmenters; most on average from *{best}*, {spans[best]}."
        )
    return lines


def gain_findings(found: Foresight) -> list[str]:
    """Return a sentence for each failure: does mIoU foretell what is not known without it?

    Args:
        found: from `analysis.failure_prediction.foresee`.
    """
    lines = []
    for metric, mine in found.gains.groupby("metric", sort=False):
        usable = mine.dropna(subset=["gain", "low"])
        if usable.empty:
            lines.append(f"**{METRIC_NAMES[metric]}**: nothing can be compared.")
            continue
        parts = [
            f"{words} {_more(usable[(usable.features == first) & (usable.against == second)])}"
            for first, second, words in _QUESTIONS
        ]
        lines.append(f"**{METRIC_NAMES[metric]}**: {'; '.join(parts)}.")
    return lines


_QUESTIONS = (
    ("mIoU", "condition", "mIoU alone against the condition alone"),
    ("mIoU + condition", "condition", "mIoU added to the condition"),
    (
        "clean + condition + mIoU",
        "clean + condition",
        "mIoU added to the condition and the answer on the clean picture",
    ),
)


def _more(rows: pd.DataFrame) -> str:
    way = told(rows)
    parts = [
        f"{word} in {n}"
        for word, n in (("gains", (way > 0).sum()), ("loses", (way < 0).sum()))
        if n
    ]
    kept = int((rows.holm < ALPHA).sum())
    if not parts:
        return f"is not told apart in any of {len(rows)} pairs ({_span(rows.gain, sign=True)})"
    return (
        f"{listing(parts)} of {len(rows)} pairs ({_span(rows.gain, sign=True)}; {kept} after "
        "Holm's correction)"
    )


def calibration_findings(found: Foresight, features: str = "mIoU + condition") -> list[str]:
    """Return a sentence for each failure: are the probabilities too extreme, and worth anything?

    Args:
        found: from `analysis.failure_prediction.foresee`.
        features: the feature set.
    """
    lines = []
    for metric, rows in found.scores.groupby("metric", sort=False):
        mine = rows[rows.features == features].dropna(subset=["slope", "skill"])
        if mine.empty:
            continue
        extreme = int((mine.slope_high < 1).sum())
        useful = int((mine.skill_low > 0).sum())
        lines.append(
            f"**{METRIC_NAMES[metric]}**, by *{features}*: calibration slopes "
            f"{_span(mine.slope)}, below 1 beyond the interval in {extreme} of {len(mine)}; Brier "
            f"score better than that of the plain rate in {useful} of {len(mine)} (skill "
            f"{_span(mine.skill)}); mean gap between probability and rate {_span(mine.ece)}."
        )
    return lines


def _span(values: pd.Series, sign: bool = False) -> str:
    low, high = (number(v, sign=sign) for v in (values.min(), values.max()))
    return low if low == high else f"{low} to {high}"
