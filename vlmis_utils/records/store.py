"""The record store: raw answers and raw counts as Parquet, never scores.

Work is written in shards, one file each, named by a digest of all that determines its content:
the same name holds the same facts, so a shard is read again instead of computed again, and a
different question never finds it. Tables of a study are its shards put together. A shard is whole
or absent, and one of which a byte has changed is found out, see `core.io` and
`records.integrity`.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from vlmis_utils.core.errors import RunError, UserError, closest
from vlmis_utils.core.io import drafts, write_atomically
from vlmis_utils.core.storage import Place, place
from vlmis_utils.protocol.conditions import BLANK
from vlmis_utils.records.integrity import intact, parquet

__all__ = [
    "BLANK",
    "SCHEMAS",
    "Column",
    "Store",
    "data_dictionary",
    "read_table",
    "shard_key",
    "write_atomically",
]

# Part of every key: raise it when the meaning of a column changes. A new column alone changes no
# meaning: it is marked as `Column.later`, and what was recorded before stays good.
SCHEMA_VERSION = 2

_GROUP = 1024  # rows of a table that are put together at a time


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
    ),
    "conditions": (
        Column("scene_id", _TEXT, "", "the scene"),
        Column("condition", _TEXT, "", "clean, LL1 ... OCC3, or blank (the control image)"),
        Column("psnr", _FLOAT, "dB", "of the degraded image against the clean; null if equal"),
        Column("occluder", _COUNTS, "px", "top, left, height, width; null if not occluded"),
        Column("visible_counts", _COUNTS, "px", "as pixel_counts, without pixels occluded"),
        Column("image_sha256", _TEXT, "", "digest of the degraded image's bytes"),
    ),
    "segmentation": (
        Column("segmenter", _TEXT, "", "the model, by its name in the catalogue"),
        Column("scene_id", _TEXT, "", "the scene"),
        Column("condition", _TEXT, "", "the condition of the image it saw"),
        Column("confusion", _COUNTS, "px", "361 counts, row by row; rows truth, columns output"),
        Column("corridor_confusion", _COUNTS, "px", "the same inside the image rule's trapezoid"),
        Column("seconds", _FLOAT, "s", "wall time of the batch, divided by its images"),
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
    ),
}


def data_dictionary() -> pd.DataFrame:
    """Return one row a column of every table: table, column, type, unit, meaning."""
    rows = [
        (table, c.name, str(c.type).replace("item: ", ""), c.unit, c.meaning)
        for table, columns in SCHEMAS.items()
        for c in columns
    ]
    return pd.DataFrame(rows, columns=["table", "column", "type", "unit", "meaning"])


def shard_key(facts: Mapping[str, object]) -> str:
    """Return the hex digest of all that determines a shard.

    Args:
        facts: values that JSON can hold; the order of the keys does not matter.

    >>> shard_key({"a": 1, "b": 2}) == shard_key({"b": 2, "a": 1})
    True
    """
    known = {"schema": SCHEMA_VERSION, **facts}
    text = json.dumps(known, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def read_table(records: str | Place, table: str) -> pd.DataFrame:
    """Read a consolidated table of a study.

    Args:
        records: the folder ``build/<study>/records``, or its URL.
        table: a key of `SCHEMAS`.

    Raises:
        UserError: no such table in the schema.
        RunError: the file is missing or damaged; the message names it and the remedy.
    """
    if table not in SCHEMAS:
        raise UserError(f"unknown table {table!r}{closest(table, SCHEMAS)}")
    path = place(records) / f"{table}.parquet"
    if not path.exists():
        raise RunError(f"no records at {path}: run the study first, 'vlmis run params/X.yaml'")
    try:
        return _completed(pq.read_table(_opened(path)), table).to_pandas()
    except (pa.ArrowException, OSError, ValueError) as error:
        raise RunError(
            f"{path} is damaged ({_first_line(error)}): run the study again, "
            "it is put together from its shards without running a model"
        ) from error


class Store:
    """Shards and tables of one study, in ``<root>/shards`` and ``<root>/records``.

    Args:
        root: a folder, or a URL; `core.storage` says what holds on an object store.
    """

    def __init__(self, root: str | Place) -> None:
        self.root = place(root)
        self.damaged: list[Place] = []

    def path(self, table: str, key: str) -> Place:
        """Return where the shard ``key`` of ``table`` lies, or would lie."""
        return self.root / "shards" / table / f"{key}.parquet"

    def has(self, table: str, key: str) -> bool:
        """Whether a shard lies there (it may turn out damaged when read)."""
        return self.path(table, key).exists()

    def sweep(self) -> None:
        """Remove the drafts that a killed run left; only for who holds the study's lock."""
        if isinstance(self.root, Path):
            for folder in (*self.root.glob("shards/*"), self.root / "records"):
                for draft in drafts(folder):
                    draft.unlink(missing_ok=True)

    def read(self, table: str, key: str) -> pd.DataFrame | None:
        """Return a shard's rows, or None where it has to be computed.

        A damaged file is moved aside to ``<name>.corrupt``, listed in `damaged`, and None returned.
        """
        arrow = self._arrow(table, key)
        return None if arrow is None else arrow.to_pandas()

    def write(
        self, table: str, key: str, frame: pd.DataFrame, facts: Mapping[str, object]
    ) -> Place:
        """Write a shard atomically, with the facts of its key as file metadata."""
        schema = _schema(table).with_metadata({"vlmis": json.dumps(facts, sort_keys=True)})
        path = self.path(table, key)
        write_atomically(path, parquet(_to_arrow(frame, table, schema)))
        return path

    def consolidate(self, table: str, keys: Iterable[str]) -> Place:
        """Put the shards ``keys`` together, in that order, as ``records/<table>.parquet``.

        Raises:
            RunError: a shard is missing or damaged.
        """
        path = self.root / "records" / f"{table}.parquet"
        parts = _groups(self._parts(table, keys))
        write_atomically(path, parquet(next(parts, _schema(table).empty_table()), parts))
        return path

    def _parts(self, table: str, keys: Iterable[str]) -> Iterator[pa.Table]:
        for key in keys:
            arrow = self._arrow(table, key)
            if arrow is None:
                raise RunError(
                    f"{self.path(table, key)} is missing or damaged: run the study again, "
                    "only this shard is computed"
                )
            yield arrow.replace_schema_metadata(None)

    def _arrow(self, table: str, key: str) -> pa.Table | None:
        path = self.path(table, key)
        try:
            arrow = _completed(pq.ParquetFile(_opened(path)).read(), table)
            if arrow.schema.equals(_schema(table)):
                return arrow
        except FileNotFoundError:
            return None
        except (pa.ArrowException, OSError, ValueError):
            pass
        path.replace(path.with_suffix(".corrupt"))
        self.damaged.append(path)
        return None


