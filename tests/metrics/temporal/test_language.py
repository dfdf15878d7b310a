"""Measures over time: known cases, invariances, and scipy for the slope."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import linregress

from vlmis_utils.metrics.temporal import language

TABLES = st.tuples(st.integers(2, 9), st.integers(1, 4)).flatmap(
    lambda shape: st.tuples(arrays(bool, shape), arrays(bool, shape))
)


@given(TABLES)
def test_flicker_counts_changes_that_the_truth_does_not_make(pair: tuple) -> None:
    said, real = pair
    same = changed = 0
    for k in range(said.shape[1]):
        for n in range(1, len(said)):
            if real[n, k] == real[n - 1, k]:
                same += 1
                changed += said[n, k] != said[n - 1, k]
    found = language.flicker(said, real)
    assert found == pytest.approx(changed / same) if same else np.isnan(found)


@given(TABLES)
def test_flicker_is_the_same_backwards(pair: tuple) -> None:
    said, real = pair
    assert language.flicker(said, real) == pytest.approx(
        language.flicker(said[::-1], real[::-1]), nan_ok=True
    )


@given(TABLES)
def test_every_invented_mention_is_in_one_hallucination(pair: tuple) -> None:
    said, real = pair
    assert sum(n for n, _ in language.hallucinations(said, real)) == (said & ~real).sum()


def test_a_hallucination_that_becomes_true_is_cut_off() -> None:
    said, real = np.ones((4, 1), bool), np.array([[0], [0], [1], [1]], bool)
    assert language.hallucinations(said, real) == [(2, False)]


@given(TABLES)
def test_waits_are_part_of_the_time_missed(pair: tuple) -> None:
    said, real = pair
    waited = sum(n for n, _ in language.latency(said, real))
    missed = language.missed(said, real)
    assert waited <= (real & ~said).sum()
    assert np.isnan(missed) == (not real.any())


def test_who_always_says_unsafe_has_no_lag_and_who_never_does_waits_to_the_end() -> None:
    safe = np.array([1, 1, 0, 0, 0, 1, 0], bool)
    assert language.safety_lag(np.ones(7, bool), safe) == [(0, True), (0, True)]
    assert language.safety_lag(np.zeros(7, bool), safe) == [(3, False), (1, False)]


def test_a_drive_that_begins_unsafe_has_no_change_there() -> None:
    assert language.safety_lag(np.zeros(3, bool), np.zeros(3, bool)) == []


def test_exposure() -> None:
    said_safe, safe = np.array([1, 1, 0, 0], bool), np.array([1, 0, 0, 1], bool)
    assert language.exposure(said_safe, safe) == 0.5
    assert np.isnan(language.exposure(said_safe, np.ones(4, bool)))


@given(arrays(float, st.integers(2, 12), elements=st.floats(-5, 5)))
def test_the_slope_is_least_squares(error: np.ndarray) -> None:
    time = np.arange(len(error)) / 4
    assert language.slope(error, time) == pytest.approx(linregress(time, error).slope, abs=1e-9)


def test_no_slope_without_two_times() -> None:
    assert np.isnan(language.slope(np.array([1.0]), np.array([0.0])))
    assert np.isnan(language.slope(np.array([np.nan, 1.0]), np.array([0.0, 1.0])))
    assert np.isnan(language.slope(np.array([np.nan]), np.array([0.0])))
