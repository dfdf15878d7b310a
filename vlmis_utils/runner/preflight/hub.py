"""Whether a checkpoint on the hub is in the cache, or could be fetched; nothing is downloaded."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatch
from pathlib import Path

from vlmis_utils.core.errors import UserError
from vlmis_utils.protocol.models import ModelEntry
from vlmis_utils.runner.preflight.finding import Finding, size

__all__ = ["in_cache", "on_hub"]

_TIMEOUT = 5.0  # seconds for one request


def in_cache(repository: str, revision: str | None) -> Path | None:
    """Return the folder of a repository in the hub's cache, None if weights are not all there."""
    from huggingface_hub import snapshot_download

    try:
        folder = Path(
            snapshot_download(
                repository, revision=revision, local_files_only=True,
                allow_patterns=["*.json", "*.safetensors"], ignore_patterns=["*/*"],
            )
        )  # fmt: skip
    except Exception:  # the library has a dozen kinds, all of which say that it is not there
        return None
    return folder if any(folder.glob("*.safetensors")) else None


def on_hub(
    entry: ModelEntry, repository: str, weights: Sequence[str] = ("*.safetensors",)
) -> tuple[Finding, int]:
    """Ask the hub for the list of files and the head of each file of weights.

    Args:
        entry: of the model.
        repository: its hub id.
        weights: patterns of the files of weights.

    Returns:
        the finding, and the bytes that are to be fetched (0 if unknown).
    """
    from huggingface_hub import HfApi, constants, get_hf_file_metadata, hf_hub_url

    if constants.HF_HUB_OFFLINE:
        found = f"{repository} is not, or only in part, in the cache, and HF_HUB_OFFLINE is set"
        return Finding(entry.name, "fail", found, "run once without it, with a network"), 0
    revision = entry.revision
    try:
        listed = HfApi().model_info(repository, revision=revision, timeout=_TIMEOUT).siblings or ()
        names = [file.rfilename for file in listed if "/" not in file.rfilename]
        due = [name for name in names if any(fnmatch(name, pattern) for pattern in weights)]
        if not due:
            return _unsafe(entry, repository), 0
        heads = [
            get_hf_file_metadata(
                hf_hub_url(repository, name, revision=revision), timeout=_TIMEOUT
            )
            for name in due
        ]  # fmt: skip
    except Exception as error:  # network, gate, wrong id: told apart below
        return _refused(entry, repository, error), 0
    total = sum(head.size or 0 for head in heads)
    pinned = "" if revision else ", at no pinned revision"
    found = f"{repository} can be fetched: {size(total)}, not in the cache{pinned}"
    if revision:
        return Finding(entry.name, "ok", found), total
    return Finding(entry.name, "warn", found, "name the commit as its revision"), total


def _unsafe(entry: ModelEntry, repository: str) -> Finding:
    remedy = "name a checkpoint or revision that has them"
    if entry.library.startswith("transformers"):
        at = f" --revision {entry.revision}" if entry.revision else ""
        remedy = f"vlmis convert transformers {repository} checkpoints/{repository}{at}"
    return Finding(entry.name, "fail", f"{repository} has no safetensors weights", remedy)


def _refused(entry: ModelEntry, repository: str, error: Exception) -> Finding:
    from vlmis_utils.models import hub

    answered = getattr(error, "response", None) is not None
    if not answered and not isinstance(error, ValueError):
        found = f"{repository} is not, or only in part, in the cache, and no hub can be reached"
        remedy = f"check the network, or copy the checkpoint to checkpoints/{repository}"
        if not entry.library.startswith("transformers"):
            remedy = "check the network"
        return Finding(entry.name, "fail", found, remedy)
    text = hub.failure_reason(error, repository, entry.revision)
    return Finding.of(entry.name, UserError(text), "check the network and the checkpoint's name")
