"""The printed tables in the shapes that an audit asks for, and what they add up to at a glance."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from vlmis_utils.analysis.paper import tables
from vlmis_utils.analysis.paper.consistency import steps
from vlmis_utils.analysis.paper.tables import PUBLISHED

__all__ = ["NAMES_AND_SCALES", "Printed", "drops", "levels"]

# Where the printed tables and the text name or scale the same thing differently: place, there,
# elsewhere. Read off the paper; headings are not part of the committed CSV files.
NAMES_AND_SCALES: tuple[tuple[str, str, str], ...] = (
    ("Table 3, first column", "DeepLabV3 [13]", "DeepLabV3+ in Table 2, Section 6.1 and Figure 4"),
    ("Table 2", "percent, no decimals", "the same mIoU as a fraction, two decimals, in Table 3"),
    ("Table 2, columns", "c1 to c19, not named", "caption: results for safety-critical classes"),
    ("Table 2, caption", "mIoU (%) of all classes", "cells are IoU, only the last column is mIoU"),
)


@dataclass(frozen=True)
class Printed:
    """The printed tables, ready to be asked.

    Attributes:
        classes: IoU, train class x condition (Table 2, without mIoU).
        miou: segmenter x condition (Table 3).
        rates: (vlm, metric) x condition (Tables 4 to 6).
        steps: from `analysis.paper.consistency.steps`.
    """

    classes: pd.DataFrame
    miou: pd.DataFrame
    rates: pd.DataFrame
    steps: pd.DataFrame

    @classmethod
    def load(cls, folder: str | Path = PUBLISHED) -> Printed:
        """Read them from a folder; conditions keep the order of the tables."""
        three = tables.load_table3(folder)
        order = three.condition.drop_duplicates()
        two = tables.load_table2(folder)
        classes = two.pivot(index="train_class", columns="condition", values="iou")[order]
        miou = three.pivot(index="segmenter", columns="condition", values="miou")[order]
        rates = tables.load_tables456(folder).melt(["vlm", "condition"], var_name="metric")
        keys = rates[["vlm", "metric"]].drop_duplicates().itertuples(index=False, name=None)
        rates = rates.pivot(index=["vlm", "metric"], columns="condition", values="value")
        rates = rates.loc[list(keys), order]
        miou = miou.loc[three.segmenter.drop_duplicates()]
        return cls(classes.drop("miou"), miou, rates, steps(folder))


def drops(folder: str | Path = PUBLISHED) -> pd.DataFrame:
    """Return the printed drops of mIoU, which the abstract calls moderate.

    Returns:
        segmenter, condition, lost (clean − degraded) and share (lost as a share of clean).
    """
    miou = Printed.load(folder).miou
    rows = [
        (segmenter, condition, round(row["clean"] - value, 9), 1 - value / row["clean"])
        for segmenter, row in miou.iterrows()
        for condition, value in row.drop("clean").items()
    ]
    return pd.DataFrame(rows, columns=["segmenter", "condition", "lost", "share"])


def levels(folder: str | Path = PUBLISHED) -> pd.DataFrame:
    """Compare the printed rates on clean pictures with their mean over the degraded conditions.

    Returns:
        vlm, metric, clean, degraded (mean over conditions), change, up, equal, down (conditions).
    """
    rates = Printed.load(folder).rates.dropna()
    rates = pd.concat([rates.loc[[vlm]] for vlm in rates.index.get_level_values("vlm").unique()])
    rows = []
    for (vlm, metric), row in rates.iterrows():
        degraded = row.drop("clean")
        change = (degraded - row["clean"]).round(9)
        ways = ((change > 0).sum(), (change == 0).sum(), (change < 0).sum())
        rows.append((vlm, metric, row["clean"], degraded.mean(), change.mean(), *map(int, ways)))
    columns = ["vlm", "metric", "clean", "degraded", "change", "up", "equal", "down"]
    return pd.DataFrame(rows, columns=columns)
