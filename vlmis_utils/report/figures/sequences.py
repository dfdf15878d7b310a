"""Figures of drives: a film strip, an animation, what is said over time, and what lasts."""

from __future__ import annotations

import base64
import html
import io
import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from IPython.display import HTML

from vlmis_utils.analysis.sequences.onset import MEASURES
from vlmis_utils.analysis.sequences.strip import Shot
from vlmis_utils.protocol.conditions import FAMILIES
from vlmis_utils.report.figures.language import family_handles, family_of
from vlmis_utils.report.figures.scenes import colourise
from vlmis_utils.report.style import (
    FAMILY_LOOKS,
    FEW,
    GREY,
    INK,
    RIGHT,
    WIDTH,
    WRONG,
    colour,
    label_lines,
    legend,
    mark_handle,
    new_figure,
    patch_legend,
    styled,
)
from vlmis_utils.report.words import METRICS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["animation", "plot_gains", "plot_onset", "plot_strip", "plot_survival", "plot_verdicts"]

_FAMILY_WORDS = {"clean": "clean"} | FAMILIES
_TINTS = {"safe": RIGHT, "unsafe": WRONG, "abstain": GREY}
_MOST_BYTES = 1_000_000
_ONSETS = {"step": "at once", "ramp": "gradually"}
_STROKES = {"step": "-", "ramp": "--"}


@styled
def plot_strip(shots: Sequence[Shot], told: pd.DataFrame, vlm: str) -> Figure:
    """Frames, masks and answers below each other, time from left to right.

    Args:
        shots: from `analysis.sequences.strip.film`, with or without masks.
        told: from `analysis.sequences.strip.told`, a row a shot.
        vlm: name shown of the model that answers.
    """
    tall, wide = shots[0].picture.shape[:2]
    rows = 1 + (shots[0].mask is not None)
    high = WIDTH / len(shots) * tall / wide
    figure, axes = new_figure(rows * high + 1.6, rows + 1, len(shots),
                              height_ratios=[*[high] * rows, 1.2])  # fmt: skip
    figure.get_layout_engine().set(w_pad=0.01, h_pad=0.01, wspace=0.01, hspace=0.01)
    for axis in axes.flat:
        axis.axis("off")
    for column, (shot, row) in enumerate(zip(shots, told.itertuples(), strict=True)):
        axes[0, column].imshow(shot.picture, interpolation="antialiased")
        axes[0, column].set_title(f"{shot.time:.2f} s", fontsize=10, pad=3)
        if shot.mask is not None:
            axes[1, column].imshow(colourise(shot.mask), interpolation="nearest")
        truth = "safe" if row.safe else "unsafe"
        said = "no decision" if row.decision == "abstain" else f"said {row.decision}"
        why = "" if row.safe else textwrap.fill(row.reason.partition(";")[0], 18)
        lines = [(0.99, f"is {truth}", _TINTS[truth], 9.5), (0.81, why, _TINTS[truth], 8),
                 (0.51, said, _TINTS[row.decision], 9.5), (0.32, f"{row.missed} missed", INK, 9.5),
                 (0.13, f"{row.invented} invented", INK, 9.5)]  # fmt: skip
        for height, words, tint, size in lines:
            axes[rows, column].text(0.5, height, words, color=tint, fontsize=size, ha="center",
                                    va="top")  # fmt: skip
    figure.supxlabel(f"answers of {vlm}", fontsize=10)
    return figure


