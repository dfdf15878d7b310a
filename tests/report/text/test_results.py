"""Sentences turn with the numbers."""

from __future__ import annotations

import pandas as pd

from vlmis_utils.report.text import results


def change(delta: float, metric: str = "hr", condition: str = "LL1", vlm: str = "clip") -> dict:
    row = {"vlm": vlm, "segmenter": "segformer", "condition": condition, "metric": metric}
    return row | {"delta": delta, "low": delta - 0.05, "high": delta + 0.05}


def correlation(r: float, metric: str) -> dict:
    return {"over": "conditions", "segmenter": "segformer", "vlm": "clip", "metric": metric,
            "method": "spearman", "r": r, "low": r - 0.2, "high": r + 0.2}  # fmt: skip


def test_worst_change_and_none() -> None:
    frame = pd.DataFrame([change(0.3), change(0.5, condition="LL3"), change(0.01, "smr")])
    assert results.worst_change(frame, "clip", "vlm").startswith("HR +0.50")
    assert "no change" in results.worst_change(frame.iloc[2:], "clip", "vlm")


def test_four_answers_hold_for_any_sign() -> None:
    quality = pd.DataFrame({"segmenter": ["segformer"], "condition": ["clean"], "miou": [0.5]})
    both = pd.DataFrame([correlation(r, m) for r, m in ((-0.8, "hr"), (0.8, "cor"), (0, "smr"))])
    both = pd.concat([both, both.assign(over="images")])
    above = pd.DataFrame([{"vlm": "clip", "measure": m, "low": -0.1} for m in ("f1", "smr")])
    for sign in (1, -1):
        lost = pd.DataFrame([change(0.2)])
        moved = pd.DataFrame([change(0.2 * sign, m) for m in ("hr", "cor", "smr", "f1")])
        text = " ".join(results.four_answers(quality, lost, moved, both, above, {}))
        assert ("rises in 1" in text) == (sign > 0)
        assert "nan" not in text


def test_above_constant_names_who_beats_the_constants() -> None:
    rows = [
        ("clip", "f1", 0.1),
        ("clip", "smr", -0.1),
        ("siglip", "f1", -0.1),
        ("siglip", "smr", 0),
    ]
    above = pd.DataFrame(rows, columns=["vlm", "measure", "low"])
    text = results.above_constant(above, {"clip": "CLIP"})
    assert "1 of 2 VLMs describe" in text and "(CLIP)" in text
    assert "0 of 2 judge" in text and text.endswith("(none)")
