"""Can a failure be foretold? Logistic models cross-validated over scenes, and their AUC.

All images of a scene lie in one fold, so that a model is judged on scenes it has never seen. The
folds are fixed by a seed, and equal for all sets of features, so that two sets differ by what they
know and by nothing else.
"""

from __future__ import annotations

import math
import warnings

import numpy as np

from vlmis_utils.core.errors import UserError

__all__ = ["cross_validated", "grouped_auc_draws", "grouped_folds"]


def grouped_folds(groups: np.ndarray, folds: int = 5, seed: int = 0) -> np.ndarray:
    """Return the fold of each image, all images of a group in one, by scikit-learn's GroupKFold.

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


def grouped_auc_draws(
    outcome: np.ndarray,
    score: np.ndarray,
    scene: np.ndarray,
    folds: np.ndarray,
    weights: np.ndarray,
) -> np.ndarray:
    """Return the area under the ROC curve in every resample of scenes.

    AUC = P(score of a failure > score of a success) + P(they are equal) / 2, over all pairs of a
    failure and a success from the same fold: scores of two folds come from two models, and to
    compare them would set a useless model below 0.5. The models are not fitted again, so the
    interval is that of the models as they are (LeDell, Petersen and van der Laan, Electronic
    Journal of Statistics 9, 2015, show that it then covers the cross-validated AUC).

    Args:
        outcome: (M,), 1 where the image fails, else 0.
        score: (M,), higher where failure is expected.
        scene: (M,), index in [0, N) of the scene of each image.
        folds: (M,); all equal for a score without a model.
        weights: (R, N), from `statistics.resampled_correlation.with_whole`.

    Returns:
        float64 (R,) in [0, 1]; NaN where a resample has no pair.

    >>> found = grouped_auc_draws([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8], [0, 1, 2, 3], [0] * 4,
    ...                           np.ones((1, 4)))
    >>> float(found[0])
    0.75
    """
    outcome, score = np.asarray(outcome, dtype=np.int64), np.asarray(score, dtype=np.float64)
    scene, folds = np.asarray(scene), np.asarray(folds)
    wins, pairs = np.zeros(len(weights)), np.zeros(len(weights))
    for fold in np.unique(folds):
        up, down = ((folds == fold) & (outcome == value) for value in (1, 0))
        difference = score[up][:, None] - score[down][None]
        above = (difference > 0) + 0.5 * (difference == 0)
        table = np.zeros((weights.shape[1],) * 2)
        np.add.at(table, np.ix_(scene[up], scene[down]), above)
        wins += ((weights @ table) * weights).sum(axis=1)
        counts = [np.bincount(scene[m], minlength=weights.shape[1]) for m in (up, down)]
        pairs += (weights @ counts[0]) * (weights @ counts[1])
    return np.divide(wins, pairs, out=np.full(len(wins), np.nan), where=pairs > 0)
