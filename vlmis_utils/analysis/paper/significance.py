"""What n images can show: intervals of printed shares, and paired tests from margins alone.

All conditions show the same scenes, so a change from clean is a paired comparison, and McNemar's
exact test is its test. It needs the numbers of discordant scenes, each way; a table
of rates gives only the difference of the two. But with k1 and k2 failures among n the overlap can
only be one of a few whole numbers, and trying them all gives the smallest and the largest p that
the printed numbers allow.
"""

from __future__ import annotations

import itertools
import math
from pathlib import Path

import numpy as np
import pandas as pd

from vlmis_utils.analysis.paper import tables
from vlmis_utils.analysis.paper.grim import PICTURES, count, shares
from vlmis_utils.analysis.paper.tables import PUBLISHED
from vlmis_utils.statistics.paired import ALPHA, holm, mcnemar_p

__all__ = [
    "ALPHA", "between_models", "changes_from_clean", "difference_interval", "hr_reach", "intervals",
    "mcnemar", "mcnemar_bounds", "smallest_change",
]  # fmt: skip


def intervals(n: int = PICTURES, folder: str | Path = PUBLISHED) -> pd.DataFrame:
    """Return 95 % intervals of every printed share, if it is that of n pictures.

    Through `scipy.stats.binomtest`: Wilson's score interval, and the exact one of Clopper and
    Pearson, which is never too short. The unit is the picture.

    Returns:
        vlm, metric, condition, value; k (<NA> where no count of n gives the value, bounds are then
        NaN); wilson_low, wilson_high, exact_low, exact_high; half, half the length of Wilson's.
    """
    from scipy.stats import binomtest

    frame = _counts(n, folder)
    bounds = []
    for k in frame.k:
        if pd.isna(k):
            bounds.append([math.nan] * 4)
            continue
        test = binomtest(int(k), n)
        found = [test.proportion_ci(0.95, method) for method in ("wilson", "exact")]
        bounds.append([bound for ci in found for bound in (ci.low, ci.high)])
    names = ["wilson_low", "wilson_high", "exact_low", "exact_high"]
    frame[names] = np.array(bounds)
    return frame.assign(half=(frame.wilson_high - frame.wilson_low) / 2)


def _counts(n: int, folder: str | Path) -> pd.DataFrame:
    frame = shares(folder)
    return frame.assign(k=pd.array([count(value, n) for value in frame.value], dtype="Int64"))


def hr_reach(n: int = PICTURES, folder: str | Path = PUBLISHED) -> pd.DataFrame:
    """Return the largest standard error and interval that a printed HR can have with n pictures.

    HR is a mean of n numbers in [0, 1], and such numbers with mean m have a variance of at most
    m (1 − m) (Bhatia and Davis, American Mathematical Monthly 107, 2000). The true one is smaller,
    unless every picture is all right or all wrong.

    Returns:
        vlm, condition, value, half: the largest half-width of a normal 95 % interval.
    """
    frame = tables.load_tables456(folder)[["vlm", "condition", "hr"]]
    frame = frame.rename(columns={"hr": "value"})
    return frame.assign(half=1.959964 * np.sqrt(frame.value * (1 - frame.value) / n))


def difference_interval(first: int, second: int, n: int) -> tuple[float, float]:
    """Return Newcombe's 95 % interval of p2 − p1 for two *separate* samples of n each.

    Through `statsmodels` (Newcombe, Statistics in Medicine 17, 1998, method 10). For the same
    scenes twice it is too wide where failures go together, see the page.

    >>> [round(bound, 3) for bound in difference_interval(29, 12, 50)]
    [-0.499, -0.148]
    """
    from statsmodels.stats.proportion import confint_proportions_2indep

    low, high = confint_proportions_2indep(second, n, first, n, "newcomb", "diff")
    return float(low), float(high)


def mcnemar(up: int, down: int) -> float:
    """Return the two-sided p of McNemar's exact test; see `statistics.paired.mcnemar_p`.

    Args:
        up, down: scenes in which only the second, only the first outcome is a failure.

    >>> mcnemar(6, 0), mcnemar(5, 0), mcnemar(0, 0)
    (0.03125, 0.0625, 1.0)
    """
    return float(mcnemar_p(up, down))


