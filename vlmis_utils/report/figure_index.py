"""A Sphinx directive that lists every numbered figure or table of the book, with links.

``{figure-index} figure`` on a page becomes a list for each page that has any, in the order of the
table of contents: number, what the caption says first, and the link. It is made after all pages are
read, so it holds what the book really shows.
"""

from __future__ import annotations

from typing import ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util.docutils import SphinxDirective
from sphinx.util.nodes import clean_astext

__all__ = ["FigureIndex", "entries", "first_sentence", "setup"]

KINDS = ("figure", "table")


class _Pending(nodes.General, nodes.Element):
    """Stands where the list will be."""


class FigureIndex(SphinxDirective):
    """``{figure-index} figure`` or ``{figure-index} table``."""

    required_arguments = 1
    option_spec: ClassVar[dict] = {}

    def run(self) -> list[nodes.Node]:
        """Leave a mark, and have the page read anew whenever the book is built."""
        self.env.note_reread()
        return [_Pending(kind=directives.choice(self.arguments[0], KINDS))]


def first_sentence(caption: str) -> str:
    """Return what a caption says first.

    >>> first_sentence("mIoU by condition, 95 % intervals. Below, the paper.")
    'mIoU by condition, 95 % intervals.'
    """
    text = " ".join(caption.split())
    start, stop, _ = text.partition(". ")
    return start + stop.strip()


def entries(env: BuildEnvironment, kind: str) -> dict[str, list[tuple[str, str, str]]]:
    """Return page -> (number, id, caption) of its figures or tables, in the order of the book.

    Args:
        env: of a build that has read all pages.
        kind: figure or table.
    """
    captions = {
        (page, anchor): caption
        for page, anchor, caption in env.domains["std"].data["labels"].values()
    }
    found = {}
    for page in _in_order(env):
        numbers = env.toc_fignumbers.get(page, {}).get(kind, {})
        found[page] = [
            (".".join(map(str, number)), anchor, captions.get((page, anchor), ""))
            for anchor, number in sorted(numbers.items(), key=lambda item: item[1])
        ]
    return {page: rows for page, rows in found.items() if rows}


def _in_order(env: BuildEnvironment) -> list[str]:
    root = env.config.root_doc
    order = [root]
    for page in order:  # grows while it is read
        inside = env.toctree_includes.get(page, [])
        place = order.index(page) + 1
        order[place:place] = [p for p in inside if p not in order]
    return order


def _fill(app: Sphinx, doctree: nodes.document, page: str) -> None:
    for mark in list(doctree.findall(_Pending)):
        env, kind = app.env, mark["kind"]
        words = app.config.numfig_format[kind]
        lists: list[nodes.Node] = []
        for other, rows in entries(env, kind).items():
            title = clean_astext(env.titles[other])
            lists.append(nodes.rubric("", title))
            items = nodes.bullet_list()
            for number, anchor, caption in rows:
                uri = app.builder.get_relative_uri(page, other)
                link = nodes.reference("", words % number, refuri=f"{uri}#{anchor}", internal=True)
                text = nodes.Text(f" {first_sentence(caption)}")
                items += nodes.list_item("", nodes.paragraph("", "", link, text))
            lists.append(items)
        mark.replace_self(lists)


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directive."""
    app.add_directive("figure-index", FigureIndex)
    app.add_node(_Pending)
    app.connect("doctree-resolved", _fill)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
