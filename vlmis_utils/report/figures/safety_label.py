"""The image rule of `protocol.safety_label`: its corridor on scenes, and what its constants do."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from vlmis_utils.core.errors import UserError
from vlmis_utils.datasets.registry import Scene
from vlmis_utils.protocol import safety_label
from vlmis_utils.protocol.classes import LANGUAGE_NAMES, PALETTE, TRAIN_CLASSES
from vlmis_utils.report.figures.scenes import draw_pictures
from vlmis_utils.report.style import GREY, INK, label_lines, new_figure, styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = [
    "SCALES", "THRESHOLDS", "load_cover", "load_rule", "pick_corridors", "plot_corridors",
    "plot_rule",
]  # fmt: skip

# Factors on the trapezoid's widths: half, as it is, twice. Thresholds: from a quarter to four times
# the rule's own, with it, its half and its double among them.
SCALES: tuple[float, ...] = (0.5, 1.0, 2.0)
THRESHOLDS: tuple[float, ...] = tuple(
    float(safety_label.IMAGE_THRESHOLD * 2 ** (step / 8)) for step in range(-16, 17)
)

_LOOKS = {0.5: ("#332288", ":"), 1.0: (INK, "-"), 2.0: ("#44AA99", "--")}
_OUTLINES = {0.5: "#88CCEE", 1.0: "white", 2.0: "#44AA99"}
_USERS = [TRAIN_CLASSES.index(name) for name in safety_label.ROAD_USERS]


def load_cover(
    scenes: Iterable[Scene], scales: Sequence[float] = SCALES, most: int = 100
) -> pd.DataFrame:
    """Measure how much of the corridor road users cover, in each scene.

    Args:
        scenes: label maps are read from them.
        scales: factors on the trapezoid's widths.
        most: look at so many scenes only, spread evenly over all.

    Returns:
        One row for each scene and scale: scene_id, scale, cover (share of the trapezoid's labelled
        pixels in [0, 1]), user (the language class that covers most), and the scene's own label
        safe with its reason.

    Raises:
        UserError: no scenes.
    """
    scenes = list(scenes)
    if not scenes:
        raise UserError("no scenes to measure: open a dataset with at least one")
    places = np.linspace(0, len(scenes) - 1, min(most, len(scenes))).round().astype(int)
    rows = []
    for scene in (scenes[place] for place in places):
        labels = scene.labels()
        for scale in scales:
            shares = safety_label.corridor_shares(labels, scale)
            rows.append(
                {
                    "scene_id": scene.scene_id, "scale": scale, "cover": sum(shares.values()),
                    "user": LANGUAGE_NAMES[max(shares, key=lambda name: shares[name])],
                    "safe": bool(scene.safe), "reason": scene.safety_reason,
                }
            )  # fmt: skip
    return pd.DataFrame(rows)


def load_rule(cover: pd.DataFrame, thresholds: Sequence[float] = THRESHOLDS) -> pd.DataFrame:
    """Apply the image rule with other constants.

    Args:
        cover: from `load_cover`, with the scale 1 among its scales.
        thresholds: least share of the corridor that makes a scene unsafe.

    Returns:
        One row for each scale and threshold, shares of the scenes: unsafe; moved, those that the
        rule's default constants label otherwise; agree, those whose own label is the same.
    """
    wide = cover.pivot(index="scene_id", columns="scale", values="cover")
    safe = cover.drop_duplicates("scene_id").set_index("scene_id").safe.reindex(wide.index)
    usual = wide[1.0] >= safety_label.IMAGE_THRESHOLD
    rows = []
    for scale in wide.columns:
        for threshold in thresholds:
            unsafe = wide[scale] >= threshold
            rows.append((scale, threshold, unsafe.mean(), (unsafe != usual).mean(),
                         (unsafe != safe).mean()))  # fmt: skip
    return pd.DataFrame(rows, columns=["scale", "threshold", "unsafe", "moved", "agree"])


def pick_corridors(cover: pd.DataFrame, count: int = 4) -> list[str]:
    """Return the scenes nearest to the threshold, half of them from below where there are so many.

    A scene with nothing in its corridor is no example while others are left.

    Returns:
        scene ids, by rising cover.
    """
    usual = cover[cover.scale == 1.0].sort_values(["cover", "scene_id"])
    usual = usual.assign(
        gap=(usual.cover - safety_label.IMAGE_THRESHOLD).abs() + (usual.cover == 0),
        unsafe=usual.cover >= safety_label.IMAGE_THRESHOLD,
    ).sort_values(["gap", "scene_id"])
    near = pd.concat([part.head(count // 2) for _, part in usual.groupby("unsafe")])
    rest = usual.drop(near.index)
    chosen = pd.concat([near, rest.head(count - len(near))])
    return list(chosen.sort_values(["cover", "scene_id"]).scene_id)


@styled
def plot_corridors(scenes: Sequence[Scene], cover: pd.DataFrame, columns: int = 2) -> Figure:
    """Show scenes with the corridor's outlines, road users painted, and both verdicts above.

    Args:
        scenes: of one size each, two in a row.
        cover: from `load_cover`; its scales are outlined.
    """
    usual = cover[cover.scale == 1.0].set_index("scene_id")
    titles = [_verdicts(scene, usual.loc[scene.scene_id]) for scene in scenes]
    room = 0.36 if any("\n" in title for title in titles) else 0.22
    pictures = [_painted(scene) for scene in scenes]
    figure, axes = draw_pictures(pictures, titles, columns, room, 8.5)
    for axis, picture in zip(axes, pictures, strict=True):
        height, width = picture.shape[:2]
        for scale in sorted(set(cover.scale)):
            x, y = _outline(height, width, scale)
            axis.plot(x, y, color=_OUTLINES.get(scale, "white"), lw=1.4 if scale == 1 else 1.0)
        axis.set(xlim=(0, width), ylim=(height, 0))
    return figure


@styled
def plot_rule(frame: pd.DataFrame, geometry: bool) -> Figure:
    """Draw, over the threshold and a line for each scale, the unsafe scenes and a second share.

    Args:
        frame: from `load_rule`.
        geometry: the scenes' own label is geometric, and the second panel shows the agreement with
            it; otherwise the scenes that the default constants label otherwise.
    """
    second = ("agree", "agrees with geometry, %") if geometry else ("moved", "labels changed, %")
    ticks = [100 * safety_label.IMAGE_THRESHOLD * 2.0**k for k in (-2, -1, 0, 1, 2)]
    figure, axes = new_figure(5.2, 2, 1, sharex=True)
    for axis, (column, words) in zip(axes.flat, (("unsafe", "unsafe scenes, %"), second),
                                     strict=True):  # fmt: skip
        ends = {}
        axis.set(xscale="log", ylabel=words, ylim=(0, 100))
        for scale, rows in frame.groupby("scale"):
            tint, dash = _LOOKS.get(scale, (GREY, "-."))
            axis.plot(100 * rows.threshold, 100 * rows[column], color=tint, ls=dash)
            last = rows.iloc[-1]
            ends[f"{scale:g} × width"] = (100 * last.threshold, 100 * last[column], tint)
        axis.axvline(100 * safety_label.IMAGE_THRESHOLD, color=GREY, lw=1)
        label_lines(axis, ends)
    axes[-1, 0].set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes[-1, 0].minorticks_off()
    axes[-1, 0].set_xlabel("threshold, % of the corridor")
    return figure


def _verdicts(scene: Scene, row: pd.Series) -> str:
    """Return what the image rule makes of a scene and, below, its own label if it has another."""
    verdict = "unsafe" if row.cover >= safety_label.IMAGE_THRESHOLD else "safe"
    said = f"{100 * row.cover:.1f} %: {verdict}"
    if row.reason == safety_label.image_rule(scene.labels())[1]:
        return said
    reason = row.reason.replace(" in corridor", "").replace("; ", ", ")
    return f"image rule {said}\ngeometry: {'safe, ' if row.safe else ''}{reason}"


def _outline(height: int, width: int, scale: float) -> tuple[list[float], list[float]]:
    """Return the closed outline of the trapezoid, x and y in pixels."""
    top, bottom = safety_label.TRAPEZOID_TOP * height, safety_label.TRAPEZOID_BOTTOM * height
    narrow = min(0.5, scale * safety_label.TRAPEZOID_TOP_HALF)
    broad = min(0.5, scale * safety_label.TRAPEZOID_BOTTOM_HALF)
    x = [0.5 - narrow, 0.5 + narrow, 0.5 + broad, 0.5 - broad, 0.5 - narrow]
    return [share * width for share in x], [top, top, bottom, bottom, top]


def _painted(scene: Scene) -> np.ndarray:
    """Return the image, uint8 (H, W, 3), darkened, with road users in their label's colour."""
    labels = scene.labels()
    picture = 0.75 * scene.image()
    users = np.isin(labels, _USERS)
    picture[users] = 0.4 * picture[users] + 0.6 * PALETTE[labels[users]]
    return picture.astype(np.uint8)
