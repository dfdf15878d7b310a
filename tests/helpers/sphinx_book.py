"""A small book of a test, built by Sphinx as its command line does, warnings as errors."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.util.docutils import docutils_namespace


def build_book(folder: Path, conf: str, pages: Mapping[str, str]) -> Path:
    """Write conf.py and pages (name -> MyST) into a folder beside what is there, and return html.

    What extensions register with docutils ends with the build, so that a process can build another.
    """
    (folder / "conf.py").write_text(conf)
    for name, text in pages.items():
        path = folder / f"{name}.md"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    html, trees = folder / "html", folder / "trees"
    with docutils_namespace():
        Sphinx(folder, folder, html, trees, "html", status=None, warningiserror=True).build()
    return html
