"""Files that are there as a whole, or not at all."""

from __future__ import annotations

import errno
import os
import tempfile
from pathlib import Path

from vlmis_utils.core.errors import unwritable
from vlmis_utils.core.storage import Place, Remote

__all__ = ["drafts", "write_atomically"]


def write_atomically(path: Place, data: bytes) -> None:
    """Write a file so that a reader, or a crash, sees the old content or the new, never a part.

    File and folder are on the disk, not only on their way there, when this returns.

    Raises:
        StopError: the disk is full, or the folder cannot be written to; the old content stays.
    """
    if isinstance(path, Remote):
        path.write_bytes(data)
        return
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
        temporary = None
        _sync(path.parent)
    except OSError as error:
        raise unwritable(path, error) from error
    finally:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)


def drafts(folder: Path) -> list[Path]:
    """Return what `write_atomically` left unfinished in a folder when its process was killed."""
    return [path for path in folder.glob(".*.*.????????") if path.is_file()]


def _sync(folder: Path) -> None:
    """Put the names in a folder on the disk, where its file system can."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(handle)
