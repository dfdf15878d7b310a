"""How long hallucinations last: survival over frames, with an interval over drives."""

from __future__ import annotations

import numpy as np
import pandas as pd

from vlmis_utils.analysis.sequences.results import Sequences, table_of
from vlmis_utils.metrics.temporal.language import hallucinations
from vlmis_utils.metrics.temporal.spells import survival
from vlmis_utils.statistics.resampling import percentiles, sample_and_resamples

__all__ = ["survival_curves"]


def survival_curves(
    found: Sequences, condition: str, frames: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Return how long the hallucinations of each model last under a condition.

    Args:
        found: the study.
        condition: which.
        frames: in the form of `Sequences.frames`; those of the run without.

    Returns:
        vlm, frames (0, 1, ...), share that lasts longer (Kaplan and Meier), low, high (percentiles
        of resampled drives), and spells, how many hallucinations there are. Models without any are
        left out.
    """
    frames = found.frames if frames is None else frames
    rows, drives = [], found.drives
    vocabulary = found.results.reading.vocabulary
    weights = sample_and_resamples(len(drives), found.results.bootstrap)
    for vlm, mine in frames[frames.condition == condition].groupby("vlm", sort=False):
        seen = []
        for sequence, group in mine.groupby("sequence", sort=False):
            said = table_of(group.mentioned, vocabulary)
            real = table_of(group.present, vocabulary)
            seen += [(n, over, drives.index(sequence)) for n, over in hallucinations(said, real)]
        if not seen:
            continue
        lasted, ended, unit = (np.array(column) for column in zip(*seen, strict=True))
        curves = survival(lasted, ended.astype(bool), unit, weights, int(lasted.max()))
        low, high = percentiles(curves[1:], scenes=len(drives))
        rows += [
            {"vlm": vlm, "frames": n, "share": curves[0, n], "low": low[n], "high": high[n],
             "spells": len(seen)}
            for n in range(curves.shape[1])
        ]  # fmt: skip
    return pd.DataFrame(rows, columns=["vlm", "frames", "share", "low", "high", "spells"])
