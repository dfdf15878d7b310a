"""Checkpoints on a model hub: fetched once, at a pinned revision, checked, then used offline.

Only what this project reads is fetched: configuration, tokenizer and chat template as text, and
weights as safetensors. Nothing that could run as code is asked for. What a cut connection leaves is
kept, and the next call goes on from there; ``HF_HUB_OFFLINE=1`` uses the cache alone.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from fnmatch import fnmatch
from functools import lru_cache
from pathlib import Path

from vlmis_utils.core.errors import UserError

__all__ = ["failure_reason", "FILES", "cached", "digest", "fetch"]

FILES: tuple[str, ...] = ("*.json", "*.safetensors", "*.txt", "*.jinja", "*.model")

# Lengths of the names of files in the cache.
_GIT, _SHA256 = 40, 64


def fetch(
    name: str, repository: str, revision: str | None = None, files: Sequence[str] = FILES
) -> Path:
    """Return the folder in the hub's cache with a repository's files, fetched where missing.

    The folder is named by the commit. Weights and configuration are checked against the digests
    under which the hub serves them, so a damaged or changed cache is found.

    Args:
        name: of the model in the catalogue, for messages.
        repository: hub id, ``owner/name``.
        revision: commit, tag or branch; the hub's newest where None.
        files: patterns of the files to fetch; folders inside the repository are left out.

    Raises:
        UserError: the hub or the cache does not give a whole checkpoint; one line with the remedy.
    """
    from huggingface_hub import snapshot_download

    try:
        folder = Path(
            snapshot_download(
                repository, revision=revision, allow_patterns=list(files), ignore_patterns=["*/*"]
            )
        )
    except Exception as error:
        reason = failure_reason(error, repository, revision)
        raise UserError(f"model {name!r}: {reason}") from error
    weights = any(file.endswith(".safetensors") for file in files)
    if weights and not any(folder.glob("*.safetensors")):
        raise UserError(
            f"model {name!r}: {repository} has no safetensors weights, and no other kind is loaded:"
            " name another checkpoint or revision in the model catalogue, or, where it is for"
            f" transformers, run `vlmis convert transformers {repository} checkpoints/{repository}"
            f"{f' --revision {revision}' if revision else ''}` once"
        )
    for path in _damaged(folder, files):
        raise UserError(
            f"model {name!r}: {path} is not what the hub served: remove {path.resolve()}"
            " and run again to fetch it anew"
        )
    return folder


def cached(repository: str, revision: str | None) -> Path | None:
    """Return the folder in the cache of a pinned commit; None for other revisions and if absent."""
    from huggingface_hub import constants

    if revision is None or not re.fullmatch(r"[0-9a-f]{40}", revision):
        return None
    name = f"models--{repository.replace('/', '--')}"
    folder = Path(constants.HF_HUB_CACHE) / name / "snapshots" / revision
    return folder if folder.is_dir() else None


def failure_reason(error: Exception, repository: str, revision: str | None) -> str:
    """Say in a line why a repository cannot be had, and what to do."""
    from huggingface_hub import constants, errors

    if isinstance(error, errors.GatedRepoError):
        return (
            f"{repository} is gated: accept its terms at {constants.ENDPOINT}/{repository},"
            " log in with `hf auth login`, and run again"
        )
    if isinstance(error, errors.RepositoryNotFoundError):
        return (
            f"the hub has no {repository}: mend the checkpoint in the model catalogue"
            " (a private one needs `hf auth login`)"
        )
    if isinstance(error, errors.RevisionNotFoundError):
        return f"{repository} has no revision {revision}: mend it in the model catalogue"
    if isinstance(error, errors.RemoteEntryNotFoundError):
        file = str(error.response.url).rpartition("/")[2]
        return (
            f"{repository} lists {file} but does not have it: name another revision in the model"
            " catalogue"
        )
    if isinstance(error, errors.HFValidationError):
        return f"{repository} is no hub id: it must be owner/name"
    if isinstance(error, errors.LocalEntryNotFoundError):
        part = "only in part" if isinstance(error, errors.IncompleteSnapshotError) else "not"
        if constants.HF_HUB_OFFLINE:
            why = "HF_HUB_OFFLINE is set: run once without it, with a network"
        else:
            why = "the hub cannot be reached: check the network"
        return f"{repository} is {part} in the cache and {why}"
    status = getattr(getattr(error, "response", None), "status_code", None)
    what = f"the hub answered HTTP {status}" if status else type(error).__name__
    return (
        f"{repository} cannot be fetched ({what}): check the network and run again,"
        " the download goes on where it stopped"
    )


def digest(folder: Path, files: Sequence[str] = FILES) -> str:
    """Return 16 hex digits of the SHA-256 of a folder's files, names and contents.

    Args:
        folder: a checkpoint, as `fetch` returns it: large files are known by their checked names.
        files: patterns; what else lies in the folder (a hub's cache is shared) does not count.
    """
    found = hashlib.sha256()
    for path in _matching(folder, files):
        blob = _blob(path)
        known = blob.name if path.is_symlink() and len(blob.name) == _SHA256 else _sha256(blob)
        found.update(path.name.encode() + b"\0" + bytes.fromhex(known))
    return found.hexdigest()[:16]


def _blob(path: Path) -> Path:
    """Return the cache's name for a file's content: the first link only, for behind it may lie a
    store that several repositories share, under names that are no digest of the bytes."""
    return path.parent / path.readlink() if path.is_symlink() else path


def _matching(folder: Path, files: Sequence[str]) -> list[Path]:
    inside = (path for path in folder.iterdir() if not path.is_dir())
    return sorted(p for p in inside if any(fnmatch(p.name, pattern) for pattern in files))


def _damaged(folder: Path, files: Sequence[str]) -> list[Path]:
    """Return the files of a snapshot that are missing or differ from the digest they are named by.

    The cache names a large file's content by its SHA-256 and any other by its git hash.
    """
    wrong = []
    for path in _matching(folder, files):
        blob = _blob(path)
        if path.is_symlink() and len(blob.name) in (_GIT, _SHA256) and blob.is_file():
            stat = blob.stat()
            if _named(blob, stat.st_size, stat.st_mtime_ns) != blob.name:
                wrong.append(path)
    for index in sorted(folder.glob("*.safetensors.index.json")):
        parts = set(json.loads(index.read_text(encoding="utf-8")).get("weight_map", {}).values())
        due = [p for p in sorted(parts) if any(fnmatch(p, pattern) for pattern in files)]
        wrong += [folder / part for part in due if not (folder / part).exists()]
    return wrong


@lru_cache(maxsize=256)
def _named(path: Path, size: int, changed: int) -> str:
    """Return the name that the cache gives to a file; worked out again only where it changed."""
    if len(path.name) == _SHA256:
        return _sha256(path)
    found = hashlib.sha1(b"blob %d\0" % size, usedforsecurity=False)
    found.update(path.read_bytes())
    return found.hexdigest()


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
