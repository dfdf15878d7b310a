"""Tables of segmentation: each ``load_`` takes frames of `Results` and returns finished cells.

Where the paper printed a value, it stands in the same cell, marked as such.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from vlmis_utils.analysis.paper import tables
from vlmis_utils.core.formatting import number, percent
from vlmis_utils.protocol.classes import CRITICAL_CLASSES, LANGUAGE_NAMES, TRAIN_CLASSES
from vlmis_utils.protocol.conditions import TABLE1, blur_length
from vlmis_utils.protocol.models import architecture
from vlmis_utils.report.tables.markdown import Column, cells, crossed, in_order

__all__ = ["load_agreement", "load_class_iou", "load_facts", "load_miou", "load_quality",
           "load_table1"]  # fmt: skip


def load_table1(
    noise_sigma: Sequence[float], width: int, blur_scale: str = "absolute"
) -> pd.DataFrame:
    """Return Table 1 of the paper as this study applies it to images ``width`` pixels wide."""
    rows = []
    for row in TABLE1:
        if row.kernel is not None:
            length = blur_length(row.kernel, width, blur_scale)
            how = f"horizontal line kernel, {length:g} px"
            printed = f"{row.kernel}×{row.kernel} px"
        elif row.gamma is not None:
            sigma = noise_sigma[row.severity - 1]
            how = f"γ = {row.gamma}, then Gaussian noise, σ = {sigma:g}"
            printed = f"γ = {row.gamma}, {('mild', 'moderate', 'stronger')[row.severity - 1]} noise"
        else:
            how = f"one black rectangle, {percent(row.share)} of the area"
            printed = f"~{percent(row.share)} of the area"
        rows.append((row.condition, row.corruption, how, printed, row.motivation))
    return pd.DataFrame(rows, columns=["key", "corruption", "in this study", "in the paper", "why"])


def load_class_iou(by_condition: pd.DataFrame, segmenter: str = "deeplabv3plus") -> pd.DataFrame:
    """Return Table 2: IoU in % by class and condition of one segmenter, the printed value beside.

    Only DeepLabV3+ has printed values.
    """
    names = {f"iou_{name}": LANGUAGE_NAMES[name] for name in TRAIN_CLASSES}
    names = {k: f"**{n}**" if n in CRITICAL_CLASSES else n for k, n in names.items()}
    names |= {"miou": "**mean**"}
    ours = in_order(by_condition[by_condition.segmenter == segmenter])
    long = ours.melt("condition", list(names), "measure", "iou")
    printed = tables.load_table2()
    printed["measure"] = [c if c in names else f"iou_{c}" for c in printed.train_class]
    if architecture(segmenter) != "deeplabv3plus":
        printed = printed.iloc[:0]
    long = long.merge(printed, "left", ["measure", "condition"], suffixes=("", "_paper"))
    long[["iou", "iou_paper"]] *= 100
    return crossed(long, [Column("class", "measure", words=names)], "condition",
                   Column("", "iou", digits=0, paper="iou_paper"))  # fmt: skip


def load_miou(by_condition: pd.DataFrame, labels: Mapping[str, str]) -> pd.DataFrame:
    """Return Table 3: mIoU with interval by condition and segmenter, the printed value beside."""
    rows = tables.beside(by_condition, "segmenter", tables.load_table3())
    cell = Column("", "miou", interval=True, paper="miou_paper")
    return crossed(
        in_order(rows), [Column("condition", "condition")], "segmenter", cell, words=labels
    )


def load_agreement(by_condition: pd.DataFrame, labels: Mapping[str, str]) -> pd.DataFrame:
    """Return mIoU of summed counts beside the mean of per-image mIoU and pixel accuracy, clean."""
    return cells(
        by_condition[by_condition.condition == "clean"],
        Column("model", "segmenter", words=labels),
        Column("mIoU", "miou", interval=True),
        Column("mean of per-image mIoU", "miou_image_mean"),
        Column("pixel accuracy", "pixel_accuracy"),
        Column("images", "n"),
    )


def load_quality(
    floors: Mapping[tuple[str, str], float],
    measured: Mapping[tuple[str, str], float],
    labels: Mapping[str, str],
) -> pd.DataFrame:
    """Return what each model reaches on clean images beside the floor it was meant to reach.

    Args:
        floors, measured: (model, measure) to a number; a model without a floor is not listed.
    """
    lines = []
    for (model, measure), floor in floors.items():
        value = measured.get((model, measure), np.nan)
        verdict = "reached" if value >= floor else f"missed by {number(floor - value, 3)}"
        verdict = "not measured" if np.isnan(value) else verdict
        lines.append((labels.get(model, model), measure, number(value), number(floor), verdict))
    return pd.DataFrame(lines, columns=["model", "measure", "measured", "floor", "verdict"])


def load_facts(facts: Mapping[str, object]) -> pd.DataFrame:
    """Return name and value of plain facts, as `run.json` holds them."""
    rows = [(name, _words(value)) for name, value in facts.items()]
    return pd.DataFrame(rows or [("–", "not recorded")], columns=["name", "value"])


def _words(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{k}: {_words(v)}" for k, v in value.items()) or "–"
    if isinstance(value, list | tuple):
        return ", ".join(_words(v) for v in value) or "–"
    return "–" if value is None or value == "" else str(value)
