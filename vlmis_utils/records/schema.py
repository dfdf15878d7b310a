"""The columns of the four tables, with units and meanings: raw answers and raw counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd
import pyarrow as pa

from vlmis_utils.protocol.signals import FLIPS, PICTURE_SIGNALS, SEGMENTER_SIGNALS, TEMPERATURES

__all__ = [
    "ROW_KEYS",
    "SCHEMAS",
    "SCHEMA_VERSION",
    "Column",
    "arrow_schema",
    "completed",
    "data_dictionary",
]

# Part of every key: raise it when the meaning of a column changes. A new column alone changes no
# meaning: it is marked as `Column.later`, and what was recorded before stays good.
SCHEMA_VERSION = 2


@dataclass(frozen=True)
class Column:
    """One column of a table: its name, Arrow type, unit and meaning.

    ``later`` columns came after the first records: older files lack them and are read with nulls.
    """

    name: str
    type: pa.DataType
    unit: str
    meaning: str
    later: bool = False


_TEXT, _FLOAT, _INT, _COUNTS = pa.string(), pa.float64(), pa.int64(), pa.list_(pa.int64())
_WHY_ENDED = (
    "why the text ended: stop, length, filtered, refused, not finite (scores that are no numbers, "
    "so no answer) or the server's word; null if unknown"
)
_MASK = "the output to look at: a palette PNG of train ids, at most 512 px wide; null if not kept"
_PLACE = (
    Column("sequence", _TEXT, "", "that the image is a frame of; null for a single one", True),
    Column("frame", _INT, "", "its number in the sequence, from 0; null for a single one", True),
)
_FLIPS = (
    "that show the same place as one of the frame before; of these, with another label; with "
    "another smoothed label; null where the motion is not known"
)

_AT = ", ".join(f"{temperature:g}" for temperature in TEMPERATURES)
_VECTOR = pa.list_(pa.float32())


def _signals(named: Mapping[str, str]) -> tuple[Column, ...]:
    return tuple(Column(name, _FLOAT, "", meaning, later=True) for name, meaning in named.items())


SCHEMAS: dict[str, tuple[Column, ...]] = {
    "scenes": (
        Column("scene_id", _TEXT, "", "the scene; unique"),
        Column("dataset", _TEXT, "", "streetworld, cityscapes, camvid or folder"),
        Column("split", _TEXT, "", "train, val or test"),
        Column("height", pa.int64(), "px", "rows of image and label map"),
        Column("width", pa.int64(), "px", "columns of image and label map"),
        Column("pixel_counts", _COUNTS, "px", "19 counts, one for each train class, whole image"),
        Column("corridor_counts", _COUNTS, "px", "the same inside the trapezoid of the image rule"),
        Column("safe", pa.bool_(), "", "the reference label a_i: may the ego vehicle go on?"),
        Column("safety_reason", _TEXT, "", "why, in the words of the safety rule"),
        Column("image_sha256", _TEXT, "", "digest of the clean image's bytes"),
        Column("labels_sha256", _TEXT, "", "digest of the label map's bytes"),
        *_PLACE,
        Column("time", _FLOAT, "s", "since the first frame; null for a single image", True),
        Column("speed", _FLOAT, "m/s", "of the ego car; null where it is not known", True),
    ),
    "conditions": (
        Column("scene_id", _TEXT, "", "the scene"),
        Column("condition", _TEXT, "", "clean, LL1 ... OCC3, or blank (the control image)"),
        Column("psnr", _FLOAT, "dB", "of the degraded image against the clean; null if equal"),
        Column("occluder", _COUNTS, "px", "top, left, height, width; null if not occluded"),
        Column("visible_counts", _COUNTS, "px", "as pixel_counts, without pixels occluded"),
        Column("image_sha256", _TEXT, "", "digest of the degraded image's bytes"),
        Column("luma", _FLOAT, "", "mean luma (Rec. 601) of the degraded image, 0 to 1", True),
        *_signals(PICTURE_SIGNALS),
        *_PLACE,
    ),
    "segmentation": (
        Column("segmenter", _TEXT, "", "the model, by its name in the catalogue"),
        Column("scene_id", _TEXT, "", "the scene"),
        Column("condition", _TEXT, "", "the condition of the image it saw"),
        Column("confusion", _COUNTS, "px", "361 counts, row by row; rows truth, columns output"),
        Column("corridor_confusion", _COUNTS, "px", "the same inside the image rule's trapezoid"),
        Column("seconds", _FLOAT, "s", "wall time of the batch, divided by its images"),
        Column("mask", pa.binary(), "", _MASK, later=True),
        Column("predicted", _COUNTS, "px", "19 counts of the output, labelled or not", True),
        Column("corridor_predicted", _COUNTS, "px", "the same inside the trapezoid", True),
        Column("coarse", pa.binary(), "", "32 x 64 train ids of the output, row by row", True),
        *_signals(SEGMENTER_SIGNALS),
        Column("tempered_entropy", _VECTOR, "", f"entropy_image at temperatures {_AT}", True),
        Column("tempered_loss", _VECTOR, "nat", "log loss, by the truth, at these", True),
        *_signals(FLIPS),
        *_PLACE,
        Column("smoothed_confusion", _COUNTS, "px", "as confusion, of the running mean", True),
        Column("flips", _COUNTS, "px", f"pixels {_FLIPS}", True),
        Column("raw_flips", _COUNTS, "px", "the same, each pixel with the one at its place", True),
    ),
    "answers": (
        Column("vlm", _TEXT, "", "the model, by its name in the catalogue"),
        Column("scene_id", _TEXT, "", "the scene"),
        Column("condition", _TEXT, "", "the condition of the image it saw, or blank"),
        Column("prompt", _TEXT, "", "describe, presence/<class> or safety"),
        Column("text", _TEXT, "", "what a generative model said, unread; null if contrastive"),
        Column("labels", pa.list_(_TEXT), "", "what a contrastive model compared; else empty"),
        Column("scores", pa.list_(_FLOAT), "logit", "one for each label, in the model's scale"),
        Column("p_yes", _FLOAT, "", "probability that the text begins with yes; null if unknown"),
        Column("p_no", _FLOAT, "", "the same of no"),
        Column("seconds", _FLOAT, "s", "wall time of the batch, divided by its answers"),
        Column("finish_reason", _TEXT, "", _WHY_ENDED, later=True),
        Column("truncated", pa.bool_(), "", "cut by the limit of tokens; null if unknown", True),
        Column("reasoning", _TEXT, "", "what of the text, or beside it, was reasoning", True),
        Column("prompt_tokens", _INT, "tokens", "read, those of the image among them", True),
        Column("completion_tokens", _INT, "tokens", "written, reasoning among them", True),
        Column("reasoning_tokens", _INT, "tokens", "of those, reasoning; null if untold", True),
        Column("first_entropy", _FLOAT, "", "of the first token, by log of the vocabulary", True),
        Column("first_margin", _FLOAT, "", "gap of its two greatest probabilities", True),
        Column("embedding", _VECTOR, "", "unit vector, or mean of visual tokens; describe", True),
        *_PLACE,
    ),
}


# The columns by which a row is told from all others of its table.
ROW_KEYS: dict[str, tuple[str, ...]] = {
    "scenes": ("scene_id",),
    "conditions": ("scene_id", "condition"),
    "segmentation": ("segmenter", "scene_id", "condition"),
    "answers": ("vlm", "scene_id", "condition", "prompt"),
}


def data_dictionary() -> pd.DataFrame:
    """Return one row a column of every table: table, column, type, unit, meaning."""
    rows = [
        (table, c.name, str(c.type).replace("item: ", ""), c.unit, c.meaning)
        for table, columns in SCHEMAS.items()
        for c in columns
    ]
    return pd.DataFrame(rows, columns=["table", "column", "type", "unit", "meaning"])


def arrow_schema(table: str) -> pa.Schema:
    """Return the columns of a table, as Arrow writes them."""
    return pa.schema([(column.name, column.type) for column in SCHEMAS[table]])


def completed(arrow: pa.Table, table: str) -> pa.Table:
    """Return a file's rows with the columns that it is too old to have, empty."""
    for at, column in enumerate(SCHEMAS[table]):
        if column.later and column.name not in arrow.column_names:
            empty = pa.nulls(len(arrow), column.type)
            arrow = arrow.add_column(min(at, arrow.num_columns), column.name, empty)
    return arrow
