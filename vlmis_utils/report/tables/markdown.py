"""Numbered tables: a frame of finished cells becomes a MyST table with a name and a caption.

A page's cell returns the `Markdown`, and the book's build parses it as it parses the page itself:
the table gets a number, can be referred to by name, and may hold roles and links in its cells.
"""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
from IPython.display import Markdown

from vlmis_utils.core.formatting import number

__all__ = ["beside", "fold", "numbered", "span"]


def numbered(
    frame: pd.DataFrame,
    name: str,
    caption: str,
    headers: Mapping[str, str] | None = None,
    left: int = 1,
    css: str = "",
) -> Markdown:
    """Return a frame as a numbered table.

    Args:
        frame: one column of text for each column of the table; other cells are put through `str`.
        name: label for ``{numref}``, such as ``tab-miou``.
        caption: a sentence; MyST roles work.
        headers: column name to heading; the name itself where it is missing.
        left: how many leading columns are aligned left; the others are aligned right. -1 is all.
        css: more class names for the stylesheet: ``dense`` or ``answers``.
    """
    headers = dict(headers or {})
    columns = list(frame.columns)
    left = len(columns) if left < 0 else left
    rule = ["---" if index < left else "--:" for index in range(len(columns))]
    lines = [[headers.get(c, str(c)) for c in columns], rule]
    lines += [[_cell(value) for value in row] for row in frame.itertuples(index=False)]
    body = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    look = f"results {css}".strip()
    return Markdown(f"::::{{table}} {caption}\n:name: {name}\n:class: {look}\n\n{body}\n::::\n")


def fold(title: str, table: Markdown) -> Markdown:
    """Return a table behind a line that unfolds it."""
    return Markdown(f":::::{{dropdown}} {title}\n{table.data}:::::\n")


def span(text: str, style: str) -> str:
    """Return text that the stylesheet knows by ``style``: ``paper`` (printed) or ``interval``.

    >>> span("0.77", "paper")
    '[0.77]{.paper}'
    """
    return f"[{text}]{{.{style}}}" if text else ""


def beside(
    value: float,
    low: float = float("nan"),
    high: float = float("nan"),
    paper: float | None = None,
    digits: int = 2,
) -> str:
    """Return a cell: our value, its interval, and the paper's value where it printed one.

    >>> beside(0.5, 0.4, 0.6, paper=0.77)
    '0.50 [0.40 to 0.60]{.interval} [0.77]{.paper}'
    """
    parts = [number(value, digits)]
    if low == low:
        parts.append(span(f"{number(low, digits)} to {number(high, digits)}", "interval"))
    if paper is not None and paper == paper:
        parts.append(span(number(paper, digits), "paper"))
    return " ".join(parts)


def _cell(value: object) -> str:
    if value is None or value is pd.NA or (isinstance(value, float) and value != value):
        return "–"
    text = number(value) if isinstance(value, float) else str(value)
    return " ".join(text.split()).replace("|", "\\|")
