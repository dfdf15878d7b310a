"""Numbers that know how uncertain they are, with the little arithmetic that claims need.

Two kinds, one interface: -, +, / and * by a number. A `Drawn` number comes from our run: its value
on all scenes and on every bootstrap resample of the scenes, so that differences keep the pairing. A
`Printed` number comes from a table of the paper: a value and a standard error. The tables do not
say how the errors of two conditions go together, so for two of them the worst case is taken.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

__all__ = ["Drawn", "Printed", "Quantity", "mean", "printed_share"]


@dataclass(frozen=True)
class Drawn:
    """A number of our run.

    Attributes:
        draws: float64 (1 + R,): the value on all scenes, then on each of R resamples.
    """

    draws: np.ndarray

    @property
    def value(self) -> float:
        """The value on all scenes."""
        return float(self.draws[0])

    @property
    def error(self) -> float:
        """Standard deviation over the resamples that have a value."""
        known = self.draws[1:][np.isfinite(self.draws[1:])]
        return float(np.std(known, ddof=1)) if known.size > 1 else math.nan

    def __sub__(self, other: Drawn) -> Drawn:
        return Drawn(self.draws - other.draws)

    def __add__(self, other: Drawn) -> Drawn:
        return Drawn(self.draws + other.draws)

    def __mul__(self, factor: float) -> Drawn:
        return Drawn(self.draws * factor)

    def __truediv__(self, other: Drawn) -> Drawn:
        """The ratio within each resample; NaN where the divisor is 0."""
        ratio = np.full_like(self.draws, np.nan)
        return Drawn(np.divide(self.draws, other.draws, out=ratio, where=other.draws != 0))


@dataclass(frozen=True)
class Printed:
    """A number of the paper's tables.

    Two printed numbers may be dependent in any way, so errors are put together at their worst: the
    standard error of a sum or difference is at most the sum of both (Cauchy and Schwarz).

    >>> difference = Printed(0.25, 0.06) - Printed(0.17, 0.05)
    >>> round(difference.value, 2), round(difference.error, 2)
    (0.08, 0.11)
    """

    value: float
    error: float = 0.0

    def __sub__(self, other: Printed) -> Printed:
        return Printed(self.value - other.value, self.error + other.error)

    def __add__(self, other: Printed) -> Printed:
        return Printed(self.value + other.value, self.error + other.error)

    def __mul__(self, factor: float) -> Printed:
        return Printed(self.value * factor, self.error * abs(factor))

    def __truediv__(self, other: Printed) -> Printed:
        """The ratio, its error to first order and at the worst; NaN where the divisor is 0."""
        if not other.value:
            return Printed(math.nan, math.nan)
        ratio = self.value / other.value
        return Printed(ratio, (self.error + abs(ratio) * other.error) / abs(other.value))


Quantity = Drawn | Printed


def printed_share(value: float, n: int) -> Printed:
    """Return a printed mean of n numbers in [0, 1], with the largest standard error it can have.

    sqrt(p (1 - p) / n) is exact for a share of n images (COR, SMR) and an upper bound for the mean
    of other numbers in [0, 1], such as HR. At 0 and 1, where it vanishes, p is taken as half an
    image away from the edge.

    >>> round(printed_share(0.5, 50).error, 3)
    0.071
    """
    inner = min(max(value, 0.5 / n), 1 - 0.5 / n)
    return Printed(value, math.sqrt(inner * (1 - inner) / n))


def mean(quantities: Sequence[Quantity]) -> Quantity:
    """Return the mean of at least one quantity of one kind."""
    return sum(quantities[1:], start=quantities[0]) * (1 / len(quantities))
