"""Records that are committed: what was measured on photographs that may not be passed on.

The frames of Cityscapes and CamVid are no part of this project; what models answered about them may
be. ``vlmis keep`` writes the tables of a study to ``book/measured/<study>/``, without pixels and
compressed as far as Parquet goes, and the pages about photographs read them there.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from vlmis_utils.core.errors import RunError, UserError
from vlmis_utils.core.io import write_atomically
from vlmis_utils.core.strict_yaml import dump_yaml
from vlmis_utils.protocol.parameters import STUDY_FILE, load_study
from vlmis_utils.protocol.study import READING, Study, flat
from vlmis_utils.records.integrity import parquet
from vlmis_utils.records.run_info import read_run
from vlmis_utils.records.schema import SCHEMAS
from vlmis_utils.records.store import read_table

__all__ = ["KEPT", "LIMIT", "check_kept", "compact", "facts", "is_kept", "keep"]

KEPT = Path("book/measured")
LIMIT = 8 * 10**6  # bytes of all that is kept, so that a clone stays small

# Parameters that say on which machine and by which steps a study ran, not what it measured.
_HOW = (
    "data_root", "batch_size", "shard_size", "engine", "workers", "device", "corruption_backend",
    "build_root", "records_root", "max_requests", "max_cost",
)  # fmt: skip
_RUN = ("annotated_classes", "versions", "machine", "corruptions", "models", "answers", "stages")
# Drawn from photographs, or half of all bytes (embeddings): not kept.
_LEFT_OUT = ("mask", "coarse", "embedding")


def keep(study: Study, root: str | Path = KEPT) -> Path:
    """Write the tables of a study that has run below ``root``; return their folder.

    Paths and settings of the machine are left out of ``study.yaml`` and ``run.json``.

    Raises:
        RunError: the study has not run as it stands, or all that is kept would exceed `LIMIT`.
    """
    folder = Path(root) / study.study
    files = {f"records/{table}.parquet": compact(study, table) for table in SCHEMAS}
    files |= facts(study)
    others = [p for p in Path(root).rglob("*") if p.is_file() and folder not in p.parents]
    size = sum(map(len, files.values())) + sum(p.stat().st_size for p in others)
    if size > LIMIT:
        raise RunError(
            f"{root} would hold {size / 1e6:.1f} MB, more than {LIMIT / 1e6:g}: keep fewer scenes"
        )
    for name, data in files.items():
        write_atomically(folder / name, data)
    return folder


def facts(study: Study) -> dict[str, bytes]:
    """Return ``study.yaml`` and ``records/run.json``, without paths and settings of the machine."""
    plain = dataclasses.replace(study, **{k: getattr(Study(), k) for k in _HOW}, pages={})
    text = f"# What this study ran with.\n{dump_yaml(flat(plain))}"
    run = {key: value for key, value in read_run(study.records).items() if key in _RUN}
    run = {"parameters": flat(plain)} | run
    run_text = json.dumps(run, indent=1, ensure_ascii=False) + "\n"
    return {STUDY_FILE: text.encode(), "records/run.json": run_text.encode()}


def is_kept(study: Study, root: str | Path = KEPT) -> bool:
    """Whether a study of this name is kept."""
    return (Path(root) / study.study / STUDY_FILE).exists()


def check_kept(study: Study, root: str | Path = KEPT) -> Path:
    """Return the folder of the tables that are kept of a study, if they are what it asks for.

    How answers are read (`protocol.study.READING`) may differ: that is what records are raw for.

    Raises:
        UserError: the study asks for something else; the message names what.
    """
    folder = Path(root) / study.study
    asked, known = flat(study), flat(load_study(folder / STUDY_FILE))
    free = {*_HOW, *READING, "models", *study.pages}
    other = [key for key in known if key not in free and known[key] != asked[key]]
    if other:
        was = ", ".join(f"{key} {known[key]}" for key in other)
        raise UserError(
            f"{other[0]}: without photographs {study.study} has the records of {folder} alone, "
            f"and they are of {was}: set data_root to the photographs, or leave it so"
        )
    return folder / "records"


def compact(study: Study, table: str) -> bytes:
    """Return a table of a study as a small file; equal rows when read, without `_LEFT_OUT`."""
    read_table(study.records, table)  # names what is missing, damaged or double
    arrow = pq.read_table(study.records / f"{table}.parquet").replace_schema_metadata(None)
    arrow = arrow.drop([name for name in _LEFT_OUT if name in arrow.column_names])
    split = {path: "BYTE_STREAM_SPLIT" for path in _numbers(arrow.schema)}
    words = [n for n in arrow.schema.names if not any(s.split(".")[0] == n for s in split)]
    return parquet(arrow, compression_level=19, use_dictionary=words, column_encoding=split)


def _numbers(schema: pa.Schema) -> Iterator[str]:
    """Yield columns of numbers that differ from row to row, by their path in Parquet.

    Their bytes compress better apart: all first bytes together, all second bytes, and so on.
    """
    for field in schema:
        if pa.types.is_list(field.type) and pa.types.is_primitive(field.type.value_type):
            yield f"{field.name}.list.element"
        elif pa.types.is_floating(field.type) and field.name != "seconds":
            yield field.name
