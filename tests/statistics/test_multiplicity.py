"""Holm's correction against statsmodels."""

from __future__ import annotations

import math

import numpy as np
import pytest
from statsmodels.stats.multitest import multipletests

from vlmis_utils.statistics import holm


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
