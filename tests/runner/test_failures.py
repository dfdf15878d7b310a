"""What fails is named, the rest goes on, and a rerun computes what is missing."""

from __future__ import annotations

import errno
import multiprocessing
import os
import subprocess
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
import torch
import yaml

from tests.helpers import children, fakes
from vlmis_utils import __main__
from vlmis_utils.core import io
from vlmis_utils.core.errors import RunError, StopError, UserError
from vlmis_utils.protocol.models import load_catalogue
from vlmis_utils.protocol.prompts import PROMPTS
from vlmis_utils.protocol.study import flat
from vlmis_utils.records.run_info import read_run
from vlmis_utils.runner import outcome, run, tasks
from vlmis_utils.runner.context import Loaders
from vlmis_utils.runner.outcome import Failure, attempt
from vlmis_utils.runner.tasks import Task

SCENES = 7
BAD = "camvid-test-a_04"


class Fragile(fakes.FakeVlm):
    """Fails on dark images of one grey value, or with more than one image."""

    error: Exception = ValueError("odd shape")
    alone = True

    def answer(self, images, prompts):
        greys = images.float().mean((1, 2, 3))
        if (self.alone and (greys - self.grey).abs().min() < 1e-6) or (
            not self.alone and len(images) > 1
        ):
            raise self.error
        return super().answer(images, prompts)


@pytest.fixture
def fragile(tmp_path: Path):
    """Give a study and loaders whose talker fails on one scene under LL3."""
    study = fakes.make_study(tmp_path, SCENES)
    run.run(study, tables={"conditions"}, loaders=fakes.LOADERS)
    task = Task(study, "answers", "LL3", 4, 5)
    Fragile.grey = float(next(task.batches()).seen.float().mean())
    Fragile.error, Fragile.alone = ValueError("odd shape"), True

    def load(entry, device="cpu"):
        return (Fragile if entry.name == "talker" else fakes.FakeVlm)(entry.name)

    return study, Loaders(fakes.load_segmenter, load)


def answers(study) -> pd.DataFrame:
    return pd.read_parquet(study.records / "answers.parquet").drop(columns="seconds")


def test_one_image_that_a_model_cannot_take(fragile, counts, capsys, tmp_path: Path) -> None:
    study, loaders = fragile
    with pytest.raises(RunError) as caught:
        run.run(study, loaders=loaders)
    line = f"scene {BAD} under LL3, model talker: ValueError: odd shape"
    assert str(caught.value) == line
    assert f"failed: {line}\n" in capsys.readouterr().err
    units = run.plan(study, fakes.LOADERS)
    missing = [(u.model, u.condition, u.start) for u in units if not u.recorded]
    assert missing == [("talker", "LL3", 3)]
    assert (study.records / "segmentation.parquet").exists()
    assert not (study.records / "answers.parquet").exists()
    assert read_run(study.records)["stages"].keys() >= {"scorer", "talker"}
    counts()
    run.run(study, loaders=fakes.LOADERS)
    assert counts() == {"talker": 3}
    other = replace(study, study="other")
    run.run(other, loaders=fakes.LOADERS)
    pd.testing.assert_frame_equal(answers(study), answers(other))


def test_a_failed_unit_ends_the_command_with_1(fragile, capsys, monkeypatch, tmp_path) -> None:
    study, loaders = fragile
    whole = run.run
    monkeypatch.setattr(run, "run", lambda s, tables=None: whole(s, tables, loaders))
    params = tmp_path / "tiny.yaml"
    params.write_text(yaml.safe_dump(flat(study)))
    assert __main__.main(["run", str(params)]) == 1
    last = capsys.readouterr().err.splitlines()[-1]
    assert last == f"error: scene {BAD} under LL3, model talker: ValueError: odd shape"
    assert not (study.folder / "html").exists()


@pytest.mark.parametrize("error", [MemoryError(), torch.OutOfMemoryError("CUDA out of memory")])
def test_memory_for_one_image_only_is_enough(fragile, error: Exception, counts) -> None:
    study, loaders = fragile
    Fragile.error, Fragile.alone = error, False
    run.run(study, loaders=loaders)
    other = replace(study, study="other")
    run.run(other, loaders=fakes.LOADERS)
    pd.testing.assert_frame_equal(answers(study), answers(other))


def test_memory_for_no_image_is_named(fragile) -> None:
    study, loaders = fragile
    Fragile.error = MemoryError()
    with pytest.raises(RunError, match=f"scene {BAD} under LL3, model talker: out of memory on"):
        run.run(study, loaders=loaders)


def test_a_model_that_always_fails_is_given_up_and_the_others_go_on(fragile, counts) -> None:
    study, _ = fragile

    def load(entry, device="cpu"):
        made = fakes.FakeVlm(entry.name)
        if entry.name == "talker":
            made.answer = None
        return made

    with pytest.raises(RunError, match="scene camvid-test-a_00 under clean, model talker: Type"):
        run.run(study, loaders=Loaders(fakes.load_segmenter, load))
    assert set(counts()) == {"segmenter", "scorer"}
    run.run(replace(study, vlms=("scorer",)), loaders=fakes.LOADERS)
    assert counts() == {}


def test_a_model_that_cannot_be_loaded_is_named_once_a_unit(fragile, counts) -> None:
    study, _ = fragile
    run.plan(study, fakes.LOADERS)
    loads = []

    def load(entry, device="cpu"):
        if entry.name == "talker":
            loads.append(entry.name)
            if len(loads) > 1:
                raise MemoryError
        return fakes.FakeVlm(entry.name)

    with pytest.raises(RunError, match="^model talker cannot be loaded: out of memory.*and 1 more"):
        run.run(study, loaders=Loaders(fakes.load_segmenter, load))
    assert len(loads) == 4 and counts()["scorer"] > 0


