"""The exchange test against scipy's permutation test, and its error of the first kind."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import scipy.stats

from vlmis_utils.analysis.multiverse import Grid, joint_test


def grid(clean: np.ndarray, worst: np.ndarray) -> Grid:
    """A grid with two conditions from arrays (P, S)."""
    levels = pd.DataFrame({"top_k": [str(p) for p in range(len(clean))]})
    scenes = tuple(str(s) for s in range(clean.shape[1]))
    values = np.stack([clean, worst], axis=1).astype(float)
    return Grid("v", "hr", ("clean", "LL3"), scenes, levels, values, np.array([False, False]))


def test_one_specification_is_a_paired_permutation_test() -> None:
    rng = np.random.default_rng(0)
    clean = rng.random((1, 10))
    worst = clean + rng.normal(0.1, 0.2, (1, 10))
    exact = scipy.stats.permutation_test(
        (worst[0], clean[0]), lambda a, b, axis: a.mean(axis) - b.mean(axis),
        permutation_type="samples", n_resamples=np.inf, vectorized=True,
    )  # fmt: skip
    found = joint_test([grid(clean, worst)], resamples=8000).iloc[0]
    assert found["median"] == pytest.approx((worst - clean).mean())
    assert found.p == pytest.approx(exact.pvalue, abs=0.02)


def test_several_specifications_against_a_loop() -> None:
    rng = np.random.default_rng(1)
    clean, worst = rng.random((2, 5, 8))
    clean[2, 3], worst[4, :2] = np.nan, np.nan
    found = joint_test([grid(clean, worst)], resamples=300, seed=7).iloc[0]

    def median(swap: np.ndarray) -> float:
        a, b = np.where(swap, worst, clean), np.where(swap, clean, worst)
        return float(np.median(np.nanmean(b, 1) - np.nanmean(a, 1)))

    swaps = np.random.default_rng(7).integers(0, 2, (300, 8)).astype(bool)
    observed = median(np.zeros(8, bool))
    far = [abs(median(s)) >= abs(observed) - 1e-12 for s in swaps]
    assert found["median"] == pytest.approx(observed)
    assert found.p == pytest.approx((1 + sum(far)) / 301)


def test_it_rejects_about_five_percent_without_an_effect() -> None:
    rng = np.random.default_rng(3)
    made = []
    for _ in range(300):
        scene = rng.random((1, 20))
        both = rng.random((2, 4, 20)) < 0.2 + 0.6 * scene
        made.append(grid(*(both | both[:, :1])))
    p = joint_test(made, resamples=199).p
    assert 0.005 <= (p <= 0.05).mean() <= 0.085


def test_nothing_moves_nothing_found_and_no_clean_no_test() -> None:
    same = np.ones((3, 6))
    found = joint_test([grid(same, same)], resamples=50).iloc[0]
    assert found.p == 1 and found["median"] == 0 and found.p_holm == 1
    only = grid(same, same)
    dark = Grid("v", "hr", ("LL1", "LL3"), only.scenes, only.levels, only.values, only.hidden)
    assert joint_test([dark]).empty
