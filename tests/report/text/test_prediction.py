"""Sentences turn with the numbers."""

from __future__ import annotations

import pandas as pd
import pytest

from vlmis_utils.report.text import prediction as words

WORDS = {"miou": "mIoU", "iou_person": "person IoU", "corridor_accuracy": "corridor accuracy"}


def rivals(person: float, corridor: float) -> pd.DataFrame:
    rows = []
    for over in ("within", "between"):
        for quality, gain in (
            ("miou", float("nan")), ("iou_person", person), ("corridor_accuracy", corridor)
        ):  # fmt: skip
            rows += [
                {"over": over, "quality": quality, "metric": "hr", "vlm": vlm, "gain": gain,
                 "gain_low": gain - 0.1, "gain_high": gain + 0.1, "gain_p": 0.01,
                 "gain_holm": 0.02 if abs(gain) > 0.1 else 1.0}
                for vlm in ("clip", "siglip")
            ]  # fmt: skip
    return pd.DataFrame(rows)


@pytest.mark.parametrize(
    ("person", "said"),
    [(0.3, "Most often it is the person IoU, better in 2 combinations and worse in 0"),
     (0.0, "does not show other measures"), (-0.3, "does not show other measures")],
)  # fmt: skip
def test_the_best_measure_follows_the_gains(person: float, said: str) -> None:
    assert said in words.best_measure(rivals(person, -0.2), WORDS)


def test_a_measure_that_is_better_in_one_place_only() -> None:
    frame = rivals(0.3, 0.0)
    between = frame.over == "between"
    frame.loc[between, ["gain", "gain_low", "gain_high"]] -= 0.5
    said = words.best_measure(frame, WORDS)
    assert "1 have a measure" in said and "HR within scenes (person IoU)" in said
    assert "better in 1 combinations and worse in 1" in said


def test_nothing_to_compare() -> None:
    frame = rivals(float("nan"), float("nan"))
    assert words.best_measure(frame, WORDS) == "Nothing can be compared with mIoU in this run."
