"""Tables of the simulations."""

from __future__ import annotations

import pandas as pd

from vlmis_utils.analysis.validation.coverage import (
    coverage,
    coverage_miou,
    make_confusions,
)
from vlmis_utils.analysis.validation.error_rates import errors, powers
from vlmis_utils.analysis.validation.oracles import oracles
from vlmis_utils.report.tables import validation


def covered(of: str, interval: str, share: float) -> dict:
    return {
        "of": of,
        "interval": interval,
        "n": 100,
        "truth": 0.02,
        "coverage": share,
        "studies": 9,
    }


def test_what_falls_short_is_named_with_what_to_use() -> None:
    frame = pd.DataFrame([
        covered("rate", "bootstrap", 0.86), covered("rate", "Wilson", 0.95),
        covered("mIoU, simulated", "bootstrap", 0.91), covered("odd", "new", 0.5),
        covered("odds", "exact", 0.99),
    ])  # fmt: skip
    table = validation.coverage_table(frame)
    verdicts = ["too short", "as stated", "too short", "too short", "too wide"]
    assert table.verdict.to_list() == verdicts
    assert "`rate_interval`" in table["use instead"][0] and table["use instead"][1] == ""
    assert "`jackknife_miou`" in table["use instead"][2]
    assert table["use instead"][3] == "more scenes"


def test_every_known_shortfall_has_a_remedy_that_exists() -> None:
    known = set(oracles().function)
    for words in validation.INSTEAD.values():
        assert words.split("`")[1] in known


def test_errors_and_power_have_a_line_for_everything() -> None:
    frame = errors(scenes=30, pairs=8, replicates=100)
    assert len(validation.error_table(frame)) == len(frame)
    assert len(validation.power_table(powers(scenes=20, pairs=6, replicates=20))) == 5


def test_tables_have_a_line_for_everything() -> None:
    assert len(validation.oracle_table()) == len(oracles())
    frame = coverage(scenes=15, pairs=6, replicates=20, resamples=30)
    miou = coverage_miou(make_confusions(30, 4), scenes=10, replicates=20, resamples=30)
    table = validation.coverage_table(pd.concat([frame, miou]))
    assert len(table) == len(frame) + 4 and set(table.studies) == {"20"}
