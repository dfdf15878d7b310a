"""Tables of the specification curves: frames of `analysis.multiverse` become finished cells."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

import pandas as pd

from vlmis_utils.analysis.multiverse.choices import Choice
from vlmis_utils.core.formatting import number, p_value, percent
from vlmis_utils.protocol.conditions import ordered
from vlmis_utils.report.tables.markdown import span
from vlmis_utils.report.words import METRICS

__all__ = ["choice_names", "load_choices", "load_effects", "load_joint", "load_robustness", "share"]

_VERDICTS = {
    "rise": {"up": "rises", "down": "falls", "same": "unclear"},
    "correlation": {"up": "positive", "down": "negative", "same": "unclear"},
}
# Segmenter and coefficient, where they are counted as choices.
_POOLED = {"segmenter": "segmenter", "method": "coefficient"}


def choice_names(every: Sequence[Choice]) -> dict[str, str]:
    """Return key -> name of the choices, and of what may be counted as one besides."""
    return _POOLED | {choice.key: choice.name for choice in every}


def load_choices(every: Sequence[Choice]) -> pd.DataFrame:
    """Return the choices as a table: the study's level, the others, what they move, and why."""
    return pd.DataFrame(
        {
            "choice": [choice.name for choice in every],
            "the study's own": [choice.own.name for choice in every],
            "other levels": [
                "; ".join(v.name for v in choice.levels[1:]) or "–" for choice in every
            ],
            "moves": [", ".join(METRICS[m] for m in choice.metrics) for choice in every],
            "why it is open": [choice.origin for choice in every],
        }
    )


def load_robustness(
    found: pd.DataFrame, labels: Mapping[str, str], by: Mapping[str, str]
) -> pd.DataFrame:
    """Return verdict and outcome of each conclusion, one column a metric.

    A cell holds the study's verdict, the outcome, the share of specifications that agree where not
    all do, and below it the range of the estimate.

    Args:
        found: from `robustness`.
        labels: model -> name.
        by: columns that make a row, and their headings.
    """
    lines = []
    for name, rows in found.groupby(list(by), sort=False):
        shown = (
            n.capitalize() if c == "method" else labels.get(n, n)
            for c, n in zip(by, name, strict=True)
        )
        line = dict(zip(by.values(), shown, strict=True))
        cells = dict.fromkeys(METRICS.values(), "–")
        cells |= {METRICS[row.metric]: _cell(row) for row in rows.itertuples()}
        lines.append(line | cells)
    return pd.DataFrame(lines, columns=[*by.values(), *METRICS.values()])


def load_effects(
    effects: pd.DataFrame, every: Sequence[Choice], metrics: Sequence[str] = ("hr", "cor", "smr")
) -> pd.DataFrame:
    """Return, for each choice, what it does to the conclusions that it can touch.

    Args:
        effects: from `effects`.
        every: gives the names.
        metrics: whose conclusions count.
    """
    names = choice_names(every)
    rows = effects[effects.metric.isin(metrics)]
    lines = []
    for key in (k for k in names if (rows.choice == k).any()):
        mine = rows[rows.choice == key]
        lines.append({
            "choice": names[key], "conclusions": str(len(mine)),
            "changed alone": str(int(mine.alone.sum())),
            "decisive in, mean": percent(mine.sway.mean()),
            "decisive in, most": percent(mine.sway.max()),
            "variance, mean": percent(mine.eta2.mean()),
            "variance, most": percent(mine.eta2.max()),
        })  # fmt: skip
    return pd.DataFrame(lines)


def load_joint(joint: pd.DataFrame, labels: Mapping[str, str]) -> pd.DataFrame:
    """Return the median over all specifications and its p after Holm, one column a metric."""
    lines = []
    places = ordered(joint.condition)
    models = list(dict.fromkeys(joint.vlm))
    for vlm, condition in itertools.product(models, places):
        rows = joint[(joint.vlm == vlm) & (joint.condition == condition)]
        if rows.empty:
            continue
        cells = dict.fromkeys(METRICS.values(), "–")
        for row in rows.itertuples():
            words = f"p = {p_value(row.p_holm)}".replace("= <", "<")
            p = "" if pd.isna(row.p_holm) else span(words, "interval")
            cells[METRICS[row.metric]] = f"{number(row.median, sign=True)} {p}".strip()
        lines.append({"VLM": labels.get(vlm, vlm), "condition": condition} | cells)
    return pd.DataFrame(lines, columns=["VLM", "condition", *METRICS.values()])


def _cell(row: object) -> str:
    words = _VERDICTS["rise" if row.kind == "rise" else "correlation"][row.verdict]
    agree = "" if row.outcome == "robust" else f", {share(row.agreeing)} agree"
    bounds = f"{number(row.lowest, sign=True)} to {number(row.highest, sign=True)}"
    return f"{words}, {row.outcome}{agree} {span(bounds, 'interval')}"


def share(value: float) -> str:
    """Return a share below one in percent, so that nearly all is never printed as all."""
    return "over 99 %" if value > 0.99 else "under 1 %" if value < 0.01 else percent(value)
