"""Agreement of the safety rules as a table and a sentence."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from vlmis_utils.report.tables.photographs import load_label_agreement
from vlmis_utils.report.tables.safety_label import load_label_change
from vlmis_utils.report.text.safety_label import label_noise
from vlmis_utils.training.evaluation import store
from vlmis_utils.training.evaluation.label_agreement import FILE, RULES, compared


def rows(safe: bool = False) -> pd.DataFrame:
    scenes = pd.DataFrame(
        {
            "safe": [True, True, False, False],
            "reason": ["clear", "clear", "car in corridor at 9.0 m", "red light"],
            RULES[0]: [True, True, False, True],
            RULES[1]: [True, False, True, True],
        }
    )
    return compared(scenes[scenes.safe] if safe else scenes)


def test_a_row_a_rule_and_reference_with_both_shares(tmp_path: Path) -> None:
    store.write(FILE, rows().assign(world="w", scenes="4 scenes"), tmp_path)
    table = load_label_agreement(store.read(FILE, tmp_path))
    assert table.columns.tolist() == ["rule", "against", "sensitivity", "specificity"]
    assert table.rule.tolist() == [RULES[0]] * 2 + [RULES[1]] * 2
    assert table.sensitivity[0].startswith("0.50") and table.sensitivity[1].startswith("1.00")
    assert table.specificity[2].startswith("0.50")


def test_the_sentence_says_both_rules() -> None:
    said = label_noise(rows())
    assert said.startswith("The flat ground rule finds 1.00 [")
    assert "The trapezoid rule finds 0.00 [" in said and "unsafe it finds 0.50 [" in said


def test_without_an_unsafe_scene_the_sentence_says_so() -> None:
    assert "finds none (there are none)" in label_noise(rows(safe=True))
    assert load_label_agreement(rows(safe=True)).sensitivity.notna().all()


def test_a_changed_label_is_shown_before_and_after(tmp_path: Path) -> None:
    about = {"model": "clip", "measure": "safety AUC", "low": 0.1, "high": 0.9}
    stages = (("old label", 0.8), ("learned on", 0.6))
    tried = pd.DataFrame([about | {"stage": stage, "value": v} for stage, v in stages])
    store.write("label_change.csv", tried, tmp_path)
    clean = pd.DataFrame([about | {"value": 0.7}, about | {"value": 0.5, "model": "segformer"}])
    table = load_label_change(clean, {"clip": "CLIP"}, tmp_path)
    assert table.columns.tolist()[2:] == [
        "label that they learned", "today's label", "today's, learned on",
    ]  # fmt: skip
    (row,) = table.itertuples(index=False)
    assert [cell[:4] for cell in row[2:]] == ["0.80", "0.70", "0.60"] and row[0] == "CLIP"
