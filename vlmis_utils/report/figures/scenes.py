"""Figures of scenes: galleries, label maps, and what the dataset holds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from vlmis_utils.protocol.classes import (
    CRITICAL_CLASSES,
    LANGUAGE_CLASSES,
    PALETTE,
    TRAIN_CLASSES,
)
from vlmis_utils.protocol.conditions import FAMILIES, ordered
from vlmis_utils.report.figures.intervals import plot_intervals
from vlmis_utils.report.style import (
    FAMILY_LOOKS,
    GREY,
    RIGHT,
    WIDTH,
    WRONG,
    label_lines,
    new_figure,
    patch_legend,
    styled,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = [
    "colourise", "draw_pictures", "load_class_shares", "load_psnr", "load_reasons",
    "plot_class_shares", "plot_gallery", "plot_palette", "plot_psnr", "plot_reasons",
]  # fmt: skip


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
    """Lay images uint8 (H, W, 3) of one size out in rows, a short caption above each."""
    size = 10 if columns < 3 else 9
    figure, _ = draw_pictures(pictures, captions, columns, 0.24 if captions else 0.05, size)
    return figure


def draw_pictures(
    pictures: Sequence[np.ndarray],
    captions: Sequence[str] | None,
    columns: int,
    room: float,
    size: float,
    loc: str = "center",
) -> tuple[Figure, list[Axes]]:
    """Return a figure of images (H, W, 3) in rows, and the panels that hold one.

    Args:
        pictures: of one size.
        captions: a text above each, empty for none.
        columns: images in a row.
        room: inches above each row, for captions of ``size`` points that begin at ``loc``.
    """
    rows = -(-len(pictures) // columns)
    tall, wide = pictures[0].shape[:2]
    figure, axes = new_figure(rows * (WIDTH / columns * tall / wide + room), rows, columns)
    figure.get_layout_engine().set(w_pad=0.02, h_pad=0.02, wspace=0.01, hspace=0.01)
    for axis in axes.flat:
        axis.axis("off")
    held = list(axes.flat[: len(pictures)])
    for axis, picture, caption in zip(held, pictures, captions or [""] * len(held), strict=True):
        axis.imshow(picture, interpolation="antialiased")
        axis.set_title(caption, fontsize=size, pad=3, loc=loc)
    return figure, held


@styled
def plot_palette(columns: int = 4) -> Figure:
    """Name the colours of the label maps."""
    from matplotlib.patches import Patch

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
    import seaborn as sns

    frame = frame.sort_values("pixels", ascending=False)
    frame = frame.assign(critical=frame.language_class.isin(CRITICAL_CLASSES))
    figure, axes = new_figure(5.4, 1, 2, sharey=True)
    for axis, column in zip(axes.flat, ("pixels", "presence"), strict=True):
        sns.barplot(
            frame, x=100 * frame[column], y="language_class", hue="critical", saturation=1,
            palette={True: WRONG, False: GREY}, legend=False, ax=axis,
        )  # fmt: skip
        axis.set_ylabel("")
        axis.grid(axis="y", visible=False)
    axes[0, 0].set(xscale="log", xlabel="share of pixels, %")
    axes[0, 0].xaxis.set_major_formatter("{x:g}")
    axes[0, 0].xaxis.set_minor_formatter("")
    axes[0, 1].set(xlabel="share of scenes, %", xlim=(0, 100))
    patch_legend(figure, {"safety-critical": WRONG, "other": GREY})
    return figure


def load_reasons(scenes: pd.DataFrame) -> pd.DataFrame:
    """Return reason, safe and scenes (how many), distances and times in a reason left out."""
    reason = (
        scenes.safety_reason.str.replace(r" at [\d.]+ m( in [\d.]+ s)?", "", regex=True)
        .str.replace(r"covers [\d.]+ ?%", "covers part", regex=True)
        .rename("reason")
    )
    return (
        scenes.groupby([reason, "safe"]).size().rename("scenes").reset_index()
        .sort_values("scenes", ascending=False, ignore_index=True)
    )  # fmt: skip


@styled
def plot_reasons(frame: pd.DataFrame, most: int = 12) -> Figure:
    """One bar for each reason of the safety label, longest on top; rare ones together."""
    import seaborn as sns

    most = most if len(frame) > most + 1 else len(frame)
    head, tail = frame.head(most), frame.iloc[most:]
    if len(tail):
        words = f"{len(tail)} rarer reasons"
        rest = {"reason": [words], "safe": [False], "scenes": [tail.scenes.sum()]}
        head = pd.concat([head, pd.DataFrame(rest)])
    figure, axes = new_figure(0.75 + 0.3 * len(head))
    axis = axes[0, 0]
    sns.barplot(head, x="scenes", y="reason", hue="safe", palette={True: RIGHT, False: WRONG},
                saturation=1, legend=False, ax=axis)  # fmt: skip
    axis.set_ylabel("")
    axis.grid(axis="y", visible=False)
    patch_legend(figure, {"safe": RIGHT, "unsafe": WRONG})
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
    rows = frame[frame.condition.str.fullmatch(r"(LL|MB|OCC)\d")]
    rows = rows.set_index("condition").loc[ordered(rows.condition)].reset_index()
    rows = rows.assign(family=rows.condition.str[:-1], level=rows.condition.str[-1].astype(int))
    figure = plot_intervals(rows, "median", "level", "family", 3.1, looks=FAMILY_LOOKS,
                            connect=True, upright=True, apart=0.1, size=6)  # fmt: skip
    (axis,) = figure.axes
    axis.set(xlabel="severity", ylabel="PSNR, dB", xticks=[1, 2, 3], xlim=(0.9, 3.1))
    ends = rows.groupby("family").last()
    label_lines(axis, {
        FAMILIES[name]: (row.level, row["median"], FAMILY_LOOKS[name][0])
        for name, row in ends.iterrows()
    })  # fmt: skip
    return figure
