"""Paired tests against enumeration, permutation, scipy, statsmodels and pingouin."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pandas as pd
import pingouin
import pytest
from scipy import stats
from statsmodels.stats import contingency_tables
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

from vlmis_utils.core.errors import UserError
from vlmis_utils.statistics import cochran_q, holm, mcnemar, mcnemar_p, paired_effect


def failures(seed: int, scenes: int, rates: tuple[float, ...]) -> np.ndarray:
    """Failures (scenes, conditions) that depend on the scene."""
    rng = np.random.default_rng(seed)
    hard = rng.normal(size=(scenes, 1))
    return (hard + rng.normal(size=(scenes, len(rates))) < stats.norm.ppf(rates) * 1.4).astype(
        float
    )


# McNemar ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("flips", [1, 5, 10])
def test_mcnemar_p_counts_all_outcomes(flips: int) -> None:
    """Under the null all 2^m ways to flip are equally likely; p is the share as lopsided."""
    ways = np.array(list(itertools.product((0, 1), repeat=flips))).sum(axis=1)
    for up in range(flips + 1):
        lopsided = np.abs(ways - flips / 2) >= abs(up - flips / 2)
        assert mcnemar_p(up, flips - up) == pytest.approx(lopsided.mean())


def test_mcnemar_p_is_binomtests_for_many_at_once() -> None:
    up, down = np.meshgrid(np.arange(13), np.arange(40))
    got = mcnemar_p(up, down)
    for index in np.ndindex(got.shape):
        total = int(up[index] + down[index])
        expected = stats.binomtest(int(up[index]), total).pvalue if total else 1.0
        assert got[index] == pytest.approx(expected)
    assert np.array_equal(got, mcnemar_p(down, up))


@pytest.mark.parametrize("seed", range(4))
def test_mcnemar_matches_statsmodels_and_pingouin(seed: int) -> None:
    before, after = failures(seed, 60, (0.3, 0.5)).T
    got = mcnemar(before, after)
    table = pd.crosstab(before, after)
    assert (got["destructive"], got["corrective"]) == (table.loc[0, 1], table.loc[1, 0])
    assert got["p"] == pytest.approx(contingency_tables.mcnemar(table, exact=True).pvalue)
    frame = pd.DataFrame({"before": before.astype(int), "after": after.astype(int)})
    row = pingouin.chi2_mcnemar(frame, "before", "after")[1].iloc[0]
    assert got["p"] == pytest.approx(row["p_exact"])
    assert got["difference"] == pytest.approx(after.mean() - before.mean())
    total = got["destructive"] + got["corrective"]
    assert got["g"] == pytest.approx(got["destructive"] / total - 0.5)
    low, high = proportion_confint(got["destructive"], total, method="beta")
    assert got["odds"] == pytest.approx(got["destructive"] / got["corrective"])
    assert (got["odds_low"], got["odds_high"]) == pytest.approx(
        (low / (1 - low), high / (1 - high))
    )


def test_interval_of_the_odds_agrees_with_the_test() -> None:
    """Clopper and Pearson invert the two one-sided tests: 1 is outside just where p <= 0.05."""
    for up, down in itertools.product(range(16), range(16)):
        if up + down:
            before = np.r_[np.zeros(up), np.ones(down)]
            got = mcnemar(before, 1 - before)
            outside = got["odds_low"] > 1 or got["odds_high"] < 1
            assert outside == (got["p"] < 0.05)


def test_mcnemar_turns_round_with_its_arguments() -> None:
    before, after = failures(3, 40, (0.2, 0.6)).T
    there, back = mcnemar(before, after), mcnemar(after, before)
    assert there["p"] == back["p"] and there["g"] == pytest.approx(-back["g"])
    assert there["odds"] == pytest.approx(1 / back["odds"])
    assert there["odds_low"] == pytest.approx(1 / back["odds_high"])


def test_mcnemar_without_flips_and_with_flips_one_way() -> None:
    same = mcnemar([0, 1, 1], [0, 1, 1])
    assert (same["p"], same["difference"], same["reason"]) == (1.0, 0.0, "no scene is discordant")
    assert math.isnan(same["g"]) and math.isnan(same["odds"])
    up = mcnemar([0, 0, 0], [1, 1, 1])
    assert up["odds"] == math.inf == up["odds_high"] and up["odds_low"] > 0 and up["g"] == 0.5
    down = mcnemar([1, 1], [0, 0])
    assert down["odds"] == 0 == down["odds_low"] and down["odds_high"] < math.inf


def test_mcnemar_leaves_out_missing_scenes_and_refuses_shares() -> None:
    got = mcnemar([0, math.nan, 1, 0], [1, 1, math.nan, 0])
    assert (got["n"], got["destructive"], got["corrective"]) == (2, 1, 0)
    none = mcnemar([math.nan], [1])
    assert none["n"] == 0 and math.isnan(none["p"]) and none["reason"]
    with pytest.raises(UserError, match="1 or 0, got 0.5"):
        mcnemar([0.5, 1], [1, 1])
    with pytest.raises(UserError, match="2 and 1 values"):
        mcnemar([0, 1], [1])


# Cochran ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(4))
def test_cochran_matches_statsmodels_and_friedman(seed: int) -> None:
    table = failures(seed, 50, (0.3, 0.4, 0.5))
    got = cochran_q(table)
    expected = contingency_tables.cochrans_q(table)
    assert (got["q"], got["p"]) == pytest.approx((expected.statistic, expected.pvalue))
    friedman = stats.friedmanchisquare(*table.T)
    assert (got["q"], got["p"]) == pytest.approx((friedman.statistic, friedman.pvalue))
    assert got["dof"] == 2 and got["reason"] == ""
    assert got["eta2"] == pytest.approx(got["q"] / 100)


def test_cochran_matches_a_permutation_test() -> None:
    """Under the null the conditions of a scene can change places."""
    table = failures(7, 60, (0.35, 0.45, 0.55))
    got = cochran_q(table)
    rng = np.random.default_rng(0)
    shuffled = rng.permuted(np.broadcast_to(table, (4000, *table.shape)), axis=2)
    spread = np.var(shuffled.sum(axis=1), axis=1)  # Q grows with the spread of the column sums
    p = np.mean(spread >= np.var(table.sum(axis=0)) - 1e-9)
    assert 0.001 < got["p"] < 0.2
    assert got["p"] == pytest.approx(p, abs=0.012)


def test_cochran_of_two_conditions_is_mcnemar_without_correction() -> None:
    table = failures(2, 60, (0.3, 0.5))
    frame = pd.crosstab(*table.T)
    expected = contingency_tables.mcnemar(frame, exact=False, correction=False)
    assert cochran_q(table)["p"] == pytest.approx(expected.pvalue)


def test_cochran_counts_what_matters_and_ignores_order() -> None:
    table = failures(5, 40, (0.3, 0.4, 0.6))
    got = cochran_q(table)
    sums = table.sum(axis=1)
    assert got["informative"] == np.sum((sums > 0) & (sums < 3))
    assert cochran_q(table[::-1, [2, 0, 1]])["q"] == pytest.approx(got["q"])
    with_constant_scenes = np.vstack([table, np.ones((9, 3)), np.zeros((9, 3))])
    assert cochran_q(with_constant_scenes)["q"] == pytest.approx(got["q"])
    assert cochran_q(np.tile([0, 0, 1], (10, 1)))["eta2"] == pytest.approx(1)


def test_cochran_says_why_it_cannot() -> None:
    same = cochran_q(np.ones((5, 3)))
    assert same["p"] == 1.0 and math.isnan(same["q"]) and "no scene differs" in same["reason"]
    few = cochran_q(np.array([[0, 1, 1], [0, 0, 1]]))
    assert math.isnan(few["p"]) and "2 scenes and 3 conditions" in few["reason"]
    assert "at least 3 and 2" in cochran_q(np.ones((5, 1)))["reason"]
    rough = cochran_q(np.array([[0, 1, 1], [0, 0, 1], [1, 1, 1], [0, 0, 1]]))
    assert rough["p"] < 1 and "rough" in rough["reason"]
    assert cochran_q(np.vstack([failures(1, 30, (0.3, 0.5)), [[math.nan, 1]]]))["n"] == 30
    with pytest.raises(UserError, match="scenes x conditions"):
        cochran_q(np.ones(4))
    with pytest.raises(UserError, match="got 2"):
        cochran_q(np.full((4, 3), 2.0))


# Continuous ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(3))
def test_paired_effect_matches_pingouin_and_scipy(seed: int) -> None:
    rng = np.random.default_rng(seed)
    before = rng.random(40)
    after = np.where(rng.random(40) < 0.3, before, before + rng.normal(0.1, 0.3, 40))
    got = paired_effect(before, after)
    test = pingouin.ttest(after, before, paired=True).iloc[0]
    assert got["d_z"] == pytest.approx(test["T"] / math.sqrt(40))
    peer = stats.wilcoxon(after - before, correction=True, method="asymptotic")
    assert got["p"] == pytest.approx(peer.pvalue)
    change = (after - before)[after != before]
    ranks = stats.rankdata(np.abs(change))
    expected = (ranks[change > 0].sum() - ranks[change < 0].sum()) / ranks.sum()
    assert got["rank_biserial"] == pytest.approx(expected)
    assert (got["rising"], got["falling"]) == ((change > 0).sum(), (change < 0).sum())
    assert got["difference"] == pytest.approx((after - before).mean())
    back = paired_effect(after, before)
    assert back["d_z"] == pytest.approx(-got["d_z"]) and back["p"] == pytest.approx(got["p"])


def test_paired_effect_of_few_distinct_changes_is_exact() -> None:
    """All eight ways to sign three changes; ranks 1, 2, 3 all positive is the extreme one."""
    assert paired_effect(np.zeros(3), [0.1, 0.2, 0.3])["p"] == pytest.approx(2 / 8)


@pytest.mark.parametrize("seed", range(3))
def test_paired_effect_matches_a_permutation_test(seed: int) -> None:
    """Under the null every change could as well have the other sign."""
    rng = np.random.default_rng(seed)
    change = rng.normal(0.3, 1, 60)
    got = paired_effect(np.zeros(60), change)
    ranks = stats.rankdata(np.abs(change))
    signs = rng.choice((-1, 1), size=(20_000, 60))
    p = np.mean(np.abs(signs @ ranks) >= abs(np.sign(change) @ ranks))
    assert got["p"] == pytest.approx(p, abs=0.012)


def test_paired_effect_takes_equal_sizes_as_ties() -> None:
    """0.3 - 0.2 and 0.2 - 0.1 differ in the last bit and share a rank all the same."""
    got = paired_effect([0.2, 0.1, 0.5], [0.3, 0.2, 0.4])
    assert got["rank_biserial"] == pytest.approx(1 / 3)


def test_paired_effect_of_no_change_and_of_too_few() -> None:
    same = paired_effect([0.1, 0.2], [0.1, 0.2])
    assert same["p"] == 1.0 and same["difference"] == 0 and same["reason"] == "no scene changes"
    alike = paired_effect(np.zeros(5), np.full(5, 0.2))
    assert math.isnan(alike["d_z"]) and alike["rank_biserial"] == 1 and "alike" in alike["reason"]
    few = paired_effect([0.1, math.nan], [0.2, 0.3])
    assert few["n"] == 1 and math.isnan(few["p"]) and "at least 2" in few["reason"]


def test_holm_matches_statsmodels() -> None:
    p = np.random.default_rng(0).random(12) ** 3
    adjusted, reject = holm(p)
    expected = multipletests(p, alpha=0.05, method="holm")
    assert adjusted == pytest.approx(expected[1])
    assert np.array_equal(reject, expected[0])


def test_holm_leaves_missing_tests_out() -> None:
    adjusted, reject = holm([0.01, math.nan, 0.03])
    assert adjusted[[0, 2]] == pytest.approx([0.02, 0.03]) and math.isnan(adjusted[1])
    assert reject.tolist() == [True, False, True]
    empty, none = holm([math.nan])
    assert math.isnan(empty[0]) and not none[0]
