"""Functions compiled by numba when their module is imported, or loaded from an earlier import."""

from __future__ import annotations

from collections.abc import Callable

import numba

__all__ = ["compiled"]


def compiled(signature: object) -> Callable[[Callable], Callable]:
    """Return a decorator that compiles a function now and releases Python's lock while it runs.

    The machine code is kept beside the module, else in the user's cache, else not at all.

    Raises:
        ImportError: numba's compiler is switched off, so that the function would be slow.

    >>> compiled("int64(int64)")(lambda x: x + 1)(2)
    3
    """
    if numba.config.DISABLE_JIT:
        raise ImportError("numba's compiler is switched off (NUMBA_DISABLE_JIT)")

    def decorate(function: Callable) -> Callable:
        options = {"nogil": True, "error_model": "numpy"}
        try:
            return numba.njit(signature, cache=True, **options)(function)
        except Exception:  # nowhere to write, a full disk, a damaged file
            return numba.njit(signature, **options)(function)

    return decorate
