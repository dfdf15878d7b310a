"""What a model's answers do over a drive: flicker, stay, come late, drift.

For a drive of N frames: what the answers mention and what is there, bool (N, K) over K classes;
what they decide; and what is true. Rates are of a drive; a drive in which a measure has nothing to
count (no object, no unsafe frame) has NaN and is left out of its mean.
"""

from __future__ import annotations

import numpy as np

from vlmis_utils.metrics.temporal.spells import spells, waits

__all__ = ["exposure", "flicker", "hallucinations", "latency", "missed", "safety_lag", "slope"]


def flicker(answer: np.ndarray, truth: np.ndarray) -> float:
    """Return how often an answer changes between two frames while the truth does not.

    Args:
        answer: (N,) or (N, K), any values that can be compared.
        truth: of the same shape.

    Returns:
        Share of pairs of neighbouring frames (and classes) with the same truth; NaN without any.

    >>> flicker(np.array([1, 0, 1, 1]), np.array([1, 1, 1, 0]))
    1.0
    """
    same = truth[1:] == truth[:-1]
    return _mean((answer[1:] != answer[:-1])[same])


def hallucinations(mentioned: np.ndarray, present: np.ndarray) -> list[tuple[int, bool]]:
    """Return how many frames each hallucination lasts, and whether it was seen to end.

    One ends when the class is no longer mentioned. It is cut off by the end of the drive, and where
    the class comes into the picture, from when on the mention is right.

    Args:
        mentioned, present: bool (N, K).

    >>> said, real = np.array([[1], [1], [0], [1]], bool), np.zeros((4, 1), bool)
    >>> hallucinations(said, real)
    [(2, True), (1, False)]
    """
    found = []
    for said, there in zip(mentioned.T, present.T, strict=True):
        for spell in spells(said & ~there):
            overtaken = spell.stop < len(said) and bool(said[spell.stop])
            found.append((spell.length, not (spell.cut or overtaken)))
    return found


def latency(mentioned: np.ndarray, present: np.ndarray) -> list[tuple[int, bool]]:
    """Return the frames from when an object is first visible until it is first mentioned.

    Args:
        mentioned, present: bool (N, K), of the classes that matter.

    Returns:
        One for each time that a class comes into the picture (or is there at the first frame):
        frames, and whether it was mentioned at all while it was there.
    """
    pairs = zip(present.T, mentioned.T, strict=True)
    return [wait for there, said in pairs for wait in waits(there, said)]


def missed(mentioned: np.ndarray, present: np.ndarray) -> float:
    """Return the share of an object's frames in which it goes unmentioned, over all classes.

    Bool (N, K) each; NaN where none is ever present.
    """
    return _mean(~mentioned[present])


def safety_lag(said_unsafe: np.ndarray, safe: np.ndarray) -> list[tuple[int, bool]]:
    """Return the frames from a change to unsafe until the model first says so.

    Only changes inside the drive count, not a drive that begins unsafe. A model that always says
    unsafe has no lag: read it beside the false alarms.

    Args:
        said_unsafe, safe: bool (N,).

    Returns:
        One for each change: frames, and whether it was said while it was true.

    >>> safety_lag(np.array([0, 0, 0, 1], bool), np.array([1, 0, 0, 0], bool))
    [(2, True)]
    """
    found = waits(~safe, said_unsafe)
    return found[1:] if len(safe) and not safe[0] else found


def exposure(said_safe: np.ndarray, safe: np.ndarray) -> float:
    """Return the share of the unsafe time that is judged safe; NaN where all of it is safe.

    >>> exposure(np.array([1, 1, 0], bool), np.array([1, 0, 0], bool))
    0.5
    """
    return _mean(said_safe[~safe])


def slope(error: np.ndarray, time: np.ndarray) -> float:
    """Return the change of an error in a second, by least squares; NaN below two times.

    Checked against: scipy.stats.linregress.

    Args:
        error: float (N,), NaN where there is none.
        time: seconds, float (N,).
    """
    known = np.isfinite(error)
    x = time[known] - time[known].mean() if known.any() else np.zeros(1)
    if not x.any():
        return float("nan")
    return float(x @ error[known] / (x @ x))


def _mean(values: np.ndarray) -> float:
    return float(np.mean(values)) if values.size else float("nan")
