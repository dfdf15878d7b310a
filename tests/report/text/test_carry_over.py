"""What worlds decide the opposite way is named, comparison by comparison."""

from __future__ import annotations

from types import SimpleNamespace

import pandas as pd

from vlmis_utils.analysis.carry_over import agreement
from vlmis_utils.report.text import carry_over as words


def test_what_two_worlds_decide_the_opposite_way_is_named() -> None:
    signs = {"here": [1, -1, 0], "there": [1, 1, 1]}
    frame = pd.concat(
        pd.DataFrame(
            {"finding": "hr", "over": "", "key": ["clip LL1", "clip LL2", "clip LL3"],
             "world": w, "sign": s}
        )
        for w, s in signs.items()
    )  # fmt: skip
    (line,) = words.agreement_lines(agreement(frame), {"clip": "CLIP"})
    assert "decide 2 of 3 comparisons both: 1 alike, 1 the opposite way" in line
    assert "HR rises (CLIP LL2)" in line


def test_who_disputes_a_claim_is_named() -> None:
    claims = [SimpleNamespace(clause="it rains"), SimpleNamespace(clause="it snows")]
    disputes = pd.DataFrame(
        {"number": [1, 2], "claim": claims, "model": ["clip", "siglip"],
         "supports": [("a",), ("printed tables",)], "contradicts": [("b",), ("a", "b")],
         "what": [("LL1",), ("LL2",)]}
    )  # fmt: skip
    first, second = words.dispute_lines(disputes, {"clip": "CLIP"})
    assert first.startswith("Of 2 claims") and " 1 set the printed tables alone" in first
    assert "Claim 1" in second and "divided on CLIP" in second
    assert words.dispute_lines(disputes.iloc[:0], {})[0].startswith("No comparison")


def test_a_rate_that_rises_here_and_falls_there_is_told_with_its_levels() -> None:
    row = {"finding": "hr", "model": "clip", "conditions": ("LL1", "LL3")}
    for side, world in (("rises", "here"), ("falls", "there")):
        row |= {side: world, f"{side}_clean": 0.2, f"{side}_then": 0.4}
        row |= {f"{side}_named": 4.0, f"{side}_named_then": 3.0}
    (line,) = words.opposed_lines(pd.DataFrame([row]), {"clip": "CLIP"})
    assert line.startswith("**HR of CLIP** (LL1 and LL3): rises on here, from 0.20 to 0.40 (4.0")
    assert "falls on there" in line and words.opposed_lines(pd.DataFrame(), {})[0][:2] == "No"


def test_why_a_rate_cannot_move_is_said_where_all_classes_are_named() -> None:
    rates = pd.DataFrame(
        {"world": "w", "model": ["a", "b"], "metrics": [("hr", "cor"), ("hr",)],
         "known": [4, 10], "top_k": 4}
    )  # fmt: skip
    named, other = words.unmoved_lines(rates, {"a": "A"})
    assert "HR and COR of A are the same" in named and "names them all" in named
    assert "names them all" not in other
