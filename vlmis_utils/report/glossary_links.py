"""A Sphinx extension that links a term to the glossary where a page first uses it.

A term that the page explains itself, by a role ``{term}`` or in italics or bold where it first
stands, is left as it is. Only names that mean one thing are linked: "scene" or "answer" on every
page would be noise. Titles, captions, tables, code and what cells put out are left alone.
"""

from __future__ import annotations

import re

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx

__all__ = ["LINKED", "link_terms", "setup"]

# Term of the glossary -> how it stands in a text; other endings follow by themselves.
LINKED: dict[str, str] = {
    "AUC": r"AUCs?", "balanced accuracy": r"balanced accuracy",
    "blank arm": r"blank (?:arm|image)s?",
    "between scenes": r"between scenes", "contrastive model": r"contrastive(?: models?)?",
    "COR": r"COR", "discordant scene": r"discordant(?: scenes?)?", "drive": r"drives",
    "flicker rate": r"flicker(?: rate)?", "generative model": r"generative(?: models?)?",
    "HR": r"HR", "Holm's correction": r"Holm['’]s (?:correction|method)", "IoU": r"IoUs?",
    "McNemar's test": r"McNemar(?:['’]s(?: exact)? test)?", "mIoU": r"mIoU",
    "safety lag": r"safety lag", "segmenter": r"segmenters?", "SMR": r"SMR",
    "StreetWorld": r"StreetWorld", "Top-K": r"Top-K", "VLM": r"VLMs?",
    "within scenes": r"within scenes",
}  # fmt: skip
_PATTERN = re.compile(
    "|".join(rf"(?P<t{i}>(?<![\w-]){form}(?![\w-]))" for i, form in enumerate(LINKED.values())),
    re.IGNORECASE,
)
_NAMES = list(LINKED)
_WHOLE = {name for name in LINKED if name != name.lower()}  # AUC is one, "auc" is not
_LEFT_ALONE = (
    nodes.title, nodes.rubric, nodes.caption, nodes.table, nodes.reference, nodes.literal,
    nodes.literal_block, nodes.math, nodes.math_block, nodes.raw, nodes.comment, nodes.target,
    nodes.term,
)  # fmt: skip
_GLOSSARY = "book/glossary"
_PAGES_WITHOUT = (_GLOSSARY, "book/bibliography", "book/figures")


def link_terms(document: nodes.document, page: str) -> None:
    """Link the first use of each term of `LINKED` on a page, in place.

    Args:
        document: of the page, as read.
        page: its name.
    """
    seen: set[str] = set()
    for text in list(document.findall(nodes.Text)):
        above = list(_ancestors(text))
        if any(isinstance(n, pending_xref) for n in above):
            seen |= {n.get("reftarget", "") for n in above if isinstance(n, pending_xref)}
            continue
        if any(isinstance(n, _LEFT_ALONE) or _of_a_cell(n) or "title" in n.tagname for n in above):
            continue
        marked = any(isinstance(n, (nodes.emphasis, nodes.strong)) for n in above)
        new, start = [], 0
        for found in _PATTERN.finditer(text):
            name = _NAMES[int(str(found.lastgroup)[1:])]
            words = found.group()
            if name in seen or (name in _WHOLE and words[:2] != name[:2]):
                continue
            seen.add(name)
            if not marked:
                new += [nodes.Text(text[start : found.start()]), _link(name, words, page)]
                start = found.end()
        if new:
            text.parent.replace(text, [*new, nodes.Text(text[start:])])


def _ancestors(node: nodes.Node) -> list[nodes.Element]:
    above = []
    while node.parent is not None:
        node = node.parent
        above.append(node)
    return above


def _of_a_cell(node: nodes.Element) -> bool:
    """Whether a node is a code cell with what it put out, or the page's options."""
    return "cell" in node.get("classes", ()) or node.tagname in ("docinfo", "mime_bundle")


def _link(name: str, words: str, page: str) -> pending_xref:
    shown = nodes.inline("", words, classes=["xref", "std", "std-term"])
    return pending_xref("", shown, refdomain="std", reftype="term", reftarget=name, refdoc=page,
                        refexplicit=True, refwarn=True)  # fmt: skip


def _read(app: Sphinx, document: nodes.document) -> None:
    page = app.env.docname
    if _GLOSSARY in app.env.found_docs and page not in _PAGES_WITHOUT:  # one page alone has none
        link_terms(document, page)


def setup(app: Sphinx) -> dict[str, bool]:
    """Link terms once a page is read."""
    app.connect("doctree-read", _read)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
