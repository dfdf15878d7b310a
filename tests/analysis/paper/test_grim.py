"""The granularity test against brute force with exact decimals."""

from __future__ import annotations

from decimal import ROUND_HALF_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal, localcontext
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.helpers.printed_tables import write_tables
from vlmis_utils.analysis import paper
from vlmis_utils.analysis.paper import tables
from vlmis_utils.analysis.paper.grim import CONTRASTIVE


def printable(n: int) -> set[int]:
    """Return the hundredths that shares of n can be printed as, by any way of rounding ties."""
    found = set()
    with localcontext() as context:
        context.prec = 50
        for k in range(n + 1):
            for way in (ROUND_HALF_UP, ROUND_HALF_DOWN, ROUND_HALF_EVEN):
                found.add(int((Decimal(100 * k) / n).quantize(Decimal(1), rounding=way)))
    return found


@pytest.mark.parametrize("n", [*range(1, 60), 80, 99, 100, 101, 128, 200, 365])
def test_fits_is_rounding_by_any_rule(n: int) -> None:
    possible = printable(n)
    assert {c for c in range(101) if paper.fits(c / 100, n)} == possible


def test_from_a_hundred_pictures_on_everything_fits() -> None:
    values = [c / 100 for c in range(101)]
    assert set(paper.sample_sizes(values, upto=1000)) >= set(range(100, 1001))


@given(st.integers(1, 400), st.data())
def test_a_true_share_always_fits_its_own_size(n: int, data: st.DataObject) -> None:
    k = data.draw(st.integers(0, n))
    value = round(k / n, 2)
    assert paper.fits(value, n)
    found = paper.count(value, n)
    assert found is not None and abs(found / n - value) <= 0.5 / 100 + 1e-9


def test_count_is_exact_below_a_hundred() -> None:
    for n in (7, 50, 99):
        assert [paper.count(round(k / n, 2), n) for k in range(n + 1)] == list(range(n + 1))
    assert paper.count(0.89, 50) is None


def test_misses_are_allowed_as_asked() -> None:
    assert 50 not in paper.sample_sizes([0.5, 0.51], 60)
    assert 50 in paper.sample_sizes([0.5, 0.51], 60, misses=1)


def test_columns_agree_with_brute_force_and_the_last_row_is_their_intersection() -> None:
    frame = paper.size_of_columns()
    shares = paper.shares()
    alone, whole = frame[frame.metric != "all"], frame[frame.metric == "all"].iloc[0]
    for row in alone.itertuples():
        values = shares[(shares.vlm == row.vlm) & (shares.metric == row.metric)].value
        hundredths = {round(100 * v) for v in values}
        assert set(row.sizes) == {n for n in range(1, 100) if hundredths <= printable(n)}
        assert row.smallest == min(row.sizes)
    assert set(whole.sizes) == set.intersection(*map(set, alone.sizes))
    assert whole["values"] == len(shares) == 70


def test_the_assumed_number_is_the_smallest_that_one_share_at_most_contradicts() -> None:
    counts = paper.misfit_counts(100).set_index("n").misfits
    assert counts[paper.PICTURES] <= 1 and (counts[counts.index < paper.PICTURES] > 1).all()
    whole = paper.size_of_columns().iloc[-1]
    assert whole.smallest_but_one == paper.PICTURES
    assert len(paper.misfits(paper.PICTURES)) == counts[paper.PICTURES]


def test_misfits_lie_between_the_shares_beside_them(tmp_path: Path) -> None:
    folder = write_tables(tmp_path, rates={("clip", "LL2", "cor"): 0.93})
    frame = paper.misfits(50, folder).set_index(["vlm", "metric", "condition"])
    row = frame.loc["clip", "cor", "LL2"]
    assert row.below == pytest.approx(0.92) and row.above == pytest.approx(0.94)
    assert paper.misfits(100, folder).empty


@pytest.mark.parametrize("n", [50, 73, 100, 250])
def test_even_share_by_brute_force(n: int) -> None:
    even = [
        any(c % 2 == 0 for c in range(101) if abs(100 * k / n - c) <= 0.5 + 1e-9)
        for k in range(1, n)
    ]
    assert paper.even_share(n) == pytest.approx(np.mean(even))


def test_even_hundredths_of_fifty_pictures_and_of_odd_cells(tmp_path: Path) -> None:
    conditions = tables.load_table3().condition.unique()
    odd = {("siglip", c, "cor"): f"0.{11 + 2 * i}" for i, c in enumerate(conditions)}
    before = paper.even_hundredths().set_index("metric")
    after = paper.even_hundredths(write_tables(tmp_path, rates=odd)).set_index("metric")
    siglip = {round(100 * v) for v in paper.shares().query("vlm == 'siglip'").value}
    assert before.even["cor"] == before["values"]["cor"] and siglip
    assert after["values"]["cor"] - after.even["cor"] == 10
    assert before.p["cor"] == pytest.approx(0.5 ** before["values"]["cor"])


def test_hr_of_fixed_k_is_a_share_of_k_n_mentions() -> None:
    frame = paper.hr_grid(50)
    assert set(frame.vlm) == set(CONTRASTIVE)
    rates = tables.load_tables456()
    for row in frame.itertuples():
        possible = printable(row.denominator)
        hundredths = [round(100 * v) for v in rates[rates.vlm == row.vlm].hr]
        assert row.misfits == sum(h not in possible for h in hundredths)
        assert row.denominator == 50 * row.top_k
    assert (frame[frame.denominator >= 100].misfits == 0).all()
