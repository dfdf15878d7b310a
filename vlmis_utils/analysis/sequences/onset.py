"""What a degradation adds to errors, against the time since it set in.

The error of a frame under the degradation less that of the same frame clean, so that what the
street does in the meantime cancels. Models here read each frame for itself: what they make of it
does not depend on how the degradation came. A study that is degraded from its first frame on
therefore holds the frames of a step, and those of a ramp where the lower severities are among its
conditions; each frame is looked up under the condition that `protocol.timing.condition_at` gives.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from vlmis_utils.analysis.sequences.results import Sequences, over_drives
from vlmis_utils.metrics import segmentation
from vlmis_utils.metrics.temporal import language
from vlmis_utils.protocol.conditions import condition_row
from vlmis_utils.protocol.study import Study
from vlmis_utils.protocol.timing import RAMP, Timing, condition_at

__all__ = ["MEASURES", "growth", "onsets_of", "since_onset", "strongest"]

# Column of the frames -> words. mIoU is of each frame; COR of the frames that show something
# critical.
MEASURES: dict[str, str] = {
    "miou": "mIoU", "hr_i": "HR", "omitted_conditional": "COR", "smr_i": "SMR",
}  # fmt: skip


def onsets_of(study: Study, condition: str) -> list[str]:
    """Return the onsets, of step and ramp, for which a study holds every frame.

    >>> onsets_of(Study(conditions=["clean", "LL1", "LL2"]), "LL2")
    ['step', 'ramp']
    >>> onsets_of(Study(conditions=["clean", "MB3"]), "MB3"), onsets_of(Study(), "clean")
    (['step'], [])
    """
    row = condition_row(condition)
    if row is None:
        return []
    if study.onset != "none":
        return [study.onset]
    lower = {f"{condition[:-1]}{level}" for level in range(1, row.severity)}
    return ["step", "ramp"] if lower and lower <= set(study.conditions) else ["step"]


def strongest(study: Study) -> str:
    """Return the condition with the most onsets, of those the strongest; clean without any.

    >>> strongest(Study(conditions=["clean", "LL1", "LL2", "OCC3"])), strongest(Study())
    ('LL2', 'LL3')
    """
    rows = {condition: condition_row(condition) for condition in study.conditions}
    return max(rows, key=lambda c: (len(onsets_of(study, c)), rows[c].severity if rows[c] else 0))


def since_onset(found: Sequences, condition: str, onset: str) -> pd.DataFrame:
    """Return what a condition adds to each measure, by the time since it set in.

    Args:
        found: the study; its `onset_time` says when.
        condition: degraded.
        onset: of `onsets_of`.

    Returns:
        model, measure of `MEASURES`, since (s, below 0 before the onset), added (the mean over
        drives), low, high (resampled drives; NaN below two) and drives that have a value.
    """
    rows = []
    for drives, columns in _both(found, condition, onset):
        over = over_drives(drives, ["model", "since"], columns, found.results.bootstrap)
        for column in columns:
            parts = {column: "added", f"{column}_low": "low", f"{column}_high": "high"}
            parts |= {f"{column}_n": "drives"}
            part = over[["model", "since", *parts]].rename(columns=parts)
            rows.append(part.assign(measure=column))
    return pd.concat(rows, ignore_index=True)


def growth(found: Sequences, condition: str) -> pd.DataFrame:
    """Return by how much what a condition adds changes in a second, once it is there in full.

    Returns:
        model, measure, slope (1/s; least squares within each drive, the mean over drives), low,
        high, drives.
    """
    rows, level = [], condition_row(condition)
    ramped = found.study.onset == "ramp" and level is not None
    full = RAMP * (1 - 1 / level.severity) if ramped else 0.0
    for frames, columns in _both(found, condition, "step"):
        after = frames[frames.since >= full - 1e-9]
        slopes = [
            dict(zip(("model", "sequence"), key, strict=True))
            | {c: language.slope(g[c].to_numpy(float), g.since.to_numpy()) for c in columns}
            for key, g in after.groupby(["model", "sequence"], sort=False)
        ]
        drives = pd.DataFrame(slopes, columns=["model", "sequence", *columns])
        over = over_drives(drives, ["model"], columns, found.results.bootstrap)
        rows += [
            {"model": row["model"], "measure": c, "slope": row[c], "low": row[f"{c}_low"],
             "high": row[f"{c}_high"], "drives": row[f"{c}_n"]}
            for row in over.to_dict("records") for c in columns
        ]  # fmt: skip
    return pd.DataFrame(rows, columns=["model", "measure", "slope", "low", "high", "drives"])


def _both(found: Sequences, condition: str, onset: str) -> list[tuple[pd.DataFrame, list[str]]]:
    """The frames of segmenters and of VLMs, with what is added, and the columns that hold it."""
    places = found.places[["scene_id", "time"]]
    pixels = found.results.segmentation.merge(places, on="scene_id")
    quality = segmentation.miou(np.stack(list(pixels.confusion)))
    pixels = pixels.assign(miou=np.atleast_1d(quality)).rename(columns={"segmenter": "model"})
    spoken = found.frames.rename(columns={"vlm": "model"})
    return [
        (_added(found.study, table, condition, onset, columns), columns)
        for table, columns in ((pixels, ["miou"]), (spoken, [c for c in MEASURES if c != "miou"]))
    ]


def _added(
    study: Study, table: pd.DataFrame, condition: str, onset: str, columns: list[str]
) -> pd.DataFrame:
    keys = ["model", "scene_id", "condition"]
    clean = table[table.condition == "clean"].reset_index(drop=True)
    timing = Timing(onset, study.onset_time)
    now = [condition_at(condition, time, timing) for time in clean.time]
    wanted = clean[keys].assign(condition=condition if study.onset != "none" else now)
    under = wanted.merge(table[[*keys, *columns]], "left", keys)
    since = (clean.time - study.onset_time).round(6)
    return clean[["model", "sequence"]].assign(
        since=since, **{c: under[c].astype(float) - clean[c].astype(float) for c in columns}
    )
