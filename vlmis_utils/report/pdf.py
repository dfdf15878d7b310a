"""The book as one PDF: a browser prints its pages, and pypdf joins them under bookmarks.

``make pdf`` needs the html of a study and Chromium; Playwright drives it. Pages are printed light,
with folded tables open but for very long ones, and folded code left out: those are in the html. A
second printing of empty sheets gives the numbers at their feet.
"""

from __future__ import annotations

import argparse
import io
import shutil
import sys
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from vlmis_utils.core.errors import RunError, UserError
from vlmis_utils.core.io import write_atomically
from vlmis_utils.core.progress import Progress, say
from vlmis_utils.report.pages import TOC

if TYPE_CHECKING:
    from playwright.sync_api import Page
    from pypdf import PageObject, PdfWriter

__all__ = ["contents", "main", "write_pdf"]

_PAPER = {"format": "A4", "print_background": True, "scale": 0.8,
          "margin": {"top": "16mm", "bottom": "16mm", "left": "14mm", "right": "14mm"}}  # fmt: skip
_PATIENCE = 300_000  # ms for a page to load: on a busy machine the usual 30 s are few
_MOST_ROWS = 60  # of a folded table that is printed; longer ones are in the html
_FOOT = '<div style="width: 100%; font: 8px sans-serif; text-align: center">{}</div>'
# What is of use on a screen only.
_PRINT = """
.bd-header, .bd-header-article, .bd-sidebar-primary, .bd-sidebar-secondary, .prev-next-area,
.bd-footer, .bd-footer-content, .pst-scroll-pixel-helper, .skip-link, #pst-back-to-top,
.headerlink, .copybtn, #pst-skip-link, .ex-stories, .ex-choose, .ex-link, .ex-link + button,
#jb-print-docs-body, details.hide.above-input, .toggle-button
  { display: none !important; }
.bd-main .bd-content .bd-article h1:first-of-type { display: block; margin-top: 0; }
.bd-main, .bd-content, .bd-article-container, .bd-article, .bd-page-width
  { max-width: none !important; padding: 0 !important; margin: 0 !important; }
figure, table tr, .admonition, .cell_input, .sd-card { break-inside: avoid; }
.bd-main .bd-content table { break-inside: auto; }
figure img { max-height: 150mm; width: auto; }
.pst-scrollable-table-container, pre { overflow: visible !important; white-space: pre-wrap; }
table.results { font-size: 0.72rem; }
h1, h2, h3, dt { break-after: avoid; }
"""


def contents(toc: Path = TOC) -> list[tuple[int, str, str]]:
    """Return the table of contents in order: depth from 0, caption of a part or "", file or "".

    A row has a caption, and then it is a part, or a file.

    Raises:
        RunError: there is no such file.
    """
    if not toc.exists():
        raise RunError(f"no {toc} here: run in the folder of the repository")
    tree = yaml.safe_load(toc.read_text(encoding="utf-8"))
    return [(0, "", tree["root"]), *_rows(tree, 0)]


def _rows(node: dict, depth: int) -> Iterator[tuple[int, str, str]]:
    for part in node.get("parts", ()):
        yield depth, part.get("caption", ""), ""
        yield from _rows(part, depth + 1)
    for entry in (*node.get("chapters", ()), *node.get("sections", ())):
        yield depth, "", entry["file"]
        yield from _rows(entry, depth + 1)


def write_pdf(html: Path, path: Path, toc: Path = TOC) -> int:
    """Print a book to one PDF with a bookmark for each part and page; return its sheets.

    Args:
        html: folder of a book that is built.
        path: of the PDF.
        toc: its table of contents.

    Raises:
        RunError: a page is missing, or there is no Chromium.
        UserError: Playwright or pypdf is not installed.
    """
    try:
        from pypdf import PdfReader, PdfWriter
    except ImportError as error:
        raise UserError(f"{error.name} is needed: pip install 'vlmis[pdf]'") from error
    rows = contents(toc)
    missing = [file for _, _, file in rows if file and not (html / f"{file}.html").exists()]
    if missing:
        raise RunError(f"no {html / missing[0]}.html: build the book first, 'make book'")
    writer = PdfWriter()
    parents: list[object] = []
    pending: list[tuple[int, str]] = []
    starts: dict[str, int] = {}
    printed = _printed(html, [file for _, _, file in rows if file])
    for depth, caption, file in rows:
        if not file:
            pending = [(depth, caption)]
            continue
        title, data = next(printed)
        first = starts[(html / f"{file}.html").resolve().as_uri()] = len(writer.pages)
        for sheet in PdfReader(io.BytesIO(data)).pages:
            writer.add_page(sheet)
        for level, words in (*pending, (depth, title)):
            del parents[level:]
            parent = parents[level - 1] if level else None
            parents.append(writer.add_outline_item(words, first, parent=parent))
        pending = []
    printed.close()
    numbers = PdfReader(io.BytesIO(_numbers(len(writer.pages))))
    for sheet, number in zip(writer.pages, numbers.pages, strict=True):
        sheet.merge_page(number)
        _link_inside(writer, sheet, starts)
    writer.compress_identical_objects()
    writer.add_metadata({"/Title": next(iter(writer.outline)).title})
    out = io.BytesIO()
    writer.write(out)
    write_atomically(path, out.getvalue())
    return len(writer.pages)


