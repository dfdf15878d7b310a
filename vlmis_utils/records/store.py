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
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from vlmis_utils.core.errors import RunError, UserError, closest, one_line
from vlmis_utils.core.io import drafts, write_atomically
from vlmis_utils.core.storage import Place, place
from vlmis_utils.protocol.conditions import BLANK
from vlmis_utils.records.integrity import intact, parquet
from vlmis_utils.records.schema import ROW_KEYS, SCHEMA_VERSION, SCHEMAS, arrow_schema, completed

__all__ = [
    "BLANK",
    "Store",
    "read_table",
    "shard_key",
    "write_atomically",
]

_GROUP = 1024  # rows of a table that are put together at a time


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
        RunError: the file is missing or damaged, or holds a row twice; the message names it and
            the remedy.
    """
    if table not in SCHEMAS:
        raise UserError(f"unknown table {table!r}{closest(table, SCHEMAS)}")
    path = place(records) / f"{table}.parquet"
    if not path.exists():
        raise RunError(f"no records at {path}: run the study first, 'vlmis run params/X.yaml'")
    try:
        frame = completed(pq.read_table(_opened(path)), table).to_pandas()
    except (pa.ArrowException, OSError, ValueError) as error:
        raise RunError(
            f"{path} is damaged ({one_line(error, 120)}): run the study again, "
            "it is put together from its shards without running a model"
        ) from error
    _check_single(frame, table, path)
    return frame


def _check_single(frame: pd.DataFrame, table: str, path: Place) -> None:
    """Refuse a table that says something twice: every join and every mean would count it twice."""
    keys = list(ROW_KEYS[table])
    again = frame.duplicated(keys)
    if again.any():
        first = frame.loc[again.idxmax(), keys]
        named = ", ".join(f"{key} {value!r}" for key, value in first.items())
        more = f" (and {again.sum() - 1} more rows)" if again.sum() > 1 else ""
        raise RunError(
            f"{path} holds a row twice: {named}{more}; run the study again, the table is put "
            "together from its shards without running a model, or remove the second row"
        )


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
        schema = arrow_schema(table).with_metadata({"vlmis": json.dumps(facts, sort_keys=True)})
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
        write_atomically(path, parquet(next(parts, arrow_schema(table).empty_table()), parts))
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
            arrow = completed(pq.ParquetFile(_opened(path)).read(), table)
            if arrow.schema.equals(arrow_schema(table)):
                return arrow
        except FileNotFoundError:
            return None
        except (pa.ArrowException, OSError, ValueError):
            pass
        path.replace(path.with_suffix(".corrupt"))
        self.damaged.append(path)
        return None


def _to_arrow(frame: pd.DataFrame, table: str, schema: pa.Schema) -> pa.Table:
    missing = [c.name for c in SCHEMAS[table] if c.name not in frame and not c.later]
    if missing:
        raise ValueError(f"a shard lacks the columns {', '.join(missing)}")
    unknown = {name: None for name in schema.names if name not in frame}
    frame = frame.assign(**unknown)[schema.names]
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
