"""Tables of the embedded models: recipes, costs, clean quality, goals, baselines, ablations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from vlmis_utils.core.formatting import estimate, listing, number
from vlmis_utils.protocol.classes import CRITICAL_CLASSES, LANGUAGE_NAMES
from vlmis_utils.report.tables.markdown import beside
from vlmis_utils.training.evaluation.goals import VERDICTS
from vlmis_utils.training.recipes.facts import recipe

__all__ = [
    "ablation_findings",
    "baseline_findings", "goal_findings", "load_ablations", "load_agreement", "load_baselines",
    "load_by_class", "load_costs", "load_goals", "load_overall", "load_recipes",
]  # fmt: skip

_ALSO = {"reached": "reached", "floor": "floor only", "missed": "**missed**"}


def _full(value: float, low: float, high: float) -> str:
    return "–" if value != value else beside(value, low, high)


def load_recipes(models: Sequence[str], labels: Mapping[str, str]) -> pd.DataFrame:
    """Return model and recipe, a sentence a stage."""
    return pd.DataFrame(
        [{"model": labels.get(m, m), "recipe": " ".join(recipe(m))} for m in models]
    )


def load_costs(costs: pd.DataFrame, labels: Mapping[str, str]) -> pd.DataFrame:
    """Return model, stage, steps, minutes and the last metric, of `recipes.costs`."""
    return pd.DataFrame(
        {
            "model": costs.model.map(lambda m: labels.get(m, m)),
            "stage": costs.stage,
            "optimiser steps": costs.steps.astype(str),
            "wall minutes": costs.minutes.map(lambda v: f"{v:.0f}"),
            "last metric in training": costs.metric.map(number),
        }
    )


def load_by_class(clean: pd.DataFrame, measure: str, labels: Mapping[str, str]) -> pd.DataFrame:
    """Return a row a class and a column a model with value and interval; the mean comes first.

    Args:
        clean: rows of ``clean.csv``.
        measure: "IoU" (its mean is mIoU), or one with a mean of its own.
        labels: model name to the name shown.
    """
    whole = "mIoU" if measure == "IoU" else measure
    each = clean[(clean.measure == measure) & (clean["class"] != "")]
    mean = clean[(clean.measure == whole) & (clean["class"] == "")].assign(**{"class": "mean"})
    rows = pd.concat([mean, each])
    rows = rows.assign(cell=[_full(r.value, r.low, r.high) for r in rows.itertuples()])
    table = rows.pivot(index="class", columns="model", values="cell")
    models = [m for m in dict.fromkeys(clean.model) if m in table]
    table = table.reindex(list(dict.fromkeys(rows["class"])))[models].fillna("–")
    words = [LANGUAGE_NAMES.get(name, name) for name in table.index]
    names = [f"**{word}**" if word in CRITICAL_CLASSES else word for word in words]
    table = table.rename(columns=dict(labels))
    table.insert(0, "class", names)
    return table.reset_index(drop=True)


def load_overall(
    clean: pd.DataFrame, measures: Sequence[str], labels: Mapping[str, str]
) -> pd.DataFrame:
    """Return a row a measure and a column a model, over all classes, with intervals."""
    rows = clean[clean.measure.isin(measures) & (clean["class"] == "")]
    rows = rows.assign(cell=[_full(r.value, r.low, r.high) for r in rows.itertuples()])
    table = rows.pivot(index="measure", columns="model", values="cell")
    models = [m for m in dict.fromkeys(rows.model)]
    table = table.reindex([m for m in measures if m in table.index])[models].fillna("–")
    return table.rename(columns=dict(labels)).reset_index()


def load_goals(judged: pd.DataFrame, labels: Mapping[str, str]) -> pd.DataFrame:
    """Return model, measure, what was reached, goal, floor and verdict, of `goals.judge`."""
    rows = []
    for row in judged.to_dict("records"):
        name = LANGUAGE_NAMES.get(row["class"], row["class"])
        worst = f", least of the classes ({name})" if row["several"] else ""
        rows.append(
            {
                "model": labels.get(row["model"], row["model"]),
                "measure": f"{row['measure']}{worst}",
                "reached": _full(row["value"], row["low"], row["high"]),
                "goal": number(row["goal"]),
                "floor": number(row["floor"]),
                "verdict": _ALSO[row["verdict"]],
            }
        )
    return pd.DataFrame(rows)


def goal_findings(judged: pd.DataFrame, labels: Mapping[str, str]) -> list[str]:
    """Say, model by model, which goals were reached and which floors missed."""
    lines = []
    for model, rows in judged.groupby("model", sort=False):
        counts = {v: rows[rows.verdict == v] for v in VERDICTS}
        line = (
            f"**{labels.get(model, model)}** reaches {len(counts['reached'])} of {len(rows)} goals"
        )
        kept = len(counts["floor"])
        if kept:
            line += f" and keeps the floor of {kept} more"
        if len(counts["missed"]):
            what = [_what(row) for row in counts["missed"].to_dict("records")]
            line += f"; it misses the floor of {listing(what)}"
        lines.append(f"{line}.")
    return lines


def _what(row: Mapping[str, object]) -> str:
    name = LANGUAGE_NAMES.get(str(row["class"]), str(row["class"]))
    value = number(float(str(row["value"])))
    return f"{row['measure']} ({name + ', ' if row['several'] else ''}{value})"


def load_baselines(
    baselines: pd.DataFrame, clean: pd.DataFrame, labels: Mapping[str, str]
) -> pd.DataFrame:
    """Return a row for each model and measure: the model, then each baseline with its interval.

    Args:
        baselines: rows of ``baselines.csv``.
        clean: rows of ``clean.csv``, of the same models.
        labels: model name to the name shown.
    """
    own = clean[clean["class"] == ""].set_index(["model", "measure"])
    rows = []
    for (model, measure), group in baselines.groupby(["model", "measure"], sort=False):
        mine = own.loc[(model, measure)]
        row = {"model": labels.get(model, model), "measure": measure,
               "the model": _full(mine.value, mine.low, mine.high)}  # fmt: skip
        for other in group.itertuples():
            mark = "" if other.difference_low > 0 else " *"
            row[other.baseline] = f"{number(other.value)}{mark}"
        rows.append(row)
    return pd.DataFrame(rows).fillna("–")


def baseline_findings(baselines: pd.DataFrame, labels: Mapping[str, str]) -> list[str]:
    """Say, model by model, which baselines it beats beyond the interval of the difference."""
    lines = []
    for model, rows in baselines.groupby("model", sort=False):
        open_ = rows[~(rows.difference_low > 0)]
        line = f"**{labels.get(model, model)}** beats {len(rows) - len(open_)} of {len(rows)}"
        if len(open_):
            what = [
                f"{r.baseline} in {r.measure} "
                f"({estimate(r.difference, r.difference_low, r.difference_high, sign=True)})"
                for r in open_.itertuples()
            ]
            line += f"; not told from, or below, {listing(what)}"
        lines.append(f"{line}.")
    return lines


def load_ablations(ablations: pd.DataFrame, labels: Mapping[str, str]) -> pd.DataFrame:
    """Return question, model, setting, steps, scenes, size and the measure with its interval."""
    return pd.DataFrame(
        {
            "comparison": [q if q != p else "" for q, p in zip(
                ablations.question, ["", *ablations.question[:-1]], strict=True)],
            "setting": ablations.setting,
            "model": ablations.model.map(lambda m: labels.get(m, m)),
            "steps": ablations.steps.astype(str),
            "scenes": ablations.scenes.astype(str),
            "pixels": [f"{r.height} x {r.width}" for r in ablations.itertuples()],
            "measure": ablations.measure,
            "reached": [_full(r.value, r.low, r.high) for r in ablations.itertuples()],
        }
    )  # fmt: skip


def load_agreement(agreement: pd.DataFrame, labels: Mapping[str, str]) -> pd.DataFrame:
    """Return model, what was compared, over how many, and the value, of ``agreement.csv``."""
    shares = agreement.measure.str.startswith("equal")
    cells = [
        f"{100 * v:.3f} %" if share else f"{v:.4f}"
        for v, share in zip(agreement.value, shares, strict=True)
    ]
    return pd.DataFrame(
        {
            "model": agreement.model.map(lambda m: labels.get(m, m)),
            "measure": agreement.measure,
            "over": agreement.n.map(lambda n: f"{int(n):,}".replace(",", " ")),
            "value": cells,
        }
    )


def ablation_findings(ablations: pd.DataFrame) -> list[str]:
    """Say, comparison by comparison, how far its best and its worst setting are apart.

    Intervals that do not overlap tell two settings apart on these scenes, for these trainings;
    another seed would train other weights.
    """
    lines = []
    for question, rows in ablations.groupby("question", sort=False):
        rows = rows.sort_values("value")
        worst, best = rows.iloc[0], rows.iloc[-1]
        if len(rows) < 2:
            lines.append(f"**{question}**: one setting only, nothing to compare yet.")
            continue
        apart = "apart" if best.low > worst.high else "not apart"
        lines.append(
            f"**{question}** ({worst.measure}): lowest {worst.setting},"
            f" {estimate(worst.value, worst.low, worst.high)}; highest {best.setting},"
            f" {estimate(best.value, best.low, best.high)}; their intervals are {apart}."
        )
    return lines
