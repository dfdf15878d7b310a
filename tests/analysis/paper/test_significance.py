"""Intervals and paired bounds against statsmodels, scipy and all possible pairings."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats import contingency_tables, proportion
from statsmodels.stats.multitest import multipletests

from tests.helpers.printed_tables import write_tables
from vlmis_utils.analysis import paper
from vlmis_utils.analysis.paper import tables


def test_intervals_are_those_of_statsmodels() -> None:
    frame = paper.intervals(50)
    known = frame.dropna(subset=["k"])
    for row in known.drop_duplicates("k").itertuples():
        wilson = proportion.proportion_confint(row.k, 50, method="wilson")
        exact = proportion.proportion_confint(row.k, 50, method="beta")
        assert (row.wilson_low, row.wilson_high) == pytest.approx(wilson, abs=1e-9)
        assert row.exact_low == pytest.approx(0 if row.k == 0 else exact[0], abs=1e-9)
        assert row.exact_high == pytest.approx(1 if row.k == 50 else exact[1], abs=1e-9)
        assert row.half == pytest.approx((wilson[1] - wilson[0]) / 2)
    unknown = frame[frame.k.isna()]
    assert len(frame) == 70 and unknown[["wilson_low", "exact_high", "half"]].isna().all(axis=None)
    assert not any(paper.fits(v, 50) for v in unknown.value)


def test_no_numbers_in_the_unit_interval_vary_more_than_hr_reach_says() -> None:
    rng = np.random.default_rng(0)
    for shape in (0.1, 1.0, 5.0):
        sample = rng.beta(shape, shape, size=(200, 50))
        mean = sample.mean(axis=1)
        assert (sample.var(axis=1) <= mean * (1 - mean) + 1e-12).all()
    frame = paper.hr_reach(50)
    expected = stats.norm.ppf(0.975) * np.sqrt(frame.value * (1 - frame.value) / 50)
    assert frame.half.to_numpy() == pytest.approx(expected.to_numpy(), rel=1e-6)


@pytest.mark.parametrize(
    ("first", "second", "n"), [(0, 0, 9), (47, 40, 50), (3, 50, 50), (1, 6, 7)]
)
def test_difference_interval_is_newcombes(first: int, second: int, n: int) -> None:
    expected = proportion.confint_proportions_2indep(
        second, n, first, n, method="newcomb", compare="diff"
    )
    assert paper.difference_interval(first, second, n) == pytest.approx(expected, abs=1e-9)


@given(st.integers(0, 40), st.integers(0, 40))
@settings(max_examples=60, deadline=None)
def test_mcnemar_is_statsmodels_and_scipys(up: int, down: int) -> None:
    found = paper.mcnemar(up, down)
    if up + down:
        test = contingency_tables.mcnemar([[0, up], [down, 0]], exact=True)
        assert found == pytest.approx(min(1.0, test.pvalue))
        assert found == pytest.approx(stats.binomtest(up, up + down).pvalue)
    else:
        assert found == 1


@pytest.mark.parametrize("n", [1, 6, 11])
def test_bounds_hold_for_every_pairing_and_are_reached(n: int) -> None:
    found: dict[tuple[int, int], list[float]] = {}
    for both in range(n + 1):
        for up in range(n + 1 - both):
            for down in range(n + 1 - both - up):
                p = paper.mcnemar(up, down)
                found.setdefault((both + down, both + up), []).append(p)
    assert len(found) == (n + 1) ** 2
    for (first, second), p in found.items():
        assert paper.mcnemar_bounds(first, second, n) == (min(p), max(p))


@pytest.mark.parametrize(("first", "second"), [(47, 40), (10, 25), (50, 36), (5, 6)])
def test_the_smallest_p_has_all_flips_one_way(first: int, second: int) -> None:
    assert paper.mcnemar_bounds(first, second, 50)[0] == pytest.approx(
        2.0 ** (1 - abs(second - first))
    )


def test_bounds_are_symmetric_and_hold_simulated_data() -> None:
    rng = np.random.default_rng(1)
    for _ in range(50):
        x = rng.random(40) < rng.random()
        y = np.where(rng.random(40) < 0.7, x, rng.random(40) < rng.random())
        low, high = paper.mcnemar_bounds(int(x.sum()), int(y.sum()), 40)
        assert (low, high) == paper.mcnemar_bounds(int(y.sum()), int(x.sum()), 40)
        p = paper.mcnemar(int((y & ~x).sum()), int((x & ~y).sum()))
        assert low <= p <= high


@pytest.mark.parametrize("alpha", [0.05, 0.01, 0.3])
def test_smallest_change_by_search(alpha: float) -> None:
    least = paper.smallest_change(alpha)
    best = {d: min(paper.mcnemar_bounds(k, k + d, 30)[0] for k in range(31 - d)) for d in range(12)}
    assert least == min(d for d, p in best.items() if p < alpha)


def test_variance_of_a_paired_difference_is_the_formula_of_the_page() -> None:
    rng = np.random.default_rng(2)
    x, y = rng.random((2, 60)) < [[0.4], [0.7]]
    p1, p2, p12 = x.mean(), y.mean(), (x & y).mean()
    formula = p1 * (1 - p1) + p2 * (1 - p2) - 2 * (p12 - p1 * p2)
    assert formula == pytest.approx(np.var(y.astype(float) - x))


def test_changes_are_those_of_the_tables() -> None:
    frame = paper.changes_from_clean(50)
    rates = tables.load_tables456().set_index(["vlm", "condition"])
    for row in frame.itertuples():
        change = rates[row.metric][row.vlm, row.condition] - rates[row.metric][row.vlm, "clean"]
        assert row.change == pytest.approx(change) and row.images == round(50 * change)
        assert row.low < row.change < row.high and row.p_low <= row.p_high
        told = "yes" if row.p_high < 0.05 else "no" if row.p_low >= 0.05 else "depends"
        assert row.significant == told
    assert len(frame) == 9 * 7 - len(paper.misfits(50)) and "clean" not in set(frame.condition)
    for _, rows in frame.groupby("vlm"):
        for bound in ("low", "high"):
            expected = multipletests(rows[f"p_{bound}"], method="holm")[1]
            assert rows[f"holm_{bound}"].to_numpy() == pytest.approx(expected)


def test_models_are_compared_under_the_same_condition() -> None:
    frame = paper.between_models(50)
    rates = tables.load_tables456().set_index(["vlm", "condition"])
    assert set(zip(frame.vlm, frame.other, strict=True)) == {
        ("clip", "siglip"), ("clip", "qwen2-vl"), ("siglip", "qwen2-vl"),
    }  # fmt: skip
    for row in frame.itertuples():
        column = rates[row.metric]
        change = column[row.other, row.condition] - column[row.vlm, row.condition]
        assert row.change == pytest.approx(change)


def test_a_clean_value_that_cannot_be_drops_its_whole_column(tmp_path) -> None:
    folder = write_tables(tmp_path, rates={("clip", "clean", "smr"): "0.57"})
    frame = paper.changes_from_clean(50, folder)
    assert frame[(frame.vlm == "clip") & (frame.metric == "smr")].empty
    assert len(frame[(frame.vlm == "clip") & (frame.metric == "cor")]) == 9
