"""Kernels forked from one process that has imported what pages import.

A page's kernel needs seconds to import pandas, matplotlib, pingouin and torch and to read what all
answers say, and there are many pages. `Nursery` starts one process that does so once, and forks a
kernel from it for every page; papermill and nbclient run the pages through `ForkedKernelManager` as
they would through any other kernel. Every kernel is a process of its own, which no page shares.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning import LocalProvisioner

__all__ = ["PRELOADED", "ForkedKernelManager", "Nursery"]

PRELOADED: tuple[str, ...] = (
    "ipykernel.debugger", "ipykernel.kernelapp", "kornia.augmentation",
    "matplotlib.backends.backend_agg", "myst_nb.ext.glue", "pandas", "pyarrow.parquet", "pingouin",
    "seaborn.objects", "sklearn.covariance", "sklearn.linear_model", "sklearn.model_selection",
    "statsmodels.discrete.discrete_model", "torch",
    "transformers.models.auto.image_processing_auto", "transformers.models.auto.modeling_auto",
    "vlmis_utils.analysis.open_results", "vlmis_utils.report.figures.correlation",
    "vlmis_utils.report.tables.language", "vlmis_utils.report.tables.segmentation",
)  # fmt: skip

# Seconds that a kernel waits until what a cell printed has been sent. Where it gives up, by itself
# after ten, it says that the cell has ended before it sends the rest, and nobody listens any more.
_PATIENCE = 120

_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


class Nursery:
    """A process with everything imported, from which kernels are forked; it ends with this one.

    Args:
        log: file for what kernels print outside of their cells.
        preloaded: modules to import before the first kernel.
        records: folder of results to prepare likewise, see `analysis.open_results`; empty for none.
    """

    def __init__(self, log: Path, preloaded: tuple[str, ...], records: str = "") -> None:
        log.parent.mkdir(parents=True, exist_ok=True)
        threads = dict.fromkeys(_THREADS, "1")
        quiet = {
            "MPLBACKEND": "module://matplotlib_inline.backend_inline",
            "PYDEVD_DISABLE_FILE_VALIDATION": "1",
        }
        with log.open("ab") as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-m", __name__, records, *preloaded],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True,
                start_new_session=True, env={**os.environ, **threads, **quiet},
            )  # fmt: skip
        self._lock = threading.Lock()

    def __enter__(self) -> Nursery:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()

    def ask(self, **request: object) -> int | None:
        """Send a request (``start`` a kernel, ``poll`` one) and return the answer.

        Raises:
            RuntimeError: the process has died; its last words are in the log.
        """
        with self._lock:
            try:
                self._process.stdin.write(json.dumps(request) + "\n")
                self._process.stdin.flush()
                answer = self._process.stdout.readline()
            except (BrokenPipeError, ValueError):
                answer = ""
        if not answer:
            raise RuntimeError("the process that pages are forked from has died, see pages.log")
        return json.loads(answer)


class _Child:
    """A forked kernel, with what `LocalProvisioner` asks of a `subprocess.Popen`."""

    stdin = stdout = stderr = None

    def __init__(self, nursery: Nursery, arguments: list[str]) -> None:
        self._nursery = nursery
        self.pid = nursery.ask(start=arguments, folder=str(Path.cwd()))

    def poll(self) -> int | None:
        return self._nursery.ask(poll=self.pid)

    def wait(self) -> int | None:
        return self.poll()

    def send_signal(self, number: int) -> None:
        os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)


class _ForkingProvisioner(LocalProvisioner):
    """Starts a kernel by a fork of the nursery instead of by a new Python."""

    nursery: Nursery

    async def launch_kernel(self, cmd: list[str], **_: Any) -> dict[str, Any]:
        self.process = _Child(self.nursery, cmd[cmd.index("-f") :])
        self.pid = self.pgid = self.process.pid
        return self.connection_info


class ForkedKernelManager(AsyncKernelManager):
    """A kernel manager whose kernels are forked; use a class made by `of`."""

    nursery: Nursery

    @classmethod
    def of(cls, nursery: Nursery) -> type[ForkedKernelManager]:
        """Return a kernel manager class whose kernels are forked from ``nursery``."""
        return type("ForkedKernelManager", (cls,), {"nursery": nursery})

    async def _async_pre_start_kernel(self, **options: Any) -> tuple[list[str], dict[str, Any]]:
        self.kernel_id = self.kernel_id or os.urandom(16).hex()
        self.provisioner = _ForkingProvisioner(
            kernel_id=self.kernel_id, kernel_spec=self.kernel_spec, parent=self
        )
        self.provisioner.nursery = self.nursery
        return await super()._async_pre_start_kernel(**options)


def _serve(records: str, *preloaded: str) -> None:
    """Import modules, then fork a kernel or say whether one has ended, for each line of stdin."""
    for name in preloaded:
        importlib.import_module(name)
    if records:
        from vlmis_utils.analysis.open_results import prepare

        for warm in (partial(prepare, records), _prepare_pictures):
            with contextlib.suppress(Exception):  # a page that needs what fails says so itself
                warm()
    handlers: dict[str, Callable[[dict], int | None]] = {"start": _fork, "poll": _status}
    for line in sys.stdin:
        request = json.loads(line)
        handler = next(handlers[key] for key in handlers if key in request)
        print(json.dumps(handler(request)), flush=True)


def _prepare_pictures() -> None:
    """Compile what degrades, and find what names the files of scenes and of models."""
    from vlmis_utils.corruptions.backends import resolve_backend
    from vlmis_utils.protocol.models import load_catalogue
    from vlmis_utils.streetworld.version import drive_version, world_version

    for warm in (resolve_backend, load_catalogue, world_version, drive_version):
        warm()


def _fork(request: dict) -> int:
    parent = os.getpid()
    pid = os.fork()
    if pid:
        return pid
    os.setsid()
    os.chdir(request["folder"])
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)
    os.environ["JPY_PARENT_PID"] = str(parent)  # the kernel ends when its parent does
    random.seed()
    from ipykernel.iostream import OutStream
    from ipykernel.kernelapp import IPKernelApp

    OutStream.flush_timeout = _PATIENCE
    sys.argv = ["ipykernel_launcher", *request["start"]]
    try:
        IPKernelApp.launch_instance()
    finally:
        os._exit(0)


def _status(request: dict) -> int | None:
    try:
        pid, status = os.waitpid(request["poll"], os.WNOHANG)
    except ChildProcessError:
        return 0
    return os.waitstatus_to_exitcode(status) if pid else None


if __name__ == "__main__":
    _serve(*sys.argv[1:])
