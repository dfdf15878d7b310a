"""A Ray cluster of several nodes on this machine's loopback addresses, for tests and benchmarks."""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

# ``ray start``, which by itself waits 30 seconds for its own processes: too few on a busy machine.
_RAY = """
import sys, time
from ray._private import services
from ray.scripts.scripts import main

once = services.get_node

def patient(*arguments):
    for _ in range(150):
        try:
            return once(*arguments)
        except RuntimeError:
            time.sleep(0.5)
    return once(*arguments)

services.get_node = patient
sys.exit(main())
"""
_PORTS = ("metrics-export", "dashboard-agent-listen", "dashboard-agent-grpc", "runtime-env-agent")
_MEMORY = 80_000_000  # of a node's object store, bytes
_SECONDS = 500  # for a node to come up on a busy machine


class Nodes:
    """A context with a head that computes nothing and ``workers`` nodes of one core each.

    All are real ``ray start`` processes, each on an address of its own. Whatever happens, none of
    their processes is left at the end.
    """

    def __init__(self, workers: int = 2) -> None:
        self.workers = workers
        self.folder = Path(tempfile.mkdtemp(prefix="ray-"))  # short: sockets lie below it
        self.started: dict[str, subprocess.Popen] = {}
        self.address = ""

    def __enter__(self) -> Nodes:
        try:
            head = ("--head", "--port", "0", "--num-cpus", "0", "--no-monitor")
            self._start("127.0.0.2", *head, "--include-dashboard", "false")
            self._wait("127.0.0.2")
            self.address = (self.folder / "127.0.0.2" / "ray_current_cluster").read_text().strip()
            names = [f"127.0.0.{3 + index}" for index in range(self.workers)]
            for node in names:
                self._start(node, "--address", self.address, "--num-cpus", "1")
            for node in names:
                self._wait(node)
            return self
        except BaseException:
            self.__exit__()
            raise

    def __exit__(self, *_: object) -> None:
        for node in list(self.started):
            self.kill(node)
        for process in psutil.process_iter(["cmdline"]):  # orphans of a node that gave up
            if any(str(self.folder) in word for word in process.info["cmdline"] or ()):
                process.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def kill(self, node: str) -> None:
        """Kill a node and all of its processes with SIGKILL."""
        self._end(self.started.pop(node))

    def _end(self, process: subprocess.Popen) -> None:
        family = [process.pid]
        try:
            family += [child.pid for child in psutil.Process(process.pid).children(recursive=True)]
        except psutil.NoSuchProcess:
            pass
        for pid in family:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        process.wait()

    def _start(self, node: str, *arguments: str) -> None:
        command = [
            sys.executable, "-c", _RAY, "start", "--block", "--node-ip-address", node, *arguments,
            "--num-gpus", "0", "--object-store-memory", str(_MEMORY), "--disable-usage-stats",
            "--temp-dir", str(self.folder / node), "--include-log-monitor", "false",
        ]  # fmt: skip
        for port in _PORTS:  # chosen here: a node waits 30 seconds for those that its parts choose
            command += [f"--{port}-port", str(_free_port(node))]
        self._launch(node, command)

    def _launch(self, node: str, command: list[str]) -> None:
        with open(self.folder / f"{node}.txt", "wb") as log:
            self.started[node] = subprocess.Popen(
                command, stdout=log, stderr=log, env=environment(), start_new_session=True,
                preexec_fn=_end_with_parent,
            )  # fmt: skip

    def _wait(self, node: str) -> None:
        """Wait until a node is up; start it again if it gave up, as on a busy machine."""
        log = self.folder / f"{node}.txt"
        deadline = time.monotonic() + _SECONDS
        while "Ray runtime started" not in log.read_text():
            process = self.started[node]
            if time.monotonic() > deadline:
                raise RuntimeError(f"{log.read_text()[-1000:]}\n{self._last_words(node)}")
            if process.poll() is not None or "Check failed" in self._last_words(node):
                self._end(process)
                shutil.rmtree(self.folder / node, ignore_errors=True)
                self._launch(node, process.args)
            time.sleep(0.2)

    def _last_words(self, node: str) -> str:
        """Return the errors that the node's own process printed last."""
        lines: list[str] = []
        for path in self.folder.glob(f"{node}/session_*/logs/raylet.*"):
            lines += path.read_text().splitlines()
        return "\n".join([line for line in lines if " C " in line or " E " in line][-10:])


def _free_port(node: str) -> int:
    with socket.create_server((node, 0)) as server:
        return server.getsockname()[1]


def _end_with_parent() -> None:
    """Have ``ray start`` asked to end, with all of its processes, when the test process dies."""
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)


def environment() -> dict[str, str]:
    """Return the environment of a node: no usage statistics, no wait for metrics."""
    return {
        **os.environ,
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_enable_metrics_collection": "0",
        "RAY_enable_worker_prestart": "0",
        "RAY_worker_register_timeout_seconds": "300",
        "RAY_agent_register_timeout_ms": "300000",
        "RAY_health_check_timeout_ms": "60000",
        "OMP_NUM_THREADS": "1",
    }
