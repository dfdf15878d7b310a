"""Worker processes that end when the parent ends, and leave Ctrl-C to it."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing.connection import wait
from pathlib import Path

from vlmis_utils.core.allocator import keep_freed_memory
from vlmis_utils.core.errors import RunError

__all__ = ["pool"]


@contextmanager
def pool(workers: int, threads: int = 1, log: Path | None = None) -> Iterator[ProcessPoolExecutor]:
    """Give an executor of fresh processes (spawned); when the context ends, so do they.

    Args:
        workers: how many.
        threads: of torch and of numerical libraries, in each.
        log: where what they print to stderr goes; nowhere else.

    Raises:
        RunError: a process died.
    """
    if log is not None:
        log.parent.mkdir(parents=True, exist_ok=True)
    context = multiprocessing.get_context("spawn")
    arguments = (threads, str(log) if log else "")
    executor = ProcessPoolExecutor(workers, context, initializer=_begin, initargs=arguments)
    try:
        _start(executor, workers)
        yield executor
    except BrokenProcessPool:
        raise RunError(
            "a worker process died, probably for want of memory: what is recorded is kept, "
            "run again with '-p workers 1' or a smaller batch_size"
        ) from None
    finally:
        _stop(executor)


def _start(executor: ProcessPoolExecutor, workers: int) -> None:
    """Start all workers with Ctrl-C ignored from their first instant, not only once they run."""
    if threading.current_thread() is not threading.main_thread():
        return
    previous = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        for _ in range(workers):
            executor.submit(os.getpid)
    finally:
        signal.signal(signal.SIGINT, previous)


def _begin(threads: int, log: str) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    parent = multiprocessing.parent_process()

    def follow() -> None:
        wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=follow, daemon=True).start()
    if log:
        os.dup2(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644), 2)
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = str(threads)
    keep_freed_memory()
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    os.environ["HF_HUB_DISABLE_PROGRESS_BARS"] = "1"


def _stop(executor: ProcessPoolExecutor) -> None:
    processes = list((executor._processes or {}).values())
    executor.shutdown(wait=False, cancel_futures=True)
    for process in processes:
        process.terminate()
    for process in processes:
        process.join(timeout=5)
