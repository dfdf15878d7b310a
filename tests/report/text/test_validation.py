"""Sentences about the simulations turn with the numbers."""

from __future__ import annotations

import pandas as pd

from vlmis_utils.analysis.validation.coverage import (
    coverage,
    coverage_miou,
    make_confusions,
)
from vlmis_utils.analysis.validation.error_rates import errors, powers
from vlmis_utils.analysis.validation.oracles import oracles
from vlmis_utils.report.text import validation


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
    lines = validation.coverage_findings(frame)
    assert lines[0].startswith("1 of 5 rows")
    assert "rate, bootstrap interval" in lines[1] and "`rate_interval`" in lines[1]
    assert "`jackknife_miou`" in lines[2] and "Use more scenes" in lines[3]
    assert lines[4].startswith("**Too wide**") and "odds of 0.02, exact" in lines[4]
    assert len(validation.coverage_findings(frame.iloc[[1]])) == 1
    assert validation.coverage_table(frame).verdict.to_list()[:2] == ["too short", "as it says"]


def test_every_known_shortfall_has_a_remedy_that_exists() -> None:
    known = set(oracles().function)
    for words in validation.INSTEAD.values():
        assert words.split("`")[1] in known


def test_errors_are_judged_by_their_promise() -> None:
    frame = errors(scenes=30, pairs=8, replicates=300)
    lines = validation.error_findings(frame)
    assert len(lines) == 3 and "errs on the safe side" in lines[0]
    assert len(validation.error_table(frame)) == len(frame)
    frame.loc[frame.test == "exact McNemar", "rejected"] = 0.2
    frame.loc[frame.test == "Wilcoxon", "rejected"] = 0.2
    lines = validation.error_findings(frame)
    assert "up to 20.0 %" in lines[0] and "Wilcoxon (shares, n = 30)" in lines[1]


def test_power_gap_is_the_largest() -> None:
    frame = pd.DataFrame({"promised": [0.5, 0.8], "found": [0.52, 0.75]})
    assert "at most 5.0 points" in validation.power_finding(frame)
    assert len(validation.power_table(powers(scenes=20, pairs=6, replicates=20))) == 5


def test_tables_have_a_line_for_everything() -> None:
    assert len(validation.oracle_table()) == len(oracles())
    frame = coverage(scenes=15, pairs=6, replicates=20, resamples=30)
    miou = coverage_miou(make_confusions(30, 4), scenes=10, replicates=20, resamples=30)
    table = validation.coverage_table(pd.concat([frame, miou]))
    assert len(table) == len(frame) + 4 and set(table.studies) == {20}
