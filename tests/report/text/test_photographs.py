"""Sentences about photographs say where records are from, and what dusk and worlds come to."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

from vlmis_utils.analysis.carry_over import agreement
from vlmis_utils.analysis.natural_light import Light
from vlmis_utils.report.text import photographs as words


@pytest.mark.parametrize("kept", [True, False])
def test_the_origin_says_whether_the_photographs_were_at_hand(kept: bool) -> None:
    row = {"dataset": "cityscapes", "split": "test", "height": 320, "width": 640}
    results = SimpleNamespace(
        scenes=pd.DataFrame([row]), records=Path("book/measured/cityscapes-small/records")
    )
    said = words.origin(SimpleNamespace(kept=kept, results=results))
    assert "1 scene of Cityscapes" in said
    assert ("No model ran" in said) == kept == ("params/cityscapes-small.yaml" in said)


def light(dusk: float) -> Light:
    luma = pd.DataFrame(
        {"light": ["clean", "LL1", "LL2", "LL3", "dusk"], "luma": [0.4, 0.3, 0.2, 0.1, dusk]}
    )
    matched = pd.DataFrame(
        {"model": ["a", "b"], "measure": "hr", "difference": [0.2, 0.1],
         "difference_low": [0.1, -0.1], "difference_high": [0.3, 0.3]}
    )  # fmt: skip
    return Light(pd.DataFrame(), matched, luma)


@pytest.mark.parametrize(
    ("dusk", "place"),
    [(0.25, "between LL1 and LL2"), (0.9, "brighter than the day"), (0.05, "darker than every")],
)
def test_dusk_is_placed_on_the_ladder(dusk: float, place: str) -> None:
    assert place in words.light_words(light(dusk))
    assert "cannot be computed" in words.light_words(None)


def test_only_differences_beyond_the_interval_are_named() -> None:
    (line,) = words.light_lines(light(0.2), {"a": "A", "b": "B"})
    assert "for 1 of 2 models: A " in line and "B" not in line


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