def animation(shots: Sequence[Shot], rate: float, alt: str, width: int = 384) -> HTML:
    """Return a drive as a moving picture that stands still until it is unfolded.

    Args:
        shots: all frames of a drive.
        rate: frames a second.
        alt: what the pictures show.
        width: pixels.

    Raises:
        ValueError: it would be larger than a megabyte.
    """
    from PIL import Image

    high = round(width * shots[0].picture.shape[0] / shots[0].picture.shape[1])
    frames = [Image.fromarray(shot.picture).resize((width, high)) for shot in shots]
    buffer = io.BytesIO()
    frames[0].save(
        buffer, format="WEBP", save_all=True, append_images=frames[1:], quality=60, loop=0,
        duration=round(1000 / rate),
    )  # fmt: skip
    data = buffer.getvalue()
    if len(data) > _MOST_BYTES:
        raise ValueError(f"an animation of {len(data)} bytes: use a smaller width or fewer frames")
    text = base64.b64encode(data).decode()
    return HTML(
        "<details class='film'><summary>Play the drive</summary>"
        f'<img src="data:image/webp;base64,{text}" alt="{html.escape(alt, quote=True)}" '
        f'width="{width}" height="{high}"></details>'
    )


@styled
def plot_verdicts(frames: pd.DataFrame, vlms: Sequence[str], labels: Mapping[str, str]) -> Figure:
    """One panel a model: each drive a row of frames, the truth's colour above the answer's.

    Args:
        frames: `Sequences.frames` of one condition.
        vlms: models, a panel each.
        labels: model name to the name shown.
    """
    drives = sorted(frames.sequence.unique())
    figure, axes = new_figure(0.9 + 0.2 * len(drives) + 0.3, 1, len(vlms), sharey=True)
    words = list(_TINTS)
    table = np.array([[int(c[i : i + 2], 16) for i in (1, 3, 5)] for c in _TINTS.values()])
    for axis, vlm in zip(axes.flat, vlms, strict=True):
        mine = frames[frames.vlm == vlm]
        longest = int(mine.frame.max()) + 1
        picture = np.full((3 * len(drives), longest, 3), 255, np.uint8)
        for row in mine.itertuples():
            at = 3 * drives.index(row.sequence)
            picture[at, row.frame] = table[0 if row.safe else 1]
            picture[at + 1, row.frame] = table[words.index(row.decision)]
        axis.imshow(picture, aspect="auto", interpolation="nearest")
        axis.set(xlabel="frame", title=labels.get(vlm, vlm))
        axis.set_yticks(3 * np.arange(len(drives)) + 0.5, [str(int(d[-5:])) if d[-5:].isdigit()
                        else d for d in drives], fontsize=8)  # fmt: skip
        axis.grid(visible=False)
    axes[0, 0].set_ylabel("drive")
    patch_legend(figure, {"safe": RIGHT, "unsafe": WRONG, "no decision": GREY})
    return figure


@styled
def plot_survival(curves: pd.DataFrame, labels: Mapping[str, str], rate: float) -> Figure:
    """Share of hallucinations that last longer than so many seconds, a line a model.

    Args:
        curves: vlm, frames, share, low, high; see `analysis.sequences.spells.survival_curves`.
        labels: model name to the name shown.
        rate: frames a second.
    """
    figure, axes = new_figure(3.0)
    axis = axes[0, 0]
    ends = {}
    for vlm, rows in curves.groupby("vlm", sort=False):
        time = rows.frames / rate
        axis.step(time, rows.share, where="post", color=colour(vlm))
        ends[labels.get(vlm, vlm)] = (time.iloc[-1], rows.share.iloc[-1], colour(vlm))
        axis.fill_between(time, rows.low, rows.high, step="post", color=colour(vlm), alpha=0.15,
                          linewidth=0)  # fmt: skip
    axis.set(xlabel="seconds", ylabel="still said", ylim=(0, 1.03), xlim=(0, None))
    if curves.empty:
        axis.text(0.5, 0.5, "no model hallucinates", transform=axis.transAxes, ha="center")
    label_lines(axis, ends)
    return figure


