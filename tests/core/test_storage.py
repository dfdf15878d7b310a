"""Records on an S3-compatible server of this machine, and the places that paths and URLs name."""

from __future__ import annotations

import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from tests.helpers import fakes
from vlmis_utils.analysis.results import Results
from vlmis_utils.core.errors import RunError, UserError
from vlmis_utils.core.storage import Remote, place
from vlmis_utils.protocol.parameters import load_study
from vlmis_utils.records.run_info import read_run
from vlmis_utils.records.schema import SCHEMAS
from vlmis_utils.records.store import Store, read_table
from vlmis_utils.runner import run as engine
from vlmis_utils.runner.preflight.remote import elsewhere_findings

SCENES = 4


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Give the URL of an empty bucket; address and keys are in the environment only."""
    server_module = pytest.importorskip("moto.server")
    s3fs = pytest.importorskip("s3fs")
    server = server_module.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    address = f"http://{host}:{port}"
    urllib.request.urlopen(f"{address}/moto-api/reset", data=b"").close()
    names = {
        "AWS_ENDPOINT_URL": address,
        "AWS_ACCESS_KEY_ID": "nobody",
        "AWS_SECRET_ACCESS_KEY": "nothing-secret",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    for name, value in names.items():
        monkeypatch.setenv(name, value)
    s3fs.S3FileSystem.clear_instance_cache()
    s3fs.S3FileSystem().mkdir("bucket")
    yield "s3://bucket/deep/prefix"
    s3fs.S3FileSystem.clear_instance_cache()
    server.stop()


def small(folder: Path, **changes: object):
    few = {"conditions": ("clean", "LL3"), "vlms": ("talker",), "shard_size": 2}
    return fakes.make_study(folder, SCENES, **few, **changes)


def run(study) -> None:
    engine.run(study, loaders=fakes.LOADERS)


def tables(study) -> dict[str, pd.DataFrame]:
    return {
        table: read_table(study.records, table).drop(columns="seconds", errors="ignore")
        for table in SCHEMAS
    }


def assert_same(first, second) -> None:
    for name, frame in tables(first).items():
        pd.testing.assert_frame_equal(frame, tables(second)[name])


def test_records_on_an_object_store_equal_those_on_a_disk(tmp_path: Path, s3: str, counts) -> None:
    local = small(tmp_path)
    remote = replace(local, records_root=s3, build_root=str(tmp_path / "other"))
    run(local)
    once = counts()
    run(remote)
    assert counts() == once
    assert_same(local, remote)
    assert str(remote.records) == f"{s3}/tiny/records"
    assert not list(remote.folder.rglob("*.parquet"))
    run(remote)
    assert counts() == {}

    names = ("parameters", "models", "annotated_classes")
    one, two = read_run(local.records), read_run(remote.records)
    assert one["models"] == two["models"] and set(names) <= set(two)
    assert two["parameters"]["records_root"] == s3
    assert "nothing-secret" not in str(two)
    here, there = Results(local.records, bootstrap=20), Results(str(remote.records), bootstrap=20)
    pd.testing.assert_frame_equal(here.vlm_by_condition(), there.vlm_by_condition())
    assert here.run["models"] == there.run["models"]


def test_an_interrupted_run_goes_on_from_the_object_store(
    tmp_path: Path, s3: str, counts, monkeypatch: pytest.MonkeyPatch
) -> None:
    local = small(tmp_path)
    run(local)
    whole = counts()
    study = replace(local, records_root=s3)
    write, written = Store.write, 0

    def interrupted(self, table, *rest):
        nonlocal written
        written += 1
        if table == "answers" and written > 15:
            raise KeyboardInterrupt
        return write(self, table, *rest)

    with monkeypatch.context() as patch:
        patch.setattr(Store, "write", interrupted)
        with pytest.raises(KeyboardInterrupt):
            run(study)
    before = counts()
    run(study)
    after = counts()
    repeated = sum(before.values()) + sum(after.values()) - sum(whole.values())
    assert 0 < repeated <= study.shard_size
    assert_same(local, study)


def test_a_damaged_object_is_named_moved_aside_and_computed_again(
    tmp_path: Path, s3: str, counts, capsys: pytest.CaptureFixture[str]
) -> None:
    study = small(tmp_path, records_root=s3)
    run(study)
    before, _ = tables(study), counts()
    unit = next(u for u in engine.plan(study, fakes.LOADERS) if u.table == "segmentation")
    shard = Store(study.store).path("segmentation", unit.key)
    shard.write_bytes(shard.read_bytes()[:-40])
    run(study)
    assert f"{shard} was damaged" in capsys.readouterr().err
    assert shard.with_suffix(".corrupt").exists() and shard.exists()
    assert counts() == {"segmenter": unit.stop - unit.start}
    for name, frame in tables(study).items():
        pd.testing.assert_frame_equal(frame, before[name])


def test_what_is_wrong_with_a_store_is_one_line(tmp_path: Path, s3: str) -> None:
    with pytest.raises(RunError, match="no records at s3://bucket/none/scenes.parquet"):
        read_table("s3://bucket/none", "scenes")
    study = small(tmp_path, records_root="s3://no-such-bucket/x")
    with pytest.raises(RunError, match="s3://no-such-bucket/x/tiny/.*does the bucket exist"):
        run(study)


def test_a_check_looks_at_the_store(tmp_path: Path, s3: str) -> None:
    there, gone = (small(tmp_path, records_root=root) for root in (s3, "s3://no-such-bucket/x"))
    assert [f.status for f in elsewhere_findings(there)] == ["ok"]
    (finding,) = elsewhere_findings(gone)
    assert finding.status == "fail" and "s3://no-such-bucket is not there" in finding.found
    assert elsewhere_findings(small(tmp_path)) == []


def test_a_place_behaves_like_a_path(s3: str) -> None:
    folder = place(s3)
    assert isinstance(folder, Remote)
    file = folder / "shards" / "a.parquet"
    assert not file.exists() and file.name == "a.parquet"
    with pytest.raises(FileNotFoundError):
        file.read_bytes()
    file.write_bytes(b"first")
    file.write_bytes(b"second")
    assert file.read_text() == "second" and file.exists() and (folder / "shards").exists()
    file.replace(file.with_suffix(".corrupt"))
    assert not file.exists() and (folder / "shards" / "a.corrupt").read_bytes() == b"second"


def test_paths_stay_paths() -> None:
    assert place("build/x") == Path("build/x")
    assert place("file:///data/my%20records") == Path("/data/my records")
    assert place(Path("/data")) == Path("/data")


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("records_root", "s4://bucket", "records_root: no storage s4://"),
        ("build_root", "s3://bucket", "build_root must be a folder.*records_root"),
        ("engine", "rey", "engine 'rey'.*'ray'"),
    ],
)
def test_keys_that_say_where_are_checked(key: str, value: str, words: str) -> None:
    with pytest.raises(UserError, match=words):
        load_study("params/smoke.yaml", {key: value})


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("s4://bucket", "s3"),
        ("ftp://me:word@host/x", "environment"),
        ("s3://bucket/x?token=word", "environment"),
        ("s3://[", "no URL"),
    ],
)
def test_a_url_that_cannot_be_is_refused_and_shows_no_password(url: str, words: str) -> None:
    with pytest.raises(UserError, match=words) as caught:
        place(url)
    assert "word" not in str(caught.value).replace("password", "")
