"""The book as one PDF: pages in order, bookmarks like the contents, links that stay inside."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from pypdf import PdfReader

from vlmis_utils.core.errors import RunError
from vlmis_utils.report import pdf

TOC = """\
format: jb-book
root: cover
parts:
  - caption: First part
    chapters:
      - file: a
        sections:
          - file: b
  - caption: Second part
    chapters:
      - file: c
"""
PAGES = {
    "cover": ("Cover", '<a href="c.html#x">to c</a> <a href="left-out.html">out</a>'),
    "a": ("1. A", "<p>alpha</p><div style='break-before: page'>alpha again</div>"),
    "b": ("1.1 B", '<a href="https://example.org/">away</a><details><summary>All</summary>a table'
          "</details><details><summary>Long</summary><table>"
          + "<tr><td>row" * 99 + "</table></details>"
          "<details class='hide above-input'><summary>Show</summary>code</details>"),
    "c": ("2. C", "<div class='bd-sidebar-primary'>only on a screen</div>"),
}  # fmt: skip


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pdf")
    (folder / "_toc.yml").write_text(TOC)
    for name, (title, body) in PAGES.items():
        text = f"<article><h1>{title}<a class='headerlink' href='#'>#</a></h1>{body}</article>"
        (folder / f"{name}.html").write_text(f"<!doctype html><meta charset=utf-8>{text}")
    return folder


def bookmarks(reader: PdfReader, outline: list | None = None, depth: int = 0) -> list[tuple]:
    found = []
    for entry in reader.outline if outline is None else outline:
        if isinstance(entry, list):
            found += bookmarks(reader, entry, depth + 1)
        else:
            found.append((depth, entry.title, reader.get_destination_page_number(entry)))
    return found


def test_the_contents_are_parts_and_pages_by_depth(book: Path) -> None:
    assert pdf.contents(book / "_toc.yml") == [
        (0, "", "cover"), (0, "First part", ""), (1, "", "a"), (2, "", "b"),
        (0, "Second part", ""), (1, "", "c"),
    ]  # fmt: skip
    assert len([file for _, _, file in pdf.contents() if file]) > 30


def test_pages_bookmarks_and_links(book: Path) -> None:
    path = book / "book.pdf"
    with ThreadPoolExecutor(1) as other:  # Playwright runs once in a thread
        assert other.submit(pdf.write_pdf, book, path, book / "_toc.yml").result() == 5
    reader = PdfReader(path)
    assert bookmarks(reader) == [
        (0, "Cover", 0), (0, "First part", 1), (1, "1. A", 1), (2, "1.1 B", 3),
        (0, "Second part", 4), (1, "2. C", 4),
    ]  # fmt: skip
    assert reader.metadata.title == "Cover"
    texts = [page.extract_text() for page in reader.pages]
    assert "alpha again" in texts[2] and "only on a screen" not in texts[4]
    assert [text.split()[-1] for text in texts] == ["1", "2", "3", "4", "5"]
    assert "Long" in texts[3] and "row" not in texts[3]
    assert "a table" in texts[3] and "code" not in texts[3] and "Show" not in texts[3]
    inside = [a.get_object()["/A"] for a in reader.pages[0]["/Annots"]]
    assert len(inside) == 1 and inside[0]["/S"] == "/GoTo"
    assert reader.get_page_number(inside[0]["/D"][0].get_object()) == 4
    away = [a.get_object()["/A"] for a in reader.pages[3]["/Annots"]]
    assert [link["/URI"] for link in away] == ["https://example.org/"]
    assert b"file:" not in path.read_bytes()


def test_a_page_that_is_not_built_is_named(book: Path, tmp_path: Path, capsys) -> None:
    with pytest.raises(RunError, match="cover.html: build the book first"):
        pdf.write_pdf(tmp_path, tmp_path / "x.pdf", book / "_toc.yml")
    assert pdf.main([str(tmp_path)]) == 1
    assert "build the book first" in capsys.readouterr().err
