"""A box filter whose length need not be a whole number of pixels, in whole numbers."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from vlmis_utils.protocol.conditions import PAPER_WIDTH

__all__ = ["Box", "box_of"]


@dataclass(frozen=True)
class Box:
    """A box filter about a pixel: ``size`` pixels wholly inside, one more at each end in part.

    The mean is ``((whole - ends) * S + ends * T) / total`` with S and T the sums over ``size`` and
    ``size + 2`` pixels: whole numbers, which are exact in any order and on any device.

    Attributes:
        size: pixels wholly inside; odd, at least 1.
        whole: weight of each of them.
        ends: weight of the pixel at either end, 0 up to below ``whole``.
    """

    size: int
    whole: int = 1
    ends: int = 0

    @property
    def total(self) -> int:
        """Sum of all weights."""
        return self.size * self.whole + 2 * self.ends


def box_of(length: float) -> Box:
    """Return the box of a length in pixels, to the nearest 1/2048; at least one pixel.

    A pixel's weight is the part of it that the box covers, centred on the middle pixel.

    >>> box_of(7)
    Box(size=7, whole=1, ends=0)
    >>> box_of(6.25)  # five pixels and 5/8 of one more at each end
    Box(size=5, whole=8, ends=5)
    """
    exact = max(Fraction(1), Fraction(length).limit_denominator(PAPER_WIDTH))
    size = (int(exact) - 1) // 2 * 2 + 1
    part = (exact - size) / 2
    return Box(size, part.denominator, part.numerator)
