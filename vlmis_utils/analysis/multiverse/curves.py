"""The headline conclusions under every specification: the rise of each metric from clean to worst.

A conclusion is a sign: *up* or *down* where its 95 % interval leaves zero out, *same* where it does
not. The frames are tidy, one row for each conclusion and specification (specification curve
analysis: Simonsohn, Simmons and Nelson, Nature Human Behaviour 4, 2020; multiverse analysis:
Steegen, Tuerlinckx, Gelman and Vanpaemel, Perspectives on Psychological Science 11, 2016).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vlmis_utils.analysis.multiverse.choices import KEYS
from vlmis_utils.analysis.multiverse.grid import Grid, worst_conditions
from vlmis_utils.statistics.intervals import interval_sign
from vlmis_utils.statistics.resampling import percentiles, sample_and_resamples, weighted_mean

__all__ = ["CONCLUSION", "FOUND", "curve_frame", "rise_curve", "tidy", "verdicts"]

# What names a conclusion, and what is found for it; all other columns of a curve are choices.
CONCLUSION = ("kind", "vlm", "metric", "condition", "segmenter", "method")
FOUND = ("own", "estimate", "low", "high", "verdict")

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
