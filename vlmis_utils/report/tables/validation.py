"""Tables of the simulations: frames of `analysis.validation` become finished cells."""

from __future__ import annotations

import pandas as pd

from vlmis_utils.analysis.validation.coverage import NEAR
from vlmis_utils.analysis.validation.oracles import oracles
from vlmis_utils.core.formatting import number

__all__ = ["INSTEAD", "coverage_table", "error_table", "oracle_table", "power_table", "verdict"]

# (estimate, interval) -> what to use where this interval falls short.
INSTEAD: dict[tuple[str, str], str] = {
    ("rate", "bootstrap"): "Wilson's interval, `rate_interval`",
    (
        "change of a rate",
        "paired bootstrap",
    ): "the exact test with its interval of the odds, `mcnemar`",
    ("Spearman's r", "Fisher"): "the interval of Bonett and Wright, `spearman_interval`",
    ("mIoU", "bootstrap"): "the jackknife, `jackknife_miou`",
    ("loss of mIoU", "paired bootstrap"): "the jackknife, `jackknife_miou_change`",
}


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
    return pd.DataFrame(
        {
            "estimate": frame.of.to_list(),
            "interval": frame.interval.to_list(),
            "n": frame.n.to_list(),
            "truth": [number(v) for v in frame.truth],
            "studies": frame.studies.to_list(),
            "holds it": [f"{100 * v:.1f} %" for v in frame.coverage],
            "verdict": [verdict(v) for v in frame.coverage],
            "use instead": [_instead(r) for r in frame.itertuples()],
        }
    )


def error_table(frame: pd.DataFrame) -> pd.DataFrame:
    """Return one line for each test tried where there is nothing to find."""
    return pd.DataFrame(
        {
            "test": frame.test.to_list(),
            "simulated data": frame.data.to_list(),
            "n": frame.n.to_list(),
            "promise": ["at most 5 %" if exact else "about 5 %" for exact in frame.exact],
            "rejects": [f"{100 * v:.1f} %" for v in frame.rejected],
        }
    )


def power_table(frame: pd.DataFrame) -> pd.DataFrame:
    """Return one line for each effect: power by the formula, and as simulated."""
    return pd.DataFrame(
        {
            "test": frame.test.to_list(),
            "effect": frame.effect.to_list(),
            "n": frame.n.to_list(),
            "promised": [f"{100 * v:.1f} %" for v in frame.promised],
            "found": [f"{100 * v:.1f} %" for v in frame.found],
        }
    )


def oracle_table() -> pd.DataFrame:
    """Return `oracles` as cells: function, computes, checked against, test."""
    table = oracles()
    code = {name: [f"`{value}`" for value in table[name]] for name in ("function", "test")}
    return table.assign(**code).rename(columns={"checked": "checked against"})


def _instead(row: tuple) -> str:
    if verdict(row.coverage) != "too short":
        return ""
    return INSTEAD.get((row.of.split(",")[0], row.interval), "more scenes")
