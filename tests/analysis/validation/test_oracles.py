"""Every function of the statistics names its oracle, and its test speaks of it."""

from __future__ import annotations

from pathlib import Path

from vlmis_utils.analysis.validation.oracles import oracles


def test_every_function_names_what_it_is_checked_against() -> None:
    table = oracles()
    assert table.function.is_unique and {"holm", "jackknife_miou"} <= set(table.function)
    assert (table.checked != "").all(), table[table.checked == ""].function.tolist()


def test_the_test_speaks_of_the_function() -> None:
    for row in oracles().itertuples():
        assert row.function in (Path("tests") / row.test).read_text(), row
