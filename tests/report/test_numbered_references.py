"""References by number are Sphinx's own, and a page is read once for all that point to it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from sphinx.environment import BuildEnvironment

from tests.helpers.sphinx_book import build_book

CONF = 'extensions = ["myst_parser"]\nnumfig = True\n'
OURS = CONF.replace("]", ', "vlmis_utils.report.numbered_references"]')
TABLE = "(t{0})=\n```{{table}} Numbers\n| a |\n| --- |\n| {0} |\n```\n\n"
LINKS = "{{numref}}`t{0}`, {{numref}}`Section %s <to>` and {{numref}}`no. {{number}} <t{0}>`.\n\n"
PAGES = {
    "index": "# Book\n\n```{toctree}\n:numbered:\nfrom\nto\n```\n",
    "from": "# From\n\n" + "".join(LINKS.format(i) for i in range(5)),
    "to": "(to)=\n# To\n\n" + "".join(TABLE.format(i) for i in range(5)) + LINKS.format(3),
}


@pytest.mark.parametrize("conf", [CONF, OURS], ids=["Sphinx's own", "ours"])
def test_a_page_is_read_once_for_its_references(
    conf: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    given = BuildEnvironment.get_doctree

    def reading(self: BuildEnvironment, name: str):
        read.append(name)
        return given(self, name)

    monkeypatch.setattr(BuildEnvironment, "get_doctree", reading)
    html = build_book(tmp_path, conf, PAGES)
    text = re.sub("<[^>]*>", "", (html / "from.html").read_text())
    for i in range(5):
        assert f"Table 2.{i + 1}, Section 2 and no. 2.{i + 1}." in " ".join(text.split())
    assert (read.count("to") > 15) == (conf == CONF)
