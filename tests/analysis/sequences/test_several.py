"""Several frames in one prompt: what they gain, paired within drives."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from vlmis_utils.analysis.sequences.several import ERRORS, several_frames
from vlmis_utils.report.text.sequences import together


def rows(drives: int = 6) -> pd.DataFrame:
    """Three frames halve HR, double SMR and leave COR, at three times the seconds."""
    rng = np.random.default_rng(0)
    made = []
    for condition in ("clean", "LL3"):
        for drive in range(drives):
            hr, cor, smr = 0.2 + 0.2 * rng.random(3)
            one = {"sequence": f"d{drive}", "condition": condition, "answers": 10, "texts": 5,
                   "mentions": 2.0, "abstained": 0.0}  # fmt: skip
            made.append(one | {"frames": 1, "hr": hr, "cor": cor, "smr": smr, "seconds": 0.1})
            made.append(
                one
                | {"frames": 3, "hr": hr / 2, "cor": cor, "smr": 2 * smr, "seconds": 0.3}
                | {"mentions": 4.0, "abstained": 0.5}
            )
    return pd.DataFrame(made)


def test_gains_are_paired_within_drives_whatever_the_order() -> None:
    made = rows()
    found = several_frames(made.sample(frac=1, random_state=1)).set_index("condition")
    alone = made[(made.frames == 1) & (made.condition == "LL3")]
    assert found.loc["LL3"].hr == pytest.approx(alone.hr.mean() / 2)
    assert found.loc["LL3"].smr == pytest.approx(-alone.smr.mean())
    assert (found.drives == 6).all() and (found.together == 3).all()
    for name in ERRORS:
        assert (found[f"{name}_low"] <= found[name]).all()
        assert (found[name] <= found[f"{name}_high"]).all()


def test_the_sentence_counts_both_sides_and_the_price() -> None:
    said = together(several_frames(rows()))
    assert "3 frames in one prompt 2 of 6 error rates" in said and "and 2 significantly" in said
    assert "3.0 times as long" in said and "4.0 classes instead of 2.0" in said
    assert "50 % of the safety answers decide nothing, instead of 0 %" in said
