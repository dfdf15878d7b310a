"""Names of a package that are imported when they are first asked for (PEP 562)."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module

__all__ = ["lazy"]


def lazy(
    package: str, modules: Mapping[str, str]
) -> tuple[list[str], Callable[[str], object], Callable[[], list[str]]]:
    """Return ``__all__``, ``__getattr__`` and ``__dir__`` of a package with names in its modules.

    Args:
        package: its ``__name__``.
        modules: of the package, such as ``core.errors`` -> the names that it defines, with a space
            between them.

    >>> names, find, _ = lazy("vlmis_utils.core", {"errors": "one_line closest"})
    >>> names, find("closest")("cra", ["car"])
    (['closest', 'one_line'], " (did you mean 'car'?)")
    """
    homes = {name: module for module, names in modules.items() for name in names.split()}

    def find(name: str) -> object:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        found = getattr(import_module(f"{package}.{homes[name]}"), name)
        setattr(sys.modules[package], name, found)
        return found

    def known() -> list[str]:
        return sorted({*vars(sys.modules[package]), *homes})

    return sorted(homes), find, known
