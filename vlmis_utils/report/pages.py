"""The pages of the book that run, and what each says about itself.

A page is a MyST text notebook in `notebooks/`. It declares the parameters that it discusses in its
cell tagged ``parameters`` and gets those, and ``records``, the folder of the study's tables; the
others it reads in the ``study.yaml`` beside them. Front matter may say which tables a page needs,
``vlmis: {needs: [segmentation]}``; which folders it reads beside them, ``reads: [book/measured]``;
how many scenes and conditions it needs, ``least: {scenes: 2, conditions: 2}``; that it shows the
pictures themselves, ``frames: true``; that it is about time and reads a study of sequences,
``sequences: true``; and that it runs after all others, to report on them, ``last: true``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import jupytext
import nbformat
import papermill
import yaml

from vlmis_utils.core.errors import RunError, UserError, closest
from vlmis_utils.core.formatting import listing
from vlmis_utils.records.schema import SCHEMAS

__all__ = ["EXPLORER", "NOTEBOOKS", "TOC", "Page", "find_pages", "page_keys", "select"]

NOTEBOOKS = Path("notebooks")
TOC = Path("_toc.yml")
EXPLORER = "explorer"  # what its page loads when read: in the folder of the study, and in its html


@dataclass(frozen=True)
class Page:
    """A page of the book that runs.

    Attributes:
        path: the text notebook, relative to the repository.
    """

    path: Path

    @property
    def name(self) -> str:
        """File name without ending, such as ``05-4-vision-language-models``."""
        return self.path.stem

    @cached_property
    def notebook(self) -> nbformat.NotebookNode:
        """The page as an unexecuted notebook."""
        return jupytext.read(self.path)

    @cached_property
    def parameters(self) -> dict[str, object]:
        """The parameters that the page declares, with their defaults."""
        found = papermill.inspect_notebook(self.notebook)
        return {name: _literal(about["default"]) for name, about in found.items()}

    @property
    def needs(self) -> tuple[str, ...]:
        """Tables of the records that the page reads; all unless its front matter says."""
        return tuple(self._front.get("needs", SCHEMAS))

    @property
    def reads(self) -> tuple[Path, ...]:
        """Folders of the repository that the page reads beside the records; front matter says."""
        return tuple(Path(str(name)) for name in self._front.get("reads", ()))

    def lacking(
        self, scenes: int, conditions: int, frames: bool = True, sequences: bool | None = None
    ) -> str:
        """Return in a sentence what a study lacks for this page; nothing where it has enough.

        Front matter says what a page needs at least, ``vlmis: {least: {scenes: 2}}``.

        Args:
            scenes, conditions: how many the study has.
            frames: whether its pictures are at hand, and not only their records.
            sequences: whether its pictures are frames of sequences; None says nothing of it.
        """
        if sequences is False and self.sequences:
            return (
                "This page is about sequences, and this study has none: set `sequences` in its "
                "parameters, or `frames`."
            )
        if sequences and self.needs and not (self.sequences or self.last):
            return (
                "This page takes images for independent draws, and those of this study are "
                "frames of sequences: {numref}`Section %s <future-work>` is about them."
            )
        if self._front.get("frames") and not frames:
            return (
                "This page shows images, and this book was made from records alone: run the "
                "study with `data_root` at the photographs to see them."
            )
        least = {"scenes": 1, "conditions": 1} | self._front.get("least", {})
        known = {"scenes": scenes, "conditions": conditions}
        short = [
            f"{least[key]} {key} (it has {known[key]})" for key in known if known[key] < least[key]
        ]
        if not short:
            return ""
        return f"This page cannot be computed for this study: it needs at least {listing(short)}."

    @property
    def sequences(self) -> bool:
        """Whether the page is about time, and reads the records of a study of sequences."""
        return bool(self._front.get("sequences", False))

    @property
    def last(self) -> bool:
        """Whether the page runs after all others."""
        return bool(self._front.get("last", False))

    @property
    def _front(self) -> dict[str, object]:
        return self.notebook.metadata.get("vlmis", {})


def find_pages() -> list[Page]:
    """Return the pages that run, in the order of the table of contents.

    Raises:
        RunError: the table of contents is missing, or names a file that does not exist.
    """
    if not TOC.exists():
        raise RunError(f"no {TOC} here: run vlmis in the folder of the repository")
    names = _files(yaml.safe_load(TOC.read_text(encoding="utf-8")))
    for name in names:
        if not any(Path(name).with_suffix(end).exists() for end in (".md", ".ipynb")):
            raise RunError(f"{TOC} names {name!r}, which does not exist: write it or remove it")
    return [Page(Path(f"{n}.md")) for n in names if Path(n).parent == NOTEBOOKS]


def page_keys() -> frozenset[str]:
    """Return every parameter that some page declares."""
    return frozenset(key for page in find_pages() for key in page.parameters)


def select(pages: Iterable[Page], only: str | None) -> list[Page]:
    """Return the pages whose name starts with ``only`` (all without it).

    Raises:
        UserError: no page's name starts so.
    """
    pages = list(pages)
    chosen = [page for page in pages if page.name.startswith(only or "")]
    if not chosen:
        raise UserError(f"no page starts with {only!r}{closest(only, [p.name for p in pages])}")
    return chosen


def _files(node: object) -> list[str]:
    """Return the files that a table of contents names, in order."""
    if isinstance(node, list):
        return [name for part in node for name in _files(part)]
    if not isinstance(node, dict):
        return []
    own = [node[key] for key in ("root", "file") if key in node]
    parts = [node[key] for key in ("parts", "chapters", "sections") if key in node]
    return own + [name for part in parts for name in _files(part)]


def _literal(text: object) -> object:
    try:
        value = yaml.safe_load(str(text).replace("None", "null"))
    except yaml.YAMLError:
        return text
    return value
