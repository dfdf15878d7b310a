"""One writer of a study at a time: a file lock, which ends with its process however that ends."""

from __future__ import annotations

import json
import os
import platform
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from vlmis_utils.core.errors import RunError, unwritable
from vlmis_utils.core.storage import Place

__all__ = ["NAME", "locked"]

# The file in a study's folder; it stays there, unlocked, when nobody writes.
NAME = "study.lock"


@contextmanager
def locked(folders: Iterable[Place], name: str) -> Iterator[None]:
    """Keep other processes from writing to a study's folders; may be entered again within.

    The system holds the lock for as long as the process lives: one that was killed holds nothing.
    Folders on an object store have no lock (see `core.storage`).

    Args:
        folders: where the study writes.
        name: of the study, for the message.

    Raises:
        RunError: another process writes to this study; the message says which, since when, and
            names the file.
    """
    with ExitStack() as stack:
        for folder in dict.fromkeys(folders):
            if isinstance(folder, Path):
                stack.enter_context(_locked(folder, name))
        yield


@contextmanager
def _locked(folder: Path, name: str) -> Iterator[None]:
    path = folder / NAME
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(path.resolve(), is_singleton=True)
        taken = lock.acquire(timeout=0)
    except Timeout:
        raise RunError(
            f"study {name!r} is in use by {_holder(path)}, which holds {path}: wait until it ends"
        ) from None
    except OSError as error:
        raise unwritable(path, error) from error
    with taken:
        if lock.lock_counter == 1:
            _sign(path)
        yield


def _sign(path: Path) -> None:
    """Write into the lock file who holds it."""
    since = time.strftime("%Y-%m-%d %H:%M:%S")
    try:
        path.write_text(json.dumps({"pid": os.getpid(), "host": platform.node(), "since": since}))
    except OSError as error:
        raise unwritable(path, error) from error


def _holder(path: Path) -> str:
    """Say in words who holds a lock, as far as its file tells."""
    try:
        held = json.loads(path.read_text())
        where = "" if held["host"] == platform.node() else f" on {held['host']}"
        return f"process {held['pid']}{where} since {held['since']}"
    except (OSError, ValueError, KeyError, TypeError):
        return "another process"
