"""How good predictions of failure are: AUC, Brier score and calibration."""

from __future__ import annotations

import math
import warnings

import numpy as np

__all__ = [
    "auc_draws", "brier_draws", "calibration_slope", "expected_calibration_error", "reliability",
]  # fmt: skip


def auc_draws(
    outcome: np.ndarray, score: np.ndarray, weights: np.ndarray, folds: np.ndarray | None = None,
    scene: np.ndarray | None = None,
) -> np.ndarray:  # fmt: skip
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
        weights: (R, N), how often each resample holds each scene.
        folds: (M,); None for a score without a model.
        scene: (M,), index in [0, N) of the scene of each image; None where each is its own.

    Returns:
        float64 (R,) in [0, 1]; NaN where a resample has no pair.

    >>> float(auc_draws([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8], np.ones((1, 4)))[0])
    0.75
    """
    failed, score = np.asarray(outcome).astype(bool), np.asarray(score, dtype=np.float64)
    folds = np.zeros(len(score)) if folds is None else np.asarray(folds)
    scene = np.arange(len(score)) if scene is None else np.asarray(scene)
    wins, pairs = np.zeros(len(weights)), np.zeros(len(weights))
    for fold in np.unique(folds):
        here = folds == fold
        names, own = np.unique(scene[here], return_inverse=True)
        drawn = weights[:, names]
        wins += ((drawn @ _wins(failed[here], score[here], own)) * drawn).sum(axis=1)
        up, down = (
            drawn @ np.bincount(own[failed[here] == kind], minlength=len(names))
            for kind in (True, False)
        )
        pairs += up * down
    return np.divide(wins, pairs, out=np.full(len(wins), np.nan), where=pairs > 0)


def _wins(failed: np.ndarray, score: np.ndarray, scene: np.ndarray) -> np.ndarray:
    """Return (N, N): in how many pairs a failure of one scene is above a success of another.

    Equal scores count one half. What a resample wins is then a product of matrices, exact as long
    as weights are whole numbers, without another sum over its images.
    """
    one_of = np.eye(scene.max() + 1)[scene]
    order = np.argsort(score[~failed], kind="stable")
    ranked, lower = score[~failed][order], np.zeros((len(order) + 1, one_of.shape[1]))
    np.cumsum(one_of[~failed][order], axis=0, out=lower[1:])  # of each scene among the k lowest
    below, upto = (
        lower[np.searchsorted(ranked, score[failed], side)] for side in ("left", "right")
    )
    return one_of[failed].T @ (below + upto) / 2


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
