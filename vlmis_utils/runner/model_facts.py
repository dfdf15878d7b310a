"""What is known of a model without loading it again: its digest, commit and visual tokens."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

import torch

from vlmis_utils.core import provenance
from vlmis_utils.core.errors import StopError
from vlmis_utils.core.io import write_atomically
from vlmis_utils.models import hub
from vlmis_utils.models.vlm.loading import Paid
from vlmis_utils.protocol.models import ModelEntry, checkpoint_path, find_model
from vlmis_utils.records.store import shard_key
from vlmis_utils.runner.context import RunContext, hosted

__all__ = ["ModelFacts"]

_SOURCES = ("models", "protocol/prompts", "protocol/classes")


class ModelFacts:
    """Facts about the models of a study, by name.

    They come from a cache under ``<build_root>/cache/digests`` where neither the model's files nor
    the code changed; else the model is loaded.

    Attributes:
        known: what was asked for so far, by name: ``digest``; ``commit`` of a hub repository;
            ``visual_tokens`` of a VLM by image size, such as ``256x512``.
    """

    def __init__(self, context: RunContext) -> None:
        self._context = context
        self.known: dict[str, dict[str, object]] = {}

    def __getitem__(self, name: str) -> dict[str, object]:
        if name not in self.known:
            self.known[name] = self._find(find_model(self._context.catalogue, name))
        return self.known[name]

    def digest(self, name: str) -> str:
        """Return a model's digest."""
        return str(self[name]["digest"])

    def _find(self, entry: ModelEntry) -> dict[str, object]:
        try:
            return dict(json.loads(self._cache(entry).read_text(encoding="utf-8")))
        except (AttributeError, OSError, ValueError, TypeError):
            model = self._context.model(entry)
        if isinstance(model, Paid):  # to find out now what its limits lack
            model.keep_replies(self._context.replies)
        known: dict[str, object] = {"digest": str(model.digest)}
        if getattr(model, "commit", None):
            known["commit"] = model.commit
        if getattr(model, "encoding", None):
            known["image_encoding"] = model.encoding
        if hasattr(model, "visual_tokens"):
            sizes = self._context.sizes
            known["visual_tokens"] = {f"{h}x{w}": model.visual_tokens(h, w) for h, w in sizes}
        cache = self._cache(entry)  # anew: loading may have fetched files
        if cache is not None:
            with suppress(StopError):  # looking at a study needs no place to write
                write_atomically(cache, json.dumps(known).encode())
        return known

    def _cache(self, entry: ModelEntry) -> Path | None:
        """Return the file that keeps what is known of a model; None where its files may change."""
        path = _files(entry)
        if path is None:
            return None
        load = self._context.loaders.of(entry)
        signature = shard_key(
            {
                "entry": repr(entry),
                "files": provenance.file_facts([path]),
                "code": provenance.source_digest(*_SOURCES),
                "loader": f"{load.__module__}.{load.__qualname__}",
                "versions": provenance.versions(),
                "device": torch.device(self._context.device).type,
                "sizes": self._context.sizes if entry.kind == "vlm" else [],
            }
        )
        build = Path(self._context.study.build_root)
        return build / "cache" / "digests" / f"{signature}.json"


def _files(entry: ModelEntry) -> Path | None:
    """Return where a model's files lie for sure, without a network; None if that may change."""
    path = checkpoint_path(entry)
    if path is not None or hosted(entry) or entry.revision is None:
        return path
    repository: str | None = entry.checkpoint
    if entry.library == "open_clip":
        from vlmis_utils.models.vlm.contrastive_checkpoint import repository as find

        repository = find(entry)
    return hub.cached(repository, entry.revision) if repository else None
