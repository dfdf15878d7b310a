"""Where tasks are computed: in this process, in worker processes, or on a Ray cluster."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np

from vlmis_utils.core import provenance
from vlmis_utils.core.processes import pool
from vlmis_utils.protocol.study import Study
from vlmis_utils.runner.context import RunContext, hosted
from vlmis_utils.runner.outcome import Compute, Outcome, attempt, joined, lost
from vlmis_utils.runner.tasks import Task

__all__ = ["computing"]

_DIED = (
    "a worker process died twice, probably for want of memory (see {log}): run again with "
    "'-p workers 1' or a smaller batch_size"
)


@contextmanager
def computing(context: RunContext) -> Iterator[Compute]:
    """Give what computes the tasks of a study; its worker processes print to ``workers.log``."""
    study = context.study
    with ExitStack() as stack:
        workers = _workers(study, context.device)
        if study.engine == "ray":
            from vlmis_utils.runner.ray.executor import computing as on_cluster

            compute_far = stack.enter_context(on_cluster(context))
        elif workers > 1:
            processes = _Processes(workers, study.folder / "workers.log")
            compute_far = stack.enter_context(processes).compute
        else:
            compute_far = _compute_here

        def compute(tasks: Sequence[Task]) -> Iterator[tuple[int, Outcome]]:
            waits = bool(tasks) and hosted(tasks[0].entry)  # for a server: it needs no cores
            return (_compute_here if waits else compute_far)(tasks)

        yield compute


def _workers(study: Study, device: str) -> int:
    most = provenance.cores() if device == "cpu" else 1
    return min(study.workers or most, study.shard_size, study.images)


def _compute_here(tasks: Sequence[Task]) -> Iterator[tuple[int, Outcome]]:
    for place, task in enumerate(tasks):
        yield place, attempt(task)


class _Processes:
    """Worker processes that share each task; started when first needed, and anew if one dies."""

    def __init__(self, workers: int, log: Path) -> None:
        self.workers, self.log = workers, log
        self._stack = ExitStack()
        self._executor: ProcessPoolExecutor | None = None

    def __enter__(self) -> _Processes:
        return self

    def __exit__(self, *_: object) -> None:
        self._executor = None
        self._stack.close()

    def compute(self, tasks: Sequence[Task]) -> Iterator[tuple[int, Outcome]]:
        """Compute one task after the other, twice where a process dies."""
        for place, task in enumerate(tasks):
            parts = self._shared(task) or self._shared(task)
            yield place, joined(parts) if parts else lost(task, _DIED.format(log=self.log))

    def _shared(self, task: Task) -> list[Outcome]:
        edges = np.linspace(task.start, task.stop, self.workers + 1).round().astype(int)
        shares = [(int(a), int(b)) for a, b in itertools.pairwise(edges) if b > a]
        try:
            if self._executor is None:
                threads = max(1, provenance.cores() // self.workers)
                self._executor = self._stack.enter_context(pool(self.workers, threads, self.log))
            parts = [
                self._executor.submit(attempt, replace(task, start=a, stop=b)) for a, b in shares
            ]
            return [part.result() for part in parts]
        except BrokenProcessPool:
            self.__exit__()
            return []
