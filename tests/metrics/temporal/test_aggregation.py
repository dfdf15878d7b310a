"""Aggregation: nothing looks ahead, one answer changes nothing, against loops and pandas."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from vlmis_utils.metrics.temporal import aggregation

WORDS = st.lists(st.sampled_from(["safe", "unsafe", "abstain"]), min_size=1, max_size=12).map(
    lambda words: np.array(words, object)
)
BOOLS = arrays(bool, st.tuples(st.integers(1, 10), st.integers(1, 3)))
K = st.integers(1, 5)


@given(BOOLS)
def test_one_answer_is_itself(said: np.ndarray) -> None:
    assert np.array_equal(aggregation.majority(said, 1), said)
    assert np.array_equal(aggregation.hysteresis(said, 1), said)
    assert np.array_equal(aggregation.running_mean(said.astype(float), 1), said)


@given(BOOLS, K, st.integers(0, 9))
def test_nothing_looks_ahead(said: np.ndarray, k: int, at: int) -> None:
    cut = min(at, len(said) - 1) + 1
    for rule in (aggregation.majority, aggregation.hysteresis):
        assert np.array_equal(rule(said, k)[:cut], rule(said[:cut], k))


@given(WORDS, K)
def test_a_vote_is_for_a_word_that_none_outnumbers(words: np.ndarray, k: int) -> None:
    for at, chosen in enumerate(aggregation.vote(words, k)):
        last = list(words[max(0, at - k + 1) : at + 1])
        assert last.count(chosen) == max(map(last.count, last))


@given(WORDS, K)
def test_hysteresis_changes_only_to_what_was_said_k_times(words: np.ndarray, k: int) -> None:
    found = aggregation.hysteresis(words, k)
    for at in range(1, len(words)):
        if found[at] != found[at - 1]:
            assert set(words[at - k + 1 : at + 1]) == {found[at]}


@given(arrays(float, st.integers(1, 12), elements=st.floats(-9, 9)), K)
def test_the_running_mean_is_that_of_pandas(values: np.ndarray, k: int) -> None:
    expected = pd.Series(values).rolling(k, min_periods=1).mean()
    assert aggregation.running_mean(values, k) == pytest.approx(expected.to_numpy(), abs=1e-9)


@given(BOOLS, st.sampled_from([1, 3, 5]))
def test_a_majority_of_an_odd_number_of_constant_answers_is_that_answer(
    said: np.ndarray, k: int
) -> None:
    constant = np.repeat(said[:1], 8, axis=0)
    assert np.array_equal(aggregation.majority(constant, k), constant)
