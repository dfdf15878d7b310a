"""What the paper prints: its Tables 2 to 6 as tidy frames, from ``book/published/*.csv``.

Class columns of Table 2 are named c1 to c19 in the paper; the names in the file assume the standard
Cityscapes train-id order, which the paper does not state.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from vlmis_utils.core.errors import RunError

__all__ = [
    "PRINTED_NAMES", "PUBLISHED", "VLM_NAMES", "load_cells", "load_table2", "load_table3",
    "load_tables456", "pairs",
]  # fmt: skip

PUBLISHED = Path(__file__).resolve().parents[3] / "book" / "published"

# The paper's name of a model -> its name in the catalogue.
VLM_NAMES: dict[str, str] = {"CLIP": "clip", "SigLIP": "siglip", "Qwen2-VL": "qwen2-vl"}

# The name in the catalogue -> the paper's name, segmenters first.
PRINTED_NAMES: dict[str, str] = {
    "deeplabv3plus": "DeepLabV3+", "segformer": "SegFormer", "mask2former": "Mask2Former",
    **{name: printed for printed, name in VLM_NAMES.items()},
}  # fmt: skip


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
