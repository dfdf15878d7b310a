"""A row that stands twice is refused by name: every join and every mean would count it twice."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.helpers.synthetic import write_records
from vlmis_utils.core.errors import RunError
from vlmis_utils.records.schema import ROW_KEYS, SCHEMAS
from vlmis_utils.records.store import read_table


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_records(tmp_path_factory.mktemp("records") / "records", scenes=3)


def again(records: Path, folder: Path, table: str, rows: list[int], **changes: object) -> Path:
    """Write a table with some of its rows a second time."""
    whole = pq.read_table(records / f"{table}.parquet")
    more = whole.take(rows).to_pandas().assign(**changes)
    folder.mkdir(exist_ok=True)
    added = pa.Table.from_pandas(more, schema=whole.schema, preserve_index=False)
    pq.write_table(pa.concat_tables([whole, added]), folder / f"{table}.parquet")
    return folder


@pytest.mark.parametrize("table", SCHEMAS)
def test_what_is_written_once_reads(records: Path, table: str) -> None:
    assert not read_table(records, table).duplicated(list(ROW_KEYS[table])).any()


@pytest.mark.parametrize("table", SCHEMAS)
@pytest.mark.parametrize("count", [1, 3])
def test_a_row_that_stands_twice_is_named(
    records: Path, tmp_path: Path, table: str, count: int
) -> None:
    folder = again(records, tmp_path / "r", table, list(range(count)))
    first = pq.read_table(records / f"{table}.parquet").slice(0, 1).to_pylist()[0]
    with pytest.raises(RunError, match="holds a row twice") as error:
        read_table(folder, table)
    for key in ROW_KEYS[table]:
        assert f"{key} {first[key]!r}" in str(error.value)
    assert f"{table}.parquet" in str(error.value) and "\n" not in str(error.value)
    assert ("and 2 more rows" in str(error.value)) == (count == 3)


def test_another_answer_to_the_same_question_is_a_second_row_too(
    records: Path, tmp_path: Path
) -> None:
    folder = again(records, tmp_path / "r", "answers", [5], seconds=9.0, p_yes=0.5)
    with pytest.raises(RunError, match="vlm 'clip'.*prompt"):
        read_table(folder, "answers")


def test_keys_are_columns_of_their_tables() -> None:
    for table, keys in ROW_KEYS.items():
        assert set(keys) <= {column.name for column in SCHEMAS[table]}
    assert set(ROW_KEYS) == set(SCHEMAS)
