"""The list of figures and tables holds what the book shows, in its order; its links lead there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.helpers.sphinx_book import build_book
from vlmis_utils.report.figure_index import first_sentence

CONF = """\
extensions = ["myst_parser", "vlmis_utils.report.figure_index"]
numfig = True
"""
PAGES = {
    "index": "# Book\n\n```{toctree}\n:numbered: 1\nb\na\nlists\n```\n",
    "a": "# Late\n\n```{table} A late table.\n:name: tab-late\n\n| x |\n| --- |\n| 1 |\n```\n",
    "b": "# Early\n\n```{figure} dot.png\n:name: fig-dot\nA dot. It is *black*.\n```\n\n"
    "```{table} One of 2.5 parts. More.\n:name: tab-early\n\n| x |\n| --- |\n| 1 |\n```\n",
    "lists": "# Lists\n\n```{figure-index} figure\n```\n\n```{figure-index} table\n```\n",
}


@pytest.fixture(scope="module")
def html(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("book")
    from PIL import Image

    Image.new("L", (2, 2)).save(folder / "dot.png")
    return build_book(folder, CONF, PAGES)


def test_what_is_listed_and_where_it_leads(html: Path) -> None:
    text = (html / "lists.html").read_text()
    found = re.findall(
        r'<li><p><a class="reference internal" href="(.*?)">(.*?)</a>(.*?)</p>', text
    )
    assert found == [
        ("b.html#fig-dot", "Fig. 1.1", " A dot."),
        ("b.html#tab-early", "Table 1.1", " One of 2.5 parts."),
        ("a.html#tab-late", "Table 2.1", " A late table."),
    ]
    assert text.index("Early</p>") < text.index("Late</p>")
    for link, _, _ in found:
        page, anchor = link.split("#")
        assert f'id="{anchor}"' in (html / page).read_text()


def test_an_abbreviated_caption_is_its_first_sentence() -> None:
    assert first_sentence("") == ""
    assert first_sentence("All of it") == "All of it"
    assert first_sentence("One\n line. Two.") == "One line."
