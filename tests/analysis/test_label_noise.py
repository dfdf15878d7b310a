"""SMR under wrong safe labels, against flipping the labels; the share against a simulation."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from vlmis_utils.analysis.label_noise import missed_among_safe, smr_with_misses
from vlmis_utils.metrics.language import safety_misinterpretation_rate


def agreement(hits: int, unsafe: int, passes: int, safe: int) -> pd.DataFrame:
    def row(measure: str, value: int, n: int) -> tuple:
        return ("flat ground", "whole label", measure, value / n if n else np.nan, n)

    rows = [row("sensitivity", hits, unsafe), row("specificity", passes, safe)]
    return pd.DataFrame(rows, columns=["rule", "against", "measure", "value", "n"])


def test_the_share_is_that_of_a_table_of_counts() -> None:
    share, low, high = missed_among_safe(agreement(109, 159, 141, 141), "flat ground")
    assert share == pytest.approx(50 / 191) and low < share < high
    assert np.isnan(missed_among_safe(agreement(5, 5, 0, 0), "flat ground")).all()


def test_smr_is_the_mean_over_flipped_labels() -> None:
    rng = np.random.default_rng(0)
    n, share = 400, 0.25
    safe = rng.random(n) < 0.5
    words = rng.choice(["safe", "unsafe", "abstain"], n, p=[0.6, 0.3, 0.1])
    images = pd.DataFrame({"vlm": "a", "condition": "LL3", "safe": safe, "decision": words})
    images["smr_i"] = np.where(safe, words != "safe", words != "unsafe").astype(float)
    images["false_alarm"] = (safe & (words == "unsafe")).astype(float)
    row = smr_with_misses(images, share, 0.0, 0.5).iloc[0]
    flipped = [
        safety_misinterpretation_rate(words, safe & (rng.random(n) >= share)) for _ in range(2000)
    ]
    assert row.smr == pytest.approx(safety_misinterpretation_rate(words, safe))
    assert row.with_misses == pytest.approx(np.mean(flipped), abs=0.002)
    assert row.with_misses_low == pytest.approx(row.smr)
    assert row.with_misses_low < row.with_misses < row.with_misses_high
