"""Pictures of the parser study: quality by phenomenon, reliability of the first token."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from vlmis_utils.analysis.parser_study.calibration import CLEAN, DEGRADED
from vlmis_utils.analysis.parser_study.first_token import TASKS
from vlmis_utils.metrics.parsing.gold import PHENOMENA
from vlmis_utils.report.style import GREY, INK, colour, new_figure, styled

__all__ = ["plot_quality", "plot_reliability"]

# Rule -> marker, fill and edge: told apart without colour, and no model's colour.
_RULES: dict[str, tuple[str, str, str]] = {
    "scoped": ("o", INK, INK),
    "keyword": ("s", GREY, GREY),
    "first word": ("s", GREY, GREY),
    "substring": ("D", "white", GREY),
}


@styled
def plot_quality(mentions: pd.DataFrame, closed: pd.DataFrame) -> Figure:
    """Four panels with a row for each phenomenon: precision, recall, and accuracy when closed.

    Args:
        mentions, closed: from `analysis.parser_study.accuracy`.
    """
    names = [p for p in PHENOMENA if p in set(mentions.phenomenon) | set(closed.phenomenon)][::-1]
    figure, axes = new_figure(1.2 + 0.7 * len(names), 2, 2, sharex=True, sharey=True)
    panels = [("mentions, precision", mentions[mentions.measure == "precision"])]
    panels.append(("mentions, recall", mentions[mentions.measure == "recall"]))
    panels += [
        (f"{words}, accuracy", closed[closed.task == task])
        for words, task in zip(("yes or no", "safety"), TASKS, strict=True)
    ]
    for axis, (title, rows) in zip(axes.ravel(), panels, strict=True):
        rules = list(dict.fromkeys(rows.rule))
        for rule, shift in zip(rules, np.linspace(0.1, -0.1, len(rules)) * len(rules), strict=True):
            part = rows[rows.rule == rule].set_index("phenomenon").reindex(names)
            _dots(axis, part, np.arange(len(names)) + shift, rule)
        axis.set_title(title, loc="left", fontsize=10)
        axis.set(xlim=(-0.04, 1.04), xticks=[0, 0.5, 1], ylim=(-0.6, len(names) - 0.4))
        axis.set_xticklabels(["0", "0.5", "1"])
    axes[0, 0].set_yticks(range(len(names)), names)
    shown = {"scoped": "scoped", "keyword": "keyword, first word", "substring": "substring"}
    handles = [
        Line2D([], [], linestyle="", marker=_RULES[rule][0], markerfacecolor=_RULES[rule][1],
               markeredgecolor=_RULES[rule][2], label=words)
        for rule, words in shown.items()
    ]  # fmt: skip
    figure.legend(handles=handles, loc="outside upper center", ncols=3, handletextpad=0.2)
    return figure


@styled
def plot_reliability(reliability: pd.DataFrame, labels: Mapping[str, str]) -> Figure:
    """One panel for each model and question: share that is true over the score, clean and degraded.

    Args:
        reliability: from `analysis.parser_study.calibration.reliability`; may be empty.
    """
    models = list(dict.fromkeys(reliability.vlm))
    if not models:
        return _nothing("no first token was recorded in this study")
    figure, axes = new_figure(
        1.0 + 2.3 * len(models), len(models), len(TASKS), sharex=True, sharey=True
    )
    for line, model in zip(axes, models, strict=True):
        for axis, task in zip(line, TASKS, strict=True):
            rows = reliability[(reliability.vlm == model) & (reliability.task == task)]
            axis.plot([0, 1], [0, 1], color=INK, linewidth=1, linestyle=":")
            for pictures, style, fill in ((CLEAN, "-", colour(model)), (DEGRADED, "--", "white")):
                part = rows[rows.pictures == pictures]
                axis.errorbar(
                    part.score, part.true,
                    np.clip([part.true - part.low, part.high - part.true], 0, None),
                    linestyle=style, marker="o" if pictures == CLEAN else "s", markersize=6,
                    color=colour(model), markerfacecolor=fill, elinewidth=1.0,
                )  # fmt: skip
            axis.set_title(f"{labels.get(model, model)}, {task}", loc="left", fontsize=10)
            axis.set(xlim=(-0.03, 1.03), ylim=(-0.03, 1.03), xticks=[0, 0.5, 1], yticks=[0, 0.5, 1])
        line[0].set_ylabel("share that is true")
    figure.supxlabel("score p(yes) / (p(yes) + p(no))", fontsize=11)
    handles = [
        Line2D([], [], color=GREY, marker="o", label="clean"),
        Line2D([], [], color=GREY, marker="s", linestyle="--", markerfacecolor="white",
               label="degraded"),
        Line2D([], [], color=INK, linewidth=1, linestyle=":", label="calibrated"),
    ]  # fmt: skip
    figure.legend(handles=handles, loc="outside upper center", ncols=3)
    return figure


def _dots(axis: Axes, part: pd.DataFrame, heights: np.ndarray, rule: str) -> None:
    mark, fill, edge = _RULES[rule]
    spread = np.clip([part.value - part.low, part.high - part.value], 0, None)
    axis.errorbar(part.value, heights, xerr=spread, linestyle="", marker=mark, markersize=5,
                  color=edge, markerfacecolor=fill, markeredgecolor=edge, elinewidth=1)  # fmt: skip


def _nothing(words: str) -> Figure:
    figure, axes = new_figure(1.0)
    axes[0, 0].set_axis_off()
    axes[0, 0].text(0.5, 0.5, words, ha="center", va="center", transform=axes[0, 0].transAxes)
    return figure
