"""Reliability and confidence against scikit-learn, and on scores made to be calibrated."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss

from vlmis_utils.analysis.parser_study.calibration import (
    CLEAN,
    DEGRADED,
    confidence,
    reliability,
)


def _tokens(scenes: int = 80, sharper: float = 1.0, seed: int = 0) -> pd.DataFrame:
    """Return answers whose clean scores are calibrated and whose degraded ones are sharpened."""
    rng = np.random.default_rng(seed)
    rows = []
    for scene in range(scenes):
        for condition in ("clean", "LL1", "blank"):
            for name in ("car", "bus", "truck", "cyclist", "train"):
                p = rng.uniform(0.02, 0.98)
                truth = bool(rng.random() < p)
                if condition != "clean":
                    logit = sharper * np.log(p / (1 - p))
                    p = 1 / (1 + np.exp(-logit))
                rows.append(("m", condition, f"s{scene:03d}", "presence", name, p, truth))
    columns = ["vlm", "condition", "scene_id", "task", "class", "score", "truth"]
    frame = pd.DataFrame(rows, columns=columns)
    return frame.assign(first=np.where(frame.score > 0.5, "yes", "no"))


def test_bins_are_scikit_learns() -> None:
    tokens = _tokens()
    found = reliability(tokens, bins=5, resamples=100)
    clean = tokens[tokens.condition == "clean"]
    true, score = calibration_curve(clean.truth, clean.score, n_bins=5)
    rows = found[found.pictures == CLEAN]
    assert rows.true.to_numpy() == pytest.approx(true)
    assert rows.score.to_numpy() == pytest.approx(score)
    assert rows.answers.sum() == len(clean)
    assert (found.low <= found.true).all() and (found.true <= found.high).all()
    assert (found.high > found.low).all()


def test_the_blank_arm_is_in_no_group() -> None:
    found = confidence(_tokens(), 50).set_index("pictures").answers
    assert found.to_dict() == {CLEAN: 400, DEGRADED: 400}


def test_brier_scores_are_scikit_learns() -> None:
    tokens = _tokens()
    row = confidence(tokens, 50).set_index("pictures").loc[DEGRADED]
    mine = tokens[tokens.condition == "LL1"]
    assert row.brier == pytest.approx(brier_score_loss(mine.truth, mine.score))
    share = mine["class"].map(mine.groupby("class").truth.mean())
    assert row.brier_share == pytest.approx(brier_score_loss(mine.truth, share))
    assert row.gain == pytest.approx(row.brier_share - row.brier)


def test_calibrated_scores_have_no_gap_and_sharpened_ones_have() -> None:
    found = confidence(_tokens(scenes=300, sharper=4), 300).set_index("pictures")
    assert found.gap_low[CLEAN] < 0 < found.gap_high[CLEAN]
    assert found.gap_low[DEGRADED] > 0.05
    assert found.gain_low[CLEAN] > 0


def test_gap_is_sure_minus_right() -> None:
    found = confidence(_tokens(), 50)
    assert found.gap.to_numpy() == pytest.approx((found.sure - found.right).to_numpy())


def test_one_scene_has_no_interval_and_nothing_gives_nothing() -> None:
    one = confidence(_tokens(scenes=1), 20)
    assert one[["gap_low", "gap_high", "gain_low", "gain_high"]].isna().all(axis=None)
    empty = _tokens(scenes=1).iloc[:0]
    assert confidence(empty, 20).empty and reliability(empty, resamples=20).empty
