"""Tables of the simulations: frames of `analysis.validation` become finished cells."""

from __future__ import annotations

import pandas as pd

from vlmis_utils.analysis.validation.coverage import NEAR
from vlmis_utils.analysis.validation.oracles import oracles
from vlmis_utils.report.tables.markdown import Column, cells

__all__ = ["INSTEAD", "coverage_table", "error_table", "oracle_table", "power_table", "verdict"]

# (estimate, interval) -> what to use where this interval falls short.
INSTEAD: dict[tuple[str, str], str] = {
    ("rate", "bootstrap"): "Wilson's interval, `rate_interval`",
    ("change of a rate", "paired bootstrap"):
        "the exact test with its interval of the odds, `mcnemar`",
    ("Spearman's r", "Fisher"): "the interval of Bonett and Wright, `spearman_interval`",
    ("mIoU", "bootstrap"): "the jackknife, `jackknife_miou`",
    ("loss of mIoU", "paired bootstrap"): "the jackknife, `jackknife_miou_change`",
}  # fmt: skip


def verdict(coverage: float) -> str:
    """Return whether an interval of 95 % holds the truth as often as stated.

    >>> verdict(0.951), verdict(0.86), verdict(0.99)
    ('as stated', 'too short', 'too wide')
    """
    if coverage < NEAR[0]:
        return "too short"
    return "too wide" if coverage > NEAR[1] else "as stated"


def coverage_table(frame: pd.DataFrame) -> pd.DataFrame:
    """Return one line for each interval tried."""
    return cells(
        frame.assign(instead=[_instead(row) for row in frame.itertuples()]),
        Column("estimate", "of"), Column("interval", "interval"), Column("n", "n"),
        Column("truth", "truth"), Column("studies", "studies"),
        Column("holds it", "coverage", form=_tenths),
        Column("verdict", "coverage", form=verdict), Column("use instead", "instead"),
    )  # fmt: skip


def error_table(frame: pd.DataFrame) -> pd.DataFrame:
    """Return one line for each test tried where there is nothing to find."""
    return cells(
        frame, Column("test", "test"), Column("simulated data", "data"), Column("n", "n"),
        Column("promise", "exact", words={True: "at most 5 %", False: "about 5 %"}),
        Column("rejects", "rejected", form=_tenths),
    )  # fmt: skip


def power_table(frame: pd.DataFrame) -> pd.DataFrame:
    """Return one line for each effect: power by the formula, and as simulated."""
    return cells(
        frame, Column("test", "test"), Column("effect", "effect"), Column("n", "n"),
        Column("promised", "promised", form=_tenths), Column("found", "found", form=_tenths),
    )  # fmt: skip


def oracle_table() -> pd.DataFrame:
    """Return `oracles` as cells: function, computes, checked against, test."""
    table = oracles()
    code = {name: [f"`{value}`" for value in table[name]] for name in ("function", "test")}
    return table.assign(**code).rename(columns={"checked": "checked against"})


def _tenths(share: float) -> str:
    return f"{100 * share:.1f} %"


def _instead(row: tuple) -> str:
    if verdict(row.coverage) != "too short":
        return ""
    return INSTEAD.get((row.of.split(",")[0], row.interval), "more scenes")