def test_an_image_that_changed_during_the_study_is_named(tmp_path: Path) -> None:
    study = fakes.make_study(tmp_path, 3)
    run.run(study, tables={"conditions"}, loaders=fakes.LOADERS)
    entry = load_catalogue(study.models)["blocks"]
    images = {"camvid-test-a_01": "0"}
    task = Task(study, "segmentation", "MB3", 0, 3, entry, loaders=fakes.LOADERS, images=images)
    failure = attempt(task)
    assert isinstance(failure, Failure) and not failure.whole and len(failure.lines) == 1
    assert "scene camvid-test-a_01 under MB3, model blocks: " in failure.lines[0]


@pytest.mark.parametrize("after", [0, 1, 9, 30])
def test_a_full_disk_ends_the_run_at_once_and_loses_nothing(
    tmp_path: Path, monkeypatch, counts, after: int
) -> None:
    study = fakes.make_study(tmp_path, SCENES)
    left, sync = [after * 2], os.fsync

    def full(handle: int) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        sync(handle)

    with monkeypatch.context() as patch:
        patch.setattr(io.os, "fsync", full)
        with pytest.raises(StopError) as caught:
            run.run(study, loaders=fakes.LOADERS)
    said = str(caught.value)
    assert said.startswith("cannot write ") and "No space left on device; what is" in said
    assert said.endswith("free some space and run again") and "\n" not in said
    kept = {p: p.stat().st_mtime_ns for p in study.folder.glob("shards/*/*.parquet")}
    run.run(study, loaders=fakes.LOADERS)
    assert all(p.stat().st_mtime_ns == then for p, then in kept.items())
    assert not list(tmp_path.rglob(".*.parquet.*"))


@pytest.fixture
def disk(tmp_path: Path):
    """Give a file system of 2 MB; skip where this user may mount none."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"mount is not permitted: {done.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_disk_that_is_really_full(tmp_path: Path, disk: Path, counts) -> None:
    study = fakes.make_study(tmp_path, SCENES, build_root=str(disk))
    (disk / "ballast").write_bytes(bytes(1_700_000))
    with pytest.raises(StopError, match=r"cannot write .*: No space left on device; what is rec"):
        run.run(study, loaders=fakes.LOADERS)
    kept = list(study.folder.glob("shards/*/*.parquet"))
    assert kept and not list(study.folder.rglob(".*.parquet.*"))
    (disk / "ballast").unlink()
    run.run(study, loaders=fakes.LOADERS)
    assert len(answers(study)) == 2 * SCENES * 5 * len(PROMPTS)


def test_a_folder_that_is_read_only(tmp_path: Path, disk: Path, counts) -> None:
    study = fakes.make_study(tmp_path, SCENES, build_root=str(disk))
    run.run(study, tables={"conditions"}, loaders=fakes.LOADERS)
    counts()
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    with pytest.raises(
        StopError, match=r"cannot write .*: Read-only file system; .*set build_root"
    ):
        run.run(study, loaders=fakes.LOADERS)
    assert counts() == {}
    assert any(unit.recorded for unit in run.plan(study, fakes.LOADERS))  # looking is allowed


def test_a_full_disk_in_a_worker_ends_the_run_too(tmp_path: Path, monkeypatch) -> None:
    def full(task):
        raise OSError(errno.ENOSPC, "No space left on device", "build/cache/x.npz")

    monkeypatch.setattr(tasks, "rows", full)
    with pytest.raises(StopError, match=r"cannot write build/cache/x\.npz: No space"):
        attempt(Task(fakes.make_study(tmp_path, 2), "scenes", "", 0, 2))


@pytest.mark.parametrize("mark", ["once", "always"])
def test_a_killed_worker_is_replaced(tmp_path: Path, monkeypatch, mark: str) -> None:
    context = children.context()  # workers start at once, where spawned ones import it all
    monkeypatch.setattr(multiprocessing, "get_context", lambda name: context)
    study = fakes.make_study(
        tmp_path, 4, workers=2, shard_size=4, vlms=(), conditions=("clean", "LL3")
    )
    loaders = Loaders(children.load_deadly, fakes.load_vlm)
    run.run(replace(study, workers=1), tables={"conditions"}, loaders=loaders)
    (tmp_path / "checkpoints" / mark).write_text("")
    if mark == "once":
        run.run(study, loaders=loaders)
    else:
        lost = "scenes camvid-test-a_00 to camvid-test-a_03 under clean, model blocks: a worker"
        with pytest.raises(RunError, match=f"^{lost} process died twice"):
            run.run(study, loaders=loaders)
        left = [u.condition for u in run.plan(study, loaders) if not u.recorded]
        assert left == ["clean"]  # the other unit went on, in new processes
        (tmp_path / "checkpoints" / mark).unlink()
        run.run(replace(study, workers=1), loaders=loaders)
    assert len(pd.read_parquet(study.records / "segmentation.parquet")) == 8


def test_what_stops_a_run_is_not_tried_scene_by_scene(tmp_path: Path, monkeypatch) -> None:
    calls = []

    def rows(task):
        calls.append(task)
        raise UserError("no such thing")

    monkeypatch.setattr(tasks, "rows", rows)
    with pytest.raises(UserError):
        attempt(Task(fakes.make_study(tmp_path, 3), "scenes", "", 0, 3))
    assert len(calls) == 1


def test_parts_are_put_together_in_order() -> None:
    frames = [pd.DataFrame({"a": [1]}), pd.DataFrame({"a": [2, 3]})]
    assert outcome.joined(frames).a.tolist() == [1, 2, 3]
    failed = outcome.joined([Failure(("x",), True), frames[0], Failure(("y",), True)])
    assert failed == Failure(("x", "y"), False)
