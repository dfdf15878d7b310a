"""The specification curves in sentences: which conclusions are robust, and which choice decides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from vlmis_utils.analysis.multiverse.choices import Choice
from vlmis_utils.analysis.multiverse.robustness import OUTCOMES, disputed
from vlmis_utils.core.formatting import estimate, listing, number, percent
from vlmis_utils.report.tables.multiverse import choice_names, share
from vlmis_utils.report.words import METRICS

__all__ = ["conclusion_name", "effect_findings", "outcome_findings", "turning_points"]

_OUTCOMES = {
    "robust": "robust",
    "loses significance": "losing significance",
    "gains significance": "gaining significance",
    "changes sign": "changing sign",
}


def conclusion_name(row: pd.Series, labels: Mapping[str, str]) -> str:
    """Return a conclusion in words, such as "COR of CLIP under OCC3".

    Args:
        row: a row of `robustness`.
    """
    words = f"{METRICS[row.metric]} of {labels.get(row.vlm, row.vlm)}"
    if row.kind == "rise":
        return f"{words} under {row.condition}"
    details = [labels.get(row.segmenter, row.segmenter), row.method.capitalize()]
    rest = ", ".join(d for d in details if d)
    over = " over images" if row.kind == "image correlation" else ""
    return f"{words} with mIoU{over}{f' ({rest})' if rest else ''}"


def outcome_findings(found: pd.DataFrame) -> list[str]:
    """Return how many conclusions hold under all choices, then a line for each metric."""
    robust, turned = ((found.outcome == outcome).sum() for outcome in ("robust", "changes sign"))
    lines = [
        f"Under every combination of choices {robust} of {len(found)} conclusions stay the same; "
        f"{turned} {'changes' if turned == 1 else 'change'} sign under some."
    ]
    for metric, rows in found.groupby("metric", sort=False):
        parts = []
        for outcome in OUTCOMES:
            mine = rows[rows.outcome == outcome]
            untold = int((mine.verdict == "same").sum())
            known = f" ({untold} of them as unclear)"
            note = known if outcome == "robust" and untold else ""
            parts += [f"{len(mine)} {_OUTCOMES[outcome]}{note}"] if len(mine) else []
        plural = "conclusion" if len(rows) == 1 else "conclusions"
        lines.append(f"**{METRICS[metric]}**, {len(rows)} {plural}: {listing(parts)}.")
    return lines


def turning_points(
    found: pd.DataFrame, every: Sequence[Choice], labels: Mapping[str, str], most: int = 6
) -> list[str]:
    """Return a line for each conclusion that is not robust, changes of sign first.

    Args:
        found: from `robustness`.
        every: gives the names of the choices.
        labels: model -> name.
        most: lines at most; one more says how many are left out.
    """
    names = choice_names(every)
    rows = disputed(found[found.outcome != "robust"])
    rows = pd.concat([rows[rows.outcome == "changes sign"], rows[rows.outcome != "changes sign"]])
    if rows.empty:
        return ["No conclusion here changes its verdict under any specification."]
    lines = []
    for row in rows.head(most).itertuples():
        alone = [f"*{names.get(key, key)}*" for key in row.alone]
        decides = f"*{names.get(row.deciding, row.deciding)}*"
        hangs = {
            0: f"Most often {decides} decides, but no choice alone changes the study's verdict.",
            1: f"Most often {decides} decides; {listing(alone)} alone changes the study's verdict.",
        }.get(
            len(alone), f"Most often {decides} decides; each of {listing(alone)} alone changes it."
        )
        if alone == [decides]:
            hangs = f"It depends on {decides}, which alone changes the study's verdict."
        lines.append(
            f"**{conclusion_name(row, labels)}** {row.outcome}: the study has "
            f"{estimate(row.estimate, row.low, row.high, sign=True)}, the specifications span "
            f"{number(row.lowest, sign=True)} to {number(row.highest, sign=True)}, and "
            f"{share(row.agreeing)} of them agree in the verdict. {hangs}"
        )
    if len(rows) > most:
        lines.append(f"And {len(rows) - most} more, in the table.")
    return lines


def effect_findings(effects: pd.DataFrame, every: Sequence[Choice]) -> list[str]:
    """Return a line for each metric: which choice moves estimates most, and which the verdicts."""
    names = choice_names(every)
    lines = []
    for metric, rows in effects.groupby("metric", sort=False):
        means = rows.groupby("choice", sort=False)[["sway", "eta2"]].mean()
        size, sway = means.eta2.dropna(), means.sway
        part = "the estimates do not vary"
        if len(size) and size.max() > 0:
            part = (
                f"the estimates vary most with *{names.get(size.idxmax(), size.idxmax())}* "
                f"({percent(size.max())} of their variance)"
            )
        decides = "no choice decides a verdict"
        if len(sway) and sway.max() > 0:
            decides = (
                f"the verdicts depend most often on *{names.get(sway.idxmax(), sway.idxmax())}* "
                f"(in {percent(sway.max())} of the settings of all other choices)"
            )
        lines.append(f"**{METRICS[metric]}**: {part}, and {decides}.")
    return lines
