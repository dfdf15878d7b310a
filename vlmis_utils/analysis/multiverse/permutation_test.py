"""One test over the whole curve: could specifications agree so well without any effect?

The third step of a specification curve analysis (Simonsohn, Simmons and Nelson, 2020). One test a
specification would count the same scenes a hundred times; here the statistic is the median over all
specifications, and its distribution without effect comes from the scenes themselves.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vlmis_utils.analysis.multiverse.grid import Grid, worst_conditions
from vlmis_utils.statistics.paired import holm
from vlmis_utils.statistics.resampling import weighted_mean

__all__ = ["joint_test"]


def joint_test(every: Sequence[Grid], resamples: int = 2000, seed: int = 0) -> pd.DataFrame:
    """Test, for each rise, whether the median estimate over all specifications is zero.

    If degradation did nothing, a scene's clean and degraded failures could be exchanged. A resample
    exchanges them in about half of the scenes, under all specifications at once, and takes the
    median over specifications of the change again. p = (1 + resamples with a median at least as
    far from zero) / (1 + resamples), two-sided. It assumes that scenes are independent.

    Args:
        every: from `analysis.multiverse.grid.grids`.
        resamples: random exchanges; p cannot be below 1 / (1 + resamples).
        seed: of the exchanges, which are the same for all conclusions.

    Returns:
        Columns vlm, metric, condition, specifications, median, p, p_holm (corrected for all rows).
    """
    rows = []
    for grid in every:
        if "clean" not in grid.conditions:
            continue
        swap = np.random.default_rng(seed).integers(0, 2, (resamples, len(grid.scenes)))
        swap = np.vstack([np.zeros(len(grid.scenes)), swap])
        for condition in worst_conditions(grid.conditions):
            part = grid.under(["clean", condition])
            medians = _medians(part.values[:, 0], part.values[:, 1], swap)
            far = np.abs(medians[1:]) >= abs(medians[0]) - 1e-12
            p = (1 + far.sum()) / (1 + resamples) if np.isfinite(medians[0]) else np.nan
            rows.append((grid.vlm, grid.metric, condition, len(part.values), medians[0], p))
    names = ["vlm", "metric", "condition", "specifications", "median", "p"]
    frame = pd.DataFrame(rows, columns=names)
    return frame.assign(p_holm=holm(frame.p)[0])


def _medians(
    clean: NDArray[np.float64], worst: NDArray[np.float64], swap: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the median change over specifications for each exchange; arguments (P, S), (R, S)."""
    kept = np.concatenate([1 - swap, swap], axis=1)
    degraded = weighted_mean(kept, np.concatenate([worst, clean], axis=1).T)
    other = weighted_mean(kept, np.concatenate([clean, worst], axis=1).T)
    change = degraded - other
    median = np.nanmedian if np.isnan(change).any() else np.median
    return median(change, axis=1).round(12)
