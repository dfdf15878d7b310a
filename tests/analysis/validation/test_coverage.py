"""The simulated studies have the truth that they claim."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from vlmis_utils.analysis.validation import coverage, error_rates
from vlmis_utils.metrics.miou_intervals import (
    bootstrap_miou,
    bootstrap_miou_change,
    jackknife_miou,
    jackknife_miou_change,
)
from vlmis_utils.metrics.segmentation import miou
from vlmis_utils.statistics import cochran_q, mcnemar_power


def test_flips_have_their_chances() -> None:
    changes = coverage.make_changes(np.random.default_rng(0), 0.3, 0.1, 100, 2000)
    assert changes.shape == (100, 2000) and set(np.unique(changes)) == {-1, 0, 1}
    assert (changes == 1).mean() == pytest.approx(0.3, abs=0.005)
    assert (changes == -1).mean() == pytest.approx(0.1, abs=0.005)


def test_pairs_have_their_correlation_and_ranks_theirs() -> None:
    x, y = coverage.make_pairs(np.random.default_rng(0), 0.6, 50_000, 2)
    assert coverage.pearson(x, y) == pytest.approx([0.6, 0.6], abs=0.01)
    ranks = coverage.pearson(coverage.ranks(x), coverage.ranks(y))
    assert ranks[0] == pytest.approx(stats.spearmanr(x[:, 0], y[:, 0]).statistic)
    assert ranks == pytest.approx(6 / np.pi * np.arcsin(0.3) * np.ones(2), abs=0.01)


def test_confusions_keep_pixels_and_lose_quality() -> None:
    counts = coverage.make_confusions(300, 6)
    assert (counts >= 0).all()
    assert np.array_equal(counts[:, 0].sum(-1), counts[:, 1].sum(-1))
    clean, degraded = miou(counts.sum(axis=0))
    assert 0.3 < degraded < clean < 0.95
    held = (counts[:, 0].sum(-1) > 0).mean(axis=0)
    assert held[0] == 1 and held[-1] == pytest.approx(0.3, abs=0.1)
    assert np.array_equal(counts, coverage.make_confusions(300, 6))


def test_a_change_of_shares_has_the_mean_that_its_row_claims() -> None:
    """Half of the scenes take the square root of a new share in place of the old one."""
    rng = np.random.default_rng(1)
    before, after = rng.beta(0.5, 1.5, (2, 1_000_000))
    row = coverage.coverage(scenes=20, replicates=10, resamples=20).set_index("of")
    claimed = row.truth["change of a mean like HR"]
    assert claimed == pytest.approx(0.5 * (np.sqrt(after).mean() - before.mean()), abs=0.002)


def test_coverage_of_miou_is_that_of_a_plain_loop() -> None:
    population = coverage.make_confusions(40, 4)
    got = coverage.coverage_miou(population, scenes=15, replicates=60, resamples=50, seed=3)
    truth = miou(population.sum(axis=0))
    rng, held = np.random.default_rng([3, 2]), np.zeros(4)
    for start, size in ((0, 50), (50, 10)):
        drawn = population[rng.integers(0, 40, (15, size))]
        for study in range(size):
            options = {"resamples": 50, "seed": 3 + start}
            clean = drawn[:, study, 0]
            level = bootstrap_miou(clean, **options), jackknife_miou(clean)
            loss = (
                bootstrap_miou_change(drawn[:, study], **options),
                jackknife_miou_change(drawn[:, study]),
            )
            held[:2] += [one.low <= truth[0] <= one.high for one in level]
            held[2:] += [one.low[1] <= truth[0] - truth[1] <= one.high[1] for one in loss]
    assert got.coverage.to_numpy() == pytest.approx(held / 60)
    assert got.truth.to_numpy() == pytest.approx(np.repeat([truth[0], truth[0] - truth[1]], 2))


def test_the_batch_of_cochran_tests_is_cochran_q() -> None:
    failed = np.random.default_rng(0).random((3, 30, 5)) < 0.4
    got = error_rates._cochran(failed)
    assert got == pytest.approx([cochran_q(failed[..., i].T)["p"] for i in range(5)])


def test_promised_power_is_that_of_the_formula() -> None:
    found = error_rates.powers(scenes=40, pairs=8, replicates=50)
    assert found.promised[0] == mcnemar_power(0.1, 0.2, 40)
    assert set(found.n) == {40, 8}