def _schema(table: str) -> pa.Schema:
    return pa.schema([(column.name, column.type) for column in SCHEMAS[table]])


def _completed(arrow: pa.Table, table: str) -> pa.Table:
    """Return a file's rows with the columns that it is too old to have, empty."""
    for at, column in enumerate(SCHEMAS[table]):
        if column.later and column.name not in arrow.column_names:
            empty = pa.nulls(len(arrow), column.type)
            arrow = arrow.add_column(min(at, arrow.num_columns), column.name, empty)
    return arrow


def _to_arrow(frame: pd.DataFrame, table: str, schema: pa.Schema) -> pa.Table:
    missing = [c.name for c in SCHEMAS[table] if c.name not in frame and not c.later]
    if missing:
        raise ValueError(f"a shard lacks the columns {', '.join(missing)}")
    frame = frame.reindex(columns=schema.names)
    return pa.Table.from_pandas(frame, schema=schema, preserve_index=False)


def _groups(tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """Yield the rows of tables as tables of `_GROUP` rows, whatever the size of those given."""
    waiting: list[pa.Table] = []
    for table in tables:
        waiting.append(table)
        while sum(map(len, waiting)) >= _GROUP:
            joined = pa.concat_tables(waiting)
            yield joined.slice(0, _GROUP)
            waiting = [joined.slice(_GROUP)]
    if sum(map(len, waiting)):
        yield pa.concat_tables(waiting)


def _opened(path: Place) -> io.BytesIO:
    """Return a file's bytes for Arrow.

    Raises:
        ValueError: they are not those that were written.
    """
    data = path.read_bytes()
    if not intact(data):
        raise ValueError("its bytes are not those that were written")
    return io.BytesIO(data)


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:120]