def mcnemar_bounds(first: int, second: int, n: int) -> tuple[float, float]:
    """Return the smallest and the largest p of McNemar's exact test that two margins allow.

    Of n scenes ``first`` fail in one condition and ``second`` in the other. The number that fail in
    both is between max(0, first + second − n) and min(first, second); each gives a p. The smallest
    belongs to the largest overlap, where all discordant scenes go one way: with
    d = |second − first|, p = 2^(1 − d).

    >>> [round(p, 4) for p in mcnemar_bounds(47, 40, 50)]
    [0.0156, 0.0923]
    """
    overlaps = range(max(0, first + second - n), min(first, second) + 1)
    found = [mcnemar(second - both, first - both) for both in overlaps]
    return min(found), max(found)


def smallest_change(alpha: float = ALPHA) -> int:
    """Return the smallest |k2 − k1| that McNemar's exact test can ever find, whatever the pairing.

    >>> smallest_change(0.05), smallest_change(0.01)
    (6, 8)
    """
    return next(d for d in itertools.count(1) if 2.0 ** (1 - d) < alpha)


def changes_from_clean(n: int = PICTURES, folder: str | Path = PUBLISHED) -> pd.DataFrame:
    """Test every printed change of a share from clean, as far as the printed numbers allow.

    Returns:
        vlm, metric, condition; change (degraded − clean) and images, the same in images; low,
        high: Newcombe's interval as if the pictures were others; p_low, p_high from
        `mcnemar_bounds`; holm_low, holm_high, both corrected over one VLM's table; significant:
        "yes" (p < 0.05 whatever the pairing), "no" (p >= 0.05 whatever it is) or "depends".
        Changes of a value that n pictures cannot give are left out.
    """
    frame = _counts(n, folder)
    keys = ["vlm", "metric"]
    clean = frame[frame.condition == "clean"].rename(columns={"k": "first"})
    frame = frame[frame.condition != "clean"].rename(columns={"k": "second"})
    frame = frame.merge(clean[[*keys, "first"]], on=keys)[[*keys, "condition", "first", "second"]]
    return _tested(frame, n, "vlm")


def between_models(n: int = PICTURES, folder: str | Path = PUBLISHED) -> pd.DataFrame:
    """Test every printed difference of COR and SMR between two VLMs under one condition.

    They answered about the same pictures, so this is paired too.

    Returns:
        as `changes_from_clean`, with ``vlm`` the first and ``other`` the second model, change being
        second − first, and Holm's correction over one pair of models.
    """
    frame = _counts(n, folder)
    frame = frame[frame.metric != "parse_success"]
    models = frame.vlm.unique()
    rows = []
    for one, two in itertools.combinations(models, 2):
        both = frame[frame.vlm == one].merge(
            frame[frame.vlm == two], on=["metric", "condition"], suffixes=("_1", "_2")
        )
        rows += [(one, two, r.metric, r.condition, r.k_1, r.k_2) for r in both.itertuples()]
    columns = ["vlm", "other", "metric", "condition", "first", "second"]
    return _tested(pd.DataFrame(rows, columns=columns), n, ["vlm", "other"])


def _tested(frame: pd.DataFrame, n: int, family: str | list[str]) -> pd.DataFrame:
    """Replace columns first, second (counts) by what can be said of their difference."""
    frame = frame.dropna(subset=["first", "second"]).reset_index(drop=True)
    pairs = [(int(a), int(b)) for a, b in zip(frame["first"], frame["second"], strict=True)]
    frame = frame.drop(columns=["first", "second"])
    frame["change"] = [(b - a) / n for a, b in pairs]
    frame["images"] = [b - a for a, b in pairs]
    frame[["low", "high"]] = [difference_interval(a, b, n) for a, b in pairs]
    frame[["p_low", "p_high"]] = [mcnemar_bounds(a, b, n) for a, b in pairs]
    for bound in ("low", "high"):
        grouped = frame.groupby(family, sort=False)[f"p_{bound}"]
        frame[f"holm_{bound}"] = grouped.transform(lambda p: holm(p)[0])
    frame["significant"] = [
        _significant(a, b) for a, b in zip(frame.p_low, frame.p_high, strict=True)
    ]
    return frame


def _significant(low: float, high: float) -> str:
    if high < ALPHA:
        return "yes"
    return "no" if low >= ALPHA else "depends"
