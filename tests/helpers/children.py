"""What tests let other processes do: run the tiny study, hold its lock.

They are forked from one process that has everything imported, so they start in a moment.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import time
from multiprocessing.connection import Connection
from pathlib import Path

import torch

from tests.helpers import fakes
from vlmis_utils import __main__
from vlmis_utils.core import provenance
from vlmis_utils.core.errors import RunError
from vlmis_utils.protocol import parameters
from vlmis_utils.protocol.models import ModelEntry
from vlmis_utils.protocol.study import Study
from vlmis_utils.records import store
from vlmis_utils.records.lock import locked
from vlmis_utils.runner import model_facts, tasks
from vlmis_utils.runner import run as engine
from vlmis_utils.runner.context import Loaders

__all__ = [
    "PHASES", "SCENES", "command", "context", "hold", "load_deadly", "run", "run_shared",
    "study_in", "try_to_hold",
]  # fmt: skip

PHASES: tuple[str, ...] = ("scenes", "conditions", "segmentation", "answers", "writing")
SCENES = 2


def study_in(folder: Path) -> Study:
    """Return the study: 2 scenes, a shard each, 2 conditions, a segmenter and two VLMs."""
    return fakes.make_study(folder, SCENES, shard_size=1, conditions=("clean", "LL3"))


def context() -> multiprocessing.context.BaseContext:
    """Return what makes the processes."""
    made = multiprocessing.get_context("forkserver")
    made.set_forkserver_preload(["tests.helpers.warm"])
    return made


def _fork_workers() -> None:
    """Have worker processes forked from this one, where spawned ones would import it all."""
    made = multiprocessing.get_context("fork")
    multiprocessing.get_context = lambda name: made


def run_shared(study: Study) -> None:
    """Run a study in worker processes, silently."""
    sys.stderr = open(os.devnull, "w", encoding="utf-8")
    _fork_workers()
    engine.run(study, loaders=fakes.LOADERS)


def _load_late(entry: ModelEntry, device: str = "cpu") -> None:
    time.sleep(60)


def command(study: Study, said: Path) -> None:
    """Run a study as ``vlmis run`` does, in a session of its own; its VLMs take a minute to load.

    Args:
        study: with several workers.
        said: file for what the command and its workers print to stderr.
    """
    os.setsid()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.dup2(os.open(said, os.O_WRONLY | os.O_CREAT | os.O_APPEND), 2)
    sys.stderr = open(2, "w", buffering=1, encoding="utf-8", closefd=False)
    _fork_workers()
    whole, loaders = engine.run, Loaders(fakes.load_segmenter, _load_late)
    parameters.load_study = lambda *_: study
    model_facts.ModelFacts._find = lambda self, entry: {"digest": entry.name}
    engine.run = lambda s, tables=None: whole(s, tables, loaders)
    sys.exit(__main__.main(["run", "x", "--no-book"]))


def hold(study: Study, pipe: Connection) -> None:
    """Hold the lock of a study, say so, and wait for a word or the end of the pipe."""
    with locked((study.folder, study.store), study.study):
        pipe.send("held")
        pipe.poll(60)


class Deadly(fakes.FakeSegmenter):
    """Kills its process at a bright image: once, or always, as a file in a folder says."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def predict(self, images: torch.Tensor) -> torch.Tensor:
        once, always = self.folder / "once", self.folder / "always"
        if images.float().mean() > 140 and (once.exists() or always.exists()):
            once.unlink(missing_ok=True)
            os.kill(os.getpid(), signal.SIGKILL)
        return super().predict(images)


def load_deadly(entry: ModelEntry, device: str = "cpu") -> Deadly:
    """Load a model whose fate is written beside its checkpoint."""
    return Deadly(Path(entry.checkpoint).parent)


def try_to_hold(study: Study) -> None:
    """End with 3 where the lock is taken."""
    try:
        with locked((study.folder, study.store), study.study):
            pass
    except RunError:
        os._exit(3)


def run(folder: Path) -> None:
    """Run the study; ``phase`` holds the number of the phase, ``computed`` a line a shard begun."""
    os.setsid()  # a group of its own, to be killed as one
    torch.set_num_threads(1)
    sys.stderr = open(os.devnull, "w", encoding="utf-8")
    phase = os.open(folder / "phase", os.O_RDWR | os.O_CREAT)
    computed = os.open(folder / "computed", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    whole, write = tasks.rows, store.write_atomically

    def rows(task):
        os.pwrite(phase, task.table[:2].encode(), 0)
        model = getattr(task.entry, "name", "")
        os.write(computed, f"{task.table} {model} {task.condition} {task.start}\n".encode())
        return whole(task)

    def write_atomically(path, data):
        before = os.pread(phase, 2, 0)
        os.pwrite(phase, b"wr", 0)
        write(path, data)
        os.pwrite(phase, before or b"--", 0)

    tasks.rows = rows
    store.write_atomically = provenance.write_atomically = write_atomically
    engine.run(study_in(folder), loaders=fakes.LOADERS)
