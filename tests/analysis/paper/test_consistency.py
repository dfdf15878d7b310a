"""Interval arithmetic, equal cells and steps, against synthetic tables whose truth is known."""

from __future__ import annotations

from math import comb
from pathlib import Path

import numpy as np
import pytest

from tests.helpers.printed_tables import write_tables
from vlmis_utils.analysis import paper
from vlmis_utils.analysis.paper import tables
from vlmis_utils.protocol.classes import TRAIN_CLASSES


@pytest.mark.parametrize("seed", range(20))
def test_rounded_numbers_never_contradict_their_rounded_mean(seed: int) -> None:
    true = np.random.default_rng(seed).uniform(0, 100, 19)
    low, high = paper.mean_bounds(true.round(), round(true.mean()))
    assert low - 1e-9 <= true.mean() <= high + 1e-9


def test_mean_bounds_are_reached_and_no_wider() -> None:
    for mean in (71.5, 72.0):  # both ends of [71.5, 72] with parts that round to 70 and 73
        parts = np.array([70, 73]) + (mean - 71.5)
        assert abs(parts - [70, 73]).max() <= 0.5 and abs(mean - 72) <= 0.5
    assert paper.mean_bounds([70, 73], 72) == (71.5, 72.0)


def test_class_means_are_those_of_the_table_and_a_planted_slip_is_seen(tmp_path: Path) -> None:
    frame = paper.class_means().set_index("condition")
    wide = tables.load_table2().pivot(index="condition", columns="train_class", values="iou")
    mean = 100 * wide[list(TRAIN_CLASSES)].mean(axis=1)
    assert frame["mean"].to_dict() == pytest.approx(mean.to_dict())
    assert (frame.agrees == (frame.gap.abs() <= 1 + 1e-9)).all()
    assert (frame.agrees == (frame.low <= frame.high + 1e-9)).all()

    folder = write_tables(tmp_path, classes={("LL2", "miou"): 50})
    slip = paper.class_means(folder).set_index("condition")
    assert not slip.agrees["LL2"] and slip.agrees.drop("LL2").equals(frame.agrees.drop("LL2"))


def test_a_gap_of_exactly_one_is_still_possible(tmp_path: Path) -> None:
    cells = {("MB1", name): 70 for name in TRAIN_CLASSES} | {("MB1", "miou"): 71}
    frame = paper.class_means(write_tables(tmp_path, classes=cells)).set_index("condition")
    assert frame.agrees["MB1"] and frame.low["MB1"] == frame.high["MB1"] == 70.5


def test_percent_and_fraction_are_compared_as_numbers(tmp_path: Path) -> None:
    assert paper.table2_and_table3().equal.all()
    folder = write_tables(tmp_path, miou={("OCC2", "deeplabv3plus"): "0.57"})
    equal = paper.table2_and_table3(folder).set_index("condition").equal
    assert not equal["OCC2"] and equal.drop("OCC2").all()


def test_equal_cells_against_a_count_by_hand(tmp_path: Path) -> None:
    cells = {(c, "mask2former"): v for c, v in (("clean", "0.66"), ("LL3", "0.26"))}
    frame = paper.equal_cells(write_tables(tmp_path, miou=cells))
    table = tables.load_table3(tmp_path).pivot(
        index="condition", columns="segmenter", values="miou"
    )
    for row in frame[frame.column == "miou"].itertuples():
        same = [c for c in table.index if table[row.first][c] == table[row.second][c]]
        assert set(row.conditions) == set(same) and row.equal == len(same) and row.cells == 10
    assert len(frame) == 4 * 3


def test_coincidence_is_a_binomial_tail() -> None:
    frame = paper.coincidence(10, 4, widths=(1, 3))
    for row in frame.itertuples():
        q = 1 / (2 * row.width + 1)
        tail = sum(comb(10, k) * q**k * (1 - q) ** (10 - k) for k in range(4, 11))
        assert row.p == pytest.approx(tail)
    assert paper.coincidence(10, 0).p.tolist() == [1, 1, 1]


def test_steps_add_up_to_the_change_over_a_family() -> None:
    frame = paper.steps()
    cells = tables.load_cells()
    assert len(frame) == 9 * len(cells.drop_duplicates(["table", "model", "column"]))
    total = frame.groupby(["table", "model", "column", "family"]).change.sum()
    value = cells.assign(value=cells.text.astype(float)).set_index(
        ["table", "model", "column", "condition"]
    )["value"]
    for (table, model, column, family), change in total.items():
        scale = 100 if table == 2 else 1
        ends = value[table, model, column, f"{family}3"] - value[table, model, column, "clean"]
        assert change == pytest.approx(ends / scale)


def test_step_counts_count_every_step_once(tmp_path: Path) -> None:
    counts = paper.step_counts()
    assert (counts.steps == counts.rise + counts.equal + counts.fall).all()
    assert counts.steps.sum() == len(paper.steps())
    flat = {(c, "mask2former"): "0.5" for c in tables.load_table3().condition.unique()}
    still = paper.step_counts(write_tables(tmp_path, miou=flat))
    row = still[(still.table == 3) & (still.model == "mask2former")].iloc[0]
    assert (row.rise, row.equal, row.fall) == (0, 9, 0)
