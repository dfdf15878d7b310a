"""Do probabilities mean what they say? Brier score, calibration slope, reliability curve."""

from __future__ import annotations

import math

import numpy as np

__all__ = ["brier_draws", "calibration_slope", "expected_calibration_error", "reliability"]


def brier_draws(
    outcome: np.ndarray, probability: np.ndarray, scene: np.ndarray, weights: np.ndarray
) -> np.ndarray:
    """Return the Brier score, the mean of (probability - outcome)², in every resample of scenes.

    Args:
        outcome: (M,), 1 where the image fails, else 0.
        probability: (M,), in [0, 1].
        scene: (M,), index in [0, N) of the scene of each image.
        weights: (R, N), from `statistics.resampled_correlation.with_whole`.

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

    Args:
        outcome: (M,), 1 or 0.
        probability: (M,), in (0, 1).
        scene: (M,), the scene of each image.
        confidence: of the interval.

    Returns:
        slope, low, high, intercept; NaN where outcome or probability is constant, or where the
        probabilities set failures and successes fully apart.
    """
    from scipy.special import expit, logit
    from scipy.stats import t as student

    y = np.asarray(outcome, dtype=np.float64)
    x = logit(np.clip(probability, 1e-6, 1 - 1e-6))
    missing = dict.fromkeys(("slope", "low", "high", "intercept"), math.nan)
    if np.ptp(y) == 0 or np.ptp(x) < 1e-9:
        return missing
    design = np.column_stack([np.ones_like(x), x])
    beta = np.zeros(2)
    for _ in range(50):
        p = expit(design @ beta)
        hessian = (design * (p * (1 - p))[:, None]).T @ design
        if np.linalg.cond(hessian) > 1e12:
            return missing
        step = np.linalg.solve(hessian, design.T @ (y - p))
        beta = beta + step
        if np.abs(step).max() < 1e-10:
            break
    else:
        return missing
    _, index = np.unique(scene, return_inverse=True)
    n = index.max() + 1
    scores = np.zeros((n, 2))
    np.add.at(scores, index, design * (y - expit(design @ beta))[:, None])
    bread = np.linalg.inv(hessian)
    spread = bread @ (scores.T @ scores) @ bread * n / max(n - 1, 1)
    reach = student.ppf((1 + confidence) / 2, max(n - 1, 1)) * math.sqrt(spread[1, 1])
    slope = float(beta[1])
    low, high = slope - reach, slope + reach
    return {"slope": slope, "low": low, "high": high, "intercept": float(beta[0])}


def reliability(outcome: np.ndarray, probability: np.ndarray, bins: int = 10) -> np.ndarray:
    """Return mean probability, share of failures and number of images in bins of equal size.

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

    Weighted by images. Chance alone makes it positive: about √(2 p (1 - p) bins / (π M)) for
    independent images with rate p.

    >>> round(expected_calibration_error([0, 0, 1, 1], [0.1, 0.3, 0.6, 0.8], bins=2), 2)
    0.25
    """
    mean, share, count = reliability(outcome, probability, bins).T
    return float((np.abs(mean - share) * count).sum() / count.sum())
