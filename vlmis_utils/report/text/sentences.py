"""Sentences that depend on numbers: a template is filled for each group of rows.

`sentences` groups a frame twice, into list items and into the parts of each, and fills one template
for each part with what `Counts` knows of its rows: how many there are, how many intervals exclude
zero and on which side, how many p values are small, the range, the largest. A page shows the
template beside the sentences, and nothing in it knows what will come out.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

import numpy as np
import pandas as pd
from IPython.display import Markdown

from vlmis_utils.core.formatting import capital, estimate, number, percent
from vlmis_utils.protocol.conditions import FAMILIES
from vlmis_utils.report.words import LEVEL_WORDS, METRICS, condition_words
from vlmis_utils.statistics.intervals import interval_sign
from vlmis_utils.statistics.paired import ALPHA

__all__ = ["NAMES", "Counts", "bullets", "sentences", "signs"]

# How the values of the columns metric, over, corruption and method are called in a sentence.
NAMES: dict[str, str] = {
    **METRICS, **LEVEL_WORDS, **FAMILIES,
    "f1": "F1", "miou": "mIoU", "pearson": "Pearson", "spearman": "Spearman",
}  # fmt: skip


def signs(frame: pd.DataFrame, low: str = "low", high: str = "high") -> pd.Series:
    """Return for each row the side of zero on which its whole interval lies: -1, 1, or 0 for none.

    >>> signs(pd.DataFrame({"low": [-0.4, -0.1, 0.1], "high": [-0.2, 0.2, 0.5]})).tolist()
    [-1, 0, 1]
    """
    return pd.Series(interval_sign(frame[low], frame[high]), frame.index)


class Counts:
    """What a template can name of a group of rows.

    Args:
        rows: one row a comparison; rows without a value are left out.
        value: column of the estimate.
        low, high: columns of its interval.
        names: values of columns -> words.
    """

    def __init__(
        self, rows: pd.DataFrame, value: str, low: str, high: str, names: Mapping[str, str]
    ) -> None:
        self._all, self._columns, self._names = rows, (value, low, high), names
        self._rows = rows.dropna(subset=[value])

    def __getitem__(self, key: str) -> object:
        return getattr(self, key)

    @property
    def n(self) -> int:
        """Rows with a value."""
        return len(self._rows)

    @property
    def total(self) -> int:
        """Rows, with or without a value."""
        return len(self._all)

    @cached_property
    def _signs(self) -> pd.Series:
        return signs(self._rows, *self._columns[1:])

    @property
    def up(self) -> int:
        """Rows whose interval lies above zero."""
        return int((self._signs > 0).sum())

    @property
    def down(self) -> int:
        """Rows whose interval lies below zero."""
        return int((self._signs < 0).sum())

    @property
    def unclear(self) -> int:
        """Rows whose interval holds zero."""
        return self.n - self.up - self.down

    @property
    def significant(self) -> int:
        """Rows with p at most 0.05."""
        return int((self._rows.p <= ALPHA).sum())

    @cached_property
    def _kept(self) -> pd.Series:
        return np.sign(self._rows[self._columns[0]]).where(self._rows.holm <= ALPHA, 0)

    @property
    def kept(self) -> int:
        """Rows with p at most 0.05 after Holm's correction."""
        return int((self._rows.holm <= ALPHA).sum())

    @property
    def kept_up(self) -> int:
        """Those of them with an estimate above zero."""
        return int((self._kept > 0).sum())

    @property
    def kept_down(self) -> int:
        """Those of them with an estimate below zero."""
        return int((self._kept < 0).sum())

    @property
    def range(self) -> str:
        """Smallest to largest estimate."""
        return self._range(number)

    @property
    def signed_range(self) -> str:
        """Smallest to largest estimate, with signs."""
        return self._range(lambda v: number(v, sign=True))

    @property
    def percent_range(self) -> str:
        """Smallest to largest estimate in percent."""
        return self._range(percent)

    def _range(self, shown: object) -> str:
        values = self._rows[self._columns[0]]
        if values.empty:
            return "no value"
        return " to ".join(dict.fromkeys((shown(values.min()), shown(values.max()))))

    @property
    def median_size(self) -> str:
        """Median of the absolute estimates."""
        return number(self._rows[self._columns[0]].abs().median())

    @cached_property
    def largest(self) -> pd.Series:
        """The row with the largest absolute estimate, its model columns in words."""
        row = self._rows.loc[self._rows[self._columns[0]].abs().idxmax()]
        return row.map(lambda v: self._names.get(v, v) if isinstance(v, str) else v)

    @property
    def largest_condition(self) -> str:
        """Its condition as a reader says it."""
        return condition_words(self.largest.condition)

    @property
    def largest_value(self) -> str:
        """Its estimate and interval."""
        value, low, high = (self.largest[c] for c in self._columns)
        return estimate(value, low, high, sign=True)


def sentences(
    frame: pd.DataFrame,
    template: str,
    by: str | None = None,
    parts: str | None = None,
    value: str = "delta",
    low: str = "low",
    high: str = "high",
    names: Mapping[str, str] | None = None,
    nothing: str = "nothing that can be computed",
) -> list[str]:
    """Fill a template for each group of rows; return one sentence for each value of ``by``.

    Args:
        frame: one row a comparison.
        template: with the names of `Counts` in braces, and ``{part}`` for the value of ``parts``.
        by: column whose values begin a sentence each, in bold; one sentence without it.
        parts: column whose values are the parts of a sentence, joined by semicolons.
        value, low, high: columns of the estimate and its interval.
        names: values of the columns -> words, such as labels of models; `NAMES` come besides.
        nothing: for a part none of whose rows has a value.

    >>> frame = pd.DataFrame({"vlm": ["a", "a"], "delta": [0.3, -0.1], "low": [0.1, -0.3],
    ...                       "high": [0.5, 0.1]})
    >>> sentences(frame, "rises in {up} of {n}, by {range}", by="vlm")
    ['**A**: rises in 1 of 2, by −0.10 to 0.30.']
    """
    words = NAMES | dict(names or {})
    found = []
    for name, rows in _groups(frame, by):
        filled = []
        for part, group in _groups(rows, parts):
            counts = Counts(group, value, low, high, words)
            part = words.get(part, str(part))
            if counts.n:
                filled.append(template.format_map(_Named(counts, part)))
            else:
                filled.append(f"{part} {nothing}" if parts else nothing)
        name = words.get(name, str(name))
        start = f"**{capital(name)}**: " if by else ""
        found.append(f"{start}{'; '.join(filled)}.")
    return found


class _Named(dict):
    """The names of a template: ``part``, and all of `Counts`, computed when asked for."""

    def __init__(self, counts: Counts, part: str) -> None:
        super().__init__(part=part)
        self._counts = counts

    def __missing__(self, key: str) -> object:
        return self._counts[key]


def _groups(frame: pd.DataFrame, by: str | None) -> list[tuple[str, pd.DataFrame]]:
    return list(frame.groupby(by, sort=False)) if by else [("", frame)]


def bullets(lines: list[str], nothing: str = "This run has nothing to compare.") -> Markdown:
    """Return sentences as a list of a page."""
    return Markdown("\n".join(f"- {line}" for line in lines) or nothing)
