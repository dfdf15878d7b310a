"""The store: same key, same facts; a crash or a damaged file loses nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vlmis_utils.core import io
from vlmis_utils.core.errors import RunError, UserError
from vlmis_utils.records.integrity import intact
from vlmis_utils.records.schema import SCHEMAS, data_dictionary
from vlmis_utils.records.store import Store, read_table, shard_key

FACTS = {"condition": "LL1", "digest": "abc"}
plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def answers(count: int = 2) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "vlm": "clip", "scene_id": [f"s{i}" for i in range(count)], "condition": "clean",
            "prompt": "safety", "text": None, "labels": [["safe", "unsafe"]] * count,
            "scores": [[0.25, 1.5]] * count, "p_yes": None, "p_no": 0.5, "seconds": 0.1,
        }
    )  # fmt: skip


@settings(deadline=None)
@given(st.dictionaries(st.text(), plain, max_size=4))
def test_a_key_depends_on_facts_and_not_on_their_order(facts: dict[str, object]) -> None:
    backwards = dict(reversed(facts.items()))
    assert shard_key(facts) == shard_key(backwards)
    assert shard_key(facts) != shard_key({**facts, "one more": 1})


def test_different_facts_never_share_a_key() -> None:
    different = [{}, {"a": 1}, {"a": "1"}, {"a": 1.5}, {"a": [1]}, {"a": None}, {"b": 1}]
    assert len({shard_key(facts) for facts in different}) == len(different)


def test_a_shard_comes_back_as_written(tmp_path: Path) -> None:
    store, key = Store(tmp_path), shard_key(FACTS)
    assert not store.path("answers", key).exists() and store.read("answers", key) is None
    store.write("answers", key, answers(), FACTS)
    read = store.read("answers", key)
    assert list(read.columns) == [c.name for c in SCHEMAS["answers"]]
    assert list(read.scene_id) == ["s0", "s1"] and read.text.isna().all()
    assert np.allclose(read.scores[0], [0.25, 1.5])


def test_nothing_is_left_behind_by_a_write_that_fails(tmp_path: Path, monkeypatch) -> None:
    store, key = Store(tmp_path), shard_key(FACTS)
    store.write("answers", key, answers(), FACTS)
    before = store.path("answers", key).read_bytes()

    def broken(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(io.os, "replace", broken)
    with pytest.raises(RunError, match="cannot write .*: disk full"):
        store.write("answers", key, answers(5), FACTS)
    assert store.path("answers", key).read_bytes() == before
    assert [p.name for p in store.path("answers", key).parent.iterdir()] == [f"{key}.parquet"]


@pytest.mark.parametrize("damage", ["truncated", "flipped", "empty", "other columns", "text"])
def test_a_damaged_shard_is_moved_aside(tmp_path: Path, damage: str) -> None:
    store, key = Store(tmp_path), shard_key(FACTS)
    path = store.write("answers", key, answers(200), FACTS)
    data = path.read_bytes()
    if damage == "truncated":
        path.write_bytes(data[: len(data) // 2])
    elif damage == "flipped":
        path.write_bytes(data[:60] + bytes([data[60] ^ 255]) + data[61:])
    elif damage == "other columns":
        pd.DataFrame({"a": [1]}).to_parquet(path)
    else:
        path.write_bytes(b"" if damage == "empty" else b"not Parquet")
    assert store.read("answers", key) is None
    assert store.damaged == [path] and not path.exists()
    assert path.with_suffix(".corrupt").exists()


def test_any_changed_bit_is_found(tmp_path: Path) -> None:
    """Also in the footer, which Parquet's own checksums leave out, and in the digest itself."""
    store, key = Store(tmp_path), shard_key(FACTS)
    data = store.write("answers", key, answers(20), FACTS).read_bytes()
    assert intact(data)
    rng = np.random.default_rng(6)
    last = range(len(data) - 300, len(data))  # digest and end of the footer, bit by bit
    for at in [*rng.integers(0, len(data), 2000), *last]:
        changed = bytearray(data)
        changed[at] ^= 1 << int(rng.integers(8))
        assert not intact(bytes(changed)), at
    for cut in (1, 8, 100):
        assert not intact(data[:-cut]) or not data[:-cut].endswith(b"PAR1")


