"""Figures of parser validation: accuracy by phenomenon and rule, reliability of the first token."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pandas as pd

from vlmis_utils.analysis.parser_study.calibration import CLEAN, DEGRADED
from vlmis_utils.analysis.parser_study.first_token import TASKS
from vlmis_utils.metrics.parsing.gold import PHENOMENA
from vlmis_utils.report.figures.intervals import plot_intervals
from vlmis_utils.report.style import (
    GREY,
    INK,
    Look,
    colour,
    label_lines,
    new_figure,
    styled,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["plot_quality", "plot_reliability"]

# Rule -> colour and marker: told apart without colour, and no model's colour.
_RULES: dict[str, Look] = {
    "scoped": (INK, "o"), "keyword": (GREY, "s"), "first word": (GREY, "s"),
    "substring": ("#B5BAC2", "D"),
}  # fmt: skip


@styled
def plot_quality(mentions: pd.DataFrame, closed: pd.DataFrame) -> Figure:
    """Four panels with a row for each phenomenon: precision, recall, and accuracy when closed.

    Args:
        mentions, closed: from `analysis.parser_study.accuracy`.
    """
    panels = {"precision": "mentions, precision", "recall": "mentions, recall"}
    panels |= dict(zip(TASKS, ("yes or no, accuracy", "safety, accuracy"), strict=True))
    both = pd.concat([mentions.assign(panel=mentions.measure), closed.assign(panel=closed.task)])
    rows = both[both.phenomenon.isin(PHENOMENA) & both.panel.isin(panels)]
    rows = rows.assign(shape=rows.rule.replace("first word", "keyword"))
    figure = plot_intervals(
        rows, "value", "phenomenon", "shape", 1.2 + 0.7 * rows.phenomenon.nunique(),
        labels={"keyword": "keyword, first word"}, names={name: name for name in PHENOMENA},
        columns="panel", titles=panels, wrap=2, looks=_RULES, size=4.5,
    )  # fmt: skip
    for axis in figure.axes:
        axis.set_xlim(-0.04, 1.04)
        axis.set_xticks([0, 0.5, 1], ["0", "0.5", "1"])
    return figure


@styled
def plot_reliability(reliability: pd.DataFrame, labels: Mapping[str, str]) -> Figure:
    """One panel for each model and question: share that is true over the score, clean and degraded.

    Args:
        reliability: from `analysis.parser_study.calibration.reliability`; may be empty.
    """
    models = list(dict.fromkeys(reliability.vlm))
    if not models:
        figure, axes = new_figure(1.0)
        axes[0, 0].set_axis_off()
        axes[0, 0].text(0.5, 0.5, "no first token was recorded in this study", ha="center")
        return figure
    looks: dict[str, Look] = {model: (colour(model), "o") for model in models}
    figure = plot_intervals(
        reliability.assign(clean=reliability.pictures == CLEAN), "true", "score", "vlm",
        1.0 + 2.3 * len(models), columns="task", titles=dict(zip(TASKS, TASKS, strict=True)),
        rows="vlm", row_titles={m: f"{labels.get(m, m)}, share that is true" for m in models},
        marks="pictures", filled="clean", looks=looks | {CLEAN: (GREY, "o"), DEGRADED: (GREY, "s")},
        connect=True, upright=True, apart=0, size=6, words="score p(yes) / (p(yes) + p(no))",
    )  # fmt: skip
    for axis in figure.axes:
        axis.plot([0, 1], [0, 1], color=INK, linewidth=1, linestyle=":", zorder=0.9)
        axis.set(xlim=(-0.03, 1.03), ylim=(-0.03, 1.03), xticks=[0, 0.5, 1], yticks=[0, 0.5, 1])
    columns = len(figure.axes) // len(models)
    task = max(set(reliability.task), key=TASKS.index)
    for axis, model in zip(figure.axes[columns - 1 :: columns], models, strict=True):
        own = reliability[(reliability.vlm == model) & (reliability.task == task)]
        ends = {"calibrated": (1.0, 1.0, INK)}
        for pictures, rows in own.dropna(subset=["true"]).groupby("pictures", sort=False):
            last = rows.loc[rows.score.idxmax()]
            mark = "●" if pictures == CLEAN else "□"
            ends[f"{mark} {pictures}"] = (last.score, last.true, colour(model))
        label_lines(axis, ends)
    return figure
