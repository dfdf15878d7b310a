"""Where tasks are computed: in this process, in worker processes, or on a Ray cluster."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from vlmis_utils.core import provenance
from vlmis_utils.core.processes import pool
from vlmis_utils.protocol.study import Study
from vlmis_utils.runner.outcome import Failure, attempt, joined, lost
from vlmis_utils.runner.tasks import Task

__all__ = ["Compute", "Outcome", "computing"]

Outcome = pd.DataFrame | Failure

# Takes tasks of one table and model; yields each one's place and outcome once, in any order. What
# it raises ends the run. Closed early, it stops what is under way.
Compute = Callable[[Sequence[Task]], Iterator[tuple[int, Outcome]]]

_DIED = (
    "a worker process died twice, probably for want of memory (see {log}): run again with "
    "'-p workers 1' or a smaller batch_size"
)


@contextmanager
def computing(study: Study, device: str, log: Path) -> Iterator[Compute]:
    """Give what computes the tasks of a study.

    Args:
        study: says where, and in how many processes.
        device: where the models run.
        log: where worker processes print.
    """
    with ExitStack() as stack:
        workers = _workers(study, device)
        if study.engine == "ray":
            from vlmis_utils.runner.ray.executor import computing as on_cluster

            far = stack.enter_context(on_cluster(study, device, log))
        elif workers > 1:
            far = stack.enter_context(_Processes(workers, log)).compute
        else:
            far = _here

        def compute(tasks: Sequence[Task]) -> Iterator[tuple[int, Outcome]]:
            hosted = bool(tasks) and getattr(tasks[0].entry, "library", "") == "openai"
            return (_here if hosted else far)(tasks)  # a hosted model waits, it needs no cores

        yield compute


def _workers(study: Study, device: str) -> int:
    most = provenance.cores() if device == "cpu" else 1
    return min(study.workers or most, study.shard_size, study.scenes)


def _here(tasks: Sequence[Task]) -> Iterator[tuple[int, Outcome]]:
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
