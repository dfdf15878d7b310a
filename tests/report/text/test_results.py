"""Sentences turn with the numbers."""

from __future__ import annotations

import pandas as pd
import pytest

from vlmis_utils.report.text import results


def change(delta: float, metric: str = "hr", condition: str = "LL1", vlm: str = "clip") -> dict:
    row = {"vlm": vlm, "segmenter": "segformer", "condition": condition, "metric": metric}
    return row | {"delta": delta, "low": delta - 0.05, "high": delta + 0.05}


def correlation(r: float, metric: str) -> dict:
    return {"over": "conditions", "segmenter": "segformer", "vlm": "clip", "metric": metric,
            "method": "spearman", "r": r, "low": r - 0.2, "high": r + 0.2}  # fmt: skip


@pytest.mark.parametrize(
    ("delta", "words"),
    [(0.3, "rises in 1 and falls in 0"), (-0.3, "rises in 0 and falls in 1"),
     (0.01, "rises in 0 and falls in 0")],
)  # fmt: skip
def test_misalignment(delta: float, words: str) -> None:
    (sentence,) = results.misalignment_findings(pd.DataFrame([change(delta)]), {"clip": "CLIP"})
    assert words in sentence and sentence.startswith("**CLIP**")


def test_quality_counts_losses_only_beyond_their_interval() -> None:
    frame = pd.DataFrame([change(0.3), change(0.01, condition="LL2")])
    (sentence,) = results.quality_findings(frame, {})
    assert "in 1 of 2 degraded conditions, most under LL1: −0.30 [−0.35, −0.25]" in sentence


def test_worst_change_and_none() -> None:
    frame = pd.DataFrame([change(0.3), change(0.5, condition="LL3"), change(0.01, "smr")])
    assert results.worst_change(frame, "clip", "vlm").startswith("HR +0.50")
    assert "no change" in results.worst_change(frame.iloc[2:], "clip", "vlm")


def test_correlation_counts() -> None:
    frame = pd.DataFrame([correlation(-0.8, "hr"), correlation(0.1, "hr"), correlation(0.9, "cor")])
    assert results.correlation_counts(frame, "hr") == {
        "pairs": 2, "negative": 1, "positive": 0, "unclear": 1, "lowest": -0.8, "highest": 0.1,
    }  # fmt: skip
    sentences = results.correlation_findings(frame)
    assert "in 1 of 2 pairs" in sentences[0]
    assert "does not vary" in sentences[2]


def test_blindness_reads_the_control_arm() -> None:
    frame = pd.DataFrame([change(0.01, condition="blank"), change(0.4, "smr", "blank")])
    (sentence,) = results.blindness(frame, {})
    assert "HR not told apart" in sentence and "SMR higher" in sentence


def test_the_cover_holds_for_any_sign() -> None:
    quality = pd.DataFrame({"segmenter": ["segformer"], "condition": ["clean"], "miou": [0.5]})
    both = pd.DataFrame([correlation(r, m) for r, m in ((-0.8, "hr"), (0.8, "cor"), (0, "smr"))])
    both = pd.concat([both, both.assign(over="images")])
    above = pd.DataFrame([{"vlm": "clip", "measure": m, "low": -0.1} for m in ("f1", "smr")])
    for sign in (1, -1):
        lost = pd.DataFrame([change(0.2)])
        moved = pd.DataFrame([change(0.2 * sign, m) for m in ("hr", "cor", "smr", "f1")])
        text = results.cover(quality, lost, moved, both, above, {})
        assert ("rises in 1" in text) == (sign > 0)
        assert "nan" not in text


def test_sight_names_who_beats_the_constants() -> None:
    rows = [
        ("clip", "f1", 0.1),
        ("clip", "smr", -0.1),
        ("siglip", "f1", -0.1),
        ("siglip", "smr", 0),
    ]
    above = pd.DataFrame(rows, columns=["vlm", "measure", "low"])
    text = results.sight(above, {"clip": "CLIP"})
    assert "1 of 2 VLMs describe" in text and "(CLIP)" in text
    assert "0 of 2 judge" in text and text.endswith("(none)")
