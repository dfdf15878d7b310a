"""Sentences about studies of sequences."""

from __future__ import annotations

import pandas as pd

from vlmis_utils.core.formatting import estimate

__all__ = ["carried", "control", "no_scores"]


def carried(frame: pd.DataFrame) -> str:
    """Say whether what pixels gain by looking longer carries over to answers.

    Args:
        frame: from `analysis.sequences.aggregation.verdict`.
    """
    if frame.empty:
        return "No segmenter of this run gives scores, so there is no gain of pixels to compare."
    rows = {row.of: row for row in frame.itertuples()}
    words = {n: estimate(r.gain, r.low, r.high, 3, True) for n, r in rows.items()}
    known = all(row.low == row.low for row in rows.values())
    if not known:
        return (
            f"Label maps gain {words['pixels']} in mIoU and answers {words['language']} in the "
            "mean of HR, COR and SMR; of one drive there is no interval, and so no verdict."
        )
    gained = {name: row.low > 0 for name, row in rows.items()}
    if gained["pixels"] and gained["language"]:
        first = "Both gain by looking longer: robustness of pixels goes with robustness of meaning."
    elif gained["pixels"]:
        first = "It does not carry over: label maps gain by looking longer, answers do not."
    elif gained["language"]:
        first = "Answers gain by looking longer, label maps do not."
    else:
        first = "Neither gains by looking longer, so there is nothing that could carry over."
    return (
        f"{first} Label maps gain {words['pixels']} in mIoU, answers {words['language']} in the "
        f"mean of HR, COR and SMR; the difference is {words['difference']} "
        "(95 % intervals over drives)."
    )


def no_scores(pixels: pd.DataFrame) -> str:
    """Say that no segmenter gives scores, where none does."""
    return "" if len(pixels) else "Segmenters that give labels alone have no running mean."


def control(plain: pd.DataFrame, shuffled: pd.DataFrame) -> str:
    """Say what shuffling the frames of each drive did.

    Args:
        plain, shuffled: rows of `Sequences.language_by_drive`, in one order.
    """
    kept = max(
        float((plain[c] - shuffled[c]).abs().max()) for c in ("hr", "smr") if plain[c].notna().any()
    )
    before, after = plain.flicker.mean(), shuffled.flicker.mean()
    same = "stay exactly as they are" if kept < 1e-9 else f"change by up to {kept:.3f}"
    moved = f"flicker goes from {before:.2f} to {after:.2f}" if before == before else (
        "there is no pair of frames to flicker between")  # fmt: skip
    return f"HR and SMR of every drive {same}; {moved}."
