"""From cells to verdicts: the one rule by which every claim is judged.

A claim is about cells: a model under a condition, a pair of models, a pair of conditions. Each cell
is a number that the claim wants above zero. Its two-sided p comes from value and standard error
(normal), the cells of one claim are corrected by Holm's method, and a cell that keeps p below 5 %
*supports* or *contradicts*; any other is *open*. The claim's quantifier turns cells into a verdict.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import pandas as pd
from scipy.special import ndtr

from vlmis_utils.analysis.claims.quantities import Quantity
from vlmis_utils.core.errors import UserError, closest
from vlmis_utils.statistics.paired import ALPHA, holm

__all__ = [
    "ALPHA", "QUANTIFIERS", "VERDICTS", "Cell", "above", "below", "judge", "negative", "verdict",
    "within",
]  # fmt: skip

_TIE = 1e-9  # printed numbers that differ by less are equal
VERDICTS: tuple[str, ...] = ("supported", "contradicted", "not decidable")

# What a claim says of its cells, and what each verdict takes.
QUANTIFIERS: dict[str, str] = {
    "every": "supported if every cell supports; contradicted if one contradicts",
    "most": "supported if more than half of the cells support; contradicted if more than half "
    "contradict",
    "some": "supported if one cell supports; contradicted if every cell contradicts",
    "several": "supported if two cells support; contradicted if all but one contradict",
    "both ways": "supported if one cell supports and another contradicts; contradicted if all "
    "cells go the same way",
}


@dataclass(frozen=True)
class Cell:
    """One comparison that a claim is about.

    Attributes:
        model: whom it is about, for the account model by model.
        what: the comparison in words.
        value: the number that the claim wants above zero.
        error: its standard error; 0 for a number taken at face value.
    """

    model: str
    what: str
    value: float
    error: float = 0.0

    @property
    def p(self) -> float:
        """Two-sided p of no difference from zero; NaN where nothing is known."""
        if math.isnan(self.value) or math.isnan(self.error):
            return math.nan
        if self.error == 0:
            return 0.0 if abs(self.value) > _TIE else 1.0
        return float(2 * ndtr(-abs(self.value) / self.error))


def above(model: str, what: str, quantity: Quantity, bound: float = 0.0) -> Cell:
    """Return the cell of a claim that ``quantity`` is above ``bound``."""
    return Cell(model, what, quantity.value - bound, quantity.error)


def below(model: str, what: str, quantity: Quantity, bound: float) -> Cell:
    """Return the cell of a claim that ``quantity`` is below ``bound``."""
    return Cell(model, what, bound - quantity.value, quantity.error)


def negative(model: str, what: str, found: Mapping[str, object]) -> Cell:
    """Return the cell of a claim that a correlation is below zero, on Fisher's z scale.

    Args:
        found: from `statistics.correlation`.
    """
    z, error = _fisher(found)
    return Cell(model, what, -z, error)


def within(model: str, what: str, found: Mapping[str, object], bound: float) -> Cell:
    """Return the cell of a claim that a correlation is between -bound and bound.

    On Fisher's z scale: atanh(bound) - |atanh(r)|.
    """
    z, error = _fisher(found)
    return Cell(model, what, math.atanh(bound) - abs(z), error)


def _fisher(found: Mapping[str, object]) -> tuple[float, float]:
    """Return atanh(r) and its standard error 1 / sqrt(n - 3); NaN where there is no coefficient."""
    r, n = float(found["r"]), int(found["n"])
    if math.isnan(r) or n < 4:
        return math.nan, math.nan
    return math.atanh(max(min(r, 1 - 1e-9), 1e-9 - 1)), 1 / math.sqrt(n - 3)


def judge(cells: Iterable[Cell], alpha: float = ALPHA) -> pd.DataFrame:
    """Return model, what, value, error, p, adjusted (Holm over these cells) and verdict.

    The verdict of a cell is supports, contradicts or open; cells without a number are open.
    """
    cells = list(cells)
    p = [cell.p for cell in cells]
    adjusted, rejected = holm(p, alpha)
    words = [
        "open" if not reject else "supports" if cell.value > 0 else "contradicts"
        for cell, reject in zip(cells, rejected, strict=True)
    ]
    rows = [(c.model, c.what, c.value, c.error) for c in cells]
    frame = pd.DataFrame(rows, columns=["model", "what", "value", "error"])
    return frame.assign(p=p, adjusted=adjusted, verdict=words)


def verdict(cells: pd.DataFrame, quantifier: str) -> str:
    """Return one of `VERDICTS` for the cells of a claim, from `judge`.

    No cell at all is not decidable.

    Raises:
        UserError: unknown quantifier.

    >>> cells = judge([Cell("a", "LL1", 0.2, 0.01), Cell("a", "LL2", 0.1, 0.2)])
    >>> verdict(cells, "some"), verdict(cells, "every")
    ('supported', 'not decidable')
    """
    if quantifier not in QUANTIFIERS:
        raise UserError(f"unknown quantifier {quantifier!r}{closest(quantifier, QUANTIFIERS)}")
    for_it, against = (int((cells.verdict == w).sum()) for w in ("supports", "contradicts"))
    count = len(cells)
    if not count:
        return VERDICTS[2]
    yes, no = {
        "every": (for_it == count, against > 0),
        "most": (2 * for_it > count, 2 * against > count),
        "some": (for_it > 0, against == count),
        "several": (for_it > 1, against >= max(1, count - 1)),
        "both ways": (for_it > 0 and against > 0, count in (for_it, against)),
    }[quantifier]
    return VERDICTS[0] if yes else VERDICTS[1] if no else VERDICTS[2]
