"""Cross-validation and AUC against scikit-learn and loops, and where the truth is known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit, logit
from scipy.stats import norm
from scipy.stats import t as student
from sklearn.metrics import brier_score_loss, roc_auc_score

from tests.helpers.failures import SCENE, SCENES, simulated
from vlmis_utils.statistics.cross_validation import cross_validated, grouped_folds
from vlmis_utils.statistics.intervals import from_draws
from vlmis_utils.statistics.prediction import (
    auc_draws,
    brier_draws,
    calibration_slope,
    expected_calibration_error,
    reliability,
)
from vlmis_utils.statistics.resampling import sample_and_resamples


def test_auc_is_scikit_learns_in_every_resample() -> None:
    x, y = simulated()
    score = np.round(x[:, 0], 1)
    weights = sample_and_resamples(SCENES, 5, seed=2)
    found = auc_draws(y, score, weights, scene=SCENE)
    for row, auc in zip(weights, found, strict=True):
        assert auc == pytest.approx(roc_auc_score(y, score, sample_weight=row[SCENE] + 1e-12))


def test_auc_compares_within_folds_only() -> None:
    x, y = simulated()
    folds = grouped_folds(SCENE, 4)
    shifted = x[:, 0] + 100.0 * folds
    found = auc_draws(y, shifted, np.ones((1, len(y))), folds)[0]
    wins, pairs = 0.0, 0
    for fold in range(4):
        mine = folds == fold
        count = y[mine].sum() * (1 - y[mine]).sum()
        wins += roc_auc_score(y[mine], x[mine, 0]) * count
        pairs += count
    assert found == pytest.approx(wins / pairs)


def test_useless_features_score_a_half_and_pooling_folds_would_not() -> None:
    rng, within, pooled = np.random.default_rng(1), [], []
    for _ in range(60):
        y = (rng.normal(size=SCENES)[SCENE] + rng.normal(size=len(SCENE)) > 0).astype(float)
        folds = grouped_folds(SCENE, 5)
        p = cross_validated(np.zeros((len(y), 1)), y, folds)
        within.append(auc_draws(y, p, np.ones((1, len(y))), folds)[0])
        pooled.append(roc_auc_score(y, p))
    assert within == pytest.approx([0.5] * 60)
    assert np.mean(pooled) < 0.45


def test_auc_without_a_pair_is_nan() -> None:
    assert np.isnan(auc_draws([1, 1], [0.1, 0.2], np.ones((1, 2)))[0])
    assert np.isnan(auc_draws([], [], np.ones((1, 0)))[0])


def test_intervals_of_auc_and_of_a_gain_cover_the_truth() -> None:
    """Scores of failures lie one standard deviation higher; a second score is noisier."""
    scenes, images, runs = 60, 4, 500
    scene, weights = np.repeat(np.arange(scenes), images), sample_and_resamples(60, 300)
    rng, held = np.random.default_rng(2), np.zeros(2)
    # A scene's own level is in both scores and in no outcome; pairs of one scene do not feel it.
    truth = norm.cdf(1 / np.sqrt(2 * 1.5)), norm.cdf(1 / np.sqrt(2 * 2.5))
    for _ in range(runs):
        y = (rng.random(len(scene)) < 0.4).astype(float)
        own = np.sqrt(0.5) * rng.normal(size=scenes)[scene]
        first = y + own + rng.normal(size=len(y))
        second = first + rng.normal(size=len(y))
        draws = [auc_draws(y, s, weights, scene=scene) for s in (first, second)]
        auc, gain = (
            from_draws(draws[0], scenes, "logit"),
            from_draws(draws[0] - draws[1], 60, "raw"),
        )
        held += (auc.low <= truth[0] <= auc.high, gain.low <= truth[0] - truth[1] <= gain.high)
    assert (held / runs >= 0.93).all() and (held / runs <= 0.97).all()


MANY = 50
CLUSTER = np.repeat(np.arange(MANY), 8)


def with_slope(slope: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return outcomes and probabilities whose logits are the true ones over ``slope``."""
    rng = np.random.default_rng(seed)
    true = rng.normal(size=len(CLUSTER)) + rng.normal(size=MANY)[CLUSTER]
    return (rng.random(len(CLUSTER)) < expit(true)).astype(float), expit(true / slope)


def test_slope_and_interval_are_those_of_a_clustered_logit() -> None:
    """Newton's method and the sandwich of Liang and Zeger, by hand."""
    y, p = with_slope(0.6)
    found = calibration_slope(y, p, CLUSTER)
    design, beta = np.column_stack([np.ones(len(y)), logit(p)]), np.zeros(2)
    for _ in range(30):
        fitted = expit(design @ beta)
        hessian = design.T @ (design * (fitted * (1 - fitted))[:, None])
        beta = beta + np.linalg.solve(hessian, design.T @ (y - fitted))
    scores = design * (y - expit(design @ beta))[:, None]
    scores = np.array([scores[CLUSTER == c].sum(axis=0) for c in range(MANY)])
    spread = np.linalg.inv(hessian) @ (scores.T @ scores) @ np.linalg.inv(hessian)
    assert (found["intercept"], found["slope"]) == pytest.approx(tuple(beta), abs=1e-6)
    reach = student(MANY - 1).ppf(0.975) * np.sqrt(spread[1, 1] * MANY / (MANY - 1))
    assert found["high"] - found["slope"] == pytest.approx(reach, rel=1e-5)
    assert found["slope"] - found["low"] == pytest.approx(reach, rel=1e-5)


@pytest.mark.parametrize("slope", [0.5, 1.0])
def test_intervals_of_the_slope_cover_the_truth(slope: float) -> None:
    found = [calibration_slope(*with_slope(slope, seed), CLUSTER) for seed in range(400)]
    held = np.mean([f["low"] <= slope <= f["high"] for f in found])
    assert 0.93 <= held <= 0.97


def test_no_slope_where_nothing_varies_or_all_is_told_apart() -> None:
    y, p = with_slope(1.0)
    for outcome, probability in ((np.ones(len(y)), p), (y, np.full(len(y), 0.3)), (y, y)):
        assert np.isnan(calibration_slope(outcome, probability, CLUSTER)["slope"])


def test_brier_score_is_scikit_learns_in_every_resample() -> None:
    y, p = with_slope(1.0)
    weights = sample_and_resamples(MANY, 4)
    for row, found in zip(weights, brier_draws(y, p, CLUSTER, weights), strict=True):
        assert found == pytest.approx(brier_score_loss(y, p, sample_weight=row[CLUSTER]))


def test_reliability_groups_are_equal_and_keep_ties_together() -> None:
    y, p = with_slope(1.0)
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
