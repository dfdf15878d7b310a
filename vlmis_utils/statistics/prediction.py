"""Failure prediction: cross-validated logistic models, their AUC, Brier score and calibration.

All images of a scene lie in one fold, so that a model is judged on scenes it has never seen. The
folds are fixed by a seed, and equal for all sets of features, so that two sets differ by what they
know and by nothing else.
"""

from __future__ import annotations

import math
import warnings

import numpy as np

from vlmis_utils.core.errors import UserError

__all__ = [
    "auc_draws", "brier_draws", "calibration_slope", "cross_validated",
    "expected_calibration_error", "grouped_folds", "reliability",
]  # fmt: skip


def grouped_folds(groups: np.ndarray, folds: int = 5, seed: int = 0) -> np.ndarray:
    """Return the fold of each image, all images of a group in one, by scikit-learn's GroupKFold.

    Checked against: that each scene is in one fold.

    Args:
        groups: (M,), the scene of each image.
        folds: at most as many as there are groups.
        seed: of the shuffled groups.

    Returns:
        int64 (M,), from 0.

    Raises:
        UserError: fewer than two groups or folds.

    >>> grouped_folds(np.array([0, 0, 1, 1, 2, 2]), folds=3).reshape(3, 2).T.tolist()
    [[2, 1, 0], [2, 1, 0]]
    """
    from sklearn.model_selection import GroupKFold

    groups = np.asarray(groups)
    folds = min(folds, len(np.unique(groups)))
    if folds < 2:
        raise UserError("cross-validation needs at least 2 scenes and 2 folds")
    found = np.zeros(len(groups), dtype=np.int64)
    split = GroupKFold(folds, shuffle=True, random_state=seed).split(groups, groups=groups)
    for index, (_, test) in enumerate(split):
        found[test] = index
    return found


def cross_validated(
    features: np.ndarray, outcome: np.ndarray, folds: np.ndarray, ridge: float = 1.0
) -> np.ndarray:
    """Return the probability of failure of each image, from a model fitted on the other folds.

    Logistic regression with features scaled to standard deviation 1 in the fitted folds, missing
    ones set to their mean there, and penalty ridge / 2 · |coefficients|² beside the sum of log
    losses: small beside hundreds of images, enough to keep coefficients finite.

    Checked against: a scikit-learn pipeline fitted fold by fold.

    Args:
        features: (M, K), NaN where missing; K = 0 gives the rate of failure in the other folds.
        outcome: (M,), 1 where the image fails, else 0.
        folds: (M,), from `grouped_folds`.
        ridge: at least 0.

    Returns:
        float64 (M,), in (0, 1). Where all or none of the fitted images fail, or no feature
        varies: (failures + 1/2) / (images + 1).

    >>> x = np.tile([0.0, 1.0], 20)[:, None]
    >>> p = cross_validated(x, x[:, 0], np.repeat([0, 1], 20))
    >>> bool(p[0] < 0.2), bool(p[1] > 0.8)
    (True, True)
    """
    from sklearn.linear_model import LogisticRegression

    features = np.asarray(features, dtype=np.float64)
    outcome = np.asarray(outcome, dtype=np.int64)
    found = np.zeros(len(outcome))
    for fold in np.unique(folds):
        fit, test = folds != fold, folds == fold
        failed = outcome[fit].sum()
        found[test] = (failed + 0.5) / (fit.sum() + 1)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            mean, spread = np.nanmean(features[fit], axis=0), np.nanstd(features[fit], axis=0)
        varies = spread > 1e-12
        if not 0 < failed < fit.sum() or not varies.any():
            continue
        scaled = (features[:, varies] - mean[varies]) / spread[varies]
        scaled = np.nan_to_num(scaled)
        model = LogisticRegression(C=1 / ridge if ridge else math.inf, solver="newton-cholesky")
        found[test] = model.fit(scaled[fit], outcome[fit]).predict_proba(scaled[test])[:, 1]
    return found


def auc_draws(
    outcome: np.ndarray, score: np.ndarray, weights: np.ndarray, folds: np.ndarray | None = None
) -> np.ndarray:
    """Return the area under the ROC curve in every resample.

    AUC = P(score of a failure > score of a success) + P(they are equal) / 2, over all pairs of a
    failure and a success from the same fold: scores of two folds come from two models, and to
    compare them would set a useless model below 0.5. The models are not fitted again, so the
    interval is that of the models as they are (LeDell, Petersen and van der Laan, Electronic
    Journal of Statistics 9, 2015, show that it then covers the cross-validated AUC).

    Checked against: sklearn.metrics.roc_auc_score.

    Args:
        outcome: (M,), 1 where the image fails, else 0.
        score: (M,), higher where failure is expected.
        weights: (R, M), how often each resample holds each image: ``weights[:, scene]`` for
            weights of scenes.
        folds: (M,); None for a score without a model.

    Returns:
        float64 (R,) in [0, 1]; NaN where a resample has no pair.

    >>> float(auc_draws([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8], np.ones((1, 4)))[0])
    0.75
    """
    failed, score = np.asarray(outcome).astype(bool), np.asarray(score, dtype=np.float64)
    folds = np.zeros(len(score)) if folds is None else np.asarray(folds)
    wins, pairs = np.zeros(len(weights)), np.zeros(len(weights))
    for fold in np.unique(folds):
        here = np.flatnonzero(folds == fold)
        here = here[np.argsort(score[here], kind="stable")]
        starts = np.flatnonzero(np.diff(score[here], prepend=-np.inf))
        drawn = weights[:, here]
        up, down = (
            np.add.reduceat(drawn * kind, starts, axis=1) for kind in (failed[here], ~failed[here])
        )
        below = np.cumsum(down, axis=1) - down / 2
        wins += (up * below).sum(axis=1)
        pairs += up.sum(axis=1) * down.sum(axis=1)
    return np.divide(wins, pairs, out=np.full(len(wins), np.nan), where=pairs > 0)


