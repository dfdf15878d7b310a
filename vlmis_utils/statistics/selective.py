"""Selective prediction: what is left of a risk when the most doubtful answers are refused.

Answers are refused in the order of a score, highest first; coverage is the share that is kept,
risk the share of failures among those kept (El-Yaniv and Wiener, JMLR 11, 2010). Draws hold one
number for each resample of scenes. Ties are kept or refused in the order given.
"""

from __future__ import annotations

import math

import numpy as np

__all__ = ["area_draws", "avoided_draws", "conformal_threshold", "precision_draws", "risk_draws"]


def precision_draws(outcome: np.ndarray, score: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the area under the precision-recall curve, as average precision, in every resample.

    Checked against: sklearn.metrics.average_precision_score.

    Args:
        outcome: (M,), 1 where the image fails, else 0.
        score: (M,), higher where failure is expected.
        weights: (R, M), how often each resample holds each image.

    Returns:
        float64 (R,) in [0, 1]; NaN where a resample has no failure.
    """
    order = np.argsort(-np.asarray(score, dtype=np.float64), kind="stable")
    ranked = np.asarray(score)[order]
    ends = np.flatnonzero(np.append(np.diff(ranked) != 0, True))
    drawn = weights[:, order]
    hits = np.cumsum(drawn * np.asarray(outcome)[order], axis=1)[:, ends]
    seen = np.cumsum(drawn, axis=1)[:, ends]
    gained = np.diff(hits, axis=1, prepend=0.0)
    precise = np.divide(hits, seen, out=np.zeros_like(hits), where=seen > 0)
    return _ratio((gained * precise).sum(axis=1), hits[:, -1])


def risk_draws(
    outcome: np.ndarray, score: np.ndarray, weights: np.ndarray, coverage: np.ndarray | float
) -> np.ndarray:
    """Return the share of failures among the answers kept, in every resample.

    Checked against: a loop that keeps answers one by one.

    Args:
        outcome, score, weights: as of `precision_draws`.
        coverage: in (0, 1], one or K of them; at least that share is kept.

    Returns:
        float64 (R,) or (R, K).

    >>> risk_draws([0, 0, 1, 1], [0.1, 0.2, 0.3, 0.9], np.ones((1, 4)), 0.75).round(2).tolist()
    [0.33]
    """
    failed, kept = _running(outcome, score, weights)
    wanted = np.atleast_1d(coverage)
    found = np.empty((len(weights), len(wanted)))
    for place, share in enumerate(wanted):
        at = (kept < share * kept[:, -1:] - 1e-9).sum(axis=1)
        rows = np.arange(len(weights)), np.minimum(at, kept.shape[1] - 1)
        found[:, place] = _ratio(failed[rows], kept[rows])
    return found[:, 0] if np.ndim(coverage) == 0 else found


def area_draws(outcome: np.ndarray, score: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the area under the risk-coverage curve (AURC) in every resample, smaller is better.

    It is the mean over answers of the risk when just those with no higher score are kept
    (Geifman, Uziel and El-Yaniv, ICLR 2019). A score of no use has the plain risk.

    Checked against: a loop that keeps answers one by one; the risk of a random score.

    Args:
        outcome, score, weights: as of `precision_draws`.
    """
    failed, kept = _running(outcome, score, weights)
    risks = np.divide(failed, kept, out=np.zeros_like(failed), where=kept > 0)
    own = np.diff(kept, axis=1, prepend=0.0)
    return _ratio((own * risks).sum(axis=1), kept[:, -1])


def avoided_draws(
    outcome: np.ndarray, score: np.ndarray, weights: np.ndarray, refused: float
) -> np.ndarray:
    """Return the share of all failures that is avoided by refusing a share of the answers.

    Checked against: a loop that keeps answers one by one.

    Args:
        outcome, score, weights: as of `precision_draws`.
        refused: in (0, 1); at most that share is refused.

    >>> avoided_draws([0, 0, 1, 1], [0.1, 0.2, 0.3, 0.9], np.ones((1, 4)), 0.25).tolist()
    [0.5]
    """
    failed, kept = _running(outcome, score, weights)
    at = (kept < (1 - refused) * kept[:, -1:] - 1e-9).sum(axis=1)
    rows = np.arange(len(weights)), np.minimum(at, kept.shape[1] - 1)
    return 1 - _ratio(failed[rows], failed[:, -1])


def conformal_threshold(score: np.ndarray, loss: np.ndarray, limit: float) -> float:
    """Return the highest threshold whose risk conformal risk control still vouches for.

    Answers with a score above it are refused and cost nothing. Over n calibration scenes whose
    mean losses in [0, 1] add up to n R, the threshold is the highest with (n R + 1) / (n + 1) at
    most ``limit``: a new scene of the same kind then has an expected loss of at most ``limit``
    (Angelopoulos, Bates, Fisch, Lei and Schuster, ICLR 2024).

    Checked against: simulated expected loss.

    Args:
        score: (n, k), of the k answers of each scene; not looked at where there is no loss.
        loss: (n, k), 0 or 1: what each costs if it is kept; NaN where a scene has no such answer.
        limit: in (0, 1).

    Returns:
        The threshold; -inf where every answer must be refused.
    """
    scenes = len(score)
    known = np.isfinite(loss)
    share = np.where(known, loss, 0.0) / np.maximum(known.sum(axis=1, keepdims=True), 1)
    scores, shares = np.asarray(score)[known], share[known]
    order = np.argsort(scores, kind="stable")
    ranked, costs = scores[order], np.cumsum(shares[order])
    ends = np.append(np.diff(ranked) != 0, True)
    fits = ends & ((costs + 1) / (scenes + 1) <= limit + 1e-12)
    return float(ranked[fits][-1]) if fits.any() else -math.inf


def _running(
    outcome: np.ndarray, score: np.ndarray, weights: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return failures and answers, (R, M) each, among those kept as more and more are."""
    order = np.argsort(np.asarray(score, dtype=np.float64), kind="stable")
    drawn = weights[:, order]
    return np.cumsum(drawn * np.asarray(outcome)[order], axis=1), np.cumsum(drawn, axis=1)


def _ratio(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    return np.divide(above, below, out=np.full(np.shape(above), np.nan), where=below > 0)
