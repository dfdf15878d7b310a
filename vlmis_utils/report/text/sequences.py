"""Sentences about studies of sequences."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pandas as pd

from vlmis_utils.analysis.sequences.aggregation import RULES
from vlmis_utils.analysis.sequences.onset import MEASURES
from vlmis_utils.analysis.sequences.several import ERRORS
from vlmis_utils.core.formatting import estimate, number, percent
from vlmis_utils.report.text.sentences import signs
from vlmis_utils.report.words import condition_words
from vlmis_utils.statistics.intervals import interval_sign

__all__ = ["carried", "control", "grows", "in_short", "no_scores", "rules_in_short", "together"]


def carried(frame: pd.DataFrame) -> str:
    """Say whether what pixels gain by looking longer carries over to answers.

    Args:
        frame: from `analysis.sequences.aggregation.verdict`.
    """
    if frame.empty:
        return "No segmenter of this run gives scores, so there is no gain of pixels to compare."
    rows = {row.of: row for row in frame.itertuples()}
    words = {n: estimate(r.gain, r.low, r.high, 3, True) for n, r in rows.items()}
    known = all(row.low == row.low for row in rows.values())
    if not known:
        return (
            f"Label maps gain {words['pixels']} in mIoU and answers {words['language']} in the "
            "mean of HR, COR and SMR; of one drive there is no interval, and so no verdict."
        )
    gained = {name: row.low > 0 for name, row in rows.items()}
    if gained["pixels"] and gained["language"]:
        first = "Both gain by looking longer: robustness of pixels goes with robustness of meaning."
    elif gained["pixels"]:
        first = "It does not carry over: label maps gain by looking longer, answers do not."
    elif gained["language"]:
        first = "Answers gain by looking longer, label maps do not."
    else:
        first = "Neither gains by looking longer, so there is nothing that could carry over."
    return (
        f"{first} Label maps gain {words['pixels']} in mIoU, answers {words['language']} in the "
        f"mean of HR, COR and SMR; the difference is {words['difference']} "
        "(95 % intervals over drives)."
    )


# Measure -> words, how its values are written, around a value on clean images.
_SHORT: dict[str, tuple[str, Callable[[float], str]]] = {
    "flicker": ("{} of the classes turn from mentioned to not, or back, between two frames without "
                "cause", percent),
    "exposure": ("it judges {} of the unsafe time safe", percent),
    "lag": ("it says unsafe {} frames after the change", lambda value: number(value, 1)),
}  # fmt: skip


def in_short(spoken: pd.DataFrame, labels: Mapping[str, str]) -> list[str]:
    """Say for each model how it flickers, what it lets pass, and how late it is.

    Args:
        spoken: from `analysis.sequences.results.over_drives`, by vlm and condition.
        labels: model name to the name shown.
    """
    found = []
    for vlm, rows in spoken.groupby("vlm", sort=False):
        clean, degraded = (rows[(rows.condition == "clean") == side] for side in (True, False))
        parts = []
        for measure, (words, write) in _SHORT.items():
            value = clean[measure].mean()
            if value != value:
                continue
            others = [write(v) for v in sorted(degraded[measure].dropna())]
            span = others[0] if len(set(others)) == 1 else " to ".join(others[:: len(others) - 1])
            more = f", degraded {span}" if others else ""
            parts.append(f"{words.format(write(value))}{more}")
        if parts:
            found.append(f"**{labels.get(vlm, vlm)}**, on clean images: {'; '.join(parts)}.")
    return found


def no_scores(pixels: pd.DataFrame) -> str:
    """Say that no segmenter gives scores, where none does."""
    return "" if len(pixels) else "Segmenters that give labels alone have no running mean."


def grows(slopes: pd.DataFrame, condition: str, labels: Mapping[str, str]) -> str:
    """Say whether what a degradation adds changes while it lasts.

    Args:
        slopes: from `analysis.sequences.onset.growth`.
        condition: of them.
        labels: model name to the name shown.
    """
    known = slopes.dropna(subset=["low"])
    if known.empty:
        return "This run has too few degraded frames or drives to tell whether it changes then."
    moving = known[signs(known) != 0]
    count = f"of {len(known)} slopes over that time, one for each model and measure,"
    lead = f"Once {condition_words(condition)} is there,"
    if moving.empty:
        return f"{lead} nothing is seen to grow or to fade: {count} none has an interval off zero."
    verb = "has" if len(moving) == 1 else "have"
    found = [
        f"{labels.get(row.model, row.model)}'s {MEASURES[row.measure]} "
        f"{estimate(row.slope, row.low, row.high, sign=True)}"
        for row in moving.itertuples()
    ]
    return (
        f"{lead} {count} {len(moving)} {verb} an interval off zero, and about one in twenty "
        f"would by chance: {'; '.join(found)} a second."
    )


def control(plain: pd.DataFrame, shuffled: pd.DataFrame) -> str:
    """Say what shuffling the frames of each drive did.

    Args:
        plain, shuffled: rows of `Sequences.language_by_drive`, in one order.
    """
    kept = max(
        float((plain[c] - shuffled[c]).abs().max()) for c in ("hr", "smr") if plain[c].notna().any()
    )
    before, after = plain.flicker.mean(), shuffled.flicker.mean()
    same = "stay exactly as they are" if kept < 1e-9 else f"change by up to {kept:.3f}"
    moved = f"flicker goes from {before:.2f} to {after:.2f}" if before == before else (
        "there is no pair of frames to flicker between")  # fmt: skip
    return f"HR and SMR of every drive {same}; {moved}."


def rules_in_short(gains: pd.DataFrame) -> list[str]:
    """Say of each rule which error rates it changes significantly, and what SMR gains on average.

    Args:
        gains: from `analysis.sequences.aggregation.gains`.
    """
    found = []
    for rule, rows in gains.groupby("rule", sort=False):
        sides = list(signs(rows))
        mean = rows[rows.metric == "smr"].gain.mean()
        way = "falls" if mean > 0 else "rises"
        found.append(
            f"**{RULES[rule].capitalize()}**: of {len(rows)} error rates, one for each model, "
            f"condition and metric, {sides.count(1)} are significantly smaller than those of the "
            f"newest answer alone and {sides.count(-1)} significantly larger; SMR {way} by "
            f"{number(abs(mean), 3)} on average."
        )
    return found


def together(frame: pd.DataFrame) -> str:
    """Say what several frames in one prompt change.

    Args:
        frame: from `analysis.sequences.several.several_frames`.
    """
    sides = [
        int(interval_sign(row[f"{name}_low"], row[f"{name}_high"]))
        for row in frame.to_dict("records")
        for name in ERRORS
    ]
    mean = frame.mean(numeric_only=True)
    times = mean.seconds_together / mean.seconds_alone
    return (
        f"With {frame.together[0]} frames in one prompt {sides.count(1)} of {len(sides)} error "
        f"rates, three for each condition, are significantly smaller than with the newest alone, "
        f"and {sides.count(-1)} significantly larger. An answer takes {number(times, 1)} times as "
        f"long. A description mentions {number(mean.mentions_together, 1)} classes instead of "
        f"{number(mean.mentions_alone, 1)}; {percent(mean.abstained_together)} of the safety "
        f"answers decide nothing, instead of {percent(mean.abstained_alone)}."
    )
