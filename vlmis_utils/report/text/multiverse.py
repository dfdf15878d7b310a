"""The multiverse in words and cells: what the page says is chosen here, from the numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from vlmis_utils.analysis.multiverse.choices import Choice
from vlmis_utils.analysis.multiverse.robustness import OUTCOMES, disputed
from vlmis_utils.core.formatting import estimate, listing, number, percent
from vlmis_utils.report.tables.markdown import span

__all__ = [
    "conclusion_name", "effect_findings", "joint_findings", "load_choices", "load_effects",
    "load_joint", "load_survival", "outcome_findings", "turning_points",
]  # fmt: skip

_METRICS = {"hr": "HR", "cor": "COR", "smr": "SMR"}
_VERDICTS = {
    "rise": {"up": "rises", "down": "falls", "same": "not told"},
    "correlation": {"up": "positive", "down": "negative", "same": "not told"},
}
_OUTCOMES = {"survives": "surviving", "fades": "fading", "appears": "appearing",
             "flips": "flipping"}  # fmt: skip
_POOLED = {"segmenter": "segmenter", "method": "coefficient"}


def load_choices(every: Sequence[Choice]) -> pd.DataFrame:
    """Return the choices as a table: the study's level, the others, what they move, and why."""
    return pd.DataFrame(
        {
            "choice": [choice.name for choice in every],
            "the study's own": [choice.own.name for choice in every],
            "other levels": [
                "; ".join(v.name for v in choice.levels[1:]) or "–" for choice in every
            ],
            "moves": [", ".join(_METRICS[m] for m in choice.metrics) for choice in every],
            "why it is open": [choice.origin for choice in every],
        }
    )


