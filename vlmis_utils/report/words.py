"""Short names that figures, tables and sentences share."""

from __future__ import annotations

from vlmis_utils.protocol.conditions import BLANK, CONDITION_NAMES, FAMILIES

__all__ = ["LEVEL_WORDS", "METRICS", "condition_words"]

METRICS: dict[str, str] = {"hr": "HR", "cor": "COR", "smr": "SMR"}

# Over what a correlation is taken; see `analysis.correlation.LEVELS`.
LEVEL_WORDS: dict[str, str] = {
    "conditions": "over conditions",
    "images": "over images",
    "within": "within scenes",
    "between": "between scenes",
}

_STRENGTH = {"1": "mild", "2": "medium", "3": "strong"}


def condition_words(condition: str) -> str:
    """Return a condition as a reader says it, its name in brackets.

    >>> condition_words("MB3"), condition_words("clean")
    ('strong motion blur (MB3)', 'clean')
    """
    family, level = condition.rstrip("123"), condition[-1]
    if family not in FAMILIES:
        return CONDITION_NAMES[BLANK] if condition == BLANK else condition
    return f"{_STRENGTH[level]} {FAMILIES[family]} ({condition})"
