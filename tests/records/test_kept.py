"""Records that are kept: equal when read, small, without a path, and only for the same question."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.helpers.studies import write_edge
from vlmis_utils.core.errors import RunError, UserError
from vlmis_utils.protocol.parameters import load_study
from vlmis_utils.protocol.study import Study
from vlmis_utils.records import kept
from vlmis_utils.records.schema import SCHEMAS
from vlmis_utils.records.store import read_table


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    folder = tmp_path_factory.mktemp("run")
    records = write_edge(folder / "city", "clean alone")
    path = records / "segmentation.parquet"
    table = pq.read_table(path)
    place = table.column_names.index("mask")
    masks = pa.array([b"drawn from a photograph"] * len(table), table.field(place).type)
    pq.write_table(table.set_column(place, table.field(place), masks), path)
    return load_study(records.parent / "study.yaml")


@pytest.fixture(scope="module")
def root(study: Study, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("kept")
    assert kept.keep(study, root) == root / "city"
    return root


def test_kept_tables_are_those_of_the_run_in_fewer_bytes(study: Study, root: Path) -> None:
    assert read_table(study.records, "segmentation")["mask"].notna().all()
    for table in SCHEMAS:
        kept = read_table(root / "city/records", table)
        known = read_table(study.records, table)
        left_out = ["mask", "coarse", "embedding"]
        for name in set(left_out) & set(known):
            assert kept[name].isna().all()
        pd.testing.assert_frame_equal(
            kept.drop(columns=left_out, errors="ignore"),
            known.drop(columns=left_out, errors="ignore"),
        )
    sizes = [
        sum(p.stat().st_size for p in folder.glob("*.parquet"))
        for folder in (root / "city/records", Path(study.records))
    ]
    assert sizes[0] < sizes[1]


def test_nothing_that_is_kept_names_a_place_on_the_machine(study: Study, root: Path) -> None:
    place = str(Path(study.build_root))
    for path in root.rglob("*"):
        assert path.is_dir() or place.encode() not in path.read_bytes(), path
    assert load_study(root / "city/study.yaml").build_root == "build"


def test_what_is_kept_answers_the_same_question_however_it_is_read(
    study: Study, root: Path
) -> None:
    read = replace(study, top_k=5, bootstrap=99, workers=3, build_root="elsewhere")
    assert kept.check_kept(read, root) == root / "city/records"


@pytest.mark.parametrize(
    ("key", "value"), [("scenes", 5), ("seed", 1), ("conditions", ("clean", "LL1"))]
)
def test_another_question_is_refused_by_name(
    study: Study, root: Path, key: str, value: object
) -> None:
    with pytest.raises(UserError, match=f"^{key}: .*data_root"):
        kept.check_kept(replace(study, **{key: value}), root)


def test_more_than_the_limit_is_not_kept(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept, "LIMIT", 1000)
    with pytest.raises(RunError, match="keep fewer scenes"):
        kept.keep(study, tmp_path)
    assert not list(tmp_path.iterdir())


def test_what_the_repository_keeps_is_within_the_limit() -> None:
    files = [p for p in kept.KEPT.rglob("*") if p.is_file()]
    assert files and sum(p.stat().st_size for p in files) <= kept.LIMIT
