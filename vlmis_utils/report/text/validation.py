"""What the simulations of the statistics show, in sentences and in finished table cells.

The frames come from `analysis.validation.coverage` and `analysis.validation.error_rates`.
"""

from __future__ import annotations

import pandas as pd

from vlmis_utils.analysis.validation.coverage import NEAR
from vlmis_utils.analysis.validation.error_rates import ALPHA
from vlmis_utils.analysis.validation.oracles import oracles
from vlmis_utils.core.formatting import listing, number

__all__ = [
    "INSTEAD", "coverage_findings", "coverage_table", "error_findings", "error_table",
    "oracle_table", "power_finding", "power_table", "verdict",
]  # fmt: skip

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
# Tests that promise about 5 % should reject a true hypothesis between these.
_ABOUT = (0.04, 0.06)


def verdict(coverage: float) -> str:
    """Return whether an interval of 95 % holds the truth as often as it says.

    >>> verdict(0.951), verdict(0.86), verdict(0.99)
    ('as it says', 'too short', 'too wide')
    """
    if coverage < NEAR[0]:
        return "too short"
    return "too wide" if coverage > NEAR[1] else "as it says"


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
        }
    )


def coverage_findings(frame: pd.DataFrame) -> list[str]:
    """Return how many intervals do as they say, and for each that does not what to use instead."""
    words = frame.coverage.map(verdict)
    found = [
        f"{(words == 'as it says').sum()} of {len(frame)} rows hold the truth in "
        f"{100 * NEAR[0]:.0f} to {100 * NEAR[1]:.0f} of 100 studies."
    ]
    for row in frame[words == "too short"].itertuples():
        better = INSTEAD.get((row.of.split(",")[0], row.interval), "more scenes")
        found.append(
            f"**Too short:** {row.of}, {row.interval} interval, at a truth of {number(row.truth)} "
            f"and n = {row.n} ({100 * row.coverage:.1f} %). Use {better}."
        )
    wide = frame[words == "too wide"]
    if len(wide):
        rows = (f"{r.of} of {number(r.truth)}, {r.interval}" for r in wide.itertuples())
        found.append(f"**Too wide**, so on the safe side: {listing(rows)}.")
    return found


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


def error_findings(frame: pd.DataFrame) -> list[str]:
    """Return how far tests keep their level, alone and as a family."""
    alone = frame[~frame.test.str.startswith("any of a family")]
    exact, about = alone[alone.exact], alone[~alone.exact]
    near = about.rejected.between(*_ABOUT)
    off = [f"{r.test} ({r.data}, n = {r.n})" for r in about[~near].itertuples()]
    found = [
        f"The exact test rejects a true hypothesis in {100 * exact.rejected.min():.1f} to "
        f"{100 * exact.rejected.max():.1f} % of the studies: it errs on the safe side."
        if (exact.rejected <= ALPHA).all()
        else f"The exact test rejects up to {100 * exact.rejected.max():.1f} %, more than chance "
        "should allow if the number of studies is large.",
        f"Of the tests that promise about 5 %, {near.sum()} of {len(about)} reject between "
        f"{100 * _ABOUT[0]:.0f} and {100 * _ABOUT[1]:.0f} %"
        + (f"; not {listing(off)}." if off else "."),
    ]
    family = frame.set_index("test").rejected
    plain, holm = (family[f"any of a family, {how}"] for how in ("uncorrected", "Holm"))
    found.append(
        f'In a family without any effect, something is "significant" in {100 * plain:.0f} % of the '
        f"studies if nothing is corrected, and in {100 * holm:.1f} % after Holm's correction."
    )
    return found


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


def power_finding(frame: pd.DataFrame) -> str:
    """Return the largest gap between promised and simulated power."""
    gap = (frame.found - frame.promised).abs().max()
    return f"Promised and simulated power differ by at most {100 * gap:.1f} points of a hundred."


def oracle_table() -> pd.DataFrame:
    """Return `oracles` as cells: function, computes, checked against, test."""
    table = oracles()
    code = {name: [f"`{value}`" for value in table[name]] for name in ("function", "test")}
    return table.assign(**code).rename(columns={"checked": "checked against"})
