"""From numbers to words: a sentence of the book says what the run showed, whatever it showed."""

from __future__ import annotations

import math
from collections.abc import Iterable

__all__ = [
    "capital", "direction", "estimate", "listing", "number", "p_value", "percent", "strength",
    "value_range", "verbatim",
]  # fmt: skip

# What stands for itself in MyST, anywhere in a line.
_HARMLESS = frozenset(" .,;:!?'\"()/-")
# Characters that turn the direction of the text around them.
_TURNING = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def number(value: float, digits: int = 2, sign: bool = False) -> str:
    """Return a number as the book prints it: fixed digits, a true minus, a dash for NaN.

    >>> number(-0.125, 3), number(0.5, sign=True), number(float("nan"))
    ('−0.125', '+0.50', '–')
    """
    if value is None or math.isnan(value):
        return "–"
    text = f"{value:{'+' if sign else ''}.{digits}f}"
    if not text.strip("+-0."):
        text = text.lstrip("+-")
    return text.replace("-", "−")


def capital(words: str) -> str:
    """Return words as they stand at the start of a sentence; the rest keeps its case.

    >>> capital("light falls"), capital("mIoU falls"), capital("")
    ('Light falls', 'mIoU falls', '')
    """
    return words if words[1:2].isupper() else words[:1].upper() + words[1:]


def percent(share: float) -> str:
    """Return a share as whole percent.

    >>> percent(0.256)
    '26 %'
    """
    return "–" if math.isnan(share) else f"{100 * share:.0f} %"


def estimate(value: float, low: float, high: float, digits: int = 2, sign: bool = False) -> str:
    """Return a value with its interval.

    >>> estimate(0.5, 0.41, 0.6)
    '0.50 [0.41, 0.60]'
    """
    if low is None or math.isnan(low):
        return number(value, digits, sign)
    bounds = f"{number(low, digits, sign)}, {number(high, digits, sign)}"
    return f"{number(value, digits, sign)} [{bounds}]"


def p_value(p: float) -> str:
    """Return a p value: three digits, and never the claim that it is zero.

    >>> p_value(0.0312), p_value(1e-9), p_value(float("nan"))
    ('0.031', '< 0.001', '–')
    """
    return "< 0.001" if p < 0.001 else number(p, 3)


def value_range(values: Iterable[float], digits: int = 2, sign: bool = False) -> str:
    """Return the lowest and the highest of some numbers, or the one that all print as.

    NaN is left out; where nothing else is given, a dash.

    >>> value_range([0.5, 0.25, float("nan")]), value_range([0.501, 0.499]), value_range([])
    ('0.25 to 0.50', '0.50', '–')
    >>> value_range([-0.1, 0.2], digits=1, sign=True)
    '−0.1 to +0.2'
    """
    known = [value for value in values if not math.isnan(value)]
    if not known:
        return "–"
    low, high = (number(bound, digits, sign) for bound in (min(known), max(known)))
    return low if low == high else f"{low} to {high}"


def listing(words: Iterable[object], nothing: str = "none") -> str:
    """Return words as a list in a sentence.

    >>> listing(["car", "bus", "tram"]), listing(["car", "bus"]), listing([])
    ('car, bus and tram', 'car and bus', 'none')
    """
    words = [str(word) for word in words]
    if len(words) < 2:
        return words[0] if words else nothing
    return f"{', '.join(words[:-1])} and {words[-1]}"


def verbatim(text: str) -> str:
    """Return a text of unknown origin, such as a model's answer, so that a page only shows it.

    Whatever has a meaning in Markdown, MyST or HTML becomes a character reference, line ends become
    spaces, control characters go. A line of the page must not begin with it.

    >>> verbatim("<b>*Yes* {doc}`x`")
    '&#60;b&#62;&#42;Yes&#42; &#123;doc&#125;&#96;x&#96;'
    """
    kept = [c for c in " ".join(text.split()) if c.isprintable() and c not in _TURNING]
    return "".join(
        c if c.isalnum() or c in _HARMLESS or ord(c) > 127 else f"&#{ord(c)};" for c in kept
    )


def direction(
    low: float,
    high: float,
    up: str = "rises",
    down: str = "falls",
    same: str = "does not change significantly",
) -> str:
    """Return which way a change goes, judged by its interval: only away from 0 is a change.

    >>> direction(0.01, 0.2), direction(-0.1, 0.1)
    ('rises', 'does not change significantly')
    """
    if low > 0:
        return up
    return down if high < 0 else same


def strength(r: float, low: float, high: float) -> str:
    """Return a correlation in words; where its interval holds 0 even its sign is not known.

    Bounds at 0.3, 0.5 and 0.7 of the absolute value, a common convention and no more than that.

    >>> strength(-0.8, -0.95, -0.4), strength(0.4, -0.2, 0.8)
    ('a strong negative correlation', 'no correlation that differs significantly from zero')
    """
    if math.isnan(r):
        return "no correlation that can be computed"
    if math.isnan(low) or low <= 0 <= high:
        return "no correlation that differs significantly from zero"
    size = abs(r)
    word = "strong" if size >= 0.7 else "moderate" if size >= 0.5 else "weak"
    word = "negligible" if size < 0.3 else word
    return f"a {word} {'positive' if r > 0 else 'negative'} correlation"
