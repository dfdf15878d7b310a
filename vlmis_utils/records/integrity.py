"""Parquet files that carry the digest of their own bytes, so that any change of a byte shows.

Parquet's page checksums leave the footer out. Here the footer holds the SHA-256 of the whole file,
taken with zeros where the digest stands. Such a file is plain Parquet to every other reader.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterable

import pyarrow as pa
import pyarrow.parquet as pq

__all__ = ["intact", "parquet"]

_KEY = b"vlmis.digest"
_LEAD = b"sha256 of this file with zeros here: "
_ZEROS = b"0" * 64


def parquet(table: pa.Table, more: Iterable[pa.Table] = (), **options: object) -> bytes:
    """Return a table, and more of the same schema below it, as a sealed Parquet file.

    What follows is taken one by one, so that only the compressed file is held as a whole.

    Args:
        table: the first rows.
        more: further ones.
        options: of `pyarrow.parquet.ParquetWriter`, beside compression by zstd.

    >>> file = parquet(pa.table({"a": [1, 2]}))
    >>> intact(file), intact(file[:9] + b"?" + file[10:])
    (True, False)
    >>> pq.read_table(pa.BufferReader(file)).to_pydict()
    {'a': [1, 2]}
    """
    sink = pa.BufferOutputStream()
    with pq.ParquetWriter(sink, table.schema, compression="zstd", **options) as writer:
        for part in itertools.chain([table], more):
            writer.write_table(part)
        writer.add_key_value_metadata({_KEY: _LEAD + _ZEROS})
    data = sink.getvalue().to_pybytes()
    at = data.rindex(_LEAD) + len(_LEAD)
    return data[:at] + _digest(data, at) + data[at + len(_ZEROS) :]


def intact(data: bytes) -> bool:
    """Whether a file is as it was written; true of one from before files were sealed."""
    at = data.rfind(_LEAD)
    if at < 0:
        return _KEY not in data
    at += len(_LEAD)
    return data[at : at + len(_ZEROS)] == _digest(data, at)


def _digest(data: bytes, at: int) -> bytes:
    """Return the hex digest of a file with zeros for the digest that stands at a place."""
    view = memoryview(data)
    digest = hashlib.sha256(view[:at])
    digest.update(_ZEROS)
    digest.update(view[at + len(_ZEROS) :])
    return digest.hexdigest().encode()
