"""Formulas of the book become MathML that browsers understand."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from vlmis_utils.report.mathml import to_mathml

PAGES = [*Path("notebooks").glob("*.md"), *Path("book").glob("*.md")]


def formulas() -> list[str]:
    text = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    text = re.sub(r"```.*?```", "", text, flags=re.S)
    blocks = re.findall(r"\$\$(.*?)\$\$", text, flags=re.S)
    return blocks + re.findall(r"(?<!\$)\$([^$\n]+)\$(?!\$)", text)


@pytest.mark.parametrize("tex", sorted(set(formulas())))
def test_every_formula_of_the_book_is_well_formed(tex: str) -> None:
    root = ElementTree.fromstring(to_mathml(tex, block=True))
    assert root.tag.endswith("math") and "".join(root.itertext()).strip()


def test_index_stands_beside_an_accented_letter() -> None:
    assert "munderover" not in to_mathml(r"\tilde{x}_i")
