"""A term is linked to the glossary where a page first uses it, unless the page explains it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.helpers.sphinx_book import build_book
from vlmis_utils.report.glossary_links import LINKED

CONF = """\
extensions = ["myst_parser", "vlmis_utils.report.glossary_links"]
myst_enable_extensions = ["colon_fence", "deflist"]
"""
PAGES = {
    "index": "# Book\n\n```{toctree}\na\nb\nbook/glossary\n```\n",
    "a": "# HR of VLMs\n\nA `VLM` has an hr. HR of two VLMs; HR again, and mIoU.\n\n| IoU |\n"
    "| --- |\n| SMR |\n\nThe AUC is *balanced accuracy*, not balanced accuracy. Not COR-like.\n",
    "b": "# Roles\n\nThe {term}`HR` and HR; the **AUC** is an area. AUC once more.\n",
}


def glossary_terms() -> list[str]:
    text = Path("book/glossary.md").read_text(encoding="utf-8")
    return re.findall(r"\n(\S.*)\n  \S", text.split("{glossary}")[1])


@pytest.fixture(scope="module")
def html(tmp_path_factory: pytest.TempPathFactory) -> Path:
    terms = "\n\n".join(f"{name}\n  What it is." for name in glossary_terms())
    glossary = {"book/glossary": f"# Glossary\n\n:::{{glossary}}\n{terms}\n:::\n"}
    return build_book(tmp_path_factory.mktemp("book"), CONF, PAGES | glossary)


def linked(path: Path) -> list[str]:
    body = path.read_text().partition('role="main"')[2]
    return re.findall(r'glossary\.html#term-[^>]*><span class="xref std std-term">(.*?)<', body)


def test_the_first_use_is_linked_and_no_other(html: Path) -> None:
    assert linked(html / "a.html") == ["HR", "VLMs", "mIoU", "AUC"]


def test_what_a_page_links_or_explains_itself_is_left(html: Path) -> None:
    assert linked(html / "b.html") == ["HR"]


def test_every_term_that_is_linked_is_in_the_glossary() -> None:
    assert set(LINKED) <= set(glossary_terms())


@pytest.mark.parametrize("name", LINKED)
def test_a_term_is_found_as_the_glossary_spells_it(name: str) -> None:
    assert re.fullmatch(LINKED[name], name, re.IGNORECASE) or name == "drive"
