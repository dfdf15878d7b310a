"""Calibration against statsmodels and scikit-learn, and by hand."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from scipy.special import expit, logit
from scipy.stats import t as student
from sklearn.metrics import brier_score_loss

from vlmis_utils.statistics.calibration import (
    brier_draws,
    calibration_slope,
    expected_calibration_error,
    reliability,
)
from vlmis_utils.statistics.resampled_correlation import with_whole

SCENES = 50
SCENE = np.repeat(np.arange(SCENES), 8)


def made_up(slope: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return outcomes and probabilities whose logits are the true ones over ``slope``."""
    rng = np.random.default_rng(seed)
    true = rng.normal(size=len(SCENE)) + rng.normal(size=SCENES)[SCENE]
    return (rng.random(len(SCENE)) < expit(true)).astype(float), expit(true / slope)


def test_slope_and_interval_are_those_of_a_clustered_logit() -> None:
    y, p = made_up(0.6)
    found = calibration_slope(y, p, SCENE)
    model = sm.Logit(y, sm.add_constant(logit(p)))
    options = {"groups": SCENE, "use_correction": False}
    theirs = model.fit(disp=0, cov_type="cluster", cov_kwds=options)
    assert (found["intercept"], found["slope"]) == pytest.approx(tuple(theirs.params), abs=1e-6)
    reach = student(SCENES - 1).ppf(0.975) * theirs.bse[1] * np.sqrt(SCENES / (SCENES - 1))
    assert found["high"] - found["slope"] == pytest.approx(reach, rel=1e-5)
    assert found["slope"] - found["low"] == pytest.approx(reach, rel=1e-5)


@pytest.mark.parametrize("slope", [0.5, 1.0])
def test_intervals_of_the_slope_cover_the_truth(slope: float) -> None:
    found = [calibration_slope(*made_up(slope, seed), SCENE) for seed in range(400)]
    held = np.mean([f["low"] <= slope <= f["high"] for f in found])
    assert 0.93 <= held <= 0.97


def test_no_slope_where_nothing_varies_or_all_is_told_apart() -> None:
    y, p = made_up(1.0)
    for outcome, probability in ((np.ones(len(y)), p), (y, np.full(len(y), 0.3)), (y, y)):
        assert np.isnan(calibration_slope(outcome, probability, SCENE)["slope"])


def test_brier_score_is_scikit_learns_in_every_resample() -> None:
    y, p = made_up(1.0)
    weights = with_whole(SCENES, 4)
    for row, found in zip(weights, brier_draws(y, p, SCENE, weights), strict=True):
        assert found == pytest.approx(brier_score_loss(y, p, sample_weight=row[SCENE]))


def test_reliability_groups_are_equal_and_keep_ties_together() -> None:
    y, p = made_up(1.0)
    mean, share, count = reliability(y, p, 8).T
    assert (np.diff(mean) > 0).all() and count.tolist() == [50] * 8
    assert (share * count).sum() == pytest.approx(y.sum())
    assert (mean * count).sum() == pytest.approx(p.sum())
    few = reliability(np.array([0, 1, 1, 0.0]), np.array([0.2, 0.2, 0.7, 0.2]), 4)
    np.testing.assert_allclose(few, [[0.2, 1 / 3, 3], [0.7, 1, 1]])


def test_calibration_error_of_right_probabilities_is_what_chance_makes() -> None:
    rng = np.random.default_rng(3)
    p = np.repeat(np.linspace(0.3, 0.7, 10), 100)
    errors = [expected_calibration_error(rng.random(1000) < p, p) for _ in range(300)]
    chance = np.mean(np.sqrt(2 * p * (1 - p) * 10 / (np.pi * 1000)))
    assert np.mean(errors) == pytest.approx(chance, rel=0.05)
    assert expected_calibration_error(np.ones(50), np.full(50, 0.2)) == pytest.approx(0.8)
