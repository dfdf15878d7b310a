"""What the paper prints: its Tables 2 to 6 as tidy frames, from ``book/published/*.csv``.

Class columns of Table 2 are named c1 to c19 in the paper; the names in the file assume the standard
Cityscapes train-id order, which the paper does not state.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from vlmis_utils.core.errors import RunError
from vlmis_utils.protocol.models import architecture

__all__ = [
    "NAMES_AND_SCALES", "PRINTED_NAMES", "PUBLISHED", "VLM_NAMES", "beside", "drops", "levels",
    "load_cells", "load_table2", "load_table3", "load_tables456", "pairs",
]  # fmt: skip

PUBLISHED = Path(__file__).resolve().parents[3] / "book" / "published"

# The paper's name of a model -> its name in the catalogue.
VLM_NAMES: dict[str, str] = {"CLIP": "clip", "SigLIP": "siglip", "Qwen2-VL": "qwen2-vl"}

# The name in the catalogue -> the paper's name, segmenters first.
PRINTED_NAMES: dict[str, str] = {
    "deeplabv3plus": "DeepLabV3+", "segformer": "SegFormer", "mask2former": "Mask2Former",
    **{name: printed for printed, name in VLM_NAMES.items()},
}  # fmt: skip


# Where the printed tables and the text name or scale the same thing differently: place, there,
# elsewhere. Read off the paper; headings are not part of the committed CSV files.
NAMES_AND_SCALES: tuple[tuple[str, str, str], ...] = (
    ("Table 3, first column", "DeepLabV3 [13]", "DeepLabV3+ in Table 2, Section 6.1 and Figure 4"),
    ("Table 2", "percent, no decimals", "the same mIoU as a fraction, two decimals, in Table 3"),
    ("Table 2, columns", "c1 to c19, not named", "caption: results for safety-critical classes"),
    ("Table 2, caption", "mIoU (%) of all classes", "cells are IoU, only the last column is mIoU"),
)


def _read(name: str, folder: str | Path, **options: object) -> pd.DataFrame:
    path = Path(folder) / name
    if not path.exists():
        raise RunError(f"no printed table at {path}: it belongs to the book, restore it from git")
    return pd.read_csv(path, **options)


def load_table2(folder: str | Path = PUBLISHED) -> pd.DataFrame:
    """Return condition, train_class ("miou" is the mean), iou in [0, 1], of DeepLabV3+."""
    frame = _read("table2_deeplabv3plus_class_iou.csv", folder)
    long = frame.melt("condition", var_name="train_class", value_name="iou")
    return long.assign(iou=long.iou / 100)


def load_table3(folder: str | Path = PUBLISHED) -> pd.DataFrame:
    """Return condition, segmenter, miou in [0, 1]."""
    frame = _read("table3_overall_miou.csv", folder)
    return frame.melt("condition", var_name="segmenter", value_name="miou")


def load_tables456(folder: str | Path = PUBLISHED) -> pd.DataFrame:
    """Return vlm, condition, hr, cor, smr, parse_success (NaN but for Qwen2-VL), all in [0, 1]."""
    frame = _read("tables4_5_6_misalignment.csv", folder)
    frame = frame.rename(columns={"safety_parse_success": "parse_success"})
    frame["vlm"] = frame.model.map(VLM_NAMES)
    return frame[["vlm", "condition", "hr", "cor", "smr", "parse_success"]]


def beside(frame: pd.DataFrame, key: str, printed: pd.DataFrame) -> pd.DataFrame:
    """Return a run's rows with what the paper printed for each model's architecture.

    Args:
        frame: columns ``key``, condition, and measures.
        key: the column of models.
        printed: with the same columns; a measure of both gets its printed value as ``…_paper``.

    >>> rows = pd.DataFrame({"vlm": ["clip-small-cityscapes"], "condition": ["clean"], "hr": [0.4]})
    >>> beside(rows, "vlm", load_tables456())[["hr", "hr_paper"]].to_numpy().tolist()
    [[0.4, 0.17]]
    """
    rows = frame.assign(architecture=frame[key].map(architecture).astype(object))
    named = printed.rename(columns={key: "architecture"})
    rows = rows.merge(named, "left", ["architecture", "condition"], suffixes=("", "_paper"))
    return rows.drop(columns="architecture")


def pairs(folder: str | Path = PUBLISHED) -> pd.DataFrame:
    """Return printed mIoU beside printed misalignment: segmenter, vlm, condition, miou, hr, …"""
    return load_table3(folder).merge(load_tables456(folder), on="condition")


def load_cells(folder: str | Path = PUBLISHED) -> pd.DataFrame:
    """Return every printed number as text: table (2 to 6), model, condition, column, text.

    ``model`` is a name of the catalogue, ``column`` a train class, miou, hr, cor, smr or
    parse_success. The text keeps what a float forgets: how many digits were printed.

    >>> cells = load_cells()
    >>> cells[(cells.table == 5) & (cells.condition == "clean")].text.tolist()
    ['0.10', '0.92', '0.8']
    """
    two = _read("table2_deeplabv3plus_class_iou.csv", folder, dtype=str)
    two = two.melt("condition", var_name="column", value_name="text")
    three = _read("table3_overall_miou.csv", folder, dtype=str)
    three = three.melt("condition", var_name="model", value_name="text")
    rates = _read("tables4_5_6_misalignment.csv", folder, dtype=str)
    rates = rates.rename(columns={"safety_parse_success": "parse_success"})
    rates = rates.assign(model=rates.model.map(VLM_NAMES), table=rates.table.astype(int))
    rates = rates.melt(["table", "model", "condition"], var_name="column", value_name="text")
    rates = rates.sort_values("table", kind="stable")
    parts = [
        two.assign(table=2, model="deeplabv3plus"),
        three.assign(table=3, column="miou"),
        rates.dropna(subset=["text"]),
    ]
    columns = ["table", "model", "condition", "column", "text"]
    return pd.concat([part[columns] for part in parts], ignore_index=True)


def drops(folder: str | Path = PUBLISHED) -> pd.DataFrame:
    """Return the printed drops of mIoU, which the abstract calls moderate.

    Returns:
        segmenter, condition, lost (clean − degraded) and share (lost as a share of clean).
    """
    rows = []
    for segmenter, part in load_table3(folder).groupby("segmenter", sort=False):
        row = part.set_index("condition").miou
        rows += [
            (segmenter, condition, round(row["clean"] - value, 9), 1 - value / row["clean"])
            for condition, value in row.drop("clean").items()
        ]
    return pd.DataFrame(rows, columns=["segmenter", "condition", "lost", "share"])


def levels(folder: str | Path = PUBLISHED) -> pd.DataFrame:
    """Compare the printed rates on clean images with their mean over the degraded conditions.

    Returns:
        vlm, metric, clean, degraded (mean over conditions), change, up, equal, down (conditions).
    """
    rates = load_tables456(folder).melt(["vlm", "condition"], var_name="metric").dropna()
    rows = []
    for vlm in rates.vlm.unique():
        for metric, part in rates[rates.vlm == vlm].groupby("metric", sort=False):
            row = part.set_index("condition").value
            degraded = row.drop("clean")
            change = (degraded - row["clean"]).round(9)
            signs = [int((np.sign(change) == sign).sum()) for sign in (1, 0, -1)]
            rows.append((vlm, metric, row["clean"], degraded.mean(), change.mean(), *signs))
    columns = ["vlm", "metric", "clean", "degraded", "change", "up", "equal", "down"]
    return pd.DataFrame(rows, columns=columns)
