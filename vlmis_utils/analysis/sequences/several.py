"""Several frames in one prompt against the newest alone, from what was measured on drives."""

from __future__ import annotations

import pandas as pd

from vlmis_utils.analysis.sequences.results import over_drives

__all__ = ["ERRORS", "several_frames"]

ERRORS = ("hr", "cor", "smr")
_MEANS = ("seconds", "mentions", "texts", "answers", "abstained")


def several_frames(rows: pd.DataFrame, resamples: int = 2000) -> pd.DataFrame:
    """Return what showing several frames at once gains, and what it costs, by condition.

    Args:
        rows: of ``book/measured/several-frames.csv``: sequence, condition, frames (in one prompt),
            and of each drive hr, cor, smr, seconds (of one answer, on one thread), mentions (of a
            description), texts (different descriptions), answers and abstained.
        resamples: of the drives.

    Returns:
        condition, together (frames), drives; of `ERRORS` the newest frame alone less several, so
        that more is better, with _low and _high; of the rest the mean over drives, _alone and
        _together.
    """
    keys = ["condition", "sequence"]
    count = int(rows.frames.max())
    alone, several = (
        rows[rows.frames == n].set_index(keys).sort_index() for n in (1, count)
    )  # fmt: skip
    gains = (alone[list(ERRORS)] - several[list(ERRORS)]).reset_index()
    found = over_drives(gains, ["condition"], ERRORS, resamples).set_index("condition")
    for name, part in (("alone", alone), ("together", several)):
        means = part.groupby(level="condition")[list(_MEANS)].mean()
        found = found.join(means.add_suffix(f"_{name}"))
    return found.reset_index().assign(together=count)
