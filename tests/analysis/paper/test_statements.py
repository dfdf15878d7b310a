"""Sentences against cells: planted tables change exactly the rules that speak of them."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from tests.helpers.printed_tables import write_tables
from vlmis_utils.analysis import paper
from vlmis_utils.analysis.paper import tables as published


def held(folder: Path | None = None) -> pd.DataFrame:
    frame = paper.statements() if folder is None else paper.statements(folder)
    return frame.set_index(["place", "words"])


def test_every_rule_has_cases_and_a_verdict_by_its_need() -> None:
    frame = paper.statements()
    assert ((frame.holds >= 0) & (frame.holds <= frame.cases) & (frame.cases > 0)).all()
    assert not frame.duplicated(["place", "words"]).any()
    least = {"all": lambda c: c, "most": lambda c: c // 2 + 1, "several": lambda c: 2}
    for row in frame.itertuples():
        needed = least.get(row.needed, lambda c: 1)(row.cases)
        assert row.agrees == (row.holds >= needed)
        assert row.rule and row.cells and "nan" not in row.cells


def test_a_table_without_rises_is_monotone(tmp_path: Path) -> None:
    ladder = {"clean": 0.66, "1": 0.60, "2": 0.50, "3": 0.40}
    cells = {
        (c, "segformer"): ladder[c if c == "clean" else c[-1]]
        for c in published.load_table3().condition.unique()
    }
    after = held(write_tables(tmp_path, miou=cells))
    row = after.loc["Figure 2, caption", "mIoU decreases monotonically with severity"]
    assert row.agrees and row.holds == row.cases == 27


def test_monotone_rule_counts_the_falls_of_the_steps() -> None:
    row = held().loc["Figure 2, caption", "mIoU decreases monotonically with severity"]
    change = paper.steps().query("table == 3").change
    assert row.holds == (change < 0).sum() and row.cases == len(change)


@pytest.mark.parametrize("value", ["0.70", "0.71"])
def test_exceeding_is_strict(tmp_path: Path, value: str) -> None:
    folder = write_tables(tmp_path, rates={("siglip", "LL3", "smr"): value})
    row = held(folder).loc["Section 6.2", "SigLIP: SMR consistently exceeds 0.7"]
    assert row.agrees == (value == "0.71")


def test_quoted_numbers_follow_the_cells(tmp_path: Path) -> None:
    assert held().loc["Section 6.1", "mIoU on clean pictures, and under LL3"].agrees
    row = held(write_tables(tmp_path, miou={("LL3", "segformer"): "0.27"})).loc[
        "Section 6.1", "mIoU on clean pictures, and under LL3"
    ]
    assert not row.agrees and row.holds == 4


def test_small_and_large_by_brute_force() -> None:
    pairs = published.pairs().set_index(["segmenter", "vlm", "condition"])
    holds = cases = 0
    for (segmenter, vlm, condition), row in pairs.iterrows():
        clean = pairs.loc[segmenter, vlm, "clean"]
        if condition == "clean" or round(abs(row.miou - clean.miou), 6) > 0.05:
            continue
        for metric in ("hr", "cor", "smr"):
            cases += 1
            holds += round(row[metric] - clean[metric], 6) >= 0.10
    found = held().loc["Figure 3, caption", "small changes in mIoU but large increases"]
    assert (found.holds, found.cases) == (holds, cases)


def test_near_zero_counts_critical_classes_at_the_highest_severity(tmp_path: Path) -> None:
    key = ("Section 6.1", "several of these classes approach near-zero IoU")
    before = held().loc[key]
    folder = write_tables(tmp_path, classes={("OCC3", "rider"): 5, ("OCC3", "road"): 1})
    after = held(folder).loc[key]
    assert after.holds == before.holds + 1 and after.cases == before.cases == 10


def test_drops_and_levels_are_differences_from_clean() -> None:
    lost = paper.drops().set_index(["segmenter", "condition"])
    miou = published.load_table3().set_index(["segmenter", "condition"]).miou
    for key, row in lost.iterrows():
        clean = miou[key[0], "clean"]
        assert row.lost == pytest.approx(clean - miou[key])
        assert row.share == pytest.approx((clean - miou[key]) / clean)
    assert len(lost) == 27
    rates = published.load_tables456()
    for row in paper.levels().itertuples():
        mine = rates[rates.vlm == row.vlm].set_index("condition")[row.metric]
        assert row.change == pytest.approx(row.degraded - row.clean)
        assert row.degraded == pytest.approx(mine.drop("clean").mean())
        assert row.up + row.equal + row.down == 9
        assert row.up == (mine.drop("clean") > mine["clean"] + 1e-9).sum()
    assert len(paper.levels()) == 10


def test_printed_keeps_the_order_of_the_tables() -> None:
    tables = paper.Printed.load()
    order = list(published.load_table3().condition.unique())
    for frame in (tables.classes, tables.miou, tables.rates):
        assert list(frame.columns) == order
    assert tables.classes.shape == (19, 10) and list(tables.miou.index) == [
        "deeplabv3plus", "segformer", "mask2former",
    ]  # fmt: skip
