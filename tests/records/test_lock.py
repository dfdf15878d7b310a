"""One writer at a time: another is told who, and one that was killed holds nothing."""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path

import pytest
import yaml

from tests.helpers import children, fakes
from vlmis_utils import __main__
from vlmis_utils.core.errors import RunError, StopError
from vlmis_utils.protocol.study import flat
from vlmis_utils.records.lock import NAME, locked
from vlmis_utils.runner import run


@pytest.fixture
def held(tmp_path: Path):
    """Give a study that another process holds, and that process."""
    context = children.context()
    ours, theirs = context.Pipe()
    study = fakes.make_study(tmp_path, 2)
    process = context.Process(target=children.hold, args=(study, theirs), daemon=True)
    process.start()
    assert ours.poll(300)
    yield study, process
    if process.is_alive():
        ours.send("enough")
    process.join(30)


def test_the_other_process_is_named_and_nothing_is_written(held, counts) -> None:
    study, process = held
    with pytest.raises(RunError) as caught:
        run.run(study, loaders=fakes.LOADERS)
    said = str(caught.value)
    assert re.search(rf"process {process.pid} since \d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d", said)
    assert str(study.folder / NAME) in said and "'tiny'" in said and "\n" not in said
    assert counts() == {} and [p.name for p in study.folder.iterdir()] == [NAME]


@pytest.mark.parametrize("command", ["run", "book"])
def test_commands_that_write_need_it(held, command: str, capsys, tmp_path: Path) -> None:
    study, _ = held
    params = tmp_path / "tiny.yaml"
    params.write_text(yaml.safe_dump(flat(study)))
    assert __main__.main([command, str(params)]) == 1
    error = capsys.readouterr().err
    assert error.startswith("error: study 'tiny' is in use by process") and error.count("\n") == 1


def test_looking_needs_no_lock_and_other_studies_run(held, tmp_path: Path, monkeypatch) -> None:
    study, _ = held
    assert not any(unit.recorded for unit in run.plan(study, fakes.LOADERS))
    other = fakes.make_study(tmp_path, 2, study="other", vlms=("talker",))
    run.run(other, loaders=fakes.LOADERS)
    assert (other.records / "answers.parquet").exists()


def test_a_killed_process_holds_nothing(held) -> None:
    study, process = held
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    with locked((study.folder, study.store), study.study):
        assert (study.folder / NAME).exists()


def test_within_it_may_be_taken_again_and_only_the_outer_one_ends_it(tmp_path: Path) -> None:
    study = fakes.make_study(tmp_path, 2)

    def tried() -> int | None:
        process = children.context().Process(target=children.try_to_hold, args=(study,))
        process.start()
        process.join()
        return process.exitcode

    with locked((study.folder, study.store), study.study):
        with locked((study.folder, study.store), study.study):
            pass
        assert tried() == 3
    assert tried() == 0


def test_records_elsewhere_are_locked_too(tmp_path: Path) -> None:
    study = fakes.make_study(tmp_path, 2, records_root=str(tmp_path / "elsewhere"))
    with locked((study.folder, study.store), study.study):
        assert {p.parent for p in tmp_path.rglob(NAME)} == {study.folder, study.store}
    remote = fakes.make_study(tmp_path, 2, study="far", records_root="memory://lock")
    with locked((remote.folder, remote.store), remote.study):
        assert (remote.folder / NAME).exists()


def test_a_torn_or_foreign_lock_file_is_no_obstacle(held, tmp_path: Path) -> None:
    study, _ = held
    (study.folder / NAME).write_text("{")
    with (
        pytest.raises(RunError, match="in use by another process, which holds"),
        locked((study.folder, study.store), study.study),
    ):
        pass


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "build").write_text("a file")
    study = fakes.make_study(tmp_path, 2)
    with pytest.raises(StopError, match=r"cannot write .*: make it writable, or set build_root"):
        run.run(study, loaders=fakes.LOADERS)
