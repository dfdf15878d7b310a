"""The two errors a user can meet: misuse (exit code 2) and a failed run (exit code 1)."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

__all__ = ["RunError", "UserError", "closest"]


class UserError(ValueError):
    """Bad input. The message is one line that names the thing and the remedy."""


class RunError(RuntimeError):
    """A run that could not go on. The message is one line that names the file and the remedy."""


def closest(word: object, known: Iterable[str]) -> str:
    """Return `` (did you mean 'x'?)`` for the nearest known word, else the list of known words.

    >>> closest("topk", ["top_k", "seed"])
    " (did you mean 'top_k'?)"
    """
    known = list(known)
    match = difflib.get_close_matches(str(word), known, n=1, cutoff=0.6)
    return f" (did you mean {match[0]!r}?)" if match else f" (known: {', '.join(known)})"
