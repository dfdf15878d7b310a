"""Tables of drives and of measures over time."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from vlmis_utils.analysis.sequences.aggregation import NEWEST, RULES
from vlmis_utils.analysis.sequences.several import ERRORS
from vlmis_utils.analysis.sequences.strip import without_numbers
from vlmis_utils.report.tables.markdown import Column, cells, crossed, in_order
from vlmis_utils.report.words import METRICS

__all__ = [
    "load_drives",
    "load_gains",
    "load_language_over_time",
    "load_pixels_over_time",
    "load_price",
    "load_recording",
    "load_safety_over_time",
    "load_several",
]


def load_drives(places: pd.DataFrame) -> pd.DataFrame:
    """Return a row for each drive: frames, seconds, speed, share of unsafe time, changes, reasons.

    Args:
        places: `Sequences.places`.
    """
    rows = []
    for name, group in places.groupby("sequence", sort=True):
        changes = int((group.safe != group.safe.shift()).sum()) - 1
        reasons = without_numbers(group.loc[~group.safe, "safety_reason"])
        row = {"sequence": name, "frames": len(group), "seconds": float(group.time.max())}
        row |= {"first": group.speed.iloc[0], "last": group.speed.iloc[-1]}
        row |= {"unsafe": float((~group.safe).mean()), "changes": changes}
        rows.append(row | {"why": ", ".join(dict.fromkeys(reasons)) or "–"})
    frame = pd.DataFrame(rows)
    return cells(
        frame,
        Column("drive", "sequence", form=lambda name: name.rpartition("-")[2].lstrip("0") or "0"),
        Column("frames", "frames"),
        Column("seconds", "seconds"),
        Column("first speed, m/s", "first", digits=1),
        Column("last", "last", digits=1),
        Column("unsafe share", "unsafe"),
        Column("changes", "changes"),
        Column("why unsafe", "why"),
    )


def _lead(key: str, labels: Mapping[str, str]) -> list[Column]:
    return [Column("model", key, words=labels), Column("condition", "condition")]


def load_language_over_time(frame: pd.DataFrame, labels: Mapping[str, str]) -> pd.DataFrame:
    """Return flicker, persistence, latency and misses by VLM and condition.

    Args:
        frame: from `analysis.sequences.results.over_drives`.
        labels: model name to the name shown.
    """
    return cells(
        in_order(frame, "vlm"), *_lead("vlm", labels),
        Column("flicker of mentions", "flicker", interval=True),
        Column("frames a hallucination lasts", "persistence", interval=True),
        Column("frames until first mentioned", "latency", interval=True),
        Column("never mentioned", "never", interval=True),
        Column("time missed", "missed", interval=True),
    )  # fmt: skip


def load_safety_over_time(frame: pd.DataFrame, labels: Mapping[str, str]) -> pd.DataFrame:
    """Return the measures of the safety answer over time by VLM and condition."""
    return cells(
        in_order(frame, "vlm"), *_lead("vlm", labels),
        Column("flicker", "safety_flicker", interval=True),
        Column("lag, frames", "lag", interval=True),
        Column("drives with a change", "lag_n"),
        Column("never noticed", "lag_never", interval=True),
        Column("unsafe time judged safe", "exposure", interval=True),
        Column("seconds of it", "exposed_seconds", interval=True),
        Column("drift of SMR, 1/s", "smr_drift", interval=True, sign=True),
    )  # fmt: skip


def load_pixels_over_time(frame: pd.DataFrame, labels: Mapping[str, str]) -> pd.DataFrame:
    """Return quality and consistency of segmentation by segmenter and condition."""
    return cells(
        in_order(frame, "segmenter"), *_lead("segmenter", labels),
        Column("mIoU", "miou", interval=True),
        Column("flip rate", "flips", digits=3, interval=True),
        Column("without motion", "raw_flips", digits=3, interval=True),
        Column("drift of mIoU, 1/s", "miou_drift", interval=True, sign=True),
    )  # fmt: skip


def load_gains(frame: pd.DataFrame, labels: Mapping[str, str]) -> pd.DataFrame:
    """Return the gain of each rule in each metric, a row for each VLM, condition and rule.

    Args:
        frame: from `analysis.sequences.aggregation.gains`.
        labels: model name to the name shown.
    """
    lead = [*_lead("vlm", labels), Column("rule", "rule", words=RULES)]
    gain = Column("", "gain", interval=("low", "high"), sign=True)
    return crossed(in_order(frame, "vlm"), lead, "metric", gain, words=METRICS)


def load_price(frame: pd.DataFrame, labels: Mapping[str, str]) -> pd.DataFrame:
    """Return flicker, lag and exposure of each rule by VLM, from `over_drives`."""
    return cells(
        frame.sort_values("vlm", kind="stable"),
        Column("model", "vlm", words=labels),
        Column("rule", "rule", words=RULES),
        Column("flicker of mentions", "flicker", interval=True),
        Column("of the safety answer", "safety_flicker", interval=True),
        Column("safety lag, frames", "lag", interval=True),
        Column("unsafe time judged safe", "exposure", interval=True),
    )


def load_several(frame: pd.DataFrame) -> pd.DataFrame:
    """Return what several frames in one prompt gain and cost, a row for each condition.

    Args:
        frame: from `analysis.sequences.several.several_frames`.
    """
    return cells(
        in_order(frame),
        Column("condition", "condition"),
        *(Column(METRICS[name], name, interval=True, sign=True) for name in ERRORS),
        Column("seconds, one frame", "seconds_alone"),
        Column("several", "seconds_together"),
    )


def load_recording(rows: pd.DataFrame, labels: Mapping[str, str]) -> pd.DataFrame:
    """Return the measures of one recording, a row for each model and condition.

    Args:
        rows: of ``book/measured/drives-camvid.csv``.
        labels: model name to the name shown.
    """
    return cells(
        rows[rows.rule.isna() | (rows.rule == NEWEST)], *_lead("model", labels),
        Column("mIoU", "miou"),
        Column("flip rate without motion", "raw_flips", digits=3),
        Column("flicker of mentions", "flicker"),
        Column("of the safety answer", "safety_flicker"),
        Column("frames a hallucination lasts", "persistence", digits=1),
        Column("time missed", "missed"),
        Column("unsafe time judged safe", "exposure"),
    )  # fmt: skip
