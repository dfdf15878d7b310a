"""The sentence at the beginning of a page says what the numbers say, whatever they are."""

from __future__ import annotations

import pandas as pd

from vlmis_utils.report.text.short import correlations, predictions, worst_conditions


def frame(*values: tuple[str, str, float, float]) -> pd.DataFrame:
    return pd.DataFrame(values, columns=["vlm", "condition", "hr", "cor"])


def test_each_measure_has_its_own_worst_condition() -> None:
    rows = frame(("a", "clean", 0.1, 0.2), ("b", "clean", 0.3, 0.2), ("a", "LL3", 0.5, 0.3),
                 ("b", "LL3", 0.7, 0.1), ("a", "MB2", 0.2, 0.9), ("b", "MB2", 0.2, 0.8),
                 ("a", "blank", 1, 1))  # fmt: skip
    assert worst_conditions(rows, {"hr": "max", "cor": "max"}) == (
        "averaged over the models, HR goes from 0.20 on clean images to 0.60 with strong low light "
        "(LL3) and COR goes from 0.20 to 0.85 with medium motion blur (MB2)"
    )
    assert "0.20 with medium motion blur (MB2)" in worst_conditions(rows, {"hr": "min"})
    clean = rows[rows.condition == "clean"]
    assert worst_conditions(clean, {"hr": "max"}) == "no clean image stands beside a degraded one"


def test_correlations_by_level() -> None:
    rows = [("conditions", "spearman", -0.9), ("conditions", "spearman", -0.5),
            ("images", "spearman", 0.1), ("images", "pearson", 0.8),
            ("within", "spearman", float("nan"))]  # fmt: skip
    found = pd.DataFrame(rows, columns=["over", "method", "r"])
    assert correlations(found) == (
        "the rank correlation of mIoU with a rate is −0.90 to −0.50 over conditions and 0.10 over "
        "images"
    )
    assert correlations(found.iloc[4:]).startswith("no correlation")


def test_predictions_stand_beside_the_condition() -> None:
    rows = [("cor", "mIoU", 0.7), ("cor", "mIoU", 0.8), ("cor", "condition", 0.6),
            ("smr", "condition", 0.5)]  # fmt: skip
    scores = pd.DataFrame(rows, columns=["metric", "features", "auc"])
    text = predictions(scores, {"cor": "an omission", "smr": "a wrong safety call"})
    assert "an omission with an AUC of 0.75 (the condition alone: 0.60)" in text
    assert "safety" not in text
    assert predictions(scores.iloc[:0], {"cor": "x"}).startswith("no failure")