@styled
def plot_onset(
    added: Mapping[str, pd.DataFrame], models: Sequence[str], labels: Mapping[str, str]
) -> Figure:
    """One panel a measure: what a degradation adds since it set in, a line a model.

    Args:
        added: onset (step, drawn solid with its band, or ramp, dashed) to rows of
            `analysis.sequences.onset.since_onset`.
        models: those drawn; up to three are named at the ends of their lines, more in a legend.
        labels: model name to the name shown.
    """
    figure, axes = new_figure(4.6, 2, 2, sharex=True)
    few = len(models) <= FEW
    for axis, (measure, words) in zip(axes.flat, MEASURES.items(), strict=True):
        axis.axhline(0, color=GREY, linewidth=1)
        axis.axvline(0, color=GREY, linewidth=1)
        ends = {}
        for onset, frame in added.items():
            for model, rows in frame[frame.measure == measure].groupby("model", sort=False):
                name = labels.get(model, model)
                ends.setdefault(name, (rows.since.iloc[-1], rows.added.iloc[-1], colour(model)))
                axis.plot(rows.since, rows.added, _STROKES[onset], color=colour(model),
                          marker=".", linewidth=1.5)  # fmt: skip
                if onset == next(iter(added)):
                    axis.fill_between(rows.since, rows.low, rows.high, color=colour(model),
                                      alpha=0.12, linewidth=0)  # fmt: skip
        axis.set_title(", ".join([words, *ends]) if few and len(ends) == 1 else words)
        if few and len(ends) > 1 and axis in axes[:, -1]:
            label_lines(axis, ends)
    if not added:
        axes[0, 0].annotate("no degraded image", (0.5, 0.5), xycoords="axes fraction", ha="center")
    figure.supxlabel("seconds since the onset", fontsize=11)
    figure.supylabel("added", fontsize=11)
    handles = [mark_handle(labels.get(m, m), colour(m), ".", linestyle="-")
               for m in ([] if few else models)]  # fmt: skip
    handles += [mark_handle(_ONSETS[o], INK, "", linestyle=_STROKES[o]) for o in added]
    if handles[1:]:
        legend(figure, handles, 3)
    return figure


@styled
def plot_gains(
    pixels: pd.DataFrame, spoken: pd.DataFrame, labels: Mapping[str, str], rule: str = "majority"
) -> Figure:
    """One panel a metric: gain of language over gain of mIoU, a point for each VLM and condition.

    Args:
        pixels: from `analysis.sequences.aggregation.quality_gains`; their mean over segmenters.
        spoken: from `analysis.sequences.aggregation.gains`.
        labels: model name to the name shown.
        rule: of the answers.
    """
    quality = pixels.groupby("condition", sort=False)[["gain", "low", "high"]].mean()
    rows = spoken[(spoken.rule == rule) & spoken.condition.isin(quality.index)]
    metrics = list(dict.fromkeys(rows.metric))
    figure, axes = new_figure(2.9, 1, max(1, len(metrics)), sharey=True)
    for axis, metric in zip(axes.flat, metrics, strict=False):
        axis.axhline(0, color=GREY, linewidth=1)
        axis.axvline(0, color=GREY, linewidth=1)
        for row in rows[rows.metric == metric].itertuples():
            at = quality.loc[row.condition]
            axis.plot([at.gain] * 2, [row.low, row.high], color=colour(row.vlm), linewidth=1)
            mark = FAMILY_LOOKS[family_of(row.condition)][1]
            axis.plot(at.gain, row.gain, mark, color=colour(row.vlm))
        axis.set(title=METRICS[metric])
        axis.tick_params(axis="x", rotation=45)
    axes[0, 0].set_ylabel("gain of language")
    figure.supxlabel("gain of mIoU", fontsize=11)
    seen = {family_of(condition) for condition in rows.condition}
    handles = [mark_handle(labels.get(v, v), colour(v)) for v in dict.fromkeys(rows.vlm)]
    handles += family_handles({f: w for f, w in _FAMILY_WORDS.items() if f in seen})
    if handles:
        legend(figure, handles, 4)
    return figure
