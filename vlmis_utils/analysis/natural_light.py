"""Is Table 1's low light like dusk? CamVid's day and dusk drives, at equal mean luma.

The day frames are darkened by LL1 to LL3; the dusk frames are as they were taken. Between the rungs
of the ladder a measure is taken to be linear in mean luma, so that it can be read off where
the day frames would be as dark as the dusk ones. What is left between the two is not brightness:
noise, contrast, colour, lamps and shadows, but also other streets and other traffic. Where dusk is
off the ladder, darker than LL3 or brighter than day, the nearest rung stands in its place.

Intervals are at 95 %, percentiles over resampled scenes, day and dusk drawn independently.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from vlmis_utils.analysis.results import Results
from vlmis_utils.analysis.worlds import by_architecture
from vlmis_utils.metrics.miou_intervals import resampled_counts
from vlmis_utils.metrics.segmentation import miou_of_counts
from vlmis_utils.protocol.datasets import CAMVID_DUSK
from vlmis_utils.statistics.intervals import Interval
from vlmis_utils.statistics.resampling import percentiles, sample_and_resamples, weighted_mean

__all__ = ["DUSK", "LADDER", "Light", "compare_light", "recording"]

LADDER: tuple[str, ...] = ("clean", "LL1", "LL2", "LL3")
DUSK = "dusk"
_RATES = {"hr": "hr_i", "cor": "omitted", "smr": "smr_i", "f1": "f1"}


def recording(scene_id: str) -> str:
    """Return the recording that a frame of CamVid is of.

    >>> recording("camvid-train-0001TP_006690")
    '0001TP'
    """
    return scene_id.rpartition("-")[2].partition("_")[0]


@dataclass(frozen=True, eq=False)
class Light:
    """Day, darkened day and dusk.

    Attributes:
        levels: one row for each model (by architecture, as `worlds.by_architecture` names it),
            measure (miou, hr, cor, smr, f1) and light (clean, LL1, LL2, LL3 of the day frames,
            dusk): value, value_low, value_high; luma, the frames' mean.
        matched: one row for each model and measure: natural (dusk minus day), synthetic (the
            ladder at the luma of dusk, or its ``nearest`` rung, minus day) and difference (natural
            minus synthetic), each with _low and _high.
        luma: one row for each light: n (frames), luma, luma_low, luma_high, and unsafe, the share
            of the frames whose reference label is unsafe.
        nearest: the rung of the ladder that stands for dusk where dusk is off the ladder; None
            where it lies between two rungs.
        gap: where it is off the ladder, the luma of dusk minus that of the rung.
    """

    levels: pd.DataFrame
    matched: pd.DataFrame
    luma: pd.DataFrame
    nearest: str | None = None
    gap: Interval | None = None


def compare_light(parts: Sequence[Results], resamples: int) -> Light | None:
    """Compare dusk with day as it is and darkened.

    Args:
        parts: runs on CamVid with the same models, put together; a scene that a second run has
            again is left out of it.
        resamples: for the intervals.

    Returns:
        None where there are no day frames under LL1 to LL3, no dusk frames, or no recorded luma.
    """
    frames = _put_together(parts)
    luma = frames["conditions"]
    dark = luma.scene_id.map(recording) == CAMVID_DUSK
    day = luma[~dark & luma.condition.isin(LADDER)].pivot(
        index="scene_id", columns="condition", values="luma"
    )
    night = luma[dark & (luma.condition == "clean")].set_index("scene_id").luma
    if set(day) != set(LADDER) or day.isna().any(axis=None) or night.isna().any() or night.empty:
        return None
    weights = {
        "day": sample_and_resamples(len(day), resamples),
        DUSK: sample_and_resamples(len(night), resamples, seed=1),
    }
    at = {c: weighted_mean(weights["day"], day[c].to_numpy()[:, None])[:, 0] for c in LADDER}
    at[DUSK] = weighted_mean(weights[DUSK], night.to_numpy()[:, None])[:, 0]
    sizes = {**dict.fromkeys(LADDER, len(day)), DUSK: len(night)}
    lights = {**{c: (c, day.index) for c in LADDER}, DUSK: ("clean", night.index)}
    nearest = _nearest(at)
    levels, matched = [], []
    for (model, measure), draws in _measured(frames, lights, weights).items():
        for light in lights:
            row = {"model": model, "measure": measure, "light": light, "luma": at[light][0]}
            levels.append(row | _interval(draws[light], sizes[light], "value"))
        matched.append(
            {"model": model, "measure": measure} | _match(draws, at, len(night), nearest)
        )
    unsafe = ~frames["scenes"].set_index("scene_id").safe.astype(bool)
    rows = [
        {"light": k, "n": sizes[k], "unsafe": float(unsafe.loc[lights[k][1]].mean())}
        | _interval(v, sizes[k], "luma")
        for k, v in at.items()
    ]
    gap = None
    if nearest is not None:
        apart = at[DUSK] - at[nearest]
        gap = Interval(float(apart[0]), *percentiles(apart[1:], scenes=len(night)))
    shown, compared = (by_architecture(pd.DataFrame(part)) for part in (levels, matched))
    return Light(shown, compared, pd.DataFrame(rows), nearest, gap)


def _put_together(parts: Sequence[Results]) -> dict[str, pd.DataFrame]:
    """Return the tables and per-image frames of several runs, each scene once."""
    names = ("scenes", "conditions", "segmentation", "images")
    found: dict[str, list[pd.DataFrame]] = {name: [] for name in names}
    seen: set[str] = set()
    for part in parts:
        new = set(part.scenes.scene_id) - seen
        seen |= new
        own = (part.scenes, part.conditions, part.segmentation, part.vlm_per_image())
        for name, frame in zip(found, own, strict=True):
            found[name].append(frame[frame.scene_id.isin(new)])
    return {name: pd.concat(frames, ignore_index=True) for name, frames in found.items()}


def _measured(
    frames: Mapping[str, pd.DataFrame],
    lights: Mapping[str, tuple[str, pd.Index]],
    weights: Mapping[str, np.ndarray],
) -> dict[tuple[str, str], dict[str, np.ndarray]]:
    """Return (model, measure) -> light -> draws (1 + R,).

    mIoU is over the classes in the truth of the day frames and of the dusk frames alike.
    """
    found: dict[tuple[str, str], dict[str, np.ndarray]] = {}
    for segmenter, own in _complete(frames["segmentation"], "segmenter", lights):
        counts = {}
        for light, (condition, scenes) in lights.items():
            rows = own[own.condition == condition].set_index("scene_id").confusion
            stack = np.stack(list(rows.loc[scenes]))
            counts[light] = resampled_counts(stack, weights[DUSK if light == DUSK else "day"])
        both = (counts["clean"][0, 1] > 0) & (counts[DUSK][0, 1] > 0)
        found[segmenter, "miou"] = {k: miou_of_counts(v * both) for k, v in counts.items()}
    for vlm, own in _complete(frames["images"], "vlm", lights):
        for measure, column in _RATES.items():
            draws = {}
            for light, (condition, scenes) in lights.items():
                rows = own[own.condition == condition].set_index("scene_id")[column]
                values = rows.loc[scenes].astype(float).to_numpy()[:, None]
                drawn = weights[DUSK if light == DUSK else "day"]
                draws[light] = weighted_mean(drawn, values)[:, 0]
            found[vlm, measure] = draws
    return found


def _complete(
    frame: pd.DataFrame, model: str, lights: Mapping[str, tuple[str, pd.Index]]
) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield each model that saw the frames of all lights, with its rows."""
    for name, own in frame.groupby(model, sort=False):
        seen = set(zip(own.condition, own.scene_id, strict=True))
        if all((c, scene) in seen for c, scenes in lights.values() for scene in scenes):
            yield name, own


