"""Joining a Ray cluster that is there, or one line that says why not."""

from __future__ import annotations

import importlib.util
import os
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

from vlmis_utils.core.errors import UserError

__all__ = ["connected", "last_line", "reachable"]

_REMEDY = "start one with 'ray start --head', or set RAY_ADDRESS to host:port of its head"


@contextmanager
def connected() -> Iterator[ModuleType]:
    """Connect this process to the cluster and give the module ``ray``; leave it at the end.

    The cluster is that of ``RAY_ADDRESS``, else the one that runs on this machine. None is started.

    Raises:
        UserError: Ray is not installed, or no cluster answers.
    """
    reachable()
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    import ray

    address = _address()
    before = signal.getsignal(signal.SIGTERM)
    try:
        ray.init(address, log_to_driver=False, logging_level="ERROR")
    except (ConnectionError, RuntimeError, ValueError) as error:
        raise UserError(
            f"cannot join a Ray cluster at {address} ({last_line(error)}): {_REMEDY}"
        ) from None
    finally:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, before)  # Ray puts its own
    try:
        yield ray
    finally:
        ray.shutdown()


def last_line(error: BaseException) -> str:
    """Return the line of an error that says most: its last."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines or [type(error).__name__])[-1][:200]


def reachable() -> str:
    """Say in words where the cluster is, as far as that is known without joining it.

    Finds out in seconds what Ray finds out in minutes: whether anybody listens at its address.

    Raises:
        UserError: Ray is not installed, or nobody listens.
    """
    if importlib.util.find_spec("ray") is None:
        raise UserError("'engine: ray' needs Ray: pip install '.[ray]'")
    address = _address()
    host, _, port = address.rpartition(":")
    if not port.isdigit() or "://" in host:
        return f"{'that of this machine' if address == 'auto' else address}, not yet asked"
    try:
        socket.create_connection((host, int(port)), timeout=5).close()
    except (OSError, OverflowError) as error:
        raise UserError(f"no Ray cluster at {address} ({last_line(error)}): {_REMEDY}") from None
    return f"{address} answers"


def _address() -> str:
    return os.environ.get("RAY_ADDRESS") or "auto"
