"""Printed tables with other numbers in them, for the tests of the audit."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from vlmis_utils.analysis.paper.tables import PUBLISHED, VLM_NAMES

_FILES = {
    2: "table2_deeplabv3plus_class_iou.csv",
    3: "table3_overall_miou.csv",
    4: "tables4_5_6_misalignment.csv",
}
_MODELS = {name: printed for printed, name in VLM_NAMES.items()}


def write_tables(
    folder: Path,
    classes: Mapping[tuple[str, str], object] | None = None,
    miou: Mapping[tuple[str, str], object] | None = None,
    rates: Mapping[tuple[str, str, str], object] | None = None,
) -> Path:
    """Copy the book's tables into a folder, with some cells replaced.

    Args:
        classes: (condition, train class or miou) -> percent, of Table 2.
        miou: (condition, segmenter) -> fraction, of Table 3.
        rates: (vlm, condition, column of the frame) -> fraction, of Tables 4 to 6.
    """
    for name in _FILES.values():
        shutil.copy(PUBLISHED / name, folder / name)
    for number, cells in ((2, classes or {}), (3, miou or {})):
        frame = pd.read_csv(folder / _FILES[number], dtype=str).set_index("condition")
        for (condition, column), value in cells.items():
            frame.loc[condition, column] = str(value)
        frame.reset_index().to_csv(folder / _FILES[number], index=False)
    frame = pd.read_csv(folder / _FILES[4], dtype=str)
    for (vlm, condition, column), value in (rates or {}).items():
        row = (frame.model == _MODELS[vlm]) & (frame.condition == condition)
        name = {"parse_success": "safety_parse_success"}.get(column, column)
        frame.loc[row, name] = str(value)
    frame.to_csv(folder / _FILES[4], index=False)
    return folder
