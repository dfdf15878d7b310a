"""A Sphinx extension: formulas as MathML, which browsers draw without any download."""

from __future__ import annotations

import re

from docutils import nodes
from docutils.utils.math import latex2mathml
from sphinx.application import Sphinx
from sphinx.util.math import get_node_equation_number
from sphinx.writers.html5 import HTML5Translator

__all__ = ["setup", "to_mathml"]

# docutils puts an index below an accented letter; an empty group keeps it beside.
_ACCENT_INDEX = re.compile(r"(\\(?:tilde|hat|bar)\{[^}]*\})_")


def to_mathml(tex: str, block: bool = False) -> str:
    r"""Return a formula in TeX as a MathML element.

    >>> to_mathml(r"\tilde{x}_i").count("msub")
    2
    """
    tex = _ACCENT_INDEX.sub(r"\1{}_", tex)
    return latex2mathml.tex2mathml(tex, as_block=block).replace("\u29f5", "\u2216")


def _inline(self: HTML5Translator, node: nodes.math) -> None:
    self.body.append(to_mathml(node.astext()))
    raise nodes.SkipNode


def _block(self: HTML5Translator, node: nodes.math_block) -> None:
    self.body.append(self.starttag(node, "div", CLASS="math"))
    if node["number"]:
        number = get_node_equation_number(self, node)
        self.body.append(f'<span class="eqno">({number})</span>')
    self.body.append(to_mathml(node.astext(), block=True))
    self.body.append("</div>")
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the renderer ``mathml`` (option ``html_math_renderer``)."""
    app.add_html_math_renderer("mathml", (_inline, None), (_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