def _link_inside(writer: PdfWriter, sheet: PageObject, starts: Mapping[str, int]) -> None:
    """Turn links to files of the book into links within the PDF; drop those to other files."""
    from pypdf.generic import ArrayObject, DictionaryObject, NameObject

    kept = ArrayObject()
    for reference in sheet.get("/Annots", ()):
        annotation = reference.get_object()
        uri = str(annotation.get("/A", {}).get("/URI", ""))
        if not uri.startswith("file:"):
            kept.append(reference)
            continue
        first = starts.get(uri.partition("#")[0])
        if first is not None:
            goal = ArrayObject([writer.pages[first].indirect_reference, NameObject("/Fit")])
            annotation[NameObject("/A")] = DictionaryObject(
                {NameObject("/S"): NameObject("/GoTo"), NameObject("/D"): goal}
            )
            kept.append(reference)
    if "/Annots" in sheet:
        sheet[NameObject("/Annots")] = kept


def _printed(html: Path, files: list[str]) -> Generator[tuple[str, bytes]]:
    """Yield the title of each page and the PDF that a browser makes of it."""
    with _browser() as page, Progress("pdf", len(files), "pages") as progress:
        for file in files:
            page.goto((html / f"{file}.html").resolve().as_uri(), wait_until="load")
            page.add_style_tag(content=_PRINT)
            page.evaluate(
                "() => { for (const d of document.querySelectorAll('details'))"
                f" d.open = d.querySelectorAll('tr').length <= {_MOST_ROWS};"
                " return Promise.all([...document.images].map(i => { i.loading = 'eager';"
                " return i.decode().catch(() => null) })) }"
            )
            heading = page.locator("article h1").first
            words = heading.evaluate("h => { const c = h.cloneNode(true);"
                                     " c.querySelectorAll('.headerlink').forEach(a => a.remove());"
                                     " return c.textContent }")  # fmt: skip
            yield " ".join(words.split()), page.pdf(**_PAPER)
            progress.add(1)


def _numbers(count: int) -> bytes:
    """Return a PDF of so many empty sheets, each with its number at the foot."""
    with _browser() as page:
        page.set_content("<p style='break-after: page'>&nbsp;</p>" * (count - 1) + "<p>&nbsp;</p>")
        return page.pdf(
            **_PAPER | {"print_background": False}, display_header_footer=True,
            header_template="<span></span>",
            footer_template=_FOOT.format("<span class='pageNumber'></span>"),
        )  # fmt: skip


@contextmanager
def _browser() -> Iterator[Page]:
    """Give an empty page of Chromium, light."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError as error:
        raise UserError(f"{error.name} is needed: pip install 'vlmis[pdf]'") from error
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        raise RunError("no chromium to print with: install it, 'apt-get install chromium'")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program, args=["--no-sandbox", "--disable-gpu"]
        )
        try:
            page = browser.new_page(color_scheme="light")
            page.set_default_timeout(_PATIENCE)
            yield page
        finally:
            browser.close()


def main(argv: list[str] | None = None) -> int:
    """Print the book of a study folder to ``<folder>/<name>.pdf``; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("study", type=Path, help="folder of a study, such as build/streetworld")
    folder = parser.parse_args(argv).study
    path = folder / f"{folder.resolve().name}.pdf"
    try:
        sheets = write_pdf(folder / "html", path)
    except (RunError, UserError) as error:
        say(f"error: {error}")
        return 1
    print(f"{path}: {sheets} sheets")
    return 0


if __name__ == "__main__":
    sys.exit(main())
