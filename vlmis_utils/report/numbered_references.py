"""A Sphinx extension: references by number, such as "Section 6.3", without reading a page for each.

Sphinx unpickles the whole page that a reference points to, each time. Two hundred references into
pages full of tables made that a quarter of the time to build the book.
"""

from __future__ import annotations

from functools import cached_property, lru_cache
from typing import Any

from sphinx.application import Sphinx
from sphinx.domains.std import StandardDomain
from sphinx.environment import BuildEnvironment

__all__ = ["NumberedReferences", "setup"]


class _ReadOnce:
    """A build environment that unpickles each page once; what it gives must not be changed."""

    def __init__(self, env: BuildEnvironment) -> None:
        self._env = env
        self.get_doctree = lru_cache(maxsize=None)(env.get_doctree)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._env, name)


class NumberedReferences(StandardDomain):
    """The standard domain, whose ``numref`` looks at a page that it has looked at before."""

    @cached_property
    def _read_once(self) -> _ReadOnce:
        return _ReadOnce(self.env)

    def _resolve_numref_xref(self, _: BuildEnvironment, *where: Any) -> Any:
        return super()._resolve_numref_xref(self._read_once, *where)


def setup(app: Sphinx) -> dict[str, bool]:
    """Put `NumberedReferences` in the place of Sphinx's own domain."""
    app.add_domain(NumberedReferences, override=True)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
