"""Table 6 with abstentions and errors apart.

SMR counts an answer without a decision as a failure (Section 4.3 of the paper). The parse success p
says how many answers decide, so of n answers n (1 − p) abstain, n (1 − SMR) decide rightly, and the
rest, n (p − (1 − SMR)), decide wrongly.
"""

from __future__ import annotations

import math
from pathlib import Path

import pandas as pd

from vlmis_utils.analysis.paper import tables
from vlmis_utils.analysis.paper.grim import PICTURES, count
from vlmis_utils.analysis.paper.tables import PUBLISHED

__all__ = ["safety_answers", "split"]


def split(smr: float, parsed: float) -> tuple[float, float, float]:
    """Return the shares of answers that abstain, decide wrongly, decide rightly; they sum to 1.

    A negative second share says that the two printed rates contradict each other.

    >>> [round(share, 2) for share in split(smr=0.98, parsed=0.14)]
    [0.86, 0.12, 0.02]
    """
    right = 1 - smr
    return 1 - parsed, parsed - right, right


def safety_answers(n: int = PICTURES, folder: str | Path = PUBLISHED) -> pd.DataFrame:
    """Split the safety answers of every VLM with a printed parse success, by condition.

    Args:
        n: pictures, for the counts and what follows from them.
        folder: of the printed tables.

    Returns:
        vlm, condition; shares abstained, wrong, right; n_wrong, n_right, the same in pictures (<NA>
        where n pictures cannot give the printed rates); accuracy = right among the parsed, with
        the exact 95 % interval low, high; p, two-sided exact, against accuracy 1/2; consistent:
        no more right answers than parsed ones.
    """
    from scipy.stats import binomtest

    rates = tables.load_tables456(folder).dropna(subset=["parse_success"])
    rows = []
    for row in rates.itertuples():
        abstained, wrong, right = split(row.smr, row.parse_success)
        line = {"vlm": row.vlm, "condition": row.condition, "abstained": abstained}
        line |= {"wrong": wrong, "right": right, "n_wrong": pd.NA, "n_right": pd.NA}
        line |= dict.fromkeys(("accuracy", "low", "high", "p"), math.nan)
        line["consistent"] = wrong > -1e-9
        parsed, failed = count(row.parse_success, n), count(row.smr, n)
        if parsed is not None and failed is not None and 0 <= n - failed <= parsed:
            good = n - failed
            line |= {"n_wrong": parsed - good, "n_right": good}
            if parsed:
                test = binomtest(good, parsed)
                found = test.proportion_ci(0.95, "exact")
                line |= {"accuracy": good / parsed, "low": found.low, "high": found.high}
                line["p"] = test.pvalue
        rows.append(line)
    return pd.DataFrame(rows).astype({"n_wrong": "Int64", "n_right": "Int64"})
