"""Do printed numbers agree with each other? Means of classes, equal cells, order in severity.

A number printed to a whole percent stands for every number within half a percent of it. Sums and
means of such numbers are then known up to an interval, and two printed numbers contradict each
other only if their intervals do not meet (Moore, Kearfott and Cloud, Introduction to Interval
Analysis, 2009).
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from vlmis_utils.analysis.paper import tables
from vlmis_utils.analysis.paper.tables import PUBLISHED
from vlmis_utils.protocol.conditions import FAMILIES, ladder

__all__ = [
    "class_means", "coincidence", "equal_cells", "mean_bounds", "step_counts", "steps",
    "table2_and_table3",
]  # fmt: skip


def mean_bounds(values: Sequence[float], printed: float, half: float = 0.5) -> tuple[float, float]:
    """Return the interval in which an unrounded mean lies if its parts and it were all rounded.

    Each part is known to ± ``half``, hence so is their mean; the printed mean is known to ±
    ``half`` as well. What is left is the intersection
    [max(mean, printed) − half, min(mean, printed) + half].

    Args:
        values: the printed parts.
        printed: the printed mean.
        half: half a unit of the last printed digit, the same for all.

    Returns:
        (low, high); low > high where no numbers could have been rounded to these.

    >>> mean_bounds([70, 73], 72)
    (71.5, 72.0)
    >>> mean_bounds([70, 73], 75)
    (74.5, 72.0)
    """
    mean = float(np.mean(values))
    return max(mean, printed) - half, min(mean, printed) + half


def class_means(folder: str | Path = PUBLISHED) -> pd.DataFrame:
    """Check Table 2: is the printed mIoU the mean of the 19 printed class IoUs?

    Args:
        folder: of the printed tables.

    Returns:
        condition; mean of the printed classes, printed mIoU and their gap (printed − mean), in
        percentage points; low, high from `mean_bounds`; agrees: low <= high.
    """
    table = tables.load_table2(folder).pivot(index="condition", columns="train_class", values="iou")
    rows = []
    for condition in tables.load_table3(folder).condition.unique():
        percent = (100 * table.loc[condition]).round().astype(int)
        classes, printed = percent.drop("miou"), int(percent["miou"])
        low, high = mean_bounds(classes, printed)
        # In whole numbers, so that a tie is decided exactly: |19 P − sum| <= 19.
        agrees = bool(abs(len(classes) * printed - classes.sum()) <= len(classes))
        rows.append(
            (condition, classes.mean(), printed, printed - classes.mean(), low, high, agrees)
        )
    columns = ["condition", "mean", "printed", "gap", "low", "high", "agrees"]
    return pd.DataFrame(rows, columns=columns)


def table2_and_table3(folder: str | Path = PUBLISHED) -> pd.DataFrame:
    """Compare the mIoU of Table 2 (percent) with the first column of Table 3 (fraction).

    Returns:
        condition; table2 in percent and table3 as a fraction, both as printed; equal.
    """
    cells = tables.load_cells(folder)
    miou = cells[(cells.column == "miou") & (cells.model == "deeplabv3plus")]
    text = miou.pivot(index="condition", columns="table", values="text").loc[
        miou.condition.drop_duplicates()
    ]
    frame = text.rename(columns={2: "table2", 3: "table3"}).reset_index()
    frame.columns.name = None
    equal = [
        round(100 * float(b)) == int(a) for a, b in zip(frame.table2, frame.table3, strict=True)
    ]
    return frame.assign(equal=equal)


def equal_cells(folder: str | Path = PUBLISHED) -> pd.DataFrame:
    """Count conditions in which two models print the same number, in the same column.

    Returns:
        column (miou, hr, cor, smr), first, second (models), cells compared, equal, conditions (a
        tuple: where).
    """
    three = tables.load_table3(folder).rename(columns={"segmenter": "model"})
    rates = tables.load_tables456(folder).rename(columns={"vlm": "model"})
    rows = []
    for column, frame in (("miou", three), ("hr", rates), ("cor", rates), ("smr", rates)):
        wide = frame.pivot(index="condition", columns="model", values=column)
        wide = wide.loc[frame.condition.drop_duplicates()]
        for first, second in itertools.combinations(frame.model.drop_duplicates(), 2):
            same = wide.index[np.isclose(wide[first], wide[second], atol=1e-9)]
            rows.append((column, first, second, len(wide), len(same), tuple(same)))
    columns = ["column", "first", "second", "cells", "equal", "conditions"]
    return pd.DataFrame(rows, columns=columns)


def coincidence(cells: int, equal: int, widths: Sequence[int] = (2, 5, 10)) -> pd.DataFrame:
    """Return how likely so many equal cells are under a simple model, for several widths of it.

    The model: in each cell two models differ by a whole number of hundredths, every number from
    −w to w equally likely, cells independent. A cell is then equal with probability 1/(2w + 1), and
    the number of equal cells is binomial. Choosing w is up to the reader, so several are given; the
    model says how rare the coincidence would be, not how the cells came to be equal.

    Args:
        cells: how many were compared.
        equal: how many agree.
        widths: the w, in hundredths.

    Returns:
        width; chance of one cell; p, the probability of at least ``equal`` of ``cells``.

    >>> coincidence(10, 5).p.round(4).tolist()
    [0.0328, 0.0011, 0.0001]
    """
    from scipy.stats import binom

    chance = 1 / (2 * np.asarray(widths) + 1)
    return pd.DataFrame(
        {"width": list(widths), "chance": chance, "p": binom.sf(equal - 1, cells, chance)}
    )


def steps(folder: str | Path = PUBLISHED) -> pd.DataFrame:
    """Return every step of every printed column from one severity to the next.

    A family has three steps: clean to severity 1, 1 to 2, 2 to 3.

    Returns:
        table, model, column, family, start, end (conditions) and change (end − start, a fraction).
    """
    cells = tables.load_cells(folder)
    scale = np.where(cells.table == 2, 100, 1)
    cells = cells.assign(value=cells.text.astype(float) / scale)
    rows = []
    for (table, model, column), part in cells.groupby(["table", "model", "column"], sort=False):
        value = part.set_index("condition").value
        for family in FAMILIES:
            names = [name for _, name in ladder(family, value.index)]
            for start, end in itertools.pairwise(names):
                change = round(value[end] - value[start], 9)
                rows.append((table, model, column, family, start, end, change))
    columns = ["table", "model", "column", "family", "start", "end", "change"]
    return pd.DataFrame(rows, columns=columns)


def step_counts(folder: str | Path = PUBLISHED) -> pd.DataFrame:
    """Count the steps of `steps` that rise, stay equal or fall.

    Returns:
        table, model, column (the class columns of Table 2 together, as "class IoU"), steps, rise,
        equal, fall.
    """
    frame = steps(folder)
    single = (frame.table != 2) | (frame.column == "miou")
    frame["column"] = frame.column.where(single, "class IoU")
    rows = []
    for keys, part in frame.groupby(["table", "model", "column"], sort=False):
        way = np.sign(part.change)
        rows.append((*keys, len(part), *(int((way == s).sum()) for s in (1, 0, -1))))
    columns = ["table", "model", "column", "steps", "rise", "equal", "fall"]
    return pd.DataFrame(rows, columns=columns)
