"""Spells against loops, survival against scipy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import CensoredData, ecdf

from vlmis_utils.metrics.temporal.spells import spells, survival, waits

BOOLS = arrays(bool, st.integers(0, 12))


@given(BOOLS)
def test_spells_are_the_longest_runs(holds: np.ndarray) -> None:
    found = spells(holds)
    marked = np.zeros(len(holds), bool)
    for spell in found:
        assert holds[spell.start : spell.stop].all() and spell.length > 0
        assert spell.start == 0 or not holds[spell.start - 1]
        assert spell.cut == (spell.stop == len(holds))
        assert spell.cut or not holds[spell.stop]
        marked[spell.start : spell.stop] = True
    assert np.array_equal(marked, holds)


@given(st.integers(1, 12).flatmap(lambda n: st.tuples(arrays(bool, n), arrays(bool, n))))
def test_waits_against_a_walk_through_the_frames(pair: tuple[np.ndarray, np.ndarray]) -> None:
    due, done = pair
    expected, count, seen, inside = [], 0, False, False
    for is_due, is_done in zip([*due, False], [*done, False], strict=True):
        if is_due:
            inside = True
            seen = seen or bool(is_done)
            count += not seen
        elif inside:
            expected.append((count, seen))
            count, seen, inside = 0, False, False
    assert waits(due, done) == expected


@given(st.lists(st.tuples(st.integers(1, 8), st.booleans()), min_size=1, max_size=30))
def test_survival_is_kaplan_and_meiers(seen: list[tuple[int, bool]]) -> None:
    lasted, ended = np.array([n for n, _ in seen]), np.array([e for _, e in seen])
    found = survival(lasted, ended, np.zeros(len(seen), int), np.ones((1, 1)), int(lasted.max()))
    data = CensoredData(uncensored=lasted[ended], right=lasted[~ended])
    curve = ecdf(data).sf if ended.any() else None
    expected = [1.0 if curve is None else float(curve.evaluate(n)) for n in range(found.shape[1])]
    assert found[0] == pytest.approx(expected)


def test_a_drive_drawn_twice_counts_twice() -> None:
    lasted, ended, unit = np.array([1, 3, 2]), np.array([True, True, False]), np.array([0, 0, 1])
    once = survival(lasted, ended, unit, np.array([[2.0, 1.0]]), 3)
    twice = survival(
        np.array([1, 3, 1, 3, 2]), np.array([True] * 4 + [False]), np.zeros(5, int),
        np.ones((1, 1)), 3,
    )  # fmt: skip
    assert once == pytest.approx(twice)
