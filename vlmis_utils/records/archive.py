"""What to deposit for a DOI: all that a reader needs to check a study, in one ZIP file.

Records, parameters, catalogue, lock and checksums; no picture of a dataset and no weights, which
the parameters and the lock name. The same study gives the same bytes.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from vlmis_utils.core.io import write_atomically
from vlmis_utils.protocol.study import Study
from vlmis_utils.records.kept import compact, facts
from vlmis_utils.records.schema import SCHEMAS
from vlmis_utils.records.store import read_table

__all__ = ["CHECKSUMS", "Archive", "write_archive"]

CHECKSUMS = "SHA256SUMS"
_SOURCES: tuple[str, ...] = ("pyproject.toml", "requirements.lock", "CITATION.cff", "LICENSE")
_DATE = (1980, 1, 1, 0, 0, 0)  # the oldest that a ZIP file can say
_README = """\
# {study}: records of a study

What vision-language models and segmenters answered on {scenes} scenes of {dataset} (split {split})
under {conditions}. Raw answers and raw counts, never scores.

- `records/*.parquet`: the four tables; each column is described on the book's page on the records.
- `records/run.json`: versions, machine, digests of models, times.
- `study.yaml`: the parameters with which it ran; `models.yaml`: the catalogue of its models.
- `requirements.lock`: the packages, with their hashes, locked from `pyproject.toml`.
- `{checksums}`: of every file. `sha256sum -c {checksums}` checks them.

To read a number again, pandas is enough: `pandas.read_parquet("records/answers.parquet")`. To build
the book from these records, put this folder as `build/{study}` into a copy of the project and run
`vlmis book build/{study}/study.yaml`. Pages that show pictures need the dataset, which is not here.
"""


@dataclass(frozen=True)
class Archive:
    """A deposit that was written: where, how many files, how many bytes."""

    path: Path
    files: int
    size: int


def write_archive(study: Study, path: Path | None = None) -> Archive:
    """Write the deposit of a study.

    Args:
        study: which.
        path: of the ZIP file; ``build/<study>/<study>-records.zip`` without it.

    Raises:
        RunError: a table is missing or damaged; the message names it.
        StopError: the file cannot be written.
    """
    path = study.folder / f"{study.study}-records.zip" if path is None else path
    files = _files(study)
    sums = "".join(
        f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in sorted(files.items())
    )
    packed = _packed({**files, CHECKSUMS: sums.encode()}, study.study)
    write_atomically(path, packed)
    return Archive(path, len(files) + 1, len(packed))


def _files(study: Study) -> dict[str, bytes]:
    """Return the files of a deposit by name."""
    tables = {f"records/{table}.parquet": _table(study, table) for table in SCHEMAS}
    files = tables | facts(study)
    files["models.yaml"] = Path(study.models).read_bytes()
    if study.class_map is not None:
        files["class_map.yaml"] = Path(study.class_map).read_bytes()
    for name in _SOURCES:
        if Path(name).exists():
            files[name] = Path(name).read_bytes()
    text = _README.format(
        study=study.study, scenes=study.scenes, dataset=study.dataset, split=study.split,
        conditions=", ".join(study.conditions), checksums=CHECKSUMS,
    )  # fmt: skip
    return files | {"README.md": text.encode()}


def _table(study: Study, table: str) -> bytes:
    """Return the bytes of a table; of photographs, without what is drawn from them."""
    read_table(study.records, table)  # names what is missing, damaged or double
    if study.dataset != "streetworld":
        return compact(study, table)
    return (study.records / f"{table}.parquet").read_bytes()


def _packed(files: Mapping[str, bytes], folder: str) -> bytes:
    """Return a ZIP file that holds files in a folder, the same bytes for the same files."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        for name, data in sorted(files.items()):
            entry = zipfile.ZipInfo(f"{folder}/{name}", _DATE)
            entry.external_attr = 0o644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            packed.writestr(entry, data)
    return out.getvalue()
