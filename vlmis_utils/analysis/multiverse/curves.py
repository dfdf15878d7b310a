"""The conclusions under every specification: rises from clean to worst, and correlations with mIoU.

A conclusion is a sign: *up* or *down* where its 95 % interval excludes zero, *same* where it does
not. The paper does not say which segmenter or which coefficient its sentences rest on, nor over
what mIoU is averaged; the frames have one conclusion for each segmenter and coefficient, and
`robustness` can count both as choices too.

The frames are tidy, one row for each conclusion and specification (specification curve analysis:
Simonsohn, Simmons and Nelson, Nature Human Behaviour 4, 2020; multiverse analysis: Steegen,
Tuerlinckx, Gelman and Vanpaemel, Perspectives on Psychological Science 11, 2016).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vlmis_utils.analysis.multiverse.choices import KEYS, QUALITIES
from vlmis_utils.analysis.multiverse.grid import Grid, worst_conditions
from vlmis_utils.analysis.results import Results
from vlmis_utils.metrics import segmentation
from vlmis_utils.statistics.correlation import METHODS, fisher_interval, spearman_interval
from vlmis_utils.statistics.intervals import from_draws, interval_sign
from vlmis_utils.statistics.resampled_correlation import correlate_rows, resampled_correlation
from vlmis_utils.statistics.resampling import percentiles, sample_and_resamples, weighted_mean

__all__ = [
    "CONCLUSION", "FOUND", "correlation_curve", "curve_frame", "image_correlation_curve",
    "rise_curve", "tidy", "verdicts",
]  # fmt: skip

# What names a conclusion, and what is found for it; all other columns of a curve are choices.
CONCLUSION = ("kind", "vlm", "metric", "condition", "segmenter", "method")
FOUND = ("own", "estimate", "low", "high", "verdict")

# The study counts by Spearman's coefficient, and Table 2 of the paper is DeepLabV3+'s: these come
# first and so are the study's own, where segmenter and coefficient are counted as choices.
_METHODS = tuple(sorted(METHODS, reverse=True))
_SEGMENTER = "deeplabv3plus"
_CHUNK = 16  # specifications whose correlations are resampled at once

Floats = NDArray[np.float64]


def verdicts(low: Floats, high: Floats) -> NDArray[np.str_]:
    """Return up, down or same for each interval; same where there is none.

    >>> verdicts(np.array([0.1, -0.2, np.nan]), np.array([0.3, -0.1, np.nan])).tolist()
    ['up', 'down', 'same']
    """
    return np.array(["down", "same", "up"])[interval_sign(low, high) + 1]


def rise_curve(every: Sequence[Grid], resamples: int = 2000) -> pd.DataFrame:
    """Return the change of each metric from clean to the most severe condition of each corruption.

    The estimate is the difference of two means over scenes, each over the images that have a value
    under the specification; the interval is that of `statistics.resampling.bootstrap_interval`,
    with the same drawn scenes for all specifications.

    Args:
        every: from `analysis.multiverse.grid.grids`.
        resamples: of the scenes.

    Returns:
        Columns kind ("rise"), vlm, metric, condition, segmenter and method (empty), one for each
        choice (empty where it does not apply), own (whether it is the study's own specification),
        estimate, low, high, verdict.
    """
    frames = []
    for grid in every:
        if "clean" not in grid.conditions:
            continue
        weights = sample_and_resamples(len(grid.scenes), resamples)
        for condition in worst_conditions(grid.conditions):
            part = grid.under(["clean", condition])
            clean, worst = (weighted_mean(weights, part.values[:, index].T) for index in (0, 1))
            change = (worst - clean).round(12) + 0.0
            bounds = percentiles(change[1:], scenes=len(grid.scenes))
            frame = curve_frame(part, change[0], *bounds)
            frames.append(frame.assign(kind="rise", condition=condition))
    return tidy(frames)


def curve_frame(grid: Grid, estimate: Floats, low: Floats, high: Floats) -> pd.DataFrame:
    """Return a conclusion's rows, one for each of the P specifications of a grid.

    Args:
        grid: gives the levels; its first specification is the study's own.
        estimate, low, high: float64 (P,).
    """
    return grid.levels.assign(
        vlm=grid.vlm, metric=grid.metric, own=np.arange(len(estimate)) == 0,
        estimate=estimate, low=low, high=high, verdict=verdicts(low, high),
    )  # fmt: skip


def tidy(frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Put frames together, the columns of `CONCLUSION` first and those of `FOUND` last."""
    joined = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=list(FOUND))
    for name in CONCLUSION:
        joined[name] = joined[name].fillna("") if name in joined else ""
    choices = [c for c in joined if c not in (*CONCLUSION, *FOUND)]
    choices.sort(key=lambda key: KEYS.index(key) if key in KEYS else len(KEYS))
    numbers = {"own": bool, "estimate": float, "low": float, "high": float}
    return joined[[*CONCLUSION, *choices, *FOUND]].astype(numbers)