def brier_draws(
    outcome: np.ndarray, probability: np.ndarray, scene: np.ndarray, weights: np.ndarray
) -> np.ndarray:
    """Return the Brier score, the mean of (probability - outcome)², in every resample of scenes.

    Checked against: sklearn.metrics.brier_score_loss.

    Args:
        outcome: (M,), 1 where the image fails, else 0.
        probability: (M,), in [0, 1].
        scene: (M,), index in [0, N) of the scene of each image.
        weights: (R, N), from `statistics.resampling`.

    Returns:
        float64 (R,) in [0, 1], smaller is better.
    """
    squares = (np.asarray(probability, dtype=np.float64) - np.asarray(outcome)) ** 2
    size = weights.shape[1]
    sums, counts = np.bincount(scene, squares, size), np.bincount(scene, minlength=size)
    drawn = weights @ counts
    return (weights @ sums) / np.where(drawn > 0, drawn, np.nan)


def calibration_slope(
    outcome: np.ndarray, probability: np.ndarray, scene: np.ndarray, confidence: float = 0.95
) -> dict[str, float]:
    """Return slope and intercept of the outcome on logit(probability), by logistic regression.

    Of well calibrated probabilities the slope is 1 and the intercept 0; a slope below 1 means that
    they are too extreme (Cox, Biometrika 45, 1958). The interval is slope ± t SE with a standard
    error clustered by scene (Liang and Zeger, Biometrika 73, 1986), times √(N / (N - 1)), and t of
    N - 1 degrees of freedom for N scenes.

    Through `statsmodels`. Checked against: a logistic regression by Newton's method with sandwich
    errors; simulated coverage.

    Args:
        outcome: (M,), 1 or 0.
        probability: (M,), in (0, 1).
        scene: (M,), the scene of each image.
        confidence: of the interval.

    Returns:
        slope, low, high, intercept; NaN where either is constant or both are fully separated.
    """
    from scipy.special import logit
    from scipy.stats import t as student
    from statsmodels.discrete.discrete_model import Logit

    y = np.asarray(outcome, dtype=np.float64)
    x = logit(np.clip(probability, 1e-6, 1 - 1e-6))
    up, down = x[y == 1], x[y == 0]
    if not up.size or not down.size or up.min() >= down.max() or up.max() <= down.min():
        return dict.fromkeys(("slope", "low", "high", "intercept"), math.nan)
    names, index = np.unique(scene, return_inverse=True)
    freedom = max(len(names) - 1, 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit = Logit(y, np.column_stack([np.ones_like(x), x])).fit(
            disp=False, tol=1e-10, cov_type="cluster",
            cov_kwds={"groups": index, "use_correction": False},
        )  # fmt: skip
    intercept, slope = map(float, fit.params)
    reach = student.ppf((1 + confidence) / 2, freedom) * fit.bse[1]
    reach *= math.sqrt(len(names) / freedom)
    return {"slope": slope, "low": slope - reach, "high": slope + reach, "intercept": intercept}


def reliability(outcome: np.ndarray, probability: np.ndarray, bins: int = 10) -> np.ndarray:
    """Return mean probability, share of failures and number of images in bins of equal size.

    Checked against: sums and cases by hand.

    Args:
        outcome: (M,), 1 or 0.
        probability: (M,).
        bins: at most; images of one probability stay in one bin.

    Returns:
        float64 (B, 3), from the lowest probability to the highest.

    >>> reliability(np.array([0, 0, 1, 1]), np.array([0.1, 0.3, 0.6, 0.8]), bins=2).tolist()
    [[0.2, 0.0, 2.0], [0.7, 1.0, 2.0]]
    """
    outcome, probability = np.asarray(outcome, dtype=float), np.asarray(probability, dtype=float)
    edges = np.unique(np.quantile(probability, np.linspace(0, 1, bins + 1)[1:-1], method="higher"))
    index = np.unique(np.searchsorted(edges, probability, side="right"), return_inverse=True)[1]
    counts = np.bincount(index)
    sums = [np.bincount(index, values) / counts for values in (probability, outcome)]
    return np.column_stack([*sums, counts])


def expected_calibration_error(
    outcome: np.ndarray, probability: np.ndarray, bins: int = 10
) -> float:
    """Return the mean gap between probability and share of failures over `reliability`'s bins.

    Weighted by images. By chance about √(2 p (1 - p) bins / (π M)) for M images of rate p.
    Checked against: what chance makes of right probabilities.

    >>> round(expected_calibration_error([0, 0, 1, 1], [0.1, 0.3, 0.6, 0.8], bins=2), 2)
    0.25
    """
    mean, share, count = reliability(outcome, probability, bins).T
    return float((np.abs(mean - share) * count).sum() / count.sum())