def _nearest(luma: Mapping[str, np.ndarray]) -> str | None:
    """Return the rung nearest to dusk where dusk is off the ladder, else None."""
    rungs = {c: luma[c][0] for c in LADDER}
    dusk = luma[DUSK][0]
    if min(rungs.values()) <= dusk <= max(rungs.values()):
        return None
    return min(rungs, key=lambda c: abs(rungs[c] - dusk))


def _match(
    draws: Mapping[str, np.ndarray],
    luma: Mapping[str, np.ndarray],
    scenes: int,
    nearest: str | None,
) -> dict[str, float]:
    """Return the natural change, the synthetic one, and their difference.

    The synthetic one is that of the rung ``nearest``, else read off at the luma of dusk; a resample
    that is off the ladder takes its end.
    """
    if nearest is not None:
        read = draws[nearest]
    else:
        rungs = LADDER[::-1]  # darkest first, as interpolation wants it
        x = np.stack([luma[c] for c in rungs], axis=1)
        y = np.stack([draws[c] for c in rungs], axis=1)
        read = np.array([np.interp(*row) for row in zip(luma[DUSK], x, y, strict=True)])
    natural, synthetic = draws[DUSK] - draws["clean"], read - draws["clean"]
    return (
        _interval(natural, scenes, "natural")
        | _interval(synthetic, scenes, "synthetic")
        | _interval(natural - synthetic, scenes, "difference")
    )


def _interval(draws: np.ndarray, scenes: int, name: str) -> dict[str, float]:
    low, high = percentiles(draws[1:], scenes=scenes)
    return {name: float(draws[0]), f"{name}_low": float(low), f"{name}_high": float(high)}
