"""Words follow numbers, in either direction."""

from __future__ import annotations

import math

import pytest

from vlmis_utils.core import formatting


@pytest.mark.parametrize(
    ("value", "text"), [(0.126, "0.13"), (-0.126, "−0.13"), (-0.001, "0.00"), (math.nan, "–")]
)
def test_number(value: float, text: str) -> None:
    assert formatting.number(value) == text


def test_estimate_without_interval_is_the_value() -> None:
    assert formatting.estimate(0.5, math.nan, math.nan) == "0.50"
    assert formatting.estimate(-0.5, -0.6, -0.4, sign=True) == "−0.50 [−0.60, −0.40]"


@pytest.mark.parametrize(
    ("low", "high", "word"),
    [(0.1, 0.2, "up"), (-0.2, -0.1, "down"), (-0.1, 0.1, "same"), (0.0, 0.1, "same"),
     (math.nan, math.nan, "same")],
)  # fmt: skip
def test_direction_needs_an_interval_away_from_zero(low: float, high: float, word: str) -> None:
    assert formatting.direction(low, high, "up", "down", "same") == word


def test_strength_names_the_sign_only_when_known() -> None:
    assert formatting.strength(0.9, 0.6, 1.0) == "a strong positive correlation"
    assert formatting.strength(-0.4, -0.5, -0.3) == "a weak negative correlation"
    assert "zero" in formatting.strength(-0.4, -0.8, 0.2)
    assert "computed" in formatting.strength(math.nan, math.nan, math.nan)


def test_listing() -> None:
    assert formatting.listing(iter(["a", "b", "c"])) == "a, b and c"
    assert formatting.listing([], "no condition") == "no condition"
