"""The audit's frames as finished cells of the page's tables; every number is computed elsewhere."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from vlmis_utils.analysis.paper.tables import NAMES_AND_SCALES, PRINTED_NAMES
from vlmis_utils.core.formatting import listing, number
from vlmis_utils.report.tables.markdown import Column, cells, span
from vlmis_utils.report.text.paper_summary import Finding

__all__ = [
    "COLUMNS", "load_class_means", "load_drops", "load_equal", "load_findings", "load_levels",
    "load_names", "load_sizes", "load_statements", "load_steps", "printed_names",
]  # fmt: skip

# What the page calls a column.
COLUMNS: dict[str, str] = {
    "hr": "HR", "cor": "COR", "smr": "SMR", "parse_success": "parse success", "miou": "mIoU",
    "class IoU": "class IoU, 19 classes", "all": "all together",
}  # fmt: skip


VLM = Column("VLM", "vlm", words=PRINTED_NAMES)
METRIC = Column("column", "metric", words=COLUMNS)
_COLUMN = Column("column", "column", words=COLUMNS)


def printed_names(models: Iterable[str]) -> list[str]:
    """Return the paper's names of models; "all" where there is none."""
    return [PRINTED_NAMES.get(model, "all") for model in models]


def load_findings(found: list[Finding]) -> pd.DataFrame:
    """Return the numbered findings: what is compared, with section and function, and the result."""
    return pd.DataFrame(
        {
            "#": [str(i) for i in range(1, len(found) + 1)],
            "what is compared": [
                f"{f.place} {span(f'{{ref}}`{f.section}`', 'interval')}"
                f" {span(f'`{f.command}`', 'interval')}"
                for f in found
            ],
            "what the printed numbers give": [f.statement for f in found],
        }
    )


def load_class_means(means: pd.DataFrame) -> pd.DataFrame:
    """Return `class_means` in percent, with the interval that both printed numbers allow."""
    between = [
        f"{number(a)} and {number(b)}" if ok else "nothing"
        for a, b, ok in zip(means.low, means.high, means.agrees, strict=True)
    ]
    return cells(
        means.assign(between=between), Column("condition", "condition"),
        Column("mean of 19 classes", "mean"), Column("printed mIoU", "printed"),
        Column("gap", "gap", sign=True), Column("unrounded mIoU between", "between"),
    )  # fmt: skip


def load_names() -> pd.DataFrame:
    """Return what is named or scaled differently, and where."""
    return pd.DataFrame(NAMES_AND_SCALES, columns=["place", "there", "elsewhere"])


def load_equal(same: pd.DataFrame) -> pd.DataFrame:
    """Return `equal_cells`: how many cells two models share, and under which conditions."""
    pairs = zip(printed_names(same["first"]), printed_names(same["second"]), strict=True)
    equal = [f"{e} of {c}" for e, c in zip(same.equal, same.cells, strict=True)]
    return cells(
        same.assign(models=[f"{a}, {b}" for a, b in pairs], equal=equal),
        _COLUMN, Column("models", "models"), Column("equal", "equal"),
        Column("under", "conditions", form=lambda names: listing(names, "–")),
    )  # fmt: skip


def load_steps(counts: pd.DataFrame) -> pd.DataFrame:
    """Return `step_counts`: steps up in severity that raise, keep or lower a printed value."""
    return cells(
        counts, Column("table", "table"), Column("model", "model", words=PRINTED_NAMES), _COLUMN,
        *(Column(name, name) for name in ("steps", "rise", "equal", "fall")),
    )  # fmt: skip


def load_sizes(sizes: pd.DataFrame) -> pd.DataFrame:
    """Return `size_of_columns`: which numbers of images below 100 fit."""
    return cells(
        sizes, Column("model", "vlm", words=PRINTED_NAMES), METRIC, Column("values", "values"),
        Column("n < 100 that fit all", "sizes", form=_ranges),
        Column("smallest n that fits all but one", "smallest_but_one"),
    )  # fmt: skip


def _ranges(numbers: tuple[int, ...]) -> str:
    """Return whole numbers with runs joined: (1, 2, 3, 7) is "1–3, 7"."""
    runs: list[list[int]] = []
    for n in numbers:
        if runs and n == runs[-1][-1] + 1:
            runs[-1].append(n)
        else:
            runs.append([n])
    return ", ".join(f"{r[0]}–{r[-1]}" if len(r) > 1 else str(r[0]) for r in runs) or "none"


def load_drops(lost: pd.DataFrame) -> pd.DataFrame:
    """Return `drops` by segmenter and severity: the smallest and largest over corruptions."""
    lines = []
    for segmenter, rows in lost.groupby("segmenter", sort=False):
        line = {"segmenter": PRINTED_NAMES[segmenter]}
        for level, part in rows.groupby(rows.condition.str[-1]):
            low, high = part.lost.min(), part.lost.max()
            worst = 100 * part.share.max()
            line[f"severity {level}"] = f"{number(low)} to {number(high)}, at most {worst:.0f} %"
        lines.append(line)
    return pd.DataFrame(lines)


def load_levels(rates: pd.DataFrame) -> pd.DataFrame:
    """Return `levels`: clean value, mean of the degraded conditions, and how many lie above."""
    return cells(
        rates, VLM, METRIC, Column("clean", "clean"), Column("degraded, mean", "degraded"),
        Column("change", "change", sign=True), Column("above clean", "up"),
        Column("equal", "equal"), Column("below", "down"),
    )  # fmt: skip


def load_statements(held: pd.DataFrame) -> pd.DataFrame:
    """Return `judge_tables`: the words, the rule, the margins, and how many cells agree."""
    return pd.DataFrame(
        {
            "what it says": [
                f"{clause} {span(place, 'interval')}"
                for clause, place in zip(held.clause, held.place, strict=True)
            ],
            "a cell agrees if": held.rule,
            "margin of the cells": [
                f"{number(low, sign=True)} to {number(high, sign=True)}"
                for low, high in zip(held.lowest, held.highest, strict=True)
            ],
            "cells that agree": [
                f"{row.holds} of {row.cases} {span(f'needed: {row.quantifier}', 'interval')}"
                f" {span(row.verdict, 'interval')}"
                for row in held.itertuples()
            ],
        }
    )
