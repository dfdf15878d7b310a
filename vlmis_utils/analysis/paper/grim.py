"""Which numbers of pictures can have produced a printed rate?

A share of n pictures is k/n for a whole k. Rounded to two decimals, not every value can come out:
of 50 pictures only even hundredths. This is the GRIM test (Brown and Heathers, The GRIM Test,
Social Psychological and Personality Science 8, 2017) for proportions. COR, SMR and the parse
success are shares of pictures; HR is a mean of fractions and is treated apart.

From n = 100 on the shares lie at most 0.01 apart, so some k fits every value: the test can only
speak about fewer than 100 pictures.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from vlmis_utils.analysis.paper import tables
from vlmis_utils.analysis.paper.tables import PUBLISHED

__all__ = [
    "CONTRASTIVE", "PICTURES", "SHARES", "count", "even_hundredths", "even_share", "fits",
    "hr_grid", "misfit_counts", "misfits", "sample_sizes", "shares", "size_of_columns",
]  # fmt: skip

# Columns that are shares of pictures.
SHARES: tuple[str, ...] = ("cor", "smr", "parse_success")
# Pictures assumed where counts are needed: the smallest number that at most one share contradicts.
PICTURES = 50
# Models that mention a fixed number of classes (Section 5.4 of the paper).
CONTRASTIVE: tuple[str, ...] = ("clip", "siglip")
_ALWAYS = 100  # from here on every value fits


def fits(value: float, n: int) -> bool:
    """Return whether some k/n, 0 <= k <= n, is printed as ``value`` with two decimals.

    With c the value in hundredths: |100 k − c n| <= n / 2, in whole numbers. A tie may be rounded
    either way.

    >>> fits(0.88, 50), fits(0.89, 50), fits(0.89, 47)
    (True, False, True)
    """
    hundredths = round(100 * value)
    below = hundredths * n // 100
    return any(2 * abs(100 * k - hundredths * n) <= n for k in (below, below + 1) if k <= n)


def count(value: float, n: int) -> int | None:
    """Return the k whose k/n is nearest to ``value``; None where no k/n is printed so.

    For n above 100 several k are printed alike, and the nearest is one of them.

    >>> count(0.94, 50), count(0.89, 50)
    (47, None)
    """
    return round(value * n) if fits(value, n) else None


def sample_sizes(values: Iterable[float], upto: int = 1000, misses: int = 0) -> list[int]:
    """Return every n from 1 to ``upto`` that all values fit, but for at most ``misses`` of them.

    >>> sample_sizes([0.94, 0.98, 0.62], upto=99)[:3]
    [47, 48, 50]
    """
    values = list(values)
    return [n for n in range(1, upto + 1) if sum(not fits(v, n) for v in values) <= misses]


def shares(folder: str | Path = PUBLISHED) -> pd.DataFrame:
    """Return every printed share of pictures: vlm, metric (of `SHARES`), condition, value."""
    frame = tables.load_tables456(folder).melt(
        ["vlm", "condition"], list(SHARES), var_name="metric"
    )
    return frame.dropna(subset=["value"])[["vlm", "metric", "condition", "value"]].reset_index(
        drop=True
    )


def size_of_columns(folder: str | Path = PUBLISHED) -> pd.DataFrame:
    """Return, for each column of shares and for all together, which n below 100 fit it.

    Returns:
        vlm, metric ("all" in the last row), values (printed), smallest n that fits all of them,
        sizes (a tuple: all such n below 100), smallest_but_one (n that all but at most one fit).
    """
    frame = shares(folder)
    groups = [(*keys, part.value) for keys, part in frame.groupby(["vlm", "metric"], sort=False)]
    rows = []
    for vlm, metric, values in [*groups, ("all", "all", frame.value)]:
        sizes = sample_sizes(values, _ALWAYS - 1)
        nearly = sample_sizes(values, _ALWAYS, misses=1)
        rows.append(
            (vlm, metric, len(values), min(sizes, default=_ALWAYS), tuple(sizes), nearly[0])
        )
    columns = ["vlm", "metric", "values", "smallest", "sizes", "smallest_but_one"]
    return pd.DataFrame(rows, columns=columns)


def misfits(n: int = PICTURES, folder: str | Path = PUBLISHED) -> pd.DataFrame:
    """Return the printed shares that n pictures cannot give, with the two nearest that they can.

    Returns:
        vlm, metric, condition, value, below, above (k/n on either side).

    >>> misfits(50)[["vlm", "metric", "condition", "value"]].values.tolist()
    [['siglip', 'smr', 'MB2', 0.89]]
    """
    frame = shares(folder)
    frame = frame[[not fits(value, n) for value in frame.value]].reset_index(drop=True)
    below = [int(value * n) / n for value in frame.value]
    return frame.assign(below=below, above=[b + 1 / n for b in below])


def misfit_counts(upto: int = _ALWAYS, folder: str | Path = PUBLISHED) -> pd.DataFrame:
    """Return, for every n up to ``upto``, how many of the printed shares n pictures cannot give.

    Returns:
        n, misfits.
    """
    values = list(shares(folder).value)
    rows = [(n, sum(not fits(value, n) for value in values)) for n in range(1, upto + 1)]
    return pd.DataFrame(rows, columns=["n", "misfits"])


def even_share(n: int) -> float:
    """Return the share of the counts 1 to n − 1 that may be printed as an even hundredth.

    >>> even_share(50), round(even_share(500), 2)
    (1.0, 0.5)
    """
    even = sum(any(2 * abs(100 * k - c * n) <= n for c in range(0, 101, 2)) for k in range(1, n))
    return even / (n - 1)


def even_hundredths(folder: str | Path = PUBLISHED) -> pd.DataFrame:
    """Count even hundredths among the printed values, HR beside the shares as a comparison.

    Of 50 pictures every share is an even hundredth; of a large number about half are, see
    `even_share`. A value that a column repeats counts once, and 0 and 1 do not count, so that a
    ceiling is no evidence. ``p`` is the binomial probability of at least so many even values if
    even and odd were equally likely and values independent, an assumption and not a fact.

    Returns:
        metric, values, even, p.
    """
    from scipy.stats import binom

    frame = tables.load_tables456(folder).melt(
        ["vlm", "condition"], [*SHARES, "hr"], var_name="metric"
    )
    frame = frame.assign(hundredths=(100 * frame.value.dropna()).round())
    frame = frame[(frame.hundredths > 0) & (frame.hundredths < 100)]
    frame = frame.drop_duplicates(["vlm", "metric", "hundredths"])
    rows = []
    for metric, part in frame.groupby("metric", sort=False):
        even = int((part.hundredths % 2 == 0).sum())
        rows.append((metric, len(part), even, float(binom.sf(even - 1, len(part), 0.5))))
    return pd.DataFrame(rows, columns=["metric", "values", "even", "p"])


def hr_grid(n: int = PICTURES, folder: str | Path = PUBLISHED) -> pd.DataFrame:
    """Check HR of the models that mention a fixed number K of classes.

    Their HR is a whole number of wrong mentions over K n (the ε of its definition is far below a
    hundredth). Free text has a number of mentions that differs between pictures, so the HR of a
    generative model lies on no common grid and nothing follows from its digits.

    Args:
        n: pictures.

    Returns:
        vlm, top_k (1 to 4), denominator K n, values printed, misfits (values that it cannot give).
    """
    rates = tables.load_tables456(folder)
    rows = []
    for vlm, part in rates[rates.vlm.isin(CONTRASTIVE)].groupby("vlm", sort=False):
        for top_k in (1, 2, 3, 4):
            missed = sum(not fits(value, top_k * n) for value in part.hr)
            rows.append((vlm, top_k, top_k * n, len(part), missed))
    return pd.DataFrame(rows, columns=["vlm", "top_k", "denominator", "values", "misfits"])
