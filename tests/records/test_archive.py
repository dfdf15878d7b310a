"""What is deposited for a DOI: whole, checkable, the same bytes, without what may not go along."""

from __future__ import annotations

import subprocess
import zipfile
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from tests.helpers.explored import explored_records
from vlmis_utils.__main__ import main
from vlmis_utils.core.errors import RunError
from vlmis_utils.protocol.parameters import load_study, write_study
from vlmis_utils.protocol.study import Study
from vlmis_utils.records.archive import CHECKSUMS, write_archive
from vlmis_utils.records.schema import SCHEMAS


@pytest.fixture
def study(tmp_path: Path) -> Study:
    records = explored_records(tmp_path / "told", 2, ("clean", "LL3"))
    return load_study(records.parent / "study.yaml", {"data_root": str(tmp_path / "secret")})


def unpacked(path: Path, folder: Path) -> Path:
    with zipfile.ZipFile(path) as packed:
        packed.extractall(folder)
    return folder / "told"


def test_the_deposit_checks_out_and_reads_with_pandas(study: Study, tmp_path: Path) -> None:
    written = write_archive(study)
    folder = unpacked(written.path, tmp_path / "out")
    files = [p for p in folder.rglob("*") if p.is_file()]
    assert len(files) == written.files and written.size == written.path.stat().st_size
    check = subprocess.run(["sha256sum", "--strict", "-c", CHECKSUMS], cwd=folder,
                           capture_output=True, text=True, check=False)  # fmt: skip
    assert check.returncode == 0 and check.stdout.count(": OK") == len(files) - 1
    for table in SCHEMAS:
        pd.testing.assert_frame_equal(
            pd.read_parquet(folder / "records" / f"{table}.parquet"),
            pd.read_parquet(study.records / f"{table}.parquet"),
        )
    assert load_study(folder / "study.yaml").scenes == study.scenes
    (folder / "study.yaml").write_text("top_k: 5\n")
    spoilt = subprocess.run(["sha256sum", "-c", CHECKSUMS], cwd=folder, capture_output=True,
                            check=False)  # fmt: skip
    assert spoilt.returncode != 0


def test_the_same_study_gives_the_same_bytes(study: Study, tmp_path: Path) -> None:
    one, other = (write_archive(study, tmp_path / name) for name in ("a.zip", "b.zip"))
    assert one.path.read_bytes() == other.path.read_bytes()


def test_no_path_of_this_machine_goes_along(study: Study, tmp_path: Path) -> None:
    write_study(study)
    folder = unpacked(write_archive(study).path, tmp_path / "out")
    for path in folder.rglob("*"):
        assert not path.is_file() or str(tmp_path).encode() not in path.read_bytes(), path


def test_what_is_drawn_from_photographs_stays_behind(study: Study, tmp_path: Path) -> None:
    photographs = replace(study, dataset="camvid")
    folder = unpacked(write_archive(photographs).path, tmp_path / "out")
    assert "mask" not in pq.read_schema(folder / "records" / "segmentation.parquet").names
    own = unpacked(write_archive(study).path, tmp_path / "own")
    assert "mask" in pq.read_schema(own / "records" / "segmentation.parquet").names


def test_a_table_that_is_missing_is_named(study: Study, capsys) -> None:
    (study.records / "answers.parquet").unlink()
    with pytest.raises(RunError, match="answers.parquet: run the study first"):
        write_archive(study)
    assert main(["archive", str(study.folder / "study.yaml")]) == 1
    assert "answers.parquet" in capsys.readouterr().err
