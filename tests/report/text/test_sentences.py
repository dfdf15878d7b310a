"""Sentences turn with the numbers."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vlmis_utils.report.text.sentences import Counts, bullets, sentences, signs


def change(delta: float, condition: str = "LL1", vlm: str = "clip", **more: object) -> dict:
    bounds = {"low": delta - 0.05, "high": delta + 0.05}
    return {"vlm": vlm, "metric": "hr", "condition": condition, "delta": delta} | bounds | more


@pytest.mark.parametrize(("delta", "up", "down"), [(0.3, 1, 0), (-0.3, 0, 1), (0.01, 0, 0)])
def test_only_intervals_that_exclude_zero_count(delta: float, up: int, down: int) -> None:
    (said,) = sentences(pd.DataFrame([change(delta)]), "up {up} down {down} of {n}")
    assert said == f"up {up} down {down} of 1."


@given(st.lists(st.floats(-1, 1), min_size=1, max_size=20))
def test_counts_agree_with_counting_by_hand(deltas: list[float]) -> None:
    frame = pd.DataFrame([change(d) for d in deltas])
    counts = Counts(frame, "delta", "low", "high", {})
    assert counts.up == sum(d - 0.05 > 0 for d in deltas)
    assert counts.down == sum(d + 0.05 < 0 for d in deltas)
    assert counts.up + counts.down + counts.unclear == counts.n == len(deltas)
    assert abs(counts.largest.delta) == max(map(abs, deltas))


def test_groups_become_items_and_parts() -> None:
    frame = pd.DataFrame(
        [change(0.3), change(-0.2, "LL2"), change(0.5, "OCC3", metric="cor"),
         change(0.0, vlm="siglip")]
    )  # fmt: skip
    template = "{part} {up} of {n}, most {largest.condition} ({largest_value})"
    lines = sentences(frame, template, by="vlm", parts="metric", names={"clip": "CLIP"})
    assert lines[0] == (
        "**CLIP**: HR 1 of 2, most LL1 (+0.30 [+0.25, +0.35]); COR 1 of 1, most OCC3 (+0.50 "
        "[+0.45, +0.55])."
    )
    assert lines[1].startswith("**Siglip**: HR 0 of 1")


def test_what_has_no_value_is_said_and_no_nan_is_printed() -> None:
    frame = pd.DataFrame([change(float("nan")), change(0.2, metric="cor")])
    (line,) = sentences(frame, "{part} {range}", by="vlm", parts="metric")
    assert line == "**Clip**: HR nothing that can be computed; COR 0.20."
    assert sentences(frame[:1], "{range}") == ["nothing that can be computed."]
    assert sentences(frame[:0], "{range}", by="vlm") == []


def test_p_values_are_counted_before_and_after_correction() -> None:
    frame = pd.DataFrame(
        [change(0.3, p=0.01, holm=0.03), change(-0.3, p=0.02, holm=0.04),
         change(0.1, p=0.04, holm=0.2)]
    )  # fmt: skip
    (said,) = sentences(frame, "{significant} {kept} {kept_up} {kept_down}")
    assert said == "3 2 1 1."


def test_ranges_and_sizes() -> None:
    frame = pd.DataFrame([change(0.25), change(-0.5)])
    (said,) = sentences(frame, "{range}; {signed_range}; {percent_range}; {median_size}")
    assert said == "−0.50 to 0.25; −0.50 to +0.25; -50 % to 25 %; 0.38."


def test_signs_and_an_empty_list() -> None:
    frame = pd.DataFrame({"low": [-0.4, -0.1, 0.1], "high": [-0.2, 0.2, 0.5]})
    assert signs(frame).tolist() == [-1, 0, 1]
    assert "nothing to compare" in bullets([]).data
    assert bullets(["a.", "b."]).data == "- a.\n- b."
