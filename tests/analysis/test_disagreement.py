"""Disagreements are found in made-up worlds where it is known who disagrees on what."""

from __future__ import annotations

from types import SimpleNamespace

import pandas as pd
import pytest

from vlmis_utils.analysis.disagreement import disputed, opposed, unmoved


def verdicts(**sides: str) -> pd.DataFrame:
    """Return cells of one model, a verdict for each comparison."""
    return pd.DataFrame({"model": "clip", "what": list(sides), "verdict": list(sides.values())})


def test_comparisons_decided_the_opposite_way_are_grouped_by_who_is_for_them() -> None:
    row = {
        "claim": "c", "a": "supported", "b": "contradicted", "c": "not decidable",
        "a cells": verdicts(LL1="supports", LL2="supports", MB1="supports", OCC1="open"),
        "b cells": verdicts(LL1="contradicts", LL2="contradicts", MB1="open", OCC1="open"),
        "c cells": verdicts(LL2="supports"),
    }  # fmt: skip
    found = disputed(pd.DataFrame([row, row | {"b": "supported"}]), ["a", "b", "c"])
    assert found.number.tolist() == [1, 1]  # the second claim is not in dispute
    assert found.what.tolist() == [("LL1",), ("LL2",)]
    assert found.supports.tolist() == [("a",), ("a", "c")]
    assert set(found.contradicts) == {("b",)}


def language(hr: dict[str, float], mentions: float) -> pd.DataFrame:
    frame = pd.DataFrame({"condition": list(hr), "hr": list(hr.values())})
    return frame.assign(vlm="clip", cor=0.5, smr=frame.hr, mentions=mentions)


def world(hr: dict[str, float], mentions: float = 3.0) -> SimpleNamespace:
    results = SimpleNamespace(reading=SimpleNamespace(vocabulary=("car",) * 4, top_k=4))
    return SimpleNamespace(summary=lambda _: language(hr, mentions), results=results)


def test_opposite_changes_carry_the_levels_of_both_worlds() -> None:
    worlds = {
        "up": world({"clean": 0.1, "LL1": 0.2, "LL2": 0.4}),
        "down": world({"clean": 0.5, "LL1": 0.3, "LL2": 0.3}, 2.0),
    }
    signs = {"up": [1, 1], "down": [-1, -1], "printed tables": [-1, -1]}
    found = pd.concat(
        pd.DataFrame({"finding": "hr", "over": "", "key": ["clip LL1", "clip LL2"], "world": w,
                      "sign": s})
        for w, s in signs.items()
    )  # fmt: skip
    (row,) = opposed(found, worlds).itertuples()
    assert (row.rises, row.falls, row.conditions) == ("up", "down", ("LL1", "LL2"))
    assert (row.rises_clean, row.falls_clean) == (0.1, 0.5)
    assert row.rises_then == pytest.approx(0.3) and row.falls_then == pytest.approx(0.3)
    assert (row.rises_named, row.falls_named_then) == (3.0, 2.0)
    assert opposed(found.assign(sign=1), worlds).empty


def test_rates_that_are_the_same_everywhere_are_found() -> None:
    (row,) = unmoved({"w": world({"clean": 0.1, "blank": 0.2})}).itertuples()
    assert row.metrics == ("cor",) and (row.known, row.top_k) == (4, 4)
    assert unmoved({"w": world({"clean": 0.1})}).empty  # one condition tells nothing