def load_survival(
    found: pd.DataFrame, labels: Mapping[str, str], by: Mapping[str, str]
) -> pd.DataFrame:
    """Return verdict and outcome of each conclusion, one column a metric.

    A cell holds the study's verdict, the outcome, the share of specifications that agree where not
    all do, and below it the range of the estimate.

    Args:
        found: from `survival`.
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
        cells = dict.fromkeys(_METRICS.values(), "–")
        cells |= {_METRICS[row.metric]: _cell(row) for row in rows.itertuples()}
        lines.append(line | cells)
    return pd.DataFrame(lines, columns=[*by.values(), *_METRICS.values()])


def load_effects(
    effects: pd.DataFrame, every: Sequence[Choice], metrics: Sequence[str] = ("hr", "cor", "smr")
) -> pd.DataFrame:
    """Return, for each choice, what it does to the conclusions that it can touch.

    Args:
        effects: from `effects`.
        every: gives the names.
        metrics: whose conclusions count.
    """
    names = _POOLED | {choice.key: choice.name for choice in every}
    rows = effects[effects.metric.isin(metrics)]
    lines = []
    for key in (k for k in names if (rows.choice == k).any()):
        mine = rows[rows.choice == key]
        lines.append(
            {
                "choice": names[key],
                "conclusions": str(len(mine)),
                "changed alone": str(int(mine.alone.sum())),
                "sways, mean": percent(mine.sway.mean()),
                "sways, most": percent(mine.sway.max()),
                "variance, mean": percent(mine.eta2.mean()),
                "variance, most": percent(mine.eta2.max()),
            }
        )
    return pd.DataFrame(lines)


def load_joint(joint: pd.DataFrame, labels: Mapping[str, str]) -> pd.DataFrame:
    """Return the median over all specifications and its p after Holm, one column a metric."""
    lines = []
    for (vlm, condition), rows in joint.groupby(["vlm", "condition"], sort=False):
        cells = dict.fromkeys(_METRICS.values(), "–")
        for row in rows.itertuples():
            p = "" if pd.isna(row.p_holm) else span(f"p {_p(row.p_holm)}", "interval")
            cells[_METRICS[row.metric]] = f"{number(row.median, sign=True)} {p}".strip()
        lines.append({"VLM": labels.get(vlm, vlm), "condition": condition} | cells)
    return pd.DataFrame(lines, columns=["VLM", "condition", *_METRICS.values()])


def conclusion_name(row: pd.Series, labels: Mapping[str, str]) -> str:
    """Return a conclusion in words, such as "COR of CLIP under OCC3".

    Args:
        row: a row of `survival`.
    """
    words = f"{_METRICS[row.metric]} of {labels.get(row.vlm, row.vlm)}"
    if row.kind == "rise":
        return f"{words} under {row.condition}"
    details = [labels.get(row.segmenter, row.segmenter), row.method.capitalize()]
    rest = ", ".join(d for d in details if d)
    over = " over images" if row.kind == "image correlation" else ""
    return f"{words} with mIoU{over}{f' ({rest})' if rest else ''}"


def outcome_findings(found: pd.DataFrame) -> list[str]:
    """Return a line for each metric: how many conclusions survive, fade, appear or flip."""
    lines = []
    for metric, rows in found.groupby("metric", sort=False):
        parts = []
        for outcome in OUTCOMES:
            mine = rows[rows.outcome == outcome]
            untold = int((mine.verdict == "same").sum())
            known = f" ({untold} of them as not told from zero)"
            note = known if outcome == "survives" and untold else ""
            parts += [f"{len(mine)} {_OUTCOMES[outcome]}{note}"] if len(mine) else []
        plural = "conclusion" if len(rows) == 1 else "conclusions"
        lines.append(f"**{_METRICS[metric]}**, {len(rows)} {plural}: {listing(parts)}.")
    return lines


def turning_points(
    found: pd.DataFrame, every: Sequence[Choice], labels: Mapping[str, str], most: int = 6
) -> list[str]:
    """Return a line for each conclusion that does not survive: flips first, then by agreement.

    Args:
        found: from `survival`.
        every: gives the names of the choices.
        labels: model -> name.
        most: lines at most; one more says how many are left out.
    """
    names = _POOLED | {choice.key: choice.name for choice in every}
    rows = disputed(found[found.outcome != "survives"])
    rows = pd.concat([rows[rows.outcome == "flips"], rows[rows.outcome != "flips"]])
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
            hangs = f"It hangs on {decides}, which alone changes the study's verdict."
        lines.append(
            f"**{conclusion_name(row, labels)}** {row.outcome}: the study has "
            f"{estimate(row.estimate, row.low, row.high, sign=True)}, the specifications span "
            f"{number(row.lowest, sign=True)} to {number(row.highest, sign=True)}, and "
            f"{_share(row.agreeing)} of them agree in the verdict. {hangs}"
        )
    if len(rows) > most:
        lines.append(f"And {len(rows) - most} more, in the table.")
    return lines


def effect_findings(effects: pd.DataFrame, every: Sequence[Choice]) -> list[str]:
    """Return a line for each metric: which choice moves estimates most, and which the verdicts."""
    names = _POOLED | {choice.key: choice.name for choice in every}
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
        swayed = "no choice sways a verdict"
        if len(sway) and sway.max() > 0:
            swayed = (
                f"the verdicts are swayed most often by *{names.get(sway.idxmax(), sway.idxmax())}*"
                f" (in {percent(sway.max())} of the settings of all else)"
            )
        lines.append(f"**{_METRICS[metric]}**: {part}, and {swayed}.")
    return lines


def joint_findings(joint: pd.DataFrame) -> str:
    """Return how many medians over all specifications differ from zero, as a sentence."""
    told = joint[joint.p_holm < 0.05]
    above, below = int((told["median"] > 0).sum()), int((told["median"] < 0).sum())
    return (
        f"Of {len(joint)} medians, those that differ from zero after Holm's correction at 5 %: "
        f"{above} above zero and {below} below."
    )


def _cell(row: object) -> str:
    words = _VERDICTS["rise" if row.kind == "rise" else "correlation"][row.verdict]
    share = "" if row.outcome == "survives" else f", {_share(row.agreeing)} agree"
    bounds = f"{number(row.lowest, sign=True)} to {number(row.highest, sign=True)}"
    return f"{words}, {row.outcome}{share} {span(bounds, 'interval')}"


def _share(value: float) -> str:
    """Return a share below one in percent, so that nearly all is never printed as all."""
    return "over 99 %" if value > 0.99 else "under 1 %" if value < 0.01 else percent(value)


def _p(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"= {number(value, 3)}"
