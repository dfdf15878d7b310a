"""Folders on a disk or on an object store: a path stays a `pathlib.Path`, a URL becomes a `Remote`.

What holds on an object store (S3 and its like, through fsspec): an object appears as a whole or not
at all, as a write is one upload. There is no lock and no rename: two machines that run one study at
once compute some shards twice, and each shard is right whoever wrote it last, as its name is a
digest of what determines it. Keys and endpoints come from the environment, never from a URL.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from vlmis_utils.core.errors import StopError, UserError, closest, one_line

if TYPE_CHECKING:
    import fsspec

__all__ = ["Place", "Remote", "is_url", "place"]

_COMMON = ("s3", "gs", "abfs", "hdfs", "sftp", "file")


@dataclass(frozen=True)
class Remote:
    """A folder or an object under a URL, with the part of the ways of `pathlib.Path` used here.

    Attributes:
        url: such as ``s3://bucket/prefix/records``; without a slash at its end.

    Every method raises `StopError` where the store cannot be reached or refuses.

    >>> Remote("memory://study") / "records" / "scenes.parquet"
    Remote(url='memory://study/records/scenes.parquet')
    """

    url: str

    def __str__(self) -> str:
        return self.url

    def __truediv__(self, name: str) -> Remote:
        return Remote(f"{self.url}/{name}")

    @property
    def name(self) -> str:
        """Last part of the URL."""
        return self.url.rpartition("/")[2]

    @property
    def parent(self) -> Remote:
        """The place that this one lies in."""
        return Remote(self.url.rpartition("/")[0])

    def with_suffix(self, suffix: str) -> Remote:
        """Return the place beside this one whose name ends otherwise."""
        return self.parent / str(PurePosixPath(self.name).with_suffix(suffix))

    def exists(self) -> bool:
        """Whether an object lies here, or anything below."""
        with self._open() as (files, path):
            return bool(files.exists(path))

    def read_bytes(self) -> bytes:
        """Return the object.

        Raises:
            FileNotFoundError: none lies here.
        """
        with self._open() as (files, path):
            return bytes(files.cat_file(path))

    def read_text(self, encoding: str = "utf-8") -> str:
        """Return the object as text; raises as `read_bytes`."""
        return self.read_bytes().decode(encoding)

    def write_bytes(self, data: bytes) -> None:
        """Put the object in one upload: a reader sees the old content or the new."""
        with self._open(creating=True) as (files, path):
            files.pipe_file(path, data)

    def replace(self, target: Remote) -> None:
        """Copy the object to ``target``, then remove it here; not atomic."""
        with self._open() as (files, path):
            files.copy(path, target.url)
            files.rm_file(path)

    @contextmanager
    def _open(self, creating: bool = False) -> Iterator[tuple[fsspec.AbstractFileSystem, str]]:
        """Give the file system and the path in it; what goes wrong becomes one line."""
        import fsspec

        try:
            yield fsspec.core.url_to_fs(self.url, use_listings_cache=False)
        except ImportError as error:
            raise UserError(f"{self.url}: {one_line(error)}: pip install '.[s3]'") from None
        except Exception as error:
            if isinstance(error, FileNotFoundError) and not creating:
                raise
            raise StopError(
                f"{self.url}: {one_line(error)} (does the bucket exist, and are the address "
                "and the keys of the store in the environment?)"
            ) from error


Place = Path | Remote


def is_url(root: str | Place) -> bool:
    """Whether a text names a place by URL.

    >>> is_url("s3://bucket/prefix"), is_url("build/streetworld")
    (True, False)
    """
    return isinstance(root, Remote) or (isinstance(root, str) and "://" in root)


def place(root: str | Place) -> Place:
    """Return the place that a path or a URL names.

    Args:
        root: a path, ``file:///path``, or a URL of a protocol that fsspec knows.

    Raises:
        UserError: fsspec knows no such protocol, or the URL holds a password.

    >>> place("s3://bucket/prefix/") / "records"
    Remote(url='s3://bucket/prefix/records')
    """
    if not is_url(root):
        return Path(root)
    url = str(root)
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise UserError(f"{url} is no URL: {error}") from None
    if parts.scheme == "file":
        return Path(unquote(parts.path))
    import fsspec

    if parts.scheme not in fsspec.available_protocols():
        raise UserError(f"no storage {parts.scheme}://{closest(parts.scheme, _COMMON)}")
    if parts.password is not None or parts.query:
        shown = f"{parts.scheme}://{parts.hostname or ''}{parts.path}"
        raise UserError(f"{shown}: put passwords and keys in the environment, not in the URL")
    return Remote(url.rstrip("/"))
