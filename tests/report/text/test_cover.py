"""The cover's findings turn with the numbers, and its cards say what is right and wrong."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from tests.helpers.studies import EDGES, write_edge
from vlmis_utils import open_results
from vlmis_utils.analysis import examples
from vlmis_utils.protocol.models import load_catalogue
from vlmis_utils.report.text import cover

SEEN = pd.DataFrame(
    [("clip", "clean", 0.2, 0.1), ("clip", "LL3", 0.8, 0.5), ("clip", "MB1", 0.4, 0.2)],
    columns=["vlm", "condition", "cor", "smr"],
)


@pytest.mark.parametrize("edge", EDGES)
def test_a_cover_for_any_study(edge: str, tmp_path: Path) -> None:
    results = open_results(write_edge(tmp_path / "edge", edge))
    lines = cover.findings(results, {"clip": "CLIP"})
    assert len(lines) == 3
    assert all(line.startswith("**") and "{ref}`" in line and "nan" not in line for line in lines)
    story = examples.pick_story(results.segmentation_per_image(), results.vlm_per_image())
    for condition in {"clean", story.condition}:
        card = cover.said(results, story, condition)
        assert card.startswith(":::{grid-item-card}") and card.count("\n- [") == 3
    assert f"{len(results.scenes)} scene" in cover.run_words(results, load_catalogue(), {})


def moved(low: float) -> pd.DataFrame:
    row = {"vlm": "clip", "metric": "cor", "condition": "LL3", "delta": low + 0.1}
    other = row | {"condition": "MB1", "low": low - 0.2, "high": low, "delta": low - 0.1}
    return pd.DataFrame([row | {"low": low, "high": low + 0.2}, other])


def test_the_worst_omission_is_told_only_where_its_interval_excludes_zero() -> None:
    text = cover.omission(SEEN, moved(0.5), {"clip": "CLIP"})
    assert "make the models leave out" in text and "+0.50 to +0.70" in text
    assert "CLIP" in text and "80 % of the images" in text and "ones in 20 %" in text
    assert "No model clearly leaves out more" in cover.omission(SEEN, moved(-0.1), {})


@pytest.mark.parametrize(
    ("lows", "words"),
    [
        ([-0.1, -0.2], "no better than a fixed answer"),
        ([0.1, 0.2], "Even on the hardest"),
        ([0.1, -0.2], "beaten only by CLIP"),
    ],
)
def test_safety_against_a_fixed_answer(lows: list[float], words: str) -> None:
    above = pd.DataFrame({"vlm": ["clip", "siglip"], "measure": "smr", "low": lows})
    text = cover.safety(SEEN, above, "LL3", 0.4, {"clip": "CLIP"})
    assert words in text and "“unsafe” is wrong about 40 %" in text
    assert f"for {sum(low > 0 for low in lows)} of 2 models" in text
    assert "10 % of the clean images, and about 50 % with strong low light (LL3)" in text


@pytest.mark.parametrize("over", [-0.8, 0.1])
@pytest.mark.parametrize("between", [-0.5, 0.0])
def test_what_miou_tells(over: float, between: float) -> None:
    rows = [(o, r, r - 0.1, r + 0.15) for o, r in (("conditions", over), ("between", between))]
    text = cover.proxy(pd.DataFrame(rows, columns=["over", "r", "low", "high"]))
    assert ("tells which conditions" in text) == (over < -0.2)
    assert ("not which image is" in text) == (over < -0.2 and between > -0.2)
    assert ("tells neither" in text) == (over > -0.2 and between > -0.2)
    nothing = pd.DataFrame(columns=["over", "r", "low", "high"])
    assert "too few conditions" in cover.proxy(nothing)
