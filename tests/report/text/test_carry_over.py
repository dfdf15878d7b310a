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


def test_a_claim_that_one_world_supports_and_another_contradicts_is_told() -> None:
    cells = pd.DataFrame({"verdict": ["supports", "open"]})
    row = {"claim": SimpleNamespace(clause="it rains"), "a": "supported", "a cells": cells}
    judged = pd.DataFrame([row | {"b": "contradicted", "b cells": cells.iloc[:0]}])
    (line,) = words.disagreements(judged, ["a", "b"])
    assert line.startswith("1, “it rains”: a supported (1 for and 0 against of 2 cells)")
    assert words.disagreements(judged.assign(b="not decidable"), ["a", "b"])[0].startswith("No")
