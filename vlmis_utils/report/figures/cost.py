"""Where the time of a study goes, and how much memory a run takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pandas as pd

from vlmis_utils.analysis.cost import by_model
from vlmis_utils.report.style import GREY, label_lines, new_figure, styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["GROUPS", "load_peaks", "load_stages", "plot_memory", "plot_stages"]

# Stages that the figure draws as one, with their colours (Okabe and Ito 2008).
GROUPS: Mapping[str, tuple[tuple[str, ...], str]] = {
    "decode": (("decode",), "#56B4E9"),
    "corrupt and check": (("corrupt", "digest"), "#D55E00"),
    "prepare": (("prepare",), "#F0E442"),
    "network": (("network",), "#0072B2"),
    "finish": (("finish",), "#E69F00"),
    "score": (("score",), "#009E73"),
    "write, plan, other": (("write", "plan", "other"), GREY),
}
_WHEN = {"now": ("#0072B2", "o", "-"), "before": ("#D55E00", "s", "--")}
_THIN_SPACE = "\N{NARROW NO-BREAK SPACE}"


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
                sums = {g: row.reindex(s).fillna(0).sum() for g, (s, _) in GROUPS.items()}
                rows.append({"model": model, "when": when} | sums)
    found = pd.DataFrame(rows)
    return found[found.model.isin(found[found.when == "now"].model)].reset_index(drop=True)


@styled
def plot_stages(frame: pd.DataFrame, labels: Mapping[str, str]) -> Figure:
    """Stacked bars of `load_stages`, one a model, the earlier code above the present one."""
    from vlmis_utils.report.figures.bars import plot_stacked

    models = list(dict.fromkeys(frame[frame.when == "now"].model))
    rows = frame.sort_values("model", key=lambda m: m.map(models.index), kind="stable")
    rows = rows.assign(bar=rows.model + ", " + rows.when)
    several = rows.when.nunique() > 1
    names = {r.bar: labels.get(r.model, r.model) + (f", {r.when}" if several else "")
             for r in rows.itertuples()}  # fmt: skip
    drawn = {group: (group, tint) for group, (_, tint) in GROUPS.items() if frame[group].any()}
    figure = plot_stacked(rows, drawn, "bar", 1.4 + 0.32 * len(rows), names=names)
    (axis,) = figure.axes
    sums = rows[list(GROUPS)].sum(axis=1)
    for place, total in enumerate(sums):
        axis.annotate(f"{total:.0f}", (total, place), xytext=(4, 0), textcoords="offset points",
                      va="center", fontsize=9.5)  # fmt: skip
    axis.set(xlabel="milliseconds an image", xlim=(0, 1.12 * sums.max()))
    return figure


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
    runs = ({} if before is None else {"before": before}) | {"now": now}
    figure, axes = new_figure(6.0, 2, 1)
    above, below = axes[:, 0]
    most = max(samples.mib.max() for samples in runs.values())
    for axis in (above, below):
        axis.set_ylim(0, 1.15 * float(most))
    ends = {}
    for when, samples in runs.items():
        tint, mark, dash = _WHEN[when]
        peaks = load_peaks(samples)
        longest = samples[samples.scenes == peaks.scenes.max()]
        above.plot(peaks.scenes, peaks.peak, color=tint, marker=mark, linestyle=dash, label=when)
        below.plot(100 * longest.seconds / longest.seconds.max(), longest.mib, color=tint,
                   linestyle=dash, linewidth=1.4)  # fmt: skip
        ends[when] = (float(peaks.scenes.iloc[-1]), float(peaks.peak.iloc[-1]), tint)
    sizes = sorted(set(now.scenes))
    words = [f"{n:,}".replace(",", _THIN_SPACE) for n in sizes]
    above.set(xscale="log", xlabel="scenes", ylabel="peak, MiB")
    above.set_xticks(sizes, words)
    above.minorticks_off()
    below.set(xlabel=f"percent of the run over {words[-1]} scenes", ylabel="resident, MiB")
    if len(ends) > 1:
        label_lines(above, ends)
    return figure
