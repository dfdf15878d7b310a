"""Refusing the doubtful, against scikit-learn, loops, and a promise checked by simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score

from vlmis_utils.statistics.selective import (
    area_draws,
    avoided_draws,
    conformal_threshold,
    precision_draws,
    risk_draws,
)

CASES = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 5), st.integers(0, 3)), min_size=2)


@settings(deadline=None)
@given(CASES)
def test_average_precision_is_scikit_learns(cases: list[tuple[int, int, int]]) -> None:
    outcome, score, weight = map(np.array, zip(*cases, strict=True))
    own = precision_draws(outcome, score, weight[None].astype(float))[0]
    if (outcome * weight).sum() == 0:
        assert math.isnan(own)
    else:
        whole = average_precision_score(np.repeat(outcome, weight), np.repeat(score, weight))
        assert own == pytest.approx(whole)


def kept_one_by_one(outcome, score, weight) -> list[tuple[float, float]]:
    """Return (answers, failures) as one answer after the other is kept, copies together."""
    order = sorted(range(len(score)), key=lambda i: score[i])
    kept = failed = 0
    found = []
    for i in order:
        kept, failed = kept + weight[i], failed + weight[i] * outcome[i]
        found.append((kept, failed))
    return found


@settings(deadline=None)
@given(CASES, st.sampled_from([0.05, 0.2, 0.5, 0.8, 1.0]))
def test_risk_and_failures_avoided_are_those_of_a_loop(cases, share: float) -> None:
    outcome, score, weight = map(list, zip(*cases, strict=True))
    weights = np.array([weight], dtype=float)
    steps = kept_one_by_one(outcome, score, weight)
    total, failures = steps[-1]
    if not total:
        assert math.isnan(risk_draws(outcome, score, weights, share)[0])
        return
    kept, failed = next(step for step in steps if step[0] >= share * total - 1e-9)
    assert risk_draws(outcome, score, weights, share)[0] == pytest.approx(failed / kept)
    assert risk_draws(outcome, score, weights, np.array([share, 1.0])).shape == (1, 2)
    if share < 1 and failures:
        kept, failed = next(s for s in steps if s[0] >= (1 - share) * total - 1e-9)
        avoided = avoided_draws(outcome, score, weights, share)[0]
        assert avoided == pytest.approx(1 - failed / failures)
    area = sum(w * f / k for (k, f), w in zip(steps, np.diff([0, *(s[0] for s in steps)]),
               strict=True) if k)  # fmt: skip
    assert area_draws(outcome, score, weights)[0] == pytest.approx(area / total)


def test_a_score_of_no_use_has_the_plain_risk_and_the_best_less_than_any() -> None:
    rng = np.random.default_rng(0)
    outcome = (rng.random(4000) < 0.3).astype(float)
    ones = np.ones((1, 4000))
    chance = area_draws(outcome, rng.random(4000), ones)[0]
    assert chance == pytest.approx(0.3, abs=0.03)
    assert area_draws(outcome, outcome, ones)[0] < 0.06 < chance
    assert avoided_draws(outcome, outcome, ones, 0.3)[0] > 0.97


def test_the_promise_holds_for_scenes_of_one_kind_and_not_for_others() -> None:
    rng = np.random.default_rng(1)
    limit, risks, shifted = 0.1, [], []

    def drawn(scenes: int, useless: bool = False) -> tuple[np.ndarray, np.ndarray]:
        score = rng.random((scenes, 4))
        chance = np.full_like(score, 0.5) if useless else score**2
        return score, (rng.random((scenes, 4)) < chance).astype(float)

    for _ in range(400):
        threshold = conformal_threshold(*drawn(30), limit)
        for found, useless in ((risks, False), (shifted, True)):
            score, loss = drawn(50, useless)
            found.append((loss * (score <= threshold)).mean())
    assert 0.06 < np.mean(risks) <= limit + 0.005
    assert np.mean(shifted) > 2 * limit


def test_too_few_scenes_promise_nothing() -> None:
    assert conformal_threshold(np.zeros((3, 1)), np.zeros((3, 1)), 0.1) == -math.inf
    assert conformal_threshold(np.zeros((9, 1)), np.zeros((9, 1)), 0.1) == 0
    gaps = np.array([[0.0, np.nan]] * 9)
    assert conformal_threshold(np.zeros((9, 2)), gaps, 0.1) == 0
    assert conformal_threshold(gaps, gaps, 0.1) == 0  # nor has a missing answer a score
