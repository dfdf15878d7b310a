"""The html book of a study: prose pages and executed pages, put together and built strictly."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import nbformat

from vlmis_utils.core.formatting import listing, verbatim
from vlmis_utils.core.io import write_atomically
from vlmis_utils.core.progress import duration, say
from vlmis_utils.protocol.study import Study
from vlmis_utils.report.build_html import CONFIG, make_html
from vlmis_utils.report.execution import LACKING, other_parameters
from vlmis_utils.report.pages import EXPLORER, NOTEBOOKS, TOC, find_pages

__all__ = ["build", "note_parameters", "note_run"]

PROSE = Path("book")
_RUN = "vlmis-run"  # marks the cell that says how to run a page
_NOTE = "vlmis-note"  # marks the cell that says at which parameters a page stands


def build(study: Study) -> Path:
    """Build ``build/<study>/html`` and return its ``index.html``.

    Every warning is an error, as is every reference that leads nowhere; not so while some pages
    were never executed (after ``--only``), which are shown without their outputs, or could not be
    computed for want of scenes or conditions.

    Args:
        study: whose executed pages to use.

    Raises:
        RunError: Sphinx failed; the message holds its first complaint.
    """
    source, html = study.folder / "source", study.folder / "html"
    doctrees = study.folder / "doctrees"
    say("book: building")
    start = time.perf_counter()
    unexecuted, shortened = _collect(study, source, html, doctrees)
    if unexecuted:
        say(f"book: {len(unexecuted)} pages were never executed, they are shown without outputs")
    index = make_html(study.folder, strict=not (unexecuted or shortened))
    _lay_beside(study.folder / EXPLORER, html / EXPLORER)
    say(f"book: built in {duration(time.perf_counter() - start)}")
    return index


def _collect(study: Study, source: Path, html: Path, doctrees: Path) -> tuple[list[str], bool]:
    """Bring prose and configuration into the source folder.

    Returns:
        The pages not executed; whether some page says that this study has too little for it.
    """
    source.mkdir(parents=True, exist_ok=True)
    pages = find_pages()
    changed = [_copy(path, source / path) for path in (CONFIG, TOC)]
    if any(changed):
        for folder in (html, doctrees):
            shutil.rmtree(folder, ignore_errors=True)
    wanted = {p.relative_to(PROSE) for p in PROSE.rglob("*") if p.is_file()}
    for name in wanted:
        _copy(PROSE / name, source / PROSE / name)
    for path in [p for p in (source / PROSE).rglob("*") if p.is_file()]:
        if path.relative_to(source / PROSE) not in wanted:
            path.unlink()
    names = {page.name for page in pages}
    for path in (source / NOTEBOOKS).glob("*.ipynb"):
        if path.stem not in names:
            path.unlink()
    unexecuted, shortened, others = [], False, other_parameters(study.folder)
    for page in pages:
        target = source / NOTEBOOKS / f"{page.name}.ipynb"
        if not (study.folder / "executed" / f"{page.name}.json").exists():
            write_atomically(target, nbformat.writes(page.notebook).encode())
            unexecuted.append(page.name)
        else:
            note_parameters(target, others.get(page.name, {}))
            note_run(target, page.name)
            shortened |= LACKING in nbformat.read(target, as_version=4).metadata
    return unexecuted, shortened


def note_parameters(path: Path, other: dict[str, object]) -> None:
    """Say at the top of an executed page at which other parameters it stands, or no longer."""
    notebook = nbformat.read(path, as_version=4)
    cells = [cell for cell in notebook.cells if not cell.metadata.get(_NOTE)]
    if other:
        values = listing(f"`{key}` = {verbatim(str(value))}" for key, value in other.items())
        text = (
            "```{warning}\nThis page stands at other parameters than the rest of the book: "
            f"{values}. `vlmis book` brings it up to date.\n```"
        )
        note = nbformat.v4.new_markdown_cell(text, metadata={_NOTE: True}, id="parameters-note")
        cells.insert(1, note)  # below the title
    if cells != notebook.cells:
        notebook.cells = cells
        write_atomically(path, nbformat.writes(notebook).encode())


def note_run(path: Path, name: str) -> None:
    """Say at the end of an executed page, once, how a reader runs it."""
    notebook = nbformat.read(path, as_version=4)
    if any(cell.metadata.get(_RUN) for cell in notebook.cells):
        return
    text = (
        ":::{dropdown} Run this page\n"
        f"`make lab` opens JupyterLab, where `notebooks/{name}.md` is a notebook and runs as it "
        f"is. `vlmis run params/X.yaml --only {name}` computes what it needs, then the page. The "
        "download button above gives it as it stands here, outputs and all.\n:::"
    )
    notebook.cells.append(nbformat.v4.new_markdown_cell(text, metadata={_RUN: True}, id="run"))
    write_atomically(path, nbformat.writes(notebook).encode())


def _lay_beside(made: Path, target: Path) -> None:
    """Bring the files that pages load when they are read into the html, without a second copy."""
    shutil.rmtree(target, ignore_errors=True)
    if made.exists():
        shutil.copytree(made, target, copy_function=_link)


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # another disk, or a file system without links
        shutil.copyfile(source, target)


def _copy(path: Path, target: Path) -> bool:
    """Copy a file if its content differs; return whether it did."""
    if target.exists() and target.read_bytes() == path.read_bytes():
        return False
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(path, target)
    return True