def correlation_curve(results: Results, every: Sequence[Grid]) -> pd.DataFrame:
    """Return the correlation of mIoU with each metric over conditions, for each segmenter.

    One pair a condition; both coefficients; intervals as everywhere in the book. Rates and
    mIoU are rounded to 12 digits before they are ranked, so that ties are ties. One choice more:
    the mIoU of the summed pixels of a condition, or the mean of its images' mIoU.

    Args:
        results: gives the segmentation.
        every: from `analysis.multiverse.grid.grids`.

    Returns:
        Columns as in `rise_curve`; kind is "correlation", condition is empty.
    """
    frames = []
    for grid in every:
        rates = grid.rates()
        for segmenter, stacks in _confusions(results, grid).items():
            whole = [segmentation.miou(stack.sum(0)) for stack in stacks]
            means = [segmentation.miou_image_mean(stack) for stack in stacks]
            for method in _METHODS:
                for key, scores in (("set", whole), ("images", means)):
                    r, n = _over_conditions(np.round(scores, 12), rates, method)
                    interval = spearman_interval if method == "spearman" else fisher_interval
                    bounds = [interval(*pair) for pair in zip(r, n, strict=True)]
                    frame = curve_frame(grid, r, *np.array(bounds).T)
                    frame["own"] &= key == next(iter(QUALITIES))
                    frames.append(
                        frame.assign(kind="correlation", segmenter=segmenter, method=method,
                                     quality=QUALITIES[key])
                    )  # fmt: skip
    return tidy(frames)


def image_correlation_curve(
    results: Results, every: Sequence[Grid], resamples: int = 2000
) -> pd.DataFrame:
    """Return the correlation of an image's mIoU with its failure, over all images.

    Intervals come from resampled scenes, see `statistics.intervals.from_draws` (scale
    z). The ranks of Spearman's coefficient are those among all images, in every resample.

    Args:
        results, every: as in `correlation_curve`.
        resamples: of the scenes.

    Returns:
        Columns as in `rise_curve`; kind is "image correlation", condition is empty.
    """
    frames = []
    for grid in every:
        weights = sample_and_resamples(len(grid.scenes), resamples)
        for segmenter, stacks in _confusions(results, grid).items():
            scores = np.array([np.atleast_1d(segmentation.miou(stack)) for stack in stacks])
            for method in _METHODS:
                draws = _over_images(scores, grid.values, weights, method)
                found = from_draws(draws, len(grid.scenes))
                frames.append(
                    curve_frame(grid, draws[0], found.low, found.high).assign(
                        kind="image correlation", segmenter=segmenter, method=method
                    )
                )
    return tidy(frames)


def _confusions(results: Results, grid: Grid) -> dict[str, Floats]:
    """Return segmenter -> confusion counts (C, S, 19, 19) of the grid's images, 0 where missing."""
    table = results.segmentation
    table = table[table.condition.isin(grid.conditions) & table.scene_id.isin(grid.scenes)]
    place = {name: index for index, name in enumerate(grid.scenes)}
    found: dict[str, Floats] = {}
    for segmenter, rows in table.groupby("segmenter", sort=False):
        counts = np.stack(list(rows.confusion))
        stacks = np.zeros((len(grid.conditions), len(place), *counts.shape[1:]))
        stacks[rows.condition.map(grid.conditions.index), rows.scene_id.map(place)] = counts
        found[segmenter] = stacks
    return dict(sorted(found.items(), key=lambda pair: pair[0] != _SEGMENTER))


def _patterns(known: NDArray[np.bool_]) -> list[NDArray[np.int64]]:
    """Return the rows that have values in the same places, pattern by pattern."""
    _, pattern = np.unique(known.reshape(len(known), -1), axis=0, return_inverse=True)
    return [np.flatnonzero(pattern == at) for at in range(pattern.max(initial=-1) + 1)]


def _over_conditions(x: Floats, y: Floats, method: str) -> tuple[Floats, NDArray[np.int64]]:
    """Return r of x (C,) with each row of y (P, C) over the pairs that have both, and their number.

    NaN with fewer than three pairs or where one side is constant.
    """
    known = np.isfinite(x) & np.isfinite(y)
    r = np.full(len(y), np.nan)
    for rows in _patterns(known):
        pairs = known[rows[0]]
        if pairs.sum() >= 3:
            r[rows] = correlate_rows(x[None, pairs], y[rows][:, pairs], method)[0]
    return r, known.sum(axis=1)


def _over_images(x: Floats, y: Floats, weights: Floats, method: str) -> Floats:
    """Return r of x (C, S) with each of y (P, C, S) in every resample of scenes: (1 + R, P)."""
    from scipy.stats import rankdata

    found = np.full((len(weights), len(y)), np.nan)
    for rows in _patterns(np.isfinite(x) & np.isfinite(y)):
        for part in np.array_split(rows, -(-len(rows) // _CHUNK)):
            pairs = np.isfinite(x) & np.isfinite(y[part[0]])
            stack = np.where(pairs, np.stack([x, *y[part]]), np.nan)
            if method == "spearman":
                flat = rankdata(stack.reshape(len(stack), -1), axis=1, nan_policy="omit")
                stack = flat.reshape(stack.shape)
            stack = stack.transpose(0, 2, 1)
            found[:, part] = resampled_correlation(stack[:1], stack[1:], weights)[:, 0]
    return found
