"""The corridors of the safety label on scenes, and what the image rule's constants do."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from vlmis_utils.core.errors import UserError
from vlmis_utils.datasets.registry import Scene
from vlmis_utils.datasets.streetworld import StreetScene, world_seed
from vlmis_utils.protocol import image_corridor
from vlmis_utils.protocol.classes import LANGUAGE_NAMES, PALETTE, TRAIN_CLASSES
from vlmis_utils.protocol.ground_corridor import ground_mask
from vlmis_utils.protocol.safety_label import ROAD_USERS
from vlmis_utils.report.figures.scenes import draw_pictures
from vlmis_utils.report.style import GREY, INK, WRONG, label_lines, new_figure, styled
from vlmis_utils.streetworld.world import settle
from vlmis_utils.training.evaluation.label_agreement import camera_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = [
    "SCALES", "THRESHOLDS", "corridor_of", "load_cover", "load_rule", "pick_corridors",
    "pick_labelled", "plot_corridors", "plot_labelled", "plot_rule",
]  # fmt: skip

# Factors on the trapezoid's widths: half, as it is, twice. Thresholds: from a quarter to four times
# the rule's own, with it, its half and its double among them.
SCALES: tuple[float, ...] = (0.5, 1.0, 2.0)
THRESHOLDS: tuple[float, ...] = tuple(
    float(image_corridor.IMAGE_THRESHOLD * 2 ** (step / 8)) for step in range(-16, 17)
)

_LOOKS = {0.5: ("#332288", ":"), 1.0: (INK, "-"), 2.0: ("#44AA99", "--")}
_OUTLINES = {0.5: "#88CCEE", 1.0: "white", 2.0: "#44AA99"}
_USERS = [TRAIN_CLASSES.index(name) for name in ROAD_USERS]


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
        labels, safe, reason = scene.labels(), bool(scene.safe), scene.safety_reason
        for scale in scales:
            shares = image_corridor.corridor_shares(labels, scale)
            rows.append(
                {
                    "scene_id": scene.scene_id, "scale": scale, "cover": sum(shares.values()),
                    "user": LANGUAGE_NAMES[max(shares, key=lambda name: shares[name])],
                    "safe": safe, "reason": reason,
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
    usual = wide[1.0] >= image_corridor.IMAGE_THRESHOLD
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
        gap=(usual.cover - image_corridor.IMAGE_THRESHOLD).abs() + (usual.cover == 0),
        unsafe=usual.cover >= image_corridor.IMAGE_THRESHOLD,
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
            mask = image_corridor.corridor_mask(height, width, scale)
            tint, broad = _OUTLINES.get(scale, "white"), 1.4 if scale == 1 else 1.0
            axis.contour(mask, [0.5], colors=[tint], linewidths=[broad])
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
    ticks = [100 * image_corridor.IMAGE_THRESHOLD * 2.0**k for k in (-2, -1, 0, 1, 2)]
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
        axis.axvline(100 * image_corridor.IMAGE_THRESHOLD, color=GREY, lw=1)
        label_lines(axis, ends)
    axes[-1, 0].set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes[-1, 0].minorticks_off()
    axes[-1, 0].set_xlabel("threshold, % of the corridor")
    return figure


def corridor_of(scene: Scene) -> np.ndarray:
    """Return the pixels of a scene that its safety label looks at, bool (H, W).

    The lane on flat ground where the camera is known, as StreetWorld's is; else the trapezoid.
    """
    size = scene.labels().shape
    if isinstance(scene, StreetScene):
        plan = settle(world_seed(scene.split, scene.seed), scene.index).stage.plan
        return ground_mask(camera_of(plan.camera), *size)
    camera = getattr(scene, "camera", None)
    return image_corridor.corridor_mask(*size) if camera is None else ground_mask(camera, *size)


def pick_labelled(scenes: Iterable[Scene], count: int = 12) -> list[Scene]:
    """Return scenes to look at, spread evenly, half of them unsafe where there are so many."""
    scenes = list(scenes)
    sides = [[s for s in scenes if bool(s.safe) == safe] for safe in (False, True)]
    few = min(len(side) for side in sides)
    first = min(len(sides[0]), max(count // 2, count - len(sides[1])) if few else count)
    picked = []
    for side, wanted in zip(sides, (first, count - first), strict=True):
        places = np.linspace(0, len(side) - 1, min(wanted, len(side))).round().astype(int)
        picked += [side[place] for place in places]
    return picked


@styled
def plot_labelled(scenes: Sequence[Scene], columns: int = 3) -> Figure:
    """Show scenes with the corridor outlined, road users painted, and the label with its reason.

    Args:
        scenes: of one size each, with a label of any rule.
        columns: scenes in a row.
    """
    titles = [f"{'safe' if s.safe else 'unsafe'}\n{_short(s.safety_reason)}" for s in scenes]
    pictures = [_painted(scene) for scene in scenes]
    figure, axes = draw_pictures(pictures, titles, columns, 0.34, 8)
    for axis, scene in zip(axes, scenes, strict=True):
        tint = "white" if scene.safe else WRONG
        axis.contour(corridor_of(scene), [0.5], colors=[tint], linewidths=[1.2])
    return figure


def _short(reason: str) -> str:
    """Return a reason that fits above a small picture: the first of several, and how many more."""
    first, *more = reason.replace(" in corridor", "").split("; ")
    first = re.sub(r" corridor at [\d.]+ m", "", first)
    return f"{first} (+{len(more)})" if more else first


def _verdicts(scene: Scene, row: pd.Series) -> str:
    """Return what the image rule makes of a scene and, below, its own label if it has another."""
    verdict = "unsafe" if row.cover >= image_corridor.IMAGE_THRESHOLD else "safe"
    said = f"{100 * row.cover:.1f} %: {verdict}"
    if row.reason == image_corridor.image_rule(scene.labels())[1]:
        return said
    reason = row.reason.replace(" in corridor", "").replace("; ", ", ")
    return f"image rule {said}\ngeometry: {'safe, ' if row.safe else ''}{reason}"


def _painted(scene: Scene) -> np.ndarray:
    """Return the image, uint8 (H, W, 3), darkened, with road users in their label's colour."""
    labels = scene.labels()
    picture = 0.75 * scene.image()
    users = np.isin(labels, _USERS)
    picture[users] = 0.4 * picture[users] + 0.6 * PALETTE[labels[users]]
    return picture.astype(np.uint8)
