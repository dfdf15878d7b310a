"""Rules that look at the last answers instead of the last answer. None looks into the future."""

from __future__ import annotations

import numpy as np

__all__ = ["hysteresis", "majority", "running_mean", "vote"]


def majority(said: np.ndarray, k: int) -> np.ndarray:
    """Return what more than half of the last k answers say; on a tie, what the newest says.

    Args:
        said: bool (N, ...), frames first.
        k: answers, the newest among them; at the start of a drive as many as there are.

    >>> majority(np.array([1, 0, 1, 1, 0], bool), 3).astype(int).tolist()
    [1, 0, 1, 1, 1]
    """
    found = np.empty_like(said)
    for at in range(len(said)):
        last = said[max(0, at - k + 1) : at + 1]
        twice = 2 * last.sum(axis=0)
        found[at] = np.where(twice == len(last), said[at], twice > len(last))
    return found


def vote(words: np.ndarray, k: int) -> np.ndarray:
    """Return the commonest of the last k words; on a tie, the newest of the tied.

    >>> vote(np.array(["safe", "unsafe", "safe", "unsafe", "unsafe"], object), 3).tolist()
    ['safe', 'unsafe', 'safe', 'unsafe', 'unsafe']
    """
    found = words.copy()
    for at in range(len(words)):
        last = list(words[max(0, at - k + 1) : at + 1])[::-1]
        found[at] = max(dict.fromkeys(last), key=last.count)
    return found


def hysteresis(words: np.ndarray, k: int) -> np.ndarray:
    """Return a state that changes only when the last k answers agree on another one.

    Args:
        words: (N, ...), frames first; the first answer is the first state.
        k: answers that must agree.

    >>> hysteresis(np.array(["a", "b", "a", "b", "b"], object), 2).tolist()
    ['a', 'a', 'a', 'a', 'b']
    """
    found = words.copy()
    for at in range(1, len(words)):
        last = words[max(0, at - k + 1) : at + 1]
        agreed = np.all(last == words[at], axis=0) & (len(last) == k)
        found[at] = np.where(agreed, words[at : at + 1], found[at - 1 : at])[0]
    return found


def running_mean(values: np.ndarray, k: int) -> np.ndarray:
    """Return the mean of the last k values, at the start of as many as there are.

    Float (N, ...) to float (N, ...).

    >>> running_mean(np.array([0.0, 1.0, 1.0]), 2).tolist()
    [0.0, 0.5, 1.0]
    """
    return np.stack([values[max(0, at - k + 1) : at + 1].mean(axis=0) for at in range(len(values))])
