"""Words follow numbers, in either direction."""

from __future__ import annotations

import math

import pytest

from vlmis_utils import prose


@pytest.mark.parametrize(
    ("value", "text"), [(0.126, "0.13"), (-0.126, "−0.13"), (-0.001, "0.00"), (math.nan, "–")]
)
def test_number(value: float, text: str) -> None:
    assert prose.number(value) == text


def test_estimate_without_interval_is_the_value() -> None:
    assert prose.estimate(0.5, math.nan, math.nan) == "0.50"
    assert prose.estimate(-0.5, -0.6, -0.4, sign=True) == "−0.50 [−0.60, −0.40]"


@pytest.mark.parametrize(
    ("low", "high", "word"),
    [(0.1, 0.2, "up"), (-0.2, -0.1, "down"), (-0.1, 0.1, "same"), (0.0, 0.1, "same"),
     (math.nan, math.nan, "same")],
)  # fmt: skip
def test_direction_needs_an_interval_away_from_zero(low: float, high: float, word: str) -> None:
    assert prose.direction(low, high, "up", "down", "same") == word


def test_strength_names_the_sign_only_when_known() -> None:
    assert prose.strength(0.9, 0.6, 1.0) == "a strong positive correlation"
    assert prose.strength(-0.4, -0.5, -0.3) == "a weak negative correlation"
    assert "zero" in prose.strength(-0.4, -0.8, 0.2)
    assert "computed" in prose.strength(math.nan, math.nan, math.nan)


def test_listing() -> None:
    assert prose.listing(iter(["a", "b", "c"])) == "a, b and c"
    assert prose.listing([], "no condition") == "no condition"
