"""Dusk is placed on the ladder or off it, and harm is told by its side."""

from __future__ import annotations

import pandas as pd
import pytest

from vlmis_utils.analysis.natural_light import Light
from vlmis_utils.report.text import natural_light as words
from vlmis_utils.statistics.intervals import Interval


def light(dusk: float, nearest: str | None = None) -> Light:
    levels = [0.4, 0.3, 0.2, 0.1, dusk]
    luma = pd.DataFrame(
        {"light": ["clean", "LL1", "LL2", "LL3", "dusk"], "luma": levels,
         "unsafe": [0.25] * 4 + [0.75]}
    )  # fmt: skip
    matched = pd.DataFrame(
        {"model": ["a", "b"], "measure": "hr", "difference": [0.2, 0.1],
         "difference_low": [0.1, -0.1], "difference_high": [0.3, 0.3]}
    )  # fmt: skip
    gap = None
    if nearest:
        off = dusk - luma.set_index("light").luma[nearest]
        gap = Interval(off, off - 0.01, off + 0.01)
    return Light(pd.DataFrame(), matched, luma, nearest, gap)


def test_dusk_is_placed_on_the_ladder_or_off_it() -> None:
    assert "between LL1 and LL2" in words.light_words(light(0.25))
    assert "brighter than the day" in words.light_words(light(0.9, "clean"))
    below = words.light_words(light(0.07, "LL3"))
    assert "darker than every rung" in below and "−0.030 [−0.040, −0.020]" in below
    assert "(darker still), 10 % of the way from day to LL3" in below
    assert "cannot be computed" in words.light_words(None)


@pytest.mark.parametrize(("nearest", "made"), [(None, "Table 1"), ("LL3", "LL3")])
def test_only_differences_beyond_the_interval_are_named(nearest: str | None, made: str) -> None:
    (line,) = words.light_lines(light(0.07, nearest), {"a": "A", "b": "B"})
    assert f"worse than {made} for 1, better for 0, and not significantly different for 1" in line
    assert f"(dusk minus {made}: A +0.20" in line and "B" not in line


def test_harm_to_miou_is_a_fall() -> None:
    made = light(0.2)
    made.matched["measure"] = "miou"
    made.matched["natural"], made.matched["synthetic"] = -0.1, [-0.3, -0.2]
    (line,) = words.light_lines(made, {})
    assert "worse than Table 1 for 0, better for 1" in line
    answer = words.light_answer(made)
    assert answer.startswith("Dusk harms segmentation less than Table 1 in 1 of 2 comparisons")
    assert "is −0.10 by dusk and −0.25 by Table 1." in answer and words.light_answer(None) == ""


def test_the_share_of_unsafe_frames_by_light_is_told() -> None:
    said = words.unsafe_words(light(0.2))
    assert "25 % are unsafe" in said and "dusk frames 75 %" in said
    assert words.unsafe_words(None) == "" and words.light_lines(None, {}) == []
