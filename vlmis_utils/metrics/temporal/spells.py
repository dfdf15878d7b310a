"""Spells: how long something lasts, how long it takes, and what was cut off by the end."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["Spell", "spells", "survival", "waits"]


@dataclass(frozen=True)
class Spell:
    """Frames ``start`` to ``stop`` (exclusive) in which something holds; ``cut`` if the end of the
    sequence, not a change, ended it."""

    start: int
    stop: int
    cut: bool

    @property
    def length(self) -> int:
        """Frames."""
        return self.stop - self.start


def spells(holds: np.ndarray) -> list[Spell]:
    """Return the longest runs of frames in which something holds.

    Args:
        holds: bool (N,), one for each frame.

    >>> [(s.start, s.stop, s.cut) for s in spells(np.array([True, False, True, True]))]
    [(0, 1, False), (2, 4, True)]
    """
    edges = np.flatnonzero(np.diff(np.concatenate([[0], np.asarray(holds, int), [0]])))
    pairs = edges.reshape(-1, 2)
    return [Spell(int(a), int(b), bool(b == len(holds))) for a, b in pairs]


def waits(due: np.ndarray, done: np.ndarray) -> list[tuple[int, bool]]:
    """Return, for each spell in which something is due, the frames until it is first done.

    Args:
        due, done: bool (N,).

    Returns:
        Frames waited, and whether it was done at all in the spell; if not, the frames waited are
        the length of the spell.

    >>> waits(np.array([0, 1, 1, 1, 0, 1], bool), np.array([1, 0, 0, 1, 0, 0], bool))
    [(2, True), (1, False)]
    """
    found = []
    for spell in spells(due):
        at = np.flatnonzero(done[spell.start : spell.stop])
        found.append((int(at[0]), True) if len(at) else (spell.length, False))
    return found


def survival(
    lasted: np.ndarray, ended: np.ndarray, unit: np.ndarray, weights: np.ndarray, longest: int
) -> np.ndarray:
    """Return the share of spells that last longer than 0, 1, ... frames (Kaplan and Meier, 1958).

    A spell that was cut off counts among those at risk as long as it was seen.

    Checked against: scipy.stats.ecdf of censored data.

    Args:
        lasted: int (S,), frames of each spell.
        ended: bool (S,), False where it was cut off.
        unit: int (S,), the drive of each spell.
        weights: (R, D), how often each resample draws each drive.
        longest: frames up to which to go.

    Returns:
        float64 (R, longest + 1); NaN from where nothing is at risk any more.
    """
    drives = weights.shape[1]
    at_risk, events = np.zeros((2, drives, longest + 1))
    for frames, over, drive in zip(lasted, ended, unit, strict=True):
        at_risk[drive, 1 : frames + 1] += 1
        if over and frames <= longest:
            events[drive, frames] += 1
    risk, gone = weights @ at_risk, weights @ events
    with np.errstate(divide="ignore", invalid="ignore"):
        kept = 1 - gone / risk
    kept[:, 0] = np.where(risk[:, 1] > 0, 1.0, np.nan) if longest else 1.0
    return np.cumprod(kept, axis=1)
