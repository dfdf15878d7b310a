"""Numbered tables: a frame of finished cells becomes a MyST table with a name and a caption.

A page's cell returns the `Markdown`, and the book's build parses it as it parses the page itself:
the table gets a number, can be referred to by name, and may hold roles and links in its cells.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from IPython.display import Markdown

from vlmis_utils.core.formatting import number
from vlmis_utils.protocol.conditions import ordered

__all__ = ["Column", "beside", "cells", "crossed", "fold", "in_order", "numbered", "span"]


@dataclass(frozen=True)
class Column:
    """What a column of a table shows of the rows of a frame.

    Attributes:
        heading: above the column.
        key: column of the frame; numbers with a fraction are rounded, other values kept as text.
        digits: behind the point.
        interval: columns of the lower and upper end shown beside the value; True for ``key`` with
            ``_low`` and ``_high``.
        paper: column of the value that the paper printed.
        sign: whether a plus is written.
        words: value to the words shown.
        form: turns a value into its text, in place of the above.
    """

    heading: str
    key: str
    digits: int = 2
    interval: bool | tuple[str, str] = False
    paper: str = ""
    sign: bool = False
    words: Mapping[Any, str] | None = None
    form: Callable[[Any], str] | None = None

    def of(self, frame: pd.DataFrame) -> list[str]:
        """Return the finished cells of a frame, one a row."""
        ends = (f"{self.key}_low", f"{self.key}_high") if self.interval is True else self.interval
        names = (self.key, *(ends or ()), *([self.paper] if self.paper else []))
        return [self._cell(*row) for row in zip(*(frame[name] for name in names), strict=True)]

    def _cell(self, value: Any, *more: float) -> str:
        if self.form is not None:
            return self.form(value)
        if self.words is not None:
            return str(self.words.get(value, value))
        if not isinstance(value, float):
            return str(value)
        ends = more[:2] if self.interval else (float("nan"), float("nan"))
        paper = more[-1] if self.paper else None
        return beside(value, *ends, paper=paper, digits=self.digits, sign=self.sign)


def cells(frame: pd.DataFrame, *columns: Column) -> pd.DataFrame:
    """Return a table with a row for each row of a frame.

    >>> cells(pd.DataFrame({"r": [0.5], "n": [3]}), Column("r", "r"), Column("points", "n"))
          r points
    0  0.50      3
    """
    return pd.DataFrame({column.heading: column.of(frame) for column in columns}, dtype=object)


def crossed(
    frame: pd.DataFrame,
    rows: Sequence[Column],
    across: str,
    *shown: Column,
    words: Mapping[Any, str] | None = None,
    missing: str = "–",
) -> pd.DataFrame:
    """Return a table whose columns are the values of a column of the frame.

    Args:
        frame: one row a cell.
        rows: leading columns; rows of the frame that agree in them stand in one row of the table.
        across: the column whose values become headings.
        shown: what a cell shows; a heading is added to that of its value.
        words: of the values of ``across``.
        missing: for a cell that the frame does not have.
    """
    known = words or {}
    names = [column.key for column in rows]
    keys = frame.groupby(names, sort=False, dropna=False).ngroup()
    heads = [str(known.get(value, value)) for value in frame[across]]
    lines: dict[int, dict[str, str]] = {}
    for column in shown:
        for key, head, text in zip(keys, heads, column.of(frame), strict=True):
            lines.setdefault(key, {})[f"{head}{column.heading}"] = text
    if across == "condition":  # in the order of the paper's tables, whatever that of the frame
        names_in_order = [str(known.get(value, value)) for value in ordered(frame[across])]
        heads = [*names_in_order, *heads]
    columns = [f"{head}{column.heading}" for head in dict.fromkeys(heads) for column in shown]
    table = pd.DataFrame(list(lines.values()), columns=columns, dtype=object).fillna(missing)
    first = frame.loc[~frame[names].duplicated().to_numpy()]
    return pd.concat([cells(first, *rows), table], axis=1)


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


def in_order(frame: pd.DataFrame, *first: str) -> pd.DataFrame:
    """Return a frame by some columns, and within them by condition as the paper's tables have it.

    >>> in_order(pd.DataFrame({"condition": ["OCC1", "clean", "LL2"]})).condition.tolist()
    ['clean', 'LL2', 'OCC1']
    """
    places = ordered(frame.condition)
    rows = frame.assign(_place=frame.condition.map(places.index))
    rows = rows.sort_values([*first, "_place"], kind="stable", ignore_index=True)
    return rows.drop(columns="_place")


def beside(
    value: float,
    low: float = float("nan"),
    high: float = float("nan"),
    paper: float | None = None,
    digits: int = 2,
    sign: bool = False,
) -> str:
    """Return a cell: our value, its interval, and the paper's value where it printed one.

    >>> beside(0.5, 0.4, 0.6, paper=0.77)
    '0.50 [0.40 to 0.60]{.interval} [0.77]{.paper}'
    """
    parts = [number(value, digits, sign)]
    if low == low:
        ends = f"{number(low, digits, sign)} to {number(high, digits, sign)}"
        parts.append(span(ends, "interval"))
    if paper is not None and paper == paper:
        parts.append(span(number(paper, digits), "paper"))
    return " ".join(parts)


def _cell(value: object) -> str:
    if value is None or value is pd.NA or (isinstance(value, float) and value != value):
        return "–"
    text = number(value) if isinstance(value, float) else str(value)
    return " ".join(text.split()).replace("|", "\\|")
