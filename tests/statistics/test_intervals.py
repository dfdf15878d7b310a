"""Intervals and tests from resamples: by hand, and against each other."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from vlmis_utils.core.errors import UserError
from vlmis_utils.statistics.intervals import SCALES, from_draws, interval_sign, jackknife_reach


@pytest.mark.parametrize("scale", SCALES)
def test_the_interval_by_hand(scale: str) -> None:
    rng = np.random.default_rng(0)
    draws = np.clip(0.6 + 0.1 * rng.normal(size=1001), 0.01, 0.99)
    found = from_draws(draws, 30, scale)
    assert found.value == pytest.approx(draws[0])
    if scale == "percentile":
        expected = np.quantile(draws[1:], [0.025, 0.975])
    else:
        forth, back = {
            "z": (np.arctanh, np.tanh),
            "logit": (lambda a: np.log(a / (1 - a)), lambda b: 1 / (1 + np.exp(-b))),
            "raw": (np.array, np.array),
        }[scale]
        error = np.std(forth(draws[1:]), ddof=1) * np.sqrt(30 / 29)
        reach = stats.t(29).ppf(0.975) * error
        expected = back(forth(draws[0]) + np.array([-reach, reach]))
    np.testing.assert_allclose([found.low, found.high], expected)


def test_interval_and_p_agree() -> None:
    rng = np.random.default_rng(1)
    draws = 0.2 * rng.normal(size=200) + 0.1 * rng.normal(size=(501, 200))
    for scale, null in (("z", 0.0), ("raw", 0.0), ("logit", 0.5)):
        found = from_draws(draws + null, 50, scale)
        outside = (found.low > null) | (found.high < null)
        np.testing.assert_array_equal(outside, found.p < 0.05)


def test_percentile_p_counts_both_tails() -> None:
    draws = np.r_[0.3, np.full(97, 0.2), -0.1, -0.2]
    assert from_draws(draws, 20, "percentile").p == pytest.approx(2 * 3 / 100)
    assert from_draws(-draws, 20, "percentile").p == pytest.approx(2 * 3 / 100)


def test_too_little_to_go_on_gives_nan() -> None:
    draws = np.full((11, 3), 0.4)
    draws[2:9, 0] = np.nan
    draws[0, 1] = np.nan
    found = from_draws(draws, np.array([20, 20, 2]))
    assert np.isnan(found.low).all() and np.isnan(found.p).all()
    assert found.value[2] == pytest.approx(0.4)


def test_an_unknown_scale_is_refused() -> None:
    with pytest.raises(UserError, match="did you mean 'percentile'"):
        from_draws(np.zeros(3), 5, "percentil")


def test_the_sign_of_an_interval() -> None:
    low, high = np.array([0.1, 0.0, -0.3, -0.2, np.nan]), np.array([0.4, 0.2, -0.1, 0.2, np.nan])
    assert interval_sign(low, high).tolist() == [1, 0, -1, 0, 0]
    assert int(interval_sign(-0.2, -0.1)) == -1
    np.testing.assert_array_equal(interval_sign(-high, -low), -interval_sign(low, high))


def test_the_jackknife_of_a_mean_is_students_interval() -> None:
    values = np.random.default_rng(0).normal(size=30)
    left_out = np.array([np.delete(values, i).mean() for i in range(30)])[:, None]
    expected = stats.ttest_1samp(values, 0).confidence_interval(0.9)
    reach = jackknife_reach(left_out, 0.9)[0]
    assert (values.mean() - reach, values.mean() + reach) == pytest.approx(tuple(expected))
    assert np.isnan(jackknife_reach(left_out[:1])).all()
