"""Pictures of scenes: galleries, label maps, and what the dataset holds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import NullFormatter, StrMethodFormatter

from vlmis_utils.protocol.classes import (
    CRITICAL_CLASSES,
    LANGUAGE_CLASSES,
    PALETTE,
    TRAIN_CLASSES,
)
from vlmis_utils.protocol.conditions import CONDITION_NAMES, ordered
from vlmis_utils.report.style import GREY, WIDTH, new_figure, styled

__all__ = [
    "colourise", "load_class_shares", "load_psnr", "load_reasons", "plot_class_shares",
    "plot_gallery", "plot_palette", "plot_psnr", "plot_reasons",
]  # fmt: skip

_FAMILY_COLOURS = {"LL": "#332288", "MB": "#44AA99", "OCC": "#882255"}
_SAFE, _UNSAFE = "#009E73", "#D55E00"


def colourise(labels: np.ndarray) -> np.ndarray:
    """Return a label map as a picture in Cityscapes' colours, ignored pixels black.

    Args:
        labels: train ids uint8 (H, W), 255 = ignore.

    Returns:
        uint8 (H, W, 3).
    """
    table = np.zeros((256, 3), np.uint8)
    table[: len(PALETTE)] = PALETTE
    return table[labels]


@styled
def plot_gallery(
    pictures: Sequence[np.ndarray], captions: Sequence[str] | None = None, columns: int = 2
) -> Figure:
    """Lay pictures uint8 (H, W, 3) of one size out in rows, a short caption above each."""
    rows = -(-len(pictures) // columns)
    tall, wide = pictures[0].shape[:2]
    room = 0.24 if captions else 0.05
    figure, axes = new_figure(rows * (WIDTH / columns * tall / wide + room), rows, columns)
    for axis in axes.flat:
        axis.axis("off")
    for axis, picture in zip(axes.flat, pictures, strict=False):
        axis.imshow(picture, interpolation="antialiased")
    for axis, caption in zip(axes.flat, captions or (), strict=False):
        axis.set_title(caption, fontsize=10 if columns < 3 else 9, pad=3)
    figure.get_layout_engine().set(w_pad=0.02, h_pad=0.02, wspace=0.01, hspace=0.01)
    return figure


@styled
def plot_palette(columns: int = 4) -> Figure:
    """Name the colours of the label maps."""
    figure, axes = new_figure(1.35)
    axes[0, 0].axis("off")
    handles = [Patch(color=PALETTE[i] / 255, label=name) for i, name in enumerate(LANGUAGE_CLASSES)]
    axes[0, 0].legend(
        handles=handles, loc="center", ncols=columns, fontsize=10, handlelength=1.2,
        columnspacing=1.2, borderaxespad=0,
    )  # fmt: skip
    return figure


def load_class_shares(
    scenes: pd.DataFrame, min_share: float, annotated: Iterable[str] = LANGUAGE_CLASSES
) -> pd.DataFrame:
    """Return train_class, pixels (share of all labelled) and presence (share of scenes), by class.

    Args:
        scenes: table ``scenes`` of the records.
        min_share: share of an image's pixels that makes a class present.
        annotated: language classes that the labels can show; no other has a row.
    """
    counts = np.stack(list(scenes.pixel_counts))
    area = (scenes.height * scenes.width).to_numpy()[:, None]
    frame = pd.DataFrame(
        {
            "train_class": TRAIN_CLASSES,
            "language_class": LANGUAGE_CLASSES,
            "pixels": counts.sum(axis=0) / counts.sum(),
            "presence": (counts >= np.maximum(1, min_share * area)).mean(axis=0),
        }
    )
    return frame[frame.language_class.isin(set(annotated))].reset_index(drop=True)


@styled
def plot_class_shares(frame: pd.DataFrame) -> Figure:
    """Two bars for each class: its share of pixels (log scale), and of scenes."""
    frame = frame.sort_values("pixels")
    figure, axes = new_figure(5.4, 1, 2, sharey=True)
    critical = frame.language_class.isin(CRITICAL_CLASSES)
    tint = np.where(critical, _UNSAFE, GREY)
    axes[0, 0].barh(frame.language_class, 100 * frame.pixels, color=tint)
    axes[0, 0].set(xscale="log", xlabel="share of pixels, %")
    axes[0, 0].xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axes[0, 0].xaxis.set_minor_formatter(NullFormatter())
    axes[0, 1].barh(frame.language_class, 100 * frame.presence, color=tint)
    axes[0, 1].set(xlabel="share of scenes, %", xlim=(0, 100))
    for axis in axes.flat:
        axis.grid(axis="y", visible=False)
    handles = [Patch(color=_UNSAFE, label="safety-critical"), Patch(color=GREY, label="other")]
    figure.legend(handles=handles, loc="outside upper center", ncols=2)
    return figure


def load_reasons(scenes: pd.DataFrame) -> pd.DataFrame:
    """Return reason, safe and scenes (how many), the distances in a reason left out."""
    reason = (
        scenes.safety_reason.str.replace(r" at [\d.]+ m", "", regex=True)
        .str.replace(r"covers \d+ ?%", "covers part", regex=True)
        .rename("reason")
    )
    return (
        scenes.groupby([reason, "safe"]).size().rename("scenes").reset_index()
        .sort_values("scenes", ascending=False, ignore_index=True)
    )  # fmt: skip


@styled
def plot_reasons(frame: pd.DataFrame, most: int = 12) -> Figure:
    """One bar for each reason of the safety label, longest on top; rare ones together."""
    most = most if len(frame) > most + 1 else len(frame)
    head, tail = frame.head(most), frame.iloc[most:]
    if len(tail):
        rest = pd.DataFrame(
            {
                "reason": [f"{len(tail)} rarer reasons"],
                "safe": [False],
                "scenes": [tail.scenes.sum()],
            }
        )
        head = pd.concat([head, rest])
    head = head.iloc[::-1]
    figure, axes = new_figure(0.75 + 0.3 * len(head))
    axis = axes[0, 0]
    axis.barh(head.reason, head.scenes, color=np.where(head.safe, _SAFE, _UNSAFE))
    axis.set_xlabel("scenes")
    axis.grid(axis="y", visible=False)
    handles = [Patch(color=_SAFE, label="safe"), Patch(color=_UNSAFE, label="unsafe")]
    figure.legend(handles=handles, loc="outside upper center", ncols=2)
    return figure


def load_psnr(conditions: pd.DataFrame) -> pd.DataFrame:
    """Return condition and the quartiles of PSNR in dB over scenes: low, median, high."""
    grouped = conditions.dropna(subset=["psnr"]).groupby("condition").psnr
    frame = grouped.quantile([0.25, 0.5, 0.75]).unstack()
    frame.columns = ["low", "median", "high"]
    return frame.reindex([c for c in ordered(frame.index) if c != "blank"]).reset_index()


@styled
def plot_psnr(frame: pd.DataFrame) -> Figure:
    """PSNR over severity, one line a corruption: median with the middle half of the scenes."""
    figure, axes = new_figure(3.1)
    axis = axes[0, 0]
    for (family, tint), sign in zip(_FAMILY_COLOURS.items(), "os^", strict=True):
        rows = frame[frame.condition.str.match(rf"{family}\d")]
        if rows.empty:
            continue
        level = rows.condition.str[-1].astype(int)
        spread = [rows["median"] - rows.low, rows.high - rows["median"]]
        name = CONDITION_NAMES[f"{family}1"][:-2]
        axis.errorbar(level, rows["median"], spread, color=tint, marker=sign, capsize=3, label=name)
    axis.set(xlabel="severity", ylabel="PSNR, dB", xticks=[1, 2, 3], xlim=(0.8, 3.2))
    axis.legend()
    return figure
