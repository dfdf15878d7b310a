"""The rule by which claims are judged: cells to verdicts."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from vlmis_utils.analysis.claims.decision import (
    QUANTIFIERS,
    Cell,
    above,
    judge,
    negative,
    verdict,
    within,
)
from vlmis_utils.analysis.claims.quantities import Printed
from vlmis_utils.core.errors import UserError
from vlmis_utils.statistics import correlation, fisher_interval


def cells(values: list[float]) -> list[Cell]:
    return [Cell("m", str(i), value, 0.1) for i, value in enumerate(values)]


@pytest.mark.parametrize(
    ("quantifier", "values", "expected"),
    [
        ("every", [1, 1, 1], "supported"),
        ("every", [1, 1, -1], "contradicted"),
        ("every", [1, 1, 0], "not decidable"),
        ("most", [1, 1, 0], "supported"),
        ("most", [-1, -1, 0], "contradicted"),
        ("most", [1, -1], "not decidable"),
        ("some", [0, 0, 1], "supported"),
        ("some", [-1, -1, -1], "contradicted"),
        ("some", [-1, -1, 0], "not decidable"),
        ("several", [1, 1, -1], "supported"),
        ("several", [1, -1, -1], "contradicted"),
        ("several", [1, 0, -1], "not decidable"),
        ("both ways", [1, -1, 0], "supported"),
        ("both ways", [1, 1], "contradicted"),
        ("both ways", [1, 0], "not decidable"),
    ],
)
def test_quantifiers(quantifier: str, values: list[float], expected: str) -> None:
    assert verdict(judge(cells(values)), quantifier) == expected


@pytest.mark.parametrize("quantifier", QUANTIFIERS)
def test_no_number_decides_nothing(quantifier: str) -> None:
    assert verdict(judge([]), quantifier) == "not decidable"
    unknown = judge([Cell("m", "x", math.nan, math.nan)])
    assert verdict(unknown, quantifier) == "not decidable"


def test_an_unknown_quantifier_is_named() -> None:
    with pytest.raises(UserError, match="did you mean 'most'"):
        verdict(judge([]), "mosst")


def test_p_is_that_of_a_z_test() -> None:
    assert Cell("m", "x", 0.196, 0.1).p == pytest.approx(2 * stats.norm.sf(1.96))
    assert Cell("m", "x", 0.3).p == 0 and Cell("m", "x", 0.0).p == 1


def test_more_cells_ask_for_more_evidence() -> None:
    assert judge(cells([0.22])).verdict.tolist() == ["supports"]
    assert judge(cells([0.22] + [0.0] * 20)).verdict[0] == "open"


def test_true_nulls_are_rejected_in_few_claims() -> None:
    rng = np.random.default_rng(0)
    wrong = sum(
        verdict(judge(cells(list(0.1 * rng.normal(size=9)))), "some") == "supported"
        for _ in range(2000)
    )
    assert wrong / 2000 < 0.035  # half of 5 %: the other half errs the other way


def test_within_follows_fishers_interval() -> None:
    rng = np.random.default_rng(1)
    for n, bound in ((10, 0.5), (200, 0.5), (200, 0.3)):
        x = rng.normal(size=n)
        found = correlation(x, 0.1 * x + rng.normal(size=n))
        cell = within("m", "x", found, bound)
        low, high = fisher_interval(abs(found["r"]), n)
        told = judge([cell]).verdict[0]
        assert told == ("supports" if high < bound else "contradicts" if low > bound else "open")
    assert math.isnan(within("m", "x", {"r": math.nan, "n": 10}, 0.5).p)


def test_negative_is_the_test_that_scipy_makes() -> None:
    rng = np.random.default_rng(2)
    x = rng.normal(size=300)
    y = -0.15 * x + rng.normal(size=300)
    cell = negative("m", "x", correlation(x, y))
    assert cell.value > 0 and cell.p == pytest.approx(stats.pearsonr(x, y).pvalue, rel=0.05)


def test_above_subtracts_the_bound() -> None:
    assert above("m", "x", Printed(0.8, 0.1), 0.7).value == pytest.approx(0.1)
