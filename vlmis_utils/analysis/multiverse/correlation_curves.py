"""The correlation of mIoU with each metric under every specification: over conditions, and images.

The paper does not say which segmenter or which coefficient its sentences rest on, nor over what
mIoU is averaged. The frames have one conclusion for each segmenter and coefficient; `survival` can
count both as choices too.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from vlmis_utils.analysis.multiverse.choices import QUALITIES
from vlmis_utils.analysis.multiverse.curves import curve_frame, tidy
from vlmis_utils.analysis.multiverse.grid import Grid
from vlmis_utils.analysis.results import Results
from vlmis_utils.metrics import segmentation
from vlmis_utils.statistics.correlation import METHODS, fisher_interval, spearman_interval
from vlmis_utils.statistics.intervals import from_draws
from vlmis_utils.statistics.resampling import scene_weights

__all__ = ["correlation_curve", "image_correlation_curve"]

# The study counts by Spearman's coefficient, and Table 2 of the paper is DeepLabV3+'s: these come
# first and so are the study's own, where segmenter and coefficient are counted as choices.
_METHODS = tuple(sorted(METHODS, reverse=True))
_SEGMENTER = "deeplabv3plus"

Floats = NDArray[np.float64]


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
                    x = np.broadcast_to(np.round(scores, 12), rates.shape)
                    r, n = _pearson(*_paired(x, rates, method))
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
        weights = scene_weights(len(grid.scenes), resamples)
        for segmenter, stacks in _confusions(results, grid).items():
            scores = np.array([np.atleast_1d(segmentation.miou(stack)) for stack in stacks])
            for method in _METHODS:
                x = np.broadcast_to(scores.ravel(), (len(grid.values), scores.size))
                r, low, high = _clustered(x, grid.values.reshape(x.shape), method, weights)
                frames.append(
                    curve_frame(grid, r, low, high).assign(
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


def _ranks(values: Floats) -> Floats:
    """Return the ranks in each row, ties averaged, NaN left out."""
    ranks = np.empty_like(values)
    whole = np.isfinite(values).all(1)
    ranks[whole] = stats.rankdata(values[whole], axis=1)
    for row in np.flatnonzero(~whole):
        known = np.isfinite(values[row])
        ranks[row] = np.nan
        ranks[row, known] = stats.rankdata(values[row, known])
    return ranks


def _paired(x: Floats, y: Floats, method: str) -> tuple[Floats, Floats]:
    """Return x and y (P, N), or the ranks of their pairs; NaN in both where either is missing."""
    both = np.isfinite(x) & np.isfinite(y)
    x, y = np.where(both, x, np.nan), np.where(both, y, np.nan)
    return (_ranks(x), _ranks(y)) if method == "spearman" else (x, y)


def _pearson(x: Floats, y: Floats) -> tuple[Floats, NDArray[np.int64]]:
    """Return r of each row's pairs, through scipy, and their number.

    NaN with fewer than three pairs or where one side is constant.
    """
    known = np.isfinite(x)
    r = np.full(len(x), np.nan)
    marks = pd.factorize(pd.Series([row.tobytes() for row in known], dtype=object))[0]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for mark in np.unique(marks):
            rows = marks == mark
            pattern = known[rows][0]
            if pattern.sum() >= 3:
                r[rows] = stats.pearsonr(x[rows][:, pattern], y[rows][:, pattern], axis=1).statistic
    return r, known.sum(1)


def _clustered(x: Floats, y: Floats, method: str, weights: Floats) -> tuple[Floats, Floats, Floats]:
    """Return r, low and high for each row of x and y (P, C * S), by weights of scenes (R, S)."""
    x, y = _paired(x, y, method)
    r, _ = _pearson(x, y)
    known = np.isfinite(x)
    count = np.maximum(known.sum(1, keepdims=True), 1)
    x, y = (np.where(known, v - np.nansum(v, 1, keepdims=True) / count, 0.0) for v in (x, y))
    moments = np.stack([known.astype(float), x, y, x * x, y * y, x * y])
    sums = moments.reshape(len(moments), len(x), -1, weights.shape[1]).sum(2)
    drawn = weights @ sums.reshape(-1, weights.shape[1]).T
    n, sx, sy, sxx, syy, sxy = np.moveaxis(drawn.reshape(len(weights), len(moments), -1), 1, 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        drawn = (n * sxy - sx * sy) / np.sqrt((n * sxx - sx**2) * (n * syy - sy**2))
    found = from_draws(np.vstack([r, drawn]), weights.shape[1])
    return r, found.low, found.high
