"""Power and sample size against enumeration, simulation, statsmodels and published formulas."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from vlmis_utils.core.errors import UserError
from vlmis_utils.statistics import (
    correlation_power,
    detectable_change,
    detectable_correlation,
    half_width,
    mcnemar_p,
    mcnemar_power,
    rate_interval,
    scenes_needed,
)


@pytest.mark.parametrize(("method", "peer"), [("wilson", "wilson"), ("clopper-pearson", "beta")])
@pytest.mark.parametrize(("failed", "scenes"), [(0, 10), (3, 10), (25, 50), (100, 100), (1, 500)])
def test_rate_interval_matches_statsmodels(
    method: str, peer: str, failed: int, scenes: int
) -> None:
    expected = proportion_confint(failed, scenes, method=peer)
    assert rate_interval(failed, scenes, method) == pytest.approx(expected, abs=1e-9)
    width = half_width(failed / scenes, scenes, method)
    assert width == pytest.approx((expected[1] - expected[0]) / 2)


def test_rate_interval_refuses_what_is_no_rate() -> None:
    with pytest.raises(UserError, match="did you mean 'wilson'"):
        rate_interval(1, 2, "wilsn")
    with pytest.raises(UserError, match="got 3 of 2"):
        rate_interval(3, 2)
    with pytest.raises(UserError, match="got 0 of 0"):
        rate_interval(0, 0)


@pytest.mark.parametrize(("change", "flips"), [(0.0, 0.5), (0.4, 0.6), (-0.7, 0.7)])
def test_mcnemar_power_counts_every_outcome(change: float, flips: float) -> None:
    """Nine scenes: the chance of every pair of counts, added where the test rejects."""
    chance = ((flips + change) / 2, (flips - change) / 2, 1 - flips)
    power = sum(
        stats.multinomial.pmf([up, down, 9 - up - down], 9, chance)
        for up, down in itertools.product(range(10), repeat=2)
        if up + down <= 9 and mcnemar_p(up, down) <= 0.05
    )
    assert mcnemar_power(change, flips, 9) == pytest.approx(power)


@pytest.mark.parametrize(("change", "flips", "scenes"), [(0.1, 0.2, 100), (0.2, 0.5, 50)])
def test_mcnemar_power_matches_simulation(change: float, flips: float, scenes: int) -> None:
    chance = ((flips + change) / 2, (flips - change) / 2, 1 - flips)
    drawn = np.random.default_rng(0).multinomial(scenes, chance, size=100_000)
    found = np.mean(mcnemar_p(drawn[:, 0], drawn[:, 1]) <= 0.05)
    assert mcnemar_power(change, flips, scenes) == pytest.approx(found, abs=0.006)


def test_mcnemar_power_grows_and_is_the_level_without_a_change() -> None:
    powers = [mcnemar_power(change, 0.3, 80) for change in np.linspace(0, 0.3, 12)]
    assert np.all(np.diff(powers) > 0) and powers[0] <= 0.05
    assert mcnemar_power(-0.1, 0.3, 80) == pytest.approx(mcnemar_power(0.1, 0.3, 80))
    assert mcnemar_power(0.1, 0.3, 400) > mcnemar_power(0.1, 0.3, 80)
    with pytest.raises(UserError, match="cannot change by 0.4"):
        mcnemar_power(0.4, 0.3, 80)
    with pytest.raises(UserError, match="discordant"):
        mcnemar_power(0.0, 0.0, 80)


def test_detectable_change_has_the_power_that_was_asked_for() -> None:
    for scenes, flips, power in ((50, 0.3, 0.8), (100, 0.1, 0.8), (500, 0.4, 0.9)):
        change = detectable_change(scenes, flips, power)
        assert mcnemar_power(change, flips, scenes) == pytest.approx(power, abs=1e-3)
    assert math.isnan(detectable_change(50, 0.1))
    assert mcnemar_power(0.1, 0.1, 50) < 0.8


def connor(change: float, flips: float) -> float:
    z = stats.norm.ppf([0.975, 0.8])
    return (z[0] * math.sqrt(flips) + z[1] * math.sqrt(flips - change**2)) ** 2 / change**2


@pytest.mark.parametrize(("change", "flips"), [(0.1, 0.1), (0.1, 0.2), (0.15, 0.4), (0.3, 0.4)])
def test_scenes_needed_is_the_first_that_suffices(change: float, flips: float) -> None:
    needed = scenes_needed(change, flips)
    powers = [mcnemar_power(change, flips, n) for n in range(1, needed + 1)]
    assert powers[-1] >= 0.8 and max(powers[:-1]) < 0.8
    assert connor(change, flips) <= needed <= 1.15 * connor(change, flips) + 2
    assert mcnemar_power(change, flips, math.ceil(connor(change, flips))) > 0.75


def test_scenes_needed_wants_a_change() -> None:
    with pytest.raises(UserError, match="change of 0"):
        scenes_needed(0.0, 0.2)
    with pytest.raises(UserError, match="cannot change"):
        scenes_needed(0.3, 0.2)


@pytest.mark.parametrize(("r", "pairs"), [(0.3, 100), (0.7, 10), (0.0, 20)])
def test_correlation_power_matches_simulation(r: float, pairs: int) -> None:
    rng = np.random.default_rng(1)
    x, noise = rng.normal(size=(2, pairs, 20_000))
    found = stats.pearsonr(x, r * x + math.sqrt(1 - r * r) * noise, axis=0).pvalue <= 0.05
    assert correlation_power(r, pairs) == pytest.approx(found.mean(), abs=0.015)


def test_detectable_correlation_inverts_the_power() -> None:
    for pairs in (10, 50, 100, 1000):
        assert correlation_power(detectable_correlation(pairs), pairs) == pytest.approx(0.8)
    assert math.isnan(detectable_correlation(4)) and math.isnan(correlation_power(0.5, 4))


@pytest.mark.parametrize(("r", "pairs"), [(0.1, 783), (0.3, 85), (0.5, 28)])
def test_detectable_correlation_gives_cohens_sample_sizes(r: float, pairs: int) -> None:
    """Cohen (Psychological Bulletin 112, 1992), Table 2: small, medium, large, 80 % power."""
    assert detectable_correlation(pairs) == pytest.approx(r, abs=0.004)