@pytest.mark.parametrize("seed", range(20))
def test_random_flips_are_moved_aside_and_written_anew(tmp_path: Path, seed: int) -> None:
    store, key = Store(tmp_path), shard_key(FACTS)
    path = store.write("answers", key, answers(20), FACTS)
    rng, changed = np.random.default_rng(seed), bytearray(path.read_bytes())
    for at in rng.integers(0, len(changed), 1 + seed % 4):
        changed[at] ^= int(rng.integers(1, 256))
    path.write_bytes(changed)
    assert store.read("answers", key) is None and store.damaged == [path]
    store.write("answers", key, answers(20), FACTS)
    assert len(store.read("answers", key)) == 20


def test_a_shard_from_before_files_were_sealed_is_read(tmp_path: Path) -> None:
    store, key = Store(tmp_path), shard_key(FACTS)
    path = store.write("answers", key, answers(), FACTS)
    pq.write_table(pq.read_table(path).replace_schema_metadata(None), path)
    assert len(store.read("answers", key)) == 2 and not store.damaged


def test_other_readers_see_plain_parquet(tmp_path: Path) -> None:
    store, key = Store(tmp_path), shard_key(FACTS)
    path = store.write("answers", key, answers(), FACTS)
    assert list(pd.read_parquet(path).columns) == [c.name for c in SCHEMAS["answers"]]
    assert json.loads(pq.read_schema(path).metadata[b"vlmis"]) == FACTS


def test_drafts_of_a_killed_run_are_swept_and_nothing_else(tmp_path: Path) -> None:
    store, key = Store(tmp_path), shard_key(FACTS)
    path = store.write("answers", key, answers(), FACTS)
    store.consolidate("answers", [key])
    for folder, name in ((path.parent, path.name), (tmp_path / "records", "run.json")):
        (folder / f".{name}.abc_1234").write_bytes(b"half")
    kept = path.with_suffix(".corrupt")
    kept.write_bytes(b"")
    store.sweep()
    left = sorted(p.name for p in tmp_path.rglob("*") if p.is_file())
    assert left == sorted([path.name, kept.name, "answers.parquet"])


def test_a_table_is_its_shards_in_order(tmp_path: Path) -> None:
    store = Store(tmp_path)
    for name in ("b", "a"):
        store.write("answers", name, answers().assign(condition=name), FACTS)
    store.consolidate("answers", ["b", "a"])
    table = read_table(tmp_path / "records", "answers")
    assert list(table.condition) == ["b", "b", "a", "a"]
    again = pd.read_parquet(tmp_path / "records" / "answers.parquet")
    pd.testing.assert_frame_equal(table, again)


def test_a_table_without_rows_has_its_columns(tmp_path: Path) -> None:
    Store(tmp_path).consolidate("segmentation", [])
    table = read_table(tmp_path / "records", "segmentation")
    assert table.empty and list(table.columns) == [c.name for c in SCHEMAS["segmentation"]]


def test_a_missing_shard_is_named(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"abc\.parquet is missing or damaged: run"):
        Store(tmp_path).consolidate("answers", ["abc"])


def test_reading_what_is_not_there_names_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="run the study first"):
        read_table(tmp_path, "answers")
    with pytest.raises(UserError, match="did you mean 'answers'"):
        read_table(tmp_path, "answer")


def test_a_damaged_table_names_the_remedy(tmp_path: Path) -> None:
    store = Store(tmp_path)
    path = store.consolidate("answers", [])
    path.write_bytes(path.read_bytes()[:50])
    with pytest.raises(RunError, match="damaged") as caught:
        read_table(tmp_path / "records", "answers")
    assert "\n" not in str(caught.value) and "run the study again" in str(caught.value)


def test_the_data_dictionary_documents_every_column() -> None:
    book = data_dictionary()
    assert len(book) == sum(len(columns) for columns in SCHEMAS.values())
    assert (book.meaning.str.len() > 3).all()
    assert set(book.table) == {"scenes", "conditions", "segmentation", "answers"}
