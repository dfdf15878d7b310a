"""Numbers of the run against a direct bootstrap, printed ones against the worst case by search."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vlmis_utils.analysis.claims.quantities import Drawn, Printed, mean, printed_share


def test_a_drawn_difference_keeps_the_pairing() -> None:
    rng = np.random.default_rng(0)
    scene = rng.normal(size=2000)
    one, other = Drawn(scene), Drawn(scene + 0.01 * rng.normal(size=2000))
    assert one.error == pytest.approx(scene[1:].std(ddof=1))
    assert (one - other).error < 0.02 * one.error
    assert (one + other).value == pytest.approx(2 * scene[0], abs=0.1)


def test_drawn_ratios_leave_zero_out() -> None:
    ratio = Drawn(np.array([4.0, 1.0, 3.0, 2.0])) / Drawn(np.array([2.0, 0.0, 1.0, 4.0]))
    assert ratio.value == 2 and ratio.error == pytest.approx(np.std([3, 0.5], ddof=1))
    assert math.isnan(Drawn(np.array([1.0, math.nan])).error)


@given(st.floats(-1, 1), st.floats(0.01, 1), st.floats(0.01, 1))
def test_printed_errors_are_at_least_those_of_any_dependence(
    rho: float, one: float, other: float
) -> None:
    worst = (Printed(0.4, one) - Printed(0.1, other)).error
    assert worst >= math.sqrt(max(one**2 + other**2 - 2 * rho * one * other, 0)) - 1e-12


def test_a_printed_share_has_the_error_of_a_share() -> None:
    rng = np.random.default_rng(1)
    means = (rng.random((20000, 50)) < 0.3).mean(axis=1)
    assert printed_share(0.3, 50).error == pytest.approx(means.std(), rel=0.02)
    beta = rng.beta(0.6, 1.4, size=(20000, 50)).mean(axis=1)  # mean 0.3, inside [0, 1]
    assert printed_share(0.3, 50).error > beta.std()
    assert printed_share(1.0, 50).error > 0


def test_a_printed_ratio_is_right_to_first_order() -> None:
    rng = np.random.default_rng(2)
    a, b = 0.6 + 0.01 * rng.normal(size=50000), 0.8 - 0.02 * rng.normal(size=50000)
    assert (Printed(0.6, 0.01) / Printed(0.8, 0.02)).error >= (a / b).std()
    assert math.isnan((Printed(0.6, 0.01) / Printed(0.0)).value)


def test_a_mean_is_the_mean() -> None:
    found = mean([Printed(0.2, 0.1), Printed(0.4, 0.3)])
    assert (found.value, found.error) == (pytest.approx(0.3), pytest.approx(0.2))
