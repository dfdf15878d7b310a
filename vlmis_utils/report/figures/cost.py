"""Where the time of a study goes, and how much memory a run takes."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from vlmis_utils.analysis.cost import by_model
from vlmis_utils.report.style import GREY, INK, new_figure, styled

__all__ = ["GROUPS", "load_peaks", "load_stages", "plot_memory", "plot_stages"]

# Stages that the figure draws as one, with their colours (Okabe and Ito 2008) and hatches.
GROUPS: Mapping[str, tuple[tuple[str, ...], str, str]] = {
    "decode": (("decode",), "#56B4E9", ""),
    "corrupt and check": (("corrupt", "digest"), "#D55E00", "//"),
    "prepare": (("prepare",), "#F0E442", ""),
    "network": (("network",), "#0072B2", ""),
    "finish": (("finish",), "#E69F00", "\\\\"),
    "score": (("score",), "#009E73", ""),
    "write, plan, other": (("write", "plan", "other"), GREY, ""),
}


def load_stages(before: pd.DataFrame | None, after: pd.DataFrame) -> pd.DataFrame:
    """Return milliseconds an image: model, when (before or now), and a column for each of `GROUPS`.

    Args:
        before, after: profiles of `analysis.cost.load_measured`; models of both only
            are compared, all of ``after`` shown.
    """
    rows = []
    for when, profile in (("before", before), ("now", after)):
        if profile is None:
            continue
        table = by_model(profile)
        for (_, model), row in table.iterrows():
            if model:
                sums = {g: row.reindex(s).fillna(0).sum() for g, (s, _, _) in GROUPS.items()}
                rows.append({"model": model, "when": when} | sums)
    found = pd.DataFrame(rows)
    return found[found.model.isin(found[found.when == "now"].model)].reset_index(drop=True)


@styled
def plot_stages(frame: pd.DataFrame, labels: Mapping[str, str]) -> Figure:
    """Stacked bars of `load_stages`, one a model, the earlier code above the present one."""
    models = list(dict.fromkeys(frame[frame.when == "now"].model))
    times = [when for when in ("before", "now") if when in set(frame.when)]
    height = 0.36
    figure, axes = new_figure(1.6 + (0.42 + 0.34 * len(times)) * len(models))
    axis = axes[0, 0]
    drawn = {g: look for g, (_, *look) in GROUPS.items() if frame[g].any()}
    places, words = [], []
    for index, model in enumerate(models):
        rows = frame[frame.model == model].set_index("when")
        for row, when in enumerate(t for t in times if t in rows.index):
            y = index + (row - (len(times) - 1) / 2) * (height + 0.03)
            left = 0.0
            for group, (tint, hatch) in drawn.items():
                value = rows.loc[when, group]
                axis.barh(y, value, height, left, color=tint, hatch=hatch, edgecolor="white",
                          linewidth=0.6, label=group if not places else None)  # fmt: skip
                left += value
            axis.annotate(f"{left:.0f}", (left, y), xytext=(4, 0), textcoords="offset points",
                          va="center", fontsize=9.5)  # fmt: skip
            places.append(y)
            words.append(f"{labels.get(model, model)}, {when}" if len(times) > 1
                         else labels.get(model, model))  # fmt: skip
    axis.set_yticks(places, words)
    axis.set(xlabel="milliseconds an image", xlim=(0, 1.12 * _longest(frame)))
    axis.set_ylim(len(models) - 0.45, -0.55)
    axis.grid(axis="y", visible=False)
    figure.legend(loc="outside upper center", ncols=3)
    return figure


def _longest(frame: pd.DataFrame) -> float:
    return float(frame[list(GROUPS)].sum(axis=1).max())


def load_peaks(samples: pd.DataFrame) -> pd.DataFrame:
    """Return, for each number of scenes, MiB at the first sample, at the peak, and seconds.

    Args:
        samples: of `analysis.cost.load_measured`, from ``bench_memory.py``.

    Returns:
        scenes, start, peak, seconds; ``growth`` in KiB a scene since the run before in the list,
        NaN for the first.
    """
    groups = samples.groupby("scenes")
    found = pd.DataFrame(
        {"start": groups.mib.first(), "peak": groups.mib.max(), "seconds": groups.seconds.max()}
    ).reset_index()
    return found.assign(growth=1024 * found.peak.diff() / found.scenes.diff())


@styled
def plot_memory(now: pd.DataFrame, before: pd.DataFrame | None = None) -> Figure:
    """Above the peak over the number of scenes, below the longest run over its time."""
    ways = [("now", now, "#0072B2", "o", "-")]
    if before is not None:
        ways = [("before", before, "#D55E00", "s", "--"), *ways]
    figure, axes = new_figure(6.0, 2, 1)
    above, below = axes[:, 0]
    tops = []
    for words, samples, tint, mark, dash in ways:
        peaks = load_peaks(samples)
        longest = samples[samples.scenes == peaks.scenes.max()]
        above.plot(peaks.scenes, peaks.peak, color=tint, marker=mark, linestyle=dash, label=words)
        share = 100 * longest.seconds / longest.seconds.max()
        below.plot(share, longest.mib, color=tint, linestyle=dash, linewidth=1.4)
        tops.append(samples.mib.max())
    sizes = sorted(set(now.scenes))
    above.set(xscale="log", xlabel="scenes", ylabel="peak, MiB")
    above.set_xticks(sizes, [f"{n:,}".replace(",", "\N{NARROW NO-BREAK SPACE}") for n in sizes])
    above.minorticks_off()
    most = f"{max(sizes):,}".replace(",", "\N{NARROW NO-BREAK SPACE}")
    below.set(xlabel=f"percent of the run over {most} scenes", ylabel="resident, MiB")
    for axis in (above, below):
        axis.set_ylim(0, 1.15 * float(np.max(tops)))
    if len(ways) > 1:
        above.legend(loc="lower right")
    above.tick_params(colors=INK)
    return figure
