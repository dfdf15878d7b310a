"""Cross-validated logistic models: who judges an image has never seen its scene.

All images of a scene lie in one fold. The folds are fixed by a seed, and equal for all sets of
features, so that two sets differ by what they know and by nothing else.
"""

from __future__ import annotations

import math
import warnings

import numpy as np

from vlmis_utils.core.errors import UserError

__all__ = ["cross_validated", "fitted", "grouped_folds"]


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
    found = np.zeros(len(outcome))
    for fold in np.unique(folds):
        found[folds == fold] = fitted(features, outcome, folds != fold, folds == fold, ridge)
    return found


def fitted(
    features: np.ndarray, outcome: np.ndarray, fit: np.ndarray, test: np.ndarray, ridge: float = 1.0
) -> np.ndarray:
    """Return the probability of failure of some images, from a model fitted on others.

    Checked against: a scikit-learn pipeline.

    The model, and where there is none, as of `cross_validated`.

    Args:
        features, outcome, ridge: as there, of all M images.
        fit, test: bool (M,), the images that it is fitted to, and those that it judges.

    Returns:
        float64, one for each image of ``test``.
    """
    from sklearn import config_context
    from sklearn.linear_model import LogisticRegression

    features = np.asarray(features, dtype=np.float64)
    outcome = np.asarray(outcome, dtype=np.int64)
    failed = outcome[fit].sum()
    rate = np.full(int(test.sum()), (failed + 0.5) / (fit.sum() + 1))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        mean, spread = np.nanmean(features[fit], axis=0), np.nanstd(features[fit], axis=0)
    varies = spread > 1e-12
    if not 0 < failed < fit.sum() or not varies.any():
        return rate
    scaled = np.nan_to_num((features[:, varies] - mean[varies]) / spread[varies])
    model = LogisticRegression(C=1 / ridge if ridge else math.inf, solver="newton-cholesky")
    with config_context(assume_finite=True, skip_parameter_validation=True):
        return model.fit(scaled[fit], outcome[fit]).predict_proba(scaled[test])[:, 1]
