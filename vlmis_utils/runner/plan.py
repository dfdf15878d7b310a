"""What a study consists of, unit by unit: what determines each, and whether it is recorded."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd
import torch

from vlmis_utils.core import provenance
from vlmis_utils.core.device import resolve_device
from vlmis_utils.core.errors import StopError
from vlmis_utils.core.io import write_atomically
from vlmis_utils.models import hub
from vlmis_utils.models.vlm.loading import Paid
from vlmis_utils.protocol.conditions import condition_row
from vlmis_utils.protocol.models import (
    ModelEntry,
    checkpoint_path,
    find_model,
    load_catalogue,
)
from vlmis_utils.protocol.prompts import PROMPTS
from vlmis_utils.protocol.study import Study
from vlmis_utils.records.store import BLANK, Store, shard_key
from vlmis_utils.runner import tasks
from vlmis_utils.runner.tasks import Loaders, Task

__all__ = ["TABLES", "Planner", "Unit"]

# In the order in which one needs the other; everything needs the first two.
TABLES: tuple[str, ...] = ("scenes", "conditions", "segmentation", "answers")

_MODEL_SOURCES = ("models", "protocol/prompts", "protocol/classes")


@dataclass(frozen=True)
class Unit:
    """A shard's worth of work.

    Attributes:
        table: scenes, conditions, segmentation or answers.
        model: name in the catalogue; empty for scenes and conditions.
        condition: empty for scenes.
        start, stop: scenes by their place in the split.
        facts: all that determines the rows; None while an earlier unit is still to be computed.
        recorded: whether the store has the shard.
    """

    table: str
    model: str
    condition: str
    start: int
    stop: int
    facts: dict[str, object] | None = None
    recorded: bool = False

    @property
    def key(self) -> str:
        """Name of the shard: the digest of `facts`."""
        return shard_key(self.facts or {})


# Columns of a table of which the keys of others are made; all that is kept of its rows.
_NAMED: dict[str, tuple[str, ...]] = {
    "scenes": ("scene_id", "image_sha256", "labels_sha256"),
    "conditions": ("scene_id", "image_sha256"),
}


class Planner:
    """Knows, of each unit, what determines it and whether it is recorded."""

    def __init__(self, study: Study, loaders: Loaders) -> None:
        self.study, self.loaders = study, loaders
        self.store = Store(study.store)
        self.catalogue = load_catalogue(study.models)
        self.device = resolve_device(study.device)
        self.scenes = tasks.open_scenes(study)
        self.described: dict[str, dict[str, object]] = {}
        self.rows: dict[tuple[str, str, int], list[list[str]]] = {}
        edges = [*range(0, len(self.scenes), study.shard_size), len(self.scenes)]
        self.shards = list(itertools.pairwise(edges))

    def units(self, table: str) -> Iterator[Unit]:
        """Yield the units of a table in the order in which its rows are recorded."""
        study = self.study
        conditions = study.conditions
        if table in ("conditions", "answers") and study.vlms:
            conditions = (*conditions, BLANK)
        conditions = ("",) if table == "scenes" else conditions
        for model, condition in itertools.product(self.models(table), conditions):
            for start, stop in self.shards:
                yield self.looked_up(Unit(table, model, condition, start, stop))

    def models(self, table: str) -> tuple[str, ...]:
        """Return the models that fill a table; one without a name for tables that need none."""
        kinds = {"segmentation": self.study.segmenters, "answers": self.study.vlms}
        return kinds.get(table, ("",))

    def looked_up(self, unit: Unit) -> Unit:
        """Return the unit with its facts and with whether it is recorded."""
        facts = self._facts(unit)
        if facts is None:
            return unit
        unit = replace(unit, facts=facts)
        frame = self.store.read(unit.table, unit.key)
        if frame is not None and unit.table in _NAMED:
            self.rows[unit.table, unit.condition, unit.start] = _columns(frame, *_NAMED[unit.table])
        return replace(unit, recorded=frame is not None)

    def _facts(self, unit: Unit) -> dict[str, object] | None:
        study = self.study
        facts: dict[str, object] = {"table": unit.table}
        if unit.table == "scenes":
            chosen = [self.scenes[i] for i in range(unit.start, unit.stop)]
            code = provenance.source_digest("datasets", "protocol/safety_label", "protocol/classes")
            scenes = [tasks.scene_facts(scene) for scene in chosen]
            return facts | {"code": code, "scenes": scenes}
        scenes = self.rows.get(("scenes", "", unit.start))
        if scenes is None:
            return None
        facts["scenes"] = scenes
        facts["condition"] = unit.condition
        if unit.table == "conditions":
            return facts | _corruption_facts(study, unit.condition)
        seen = self.rows.get(("conditions", unit.condition, unit.start))
        if seen is None:
            return None
        facts["images"] = [digest for _, digest in seen]
        facts["model"], facts["digest"] = unit.model, self.digest(unit.model)
        if unit.table == "answers":
            facts["prompts"] = [[p.name, p.text] for p in PROMPTS]
        return facts

    def task(self, unit: Unit) -> Task:
        """Return what a worker needs to compute the unit."""
        seen = self.rows.get(("conditions", unit.condition, unit.start))
        images = dict(seen or ())
        entry = find_model(self.catalogue, unit.model) if unit.model else None
        return Task(
            self.study, unit.table, unit.condition, unit.start, unit.stop,
            entry, self.device, self.loaders, images if entry else {},
            self.digest(unit.model) if entry else "",
        )  # fmt: skip

    def digest(self, name: str) -> str:
        """Return a model's digest."""
        return str(self.describe(name)["digest"])

    def describe(self, name: str) -> dict[str, object]:
        """Return what is known of a model: its digest, commit and visual tokens.

        From a cache where neither its files nor the code changed; else the model is loaded.
        """
        if name not in self.described:
            self.described[name] = self._describe(name)
        return self.described[name]

    def _describe(self, name: str) -> dict[str, object]:
        entry = find_model(self.catalogue, name)
        loader = self.loaders.segmenter if entry.kind == "segmenter" else self.loaders.vlm
        sizes = tasks.sizes(self.scenes) if entry.kind == "vlm" else []
        try:
            text = self._cache(entry, loader, sizes).read_text(encoding="utf-8")
            return dict(json.loads(text))
        except (AttributeError, OSError, ValueError, TypeError):
            loaded = tasks.model(loader, entry, self.device)
        if isinstance(loaded, Paid):  # to find out now what its limits lack
            loaded.keep_replies(tasks.replies(self.study))
        known: dict[str, object] = {"digest": str(loaded.digest)}
        if getattr(loaded, "commit", None):
            known["commit"] = loaded.commit
        if getattr(loaded, "encoding", None):
            known["image_encoding"] = loaded.encoding
        if hasattr(loaded, "visual_tokens"):
            known["visual_tokens"] = {f"{h}x{w}": loaded.visual_tokens(h, w) for h, w in sizes}
        cache = self._cache(entry, loader, sizes)
        if cache is not None:
            with suppress(StopError):  # looking at a study needs no place to write
                write_atomically(cache, json.dumps(known).encode())
        return known

    def _cache(
        self, entry: ModelEntry, loader: Callable, sizes: list[tuple[int, int]]
    ) -> Path | None:
        """Return the file that keeps what is known of a model; None where its files may change."""
        path = self._files(entry)
        if path is None:
            return None
        signature = shard_key(
            {
                "entry": repr(entry),
                "files": provenance.file_facts([path]),
                "code": provenance.source_digest(*_MODEL_SOURCES),
                "loader": f"{loader.__module__}.{loader.__qualname__}",
                "versions": provenance.versions(),
                "device": torch.device(self.device).type,
                "sizes": sizes,
            }
        )
        return Path(self.study.build_root) / "cache" / "digests" / f"{signature}.json"

    def _files(self, entry: ModelEntry) -> Path | None:
        """Return where a model's files lie for sure, without a network; None if that may change."""
        path = checkpoint_path(entry)
        if path is not None or entry.library == "openai" or entry.revision is None:
            return path
        repository: str | None = entry.checkpoint
        if entry.library == "open_clip":
            from vlmis_utils.models.vlm.contrastive_checkpoint import repository as find

            repository = find(entry)
        return hub.cached(repository, entry.revision) if repository else None


def _columns(frame: pd.DataFrame, *names: str) -> list[list[str]]:
    return frame[list(names)].to_numpy().tolist()


def _corruption_facts(study: Study, condition: str) -> dict[str, object]:
    """What determines the pixels of a condition, beside the clean image."""
    if condition in ("clean", BLANK):
        return {"code": provenance.source_digest("runner/tasks")} if condition == BLANK else {}
    row = condition_row(condition)
    facts: dict[str, object] = {
        "code": provenance.source_digest("corruptions", "protocol/conditions"),
        "seed": study.seed,
    }
    if row.kernel is not None:
        facts["blur_scale"] = study.blur_scale
    if row.gamma is not None:
        facts["noise_sigma"] = study.noise_sigma[row.severity - 1]
    return facts
