"""Tables of the embedded models: recipes, costs, clean quality, goals, baselines, ablations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pandas as pd

from vlmis_utils.core.formatting import estimate, listing, number
from vlmis_utils.protocol.classes import CRITICAL_CLASSES, LANGUAGE_NAMES
from vlmis_utils.report.tables.markdown import Column, cells, crossed
from vlmis_utils.training.evaluation.goals import VERDICTS
from vlmis_utils.training.recipes.facts import recipe

__all__ = [
    "ablation_findings", "baseline_findings", "goal_findings", "load_ablations", "load_agreement",
    "load_baselines", "load_by_class", "load_costs", "load_goals", "load_overall", "load_recipes",
    "start_words",
]  # fmt: skip

_ALSO = {"reached": "reached", "floor": "floor only", "missed": "**missed**"}
_VALUE = Column("", "value", interval=("low", "high"))


def load_recipes(models: Sequence[str], labels: Mapping[str, str]) -> pd.DataFrame:
    """Return model and recipe, a sentence a stage."""
    return pd.DataFrame(
        [{"model": labels.get(m, m), "recipe": " ".join(recipe(m))} for m in models]
    )


def load_costs(costs: pd.DataFrame, labels: Mapping[str, str]) -> pd.DataFrame:
    """Return model, stage, steps, minutes and the last metric, of `recipes.costs`."""
    return cells(
        costs,
        Column("model", "model", words=labels),
        Column("stage", "stage"),
        Column("optimiser steps", "steps"),
        Column("wall minutes", "minutes", digits=0),
        Column("last metric in training", "metric"),
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
    names = {name: LANGUAGE_NAMES.get(name, name) for name in each["class"]}
    names = {k: f"**{word}**" if word in CRITICAL_CLASSES else word for k, word in names.items()}
    lead = Column("class", "class", words=names)
    return crossed(pd.concat([mean, each]), [lead], "model", _VALUE, words=labels)


def load_overall(
    clean: pd.DataFrame, measures: Sequence[str], labels: Mapping[str, str]
) -> pd.DataFrame:
    """Return a row a measure and a column a model, over all classes, with intervals."""
    rows = clean[clean.measure.isin(measures) & (clean["class"] == "")]
    table = crossed(rows, [Column("measure", "measure")], "model", _VALUE, words=labels)
    return table.sort_values(
        "measure", key=lambda m: m.map(list(measures).index), ignore_index=True
    )


def load_goals(judged: pd.DataFrame, labels: Mapping[str, str]) -> pd.DataFrame:
    """Return model, measure, what was reached, goal, floor and verdict, of `goals.judge`.

    A measure with a goal for one class after another names the class; with one goal for several
    classes, which of them has the least.
    """
    alone = judged.several & judged.duplicated(["model", "measure", "several"], keep=False)
    names = judged["class"].map(lambda name: LANGUAGE_NAMES.get(name, name))
    worst = judged.measure.where(
        ~judged.several, judged.measure + ", least of the classes (" + names + ")"
    ).where(~alone, judged.measure + ", " + names)
    return cells(
        judged.assign(worst=worst),
        Column("model", "model", words=labels),
        Column("measure", "worst"),
        replace(_VALUE, heading="reached"),
        Column("goal", "goal"),
        Column("floor", "floor"),
        Column("verdict", "verdict", words=_ALSO),
    )


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
    own = clean[clean["class"] == ""].drop_duplicates(["model", "measure"])
    rows = baselines.merge(own, "left", ["model", "measure"], suffixes=("_baseline", ""))
    rows["theirs"] = [
        number(value) + ("" if low > 0 else " *")
        for value, low in zip(rows.value_baseline, rows.difference_low, strict=True)
    ]
    lead = [
        Column("model", "model", words=labels), Column("measure", "measure"),
        replace(_VALUE, heading="the model"),
    ]  # fmt: skip
    return crossed(rows, lead, "baseline", Column("", "theirs"))


def baseline_findings(baselines: pd.DataFrame, labels: Mapping[str, str]) -> list[str]:
    """Say, model by model, which baselines it beats significantly."""
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
            line += f"; it is not significantly better than {listing(what)}"
        lines.append(f"{line}.")
    return lines


def load_ablations(ablations: pd.DataFrame, labels: Mapping[str, str]) -> pd.DataFrame:
    """Return question, model, setting, steps, scenes, size and the measure with its interval."""
    again = ablations.question == ablations.question.shift()
    rows = ablations.assign(
        question=ablations.question.mask(again, ""),
        pixels=[f"{r.height} x {r.width}" for r in ablations.itertuples()],
    )
    return cells(
        rows, Column("comparison", "question"), Column("setting", "setting"),
        Column("model", "model", words=labels), Column("steps", "steps"),
        Column("scenes", "scenes"), Column("pixels", "pixels"), Column("measure", "measure"),
        replace(_VALUE, heading="reached"),
    )  # fmt: skip


def load_agreement(agreement: pd.DataFrame, labels: Mapping[str, str]) -> pd.DataFrame:
    """Return model, what was compared, over how many, and the value, of ``agreement.csv``."""
    shares = agreement.measure.str.startswith("equal")
    texts = [f"{100 * value:.3f} %" if share else f"{value:.4f}"
             for value, share in zip(agreement.value, shares, strict=True)]  # fmt: skip
    return cells(
        agreement.assign(value=texts),
        Column("model", "model", words=labels),
        Column("measure", "measure"),
        Column("over", "n", form=lambda n: f"{int(n):,}".replace(",", " ")),
        Column("value", "value"),
    )


def start_words(ablations: pd.DataFrame) -> str:
    """Return what the StreetWorld weights are worth to a model that goes on with photographs.

    Args:
        ablations: of the photographs: a row of each start.
    """
    rows = ablations.set_index("setting") if len(ablations) else ablations
    if not {"StreetWorld weights", "random weights"}.issubset(rows.index):
        return (
            "What that start is worth has not been measured yet: `python -m "
            "vlmis_utils.training.recipes.ablations --data cityscapes --root FOLDER`."
        )
    world, random = rows.loc["StreetWorld weights"], rows.loc["random weights"]
    values = [estimate(r.value, r.low, r.high) for r in (world, random)]
    apart = world.low > random.high or random.low > world.high
    steps, height, width, frames = (int(world[k]) for k in ("steps", "height", "width", "n"))
    return (
        f"What that start is worth, one short training tells: after {steps} equal steps at "
        f"{height} x {width} pixels SegFormer reaches mIoU {values[0]} from the StreetWorld "
        f"weights and {values[1]} from random ones, on {frames} frames of the split val; the 95 % "
        f"intervals {'do not overlap' if apart else 'overlap'}. One seed each, and longer "
        "training may close the gap."
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
