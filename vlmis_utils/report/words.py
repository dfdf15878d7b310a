"""Short names that figures, tables and sentences share."""

from __future__ import annotations

__all__ = ["LEVEL_WORDS", "METRICS"]

METRICS: dict[str, str] = {"hr": "HR", "cor": "COR", "smr": "SMR"}

# Over what a correlation is taken; see `analysis.correlation.LEVELS`.
LEVEL_WORDS: dict[str, str] = {
    "conditions": "over conditions",
    "images": "over images",
    "within": "within scenes",
    "between": "between scenes",
}
