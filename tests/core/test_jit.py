"""What is compiled runs, whatever becomes of the place where numba keeps it."""

from __future__ import annotations

import numba
import pytest
from numba.core import caching

from vlmis_utils.core.jit import compiled


def test_nowhere_to_keep_the_result(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(caching._CacheLocator, "ensure_cache_path", refuse)
    with pytest.raises(RuntimeError, match="cannot cache"):
        numba.njit("int64(int64)", cache=True)(lambda number: 2 * number)
    assert compiled("int64(int64)")(lambda number: 2 * number)(4) == 8


def test_a_damaged_cache_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    compiler = numba.njit

    def njit(*given: object, cache: bool = False, **options: object) -> object:
        if cache:
            raise EOFError("ran out of input")
        return compiler(*given, **options)

    monkeypatch.setattr(numba, "njit", njit)
    twice = compiled("int64(int64)")(lambda number: 2 * number)
    assert twice(4) == 8


def test_without_the_compiler_nothing_is_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(numba.config, "DISABLE_JIT", 1)
    with pytest.raises(ImportError, match="switched off"):
        compiled("int64(int64)")
