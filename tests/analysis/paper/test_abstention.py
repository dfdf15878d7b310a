"""Abstention and error come apart again as they were put together."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from tests.helpers.printed_tables import write_tables
from vlmis_utils.analysis import paper
from vlmis_utils.analysis.paper import tables


def test_split_recovers_simulated_answers(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    rates, truth = {}, {}
    for condition in tables.load_table3().condition.unique():
        kind = rng.choice(["abstain", "wrong", "right"], 50, p=[0.3, 0.4, 0.3])
        abstain, wrong, right = ((kind == k).sum() for k in ("abstain", "wrong", "right"))
        truth[condition] = (abstain, wrong, right)
        rates["qwen2-vl", condition, "smr"] = f"{(abstain + wrong) / 50:.2f}"
        rates["qwen2-vl", condition, "parse_success"] = f"{(wrong + right) / 50:.2f}"
    frame = paper.safety_answers(50, write_tables(tmp_path, rates=rates)).set_index("condition")
    for condition, (abstain, wrong, right) in truth.items():
        row = frame.loc[condition]
        assert (row.abstained, row.wrong, row.right) == pytest.approx(
            (abstain / 50, wrong / 50, right / 50)
        )
        assert (row.n_wrong, row.n_right) == (wrong, right) and row.consistent
        test = stats.binomtest(right, wrong + right)
        bounds = stats.beta.ppf([0.025, 0.975], [right, right + 1], [wrong + 1, wrong])
        assert (row.low, row.high) == pytest.approx(bounds) and row.p == pytest.approx(test.pvalue)


def test_shares_sum_to_one_and_to_the_printed_rates() -> None:
    frame = paper.safety_answers()
    printed = tables.load_tables456().dropna(subset=["parse_success"])
    total = frame.abstained + frame.wrong + frame.right
    assert total.to_numpy() == pytest.approx(np.ones(len(frame)))
    assert (frame.abstained + frame.wrong).to_numpy() == pytest.approx(printed.smr.to_numpy())
    assert (frame.n_right + frame.n_wrong).tolist() == (50 * printed.parse_success).round().tolist()
    assert (frame.low <= frame.accuracy).all() and (frame.accuracy <= frame.high).all()


def test_more_right_than_decided_is_a_contradiction(tmp_path: Path) -> None:
    cells = {("qwen2-vl", "MB1", "smr"): "0.80", ("qwen2-vl", "MB1", "parse_success"): "0.10"}
    frame = paper.safety_answers(50, write_tables(tmp_path, rates=cells)).set_index("condition")
    assert not frame.consistent["MB1"] and frame.wrong["MB1"] == pytest.approx(-0.1)
    assert np.isnan(frame.accuracy["MB1"]) and frame.n_right.isna()["MB1"]
    assert frame.consistent.drop("MB1").all()


def test_without_a_decision_there_is_no_accuracy(tmp_path: Path) -> None:
    cells = {("qwen2-vl", "LL1", "smr"): "1.0", ("qwen2-vl", "LL1", "parse_success"): "0.0"}
    frame = paper.safety_answers(50, write_tables(tmp_path, rates=cells)).set_index("condition")
    assert frame.consistent["LL1"] and np.isnan(frame.accuracy["LL1"])
    assert frame.n_right["LL1"] == frame.n_wrong["LL1"] == 0


def test_rates_that_the_number_cannot_give_are_not_counted() -> None:
    frame = paper.safety_answers(7)
    assert frame.n_right.isna().any() and frame.abstained.notna().all()
