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


def conclusions(sign: int, *rs: float, conditions: tuple[str, ...] = ("LL1",)) -> list[str]:
    names = ("clean", *conditions)
    quality = pd.DataFrame({"segmenter": "segformer", "condition": names, "miou": 0.5})
    language = pd.DataFrame({"vlm": "clip", "condition": names, "hr": 0.1, "cor": 0.2, "smr": 0.3})
    lost = pd.DataFrame([change(0.2 * sign, condition=c) for c in conditions])
    moved = pd.DataFrame([change(0.2 * sign, m) for m in ("hr", "cor", "smr", "f1")])
    found = pd.DataFrame([correlation(r, m) for r, m in zip(rs, ("hr", "cor", "smr"), strict=True)])
    found = pd.concat([found, found.assign(over="images")])
    above = pd.DataFrame([{"vlm": "clip", "measure": m, "low": -0.1} for m in ("f1", "smr")])
    return results.conclusions(quality, lost, language, moved, found, above, {"clip": "CLIP"})


def test_conclusions_turn_with_the_numbers() -> None:
    seen, said, proxy, look = conclusions(1, -0.8, 0.8, 0)
    assert seen.startswith("**Degraded images are segmented worse, whatever the model")
    assert "with mild low light (LL1)" in seen and "1 of 1 pairs" in seen
    assert "invent objects, leave out safety-critical objects and misjudge safety.**" in said
    assert "HR of CLIP goes from 0.10 to 0.10" in said and "+0.20 [+0.15, +0.25]" in said
    assert proxy.startswith("**Conditions with a lower mIoU have a higher HR, for most models.**")
    assert look.startswith("**No model does clearly better than an answer that never looks")
    assert not any("nan" in line for line in (seen, said, proxy, look))


def test_conclusions_the_other_way_round() -> None:
    seen, said, proxy, _ = conclusions(-1, 0.8, 0.8, 0)
    assert seen.startswith("**No degradation makes segmentation clearly worse.**")
    assert said.startswith("**On degraded images the models do not clearly go wrong more often.**")
    assert "as 3 of 3 do significantly" in said
    assert proxy.startswith("**mIoU does not tell under which conditions language fails.**")
    assert "have higher failure rates, for" in conclusions(1, -0.8, -0.8, -0.8)[2]


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
