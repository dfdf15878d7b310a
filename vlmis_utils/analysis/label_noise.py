"""What the misses of a safety rule do to SMR.

The rule for photographs sees who stands in the lane, and neither who is about to enter it nor a
red light. On StreetWorld, where geometry tells, some scenes that it calls safe are unsafe.
"""

from __future__ import annotations

import pandas as pd

from vlmis_utils.statistics.power import rate_interval

__all__ = ["missed_among_safe", "smr_with_misses"]


def missed_among_safe(agreement: pd.DataFrame, rule: str) -> tuple[float, float, float]:
    """Return the share of scenes that are unsafe by geometry among those that a rule calls safe.

    It is one minus the negative predictive value.

    Args:
        agreement: of ``label_agreement.csv``: rule, against, measure, value, n.
        rule: such as "flat ground".

    Returns:
        share, and the ends of its 95 % interval (Wilson); NaN where the rule calls no scene safe.
    """
    rows = agreement[(agreement.rule == rule) & (agreement.against == "whole label")]
    found = rows.set_index("measure")
    unsafe, safe = found.loc["sensitivity"], found.loc["specificity"]
    missed = round((1 - unsafe.value) * unsafe.n) if unsafe.n else 0
    called = missed + (round(safe.value * safe.n) if safe.n else 0)
    if not called:
        return (float("nan"),) * 3
    return missed / called, *rate_interval(missed, called)


def smr_with_misses(images: pd.DataFrame, missed: float, low: float, high: float) -> pd.DataFrame:
    """Return SMR as labelled, and as it would be if a share of the safe labels were wrong.

    Which safe labels are wrong is taken to be independent of the answer: of the answers that are
    wrong as false alarms that share is right, and of those that are right as "safe" it is wrong.

    Args:
        images: of `Results.vlm_per_image`.
        missed, low, high: the share, and the ends of its interval, as of `missed_among_safe`.

    Returns:
        vlm, condition, smr, with_misses, with_misses_low, with_misses_high (the ends are those of
        the share alone, not of the scenes).
    """
    right = images.safe.astype(bool) & (images.decision == "safe")
    known = images.assign(gain=right.astype(float) - images.false_alarm)
    means = known.groupby(["vlm", "condition"], sort=False)[["smr_i", "gain"]].mean()
    ends = pd.concat([means.smr_i + share * means.gain for share in (low, high)], axis=1)
    return pd.DataFrame(
        {
            "smr": means.smr_i,
            "with_misses": means.smr_i + missed * means.gain,
            "with_misses_low": ends.min(axis=1),
            "with_misses_high": ends.max(axis=1),
        }
    ).reset_index()
