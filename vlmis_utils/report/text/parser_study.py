"""What the parser study shows, in sentences that are chosen by the numbers."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from vlmis_utils.analysis.parser_study.accuracy import ALL
from vlmis_utils.analysis.parser_study.calibration import CLEAN, DEGRADED
from vlmis_utils.analysis.parser_study.rereading import EVERY
from vlmis_utils.core.formatting import direction, estimate, listing, number, verbatim

__all__ = [
    "alarm_findings", "calibration_findings", "disputed_finding", "imagined_findings",
    "reading_findings", "run_findings", "token_findings", "weakest",
]  # fmt: skip

_TASKS = {"mentions": "Mentions", "presence": "Yes or no", "safety": "Safety"}


def reading_findings(gains: pd.DataFrame) -> list[str]:
    """Return, for each task and plain rule, on which phenomena the scoped reading is better.

    Args:
        gains: from `analysis.parser_study.accuracy.gains`.
    """
    found = []
    rows = gains[(gains.phenomenon != ALL) & (gains.measure != "exact")].dropna(subset=["value"])
    for (task, plain, measure), group in rows.groupby(["task", "plain", "measure"], sort=False):
        ways: dict[str, list[str]] = {"ahead": [], "behind": [], "open": []}
        for row in group.itertuples():
            ways[direction(row.low, row.high, *ways)].append(row.phenomenon)
        words = {"ahead": "significantly better on", "behind": "significantly worse on",
                 "open": "not significantly different on"}  # fmt: skip
        parts = [f"{words[way]} {listing(names)}" for way, names in ways.items() if names]
        found.append(
            f"**{_TASKS[task]}, {measure}**: against the *{plain}* rule the scoped reading is "
            f"{listing(parts)}."
        )
    return found


def weakest(mentions: pd.DataFrame, closed: pd.DataFrame) -> str:
    """Return on which phenomenon the scoped reading does worst in each task, as half a sentence.

    Args:
        mentions, closed: from `analysis.parser_study.accuracy`.
    """
    exact = mentions[(mentions.measure == "exact") & (mentions.rule == "scoped")]
    parts = [("mentions", exact)]
    parts += list(closed[closed.rule == "scoped"].groupby("task", sort=False))
    words = []
    for task, rows in parts:
        rows = rows[rows.phenomenon != ALL]
        row = rows.loc[rows.value.idxmin()]
        words.append(
            f"{_TASKS[task].lower()}: {row.phenomenon}, {estimate(row.value, row.low, row.high)}"
        )
    return "; ".join(words)


def alarm_findings(confusions: pd.DataFrame) -> list[str]:
    """Return which mistakes each rule makes with safety answers, the false "safe" first.

    Args:
        confusions: from `analysis.parser_study.accuracy.confusions`.
    """
    found = []
    for rule, rows in confusions[confusions.task == "safety"].groupby("rule", sort=False):
        count = rows.set_index(["said", "read"])["count"]
        warnings = int(count["unsafe"].sum())
        wrong = count[[said != read for said, read in count.index]]
        common = "It makes no mistake."
        if wrong.sum():
            said, read = wrong.idxmax()
            common = (
                f"Its commonest mistake is “{said}” read as “{read}”, {int(wrong.max())} times."
            )
        found.append(
            f"**{rule}** reads {int(count['unsafe', 'safe'])} of the {warnings} answers that say "
            f"unsafe as safe, and drops {int(count['unsafe', 'abstain'])} as no decision. {common}"
        )
    return found


def imagined_findings(imagined: pd.DataFrame) -> list[str]:
    """Return what HR and COR a reader would find where the careful one finds none, or more.

    Args:
        imagined: from `analysis.parser_study.consequences.imagined_rates`.
    """
    rows = imagined[imagined.phenomenon == ALL].set_index(["metric", "reader"])

    def rate(metric: str, reader: str) -> str:
        row = rows.loc[(metric, reader)]
        return estimate(row.value, row.low, row.high)

    return [
        f"**If every description were true**, HR would be 0. The scoped rule would report "
        f"{rate('hr', 'scoped')}, the keyword rule {rate('hr', 'keyword')}.",
        f"**If everything named were there**, also what is denied or doubted, COR would be "
        f"{rate('cor', 'labels')}. The scoped rule would report {rate('cor', 'scoped')}, the "
        f"keyword rule {rate('cor', 'keyword')}.",
    ]


def run_findings(
    contents: pd.DataFrame, effects: pd.DataFrame, labels: Mapping[str, str]
) -> list[str]:
    """Return, for each model that speaks, how far its rates depend on the reading.

    Args:
        contents, effects: from `analysis.parser_study.rereading`.
    """
    if contents.empty:
        return ["No model of this study answers in words, so no reading rule touches its results."]
    found = []
    every = effects[effects.condition == EVERY].set_index(["vlm", "reading", "metric"])
    for row in contents.to_dict("records"):
        vlm = row["vlm"]

        def change(reading: str, metric: str, vlm: str = vlm) -> str:
            r = every.loc[(vlm, reading, metric)]
            return f"{metric.upper()} by {estimate(r.delta, r.low, r.high, 3, sign=True)}"

        name = f"**{labels.get(vlm, vlm)}**"
        told = (
            f"{name}: of its {row['described']} descriptions (different wordings: "
            f"{row['distinct_described']}), {row['negated']} deny a class and {row['hedged']} "
            f"hedge one; the keyword rule reads {row['keyword']} of them differently."
        )
        moved = {r: every.loc[(vlm, r, "hr")].changed for r in ("keyword", "hedges counted")}
        if not any(moved.values()):
            told += " HR and COR are therefore the same numbers whichever rule reads them."
        for reading, changed in moved.items():
            if changed:
                told += (
                    f" Read with *{reading}* instead, {int(changed)} answers change, and with them "
                    f"{change(reading, 'hr')} and {change(reading, 'cor')}."
                )
        told += (
            f" Of its {row['judged']} safety answers (different wordings: {row['distinct_judged']})"
        )
        parts = []
        for rule in ("first word", "substring"):
            moves = f", which moves {change(rule, 'smr')}" if row[rule] else ""
            parts.append(f"the *{rule}* rule reads {row[rule]} differently{moves}")
        told += f" {listing(parts)}."
        if row["example"]:
            example = verbatim(row["example"])
            told += f" The most frequent text that *substring* reads otherwise: “{example}”"
        found.append(told)
    return found


def token_findings(
    coverage: pd.DataFrame,
    agreement: pd.DataFrame,
    discrimination: pd.DataFrame,
    labels: Mapping[str, str],
) -> list[str]:
    """Return, for each model and question, whether the first token says what the text says.

    Args:
        coverage, agreement, discrimination: from `analysis.parser_study.first_token`.
    """
    if coverage.empty:
        return ["No model of this study answers in words, so there is no first token to read."]
    found = []
    same = agreement[agreement.condition == EVERY].set_index(["vlm", "task"])
    auc = discrimination[discrimination.condition == EVERY].set_index(["vlm", "task", "measure"])
    for row in coverage.itertuples():
        name = f"**{labels.get(row.vlm, row.vlm)}, {row.task}**"
        if (row.vlm, row.task) not in same.index:
            found.append(f"{name}: no probabilities were recorded, so the text stands alone.")
            continue
        s = same.loc[(row.vlm, row.task)]
        part = "" if row.told == row.answers else f" ({row.told} of {row.answers} answers have one)"
        kappa = "" if s.kappa != s.kappa else f", κ {number(s.kappa, 3)}"
        told = (
            f"{name}: first token and text agree in {round(s.agree * s.n)} of {s.n} answers"
            f"{kappa}{part}. On average {number(100 * s.outside)} % of the probability lies "
            f"outside yes and no, at most {number(100 * s.outside_max)} %."
        )
        score, text, gain = (auc.loc[(row.vlm, row.task, m)] for m in ("score", "text", "gain"))
        if gain.value == gain.value:
            way = direction(
                gain.low, gain.high, "The score tells more than the text",
                "The score tells less than the text",
                "Score and text do not differ significantly",
            )  # fmt: skip
            told += (
                f" {way}: AUC {number(score.value)} against {number(text.value)}, "
                f"{estimate(gain.value, gain.low, gain.high, sign=True)}."
            )
        found.append(told)
    return found


def disputed_finding(disputed: pd.DataFrame, answers: int) -> str:
    """Return how many answers are read one way and begin the other, with the commonest texts.

    Args:
        disputed: from `analysis.parser_study.first_token.disputed`.
        answers: how many there are in all.
    """
    total = int(disputed["count"].sum())
    told = f"Text and first token part in {total} of {answers} answers, the blank image included"
    texts = [
        f"“{verbatim(text)}” (n = {count}, text {said}, first token {first})"
        for text, said, first, count in disputed[["text", "said", "first", "count"]].head(5).values
    ]
    return f"{told}. The most frequent: {'; '.join(texts)}." if texts else f"{told}."


def calibration_findings(confidence: pd.DataFrame, labels: Mapping[str, str]) -> list[str]:
    """Return, for each model and question, whether its sureness is earned, clean and degraded.

    Args:
        confidence: from `analysis.parser_study.calibration.confidence`.
    """
    if confidence.empty:
        return ["There is no first token whose probability could be checked."]
    found = []
    for (vlm, task), group in confidence.groupby(["vlm", "task"], sort=False):
        parts = []
        for pictures in (CLEAN, DEGRADED):
            for r in group[group.pictures == pictures].itertuples():
                way = direction(r.gap_low, r.gap_high, "too sure", "not sure enough",
                                "no significant gap")  # fmt: skip
                worth = direction(r.gain_low, r.gain_high, "better than", "worse than",
                                  "not significantly different from")  # fmt: skip
                parts.append(
                    f"on {pictures} images {number(r.sure)} sure and {number(r.right)} right, "
                    f"{way} (gap {estimate(r.gap, r.gap_low, r.gap_high, sign=True)}), Brier score "
                    f"{number(r.brier)}, {worth} the constant's {number(r.brier_share)}"
                )
        found.append(f"**{labels.get(vlm, vlm)}, {task}**: {'; '.join(parts)}.")
    return found
