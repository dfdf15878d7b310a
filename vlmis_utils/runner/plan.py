"""What a study consists of, unit by unit: what determines each, and whether it is recorded."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace

import pandas as pd

from vlmis_utils.core import provenance
from vlmis_utils.datasets.drives import DriveFrame
from vlmis_utils.datasets.registry import FileScene, Scene
from vlmis_utils.datasets.streetworld import StreetScene
from vlmis_utils.protocol.conditions import BLANK, condition_row
from vlmis_utils.protocol.models import find_model
from vlmis_utils.protocol.prompts import PROMPTS
from vlmis_utils.protocol.study import Study
from vlmis_utils.records.store import shard_key
from vlmis_utils.runner.context import RunContext
from vlmis_utils.runner.images import array_digest
from vlmis_utils.runner.in_time import in_time
from vlmis_utils.runner.model_facts import ModelFacts
from vlmis_utils.runner.tasks import Task
from vlmis_utils.streetworld.version import drive_version

__all__ = ["TABLES", "Planner", "Unit", "described"]

# In the order in which one needs the other; everything needs the first two.
TABLES: tuple[str, ...] = ("scenes", "conditions", "segmentation", "answers")


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

    def __init__(self, context: RunContext) -> None:
        self.context, self.study, self.store = context, context.study, context.store
        self.models = ModelFacts(context)
        self.rows: dict[tuple[str, str, int], list[list[str]]] = {}
        count, size = len(context.scenes), context.study.shard_size
        self.shards = list(itertools.pairwise([*range(0, count, size), count]))

    def units(self, table: str) -> Iterator[Unit]:
        """Yield the units of a table in the order in which its rows are recorded."""
        study = self.study
        conditions = study.conditions
        if table in ("conditions", "answers") and study.vlms:
            conditions = (*conditions, BLANK)
        conditions = ("",) if table == "scenes" else conditions
        for model, condition in itertools.product(self.names(table), conditions):
            for start, stop in self.shards:
                yield self.looked_up(Unit(table, model, condition, start, stop))

    def names(self, table: str) -> tuple[str, ...]:
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
            self.rows[unit.table, unit.condition, unit.start] = _columns(frame, _NAMED[unit.table])
        return replace(unit, recorded=frame is not None)

    def _facts(self, unit: Unit) -> dict[str, object] | None:
        study = self.study
        facts: dict[str, object] = {"table": unit.table}
        if unit.table == "scenes":
            chosen = [self.context.scenes[i] for i in range(unit.start, unit.stop)]
            code = provenance.source_digest(
                "datasets",
                "protocol/safety_label",
                "protocol/ground_corridor",
                "protocol/image_corridor",
                "protocol/classes",
            )
            scenes = [_scene_facts(scene) for scene in chosen]
            return facts | {"code": code, "scenes": scenes}
        scenes = self.rows.get(("scenes", "", unit.start))
        if scenes is None:
            return None
        facts["scenes"] = scenes
        facts["condition"] = unit.condition
        if unit.table == "conditions":
            facts |= _corruption_facts(study, unit.condition)
            return facts | (self._times(unit) if study.frames else {})
        seen = self.rows.get(("conditions", unit.condition, unit.start))
        if seen is None:
            return None
        facts["images"] = [digest for _, digest in seen]
        facts["model"], facts["digest"] = unit.model, self.models.digest(unit.model)
        if self._mirrored(unit):
            facts["mirrored"] = True
        if unit.table == "segmentation" and study.frames:
            facts |= self._times(unit) | {"smoothing": study.smoothing}
        if unit.table == "segmentation":
            facts["corridor"] = provenance.source_digest("protocol/image_corridor")
        if unit.table == "answers":
            facts["prompts"] = [[p.name, p.text] for p in PROMPTS]
        return facts

    def _times(self, unit: Unit) -> dict[str, object]:
        """What determines how frames hang together, beside what each of them is."""
        scenes = [self.context.scenes[i] for i in range(unit.start, unit.stop)]
        return {"timing": asdict(self.study.timing), "in_time": [_place(one) for one in scenes]}

    def task(self, unit: Unit) -> Task:
        """Return what a worker needs to compute the unit."""
        seen = self.rows.get(("conditions", unit.condition, unit.start))
        images = dict(seen or ())
        entry = find_model(self.context.catalogue, unit.model) if unit.model else None
        return Task(
            self.study, unit.table, unit.condition, unit.start, unit.stop,
            entry, self.context.device, self.context.loaders, images if entry else {},
            self.models.digest(unit.model) if entry else "", self._mirrored(unit),
        )  # fmt: skip

    def _mirrored(self, unit: Unit) -> bool:
        """Whether the unit's segmenter also sees each image mirrored, see `Study.mirrored`."""
        chosen = self.study.segmenters[: self.study.mirrored]
        return unit.table == "segmentation" and unit.model in chosen


def _columns(frame: pd.DataFrame, names: Sequence[str]) -> list[list[str]]:
    return frame[list(names)].to_numpy().tolist()


def _scene_facts(scene: Scene) -> list[object]:
    """What determines a scene, found without looking at its pixels: files, or the generator."""
    if isinstance(scene, FileScene):
        files = provenance.file_facts([scene.image_path, scene.label_path])
        size = [] if scene.size is None else [list(scene.size)]
        camera = [] if scene.camera is None else [asdict(scene.camera)]
        return [scene.scene_id, *files, array_digest(scene.table), *size, *camera, *_place(scene)]
    if not isinstance(scene, StreetScene):
        return [scene.scene_id, drive_version(), *_place(scene)]
    from vlmis_utils.streetworld.world import WORLD_VERSION

    return [scene.scene_id, WORLD_VERSION]


def _place(scene: Scene) -> list[object]:
    """Where a scene stands in its sequence, found without looking at it; empty for a picture."""
    if isinstance(scene, DriveFrame):
        return [scene.sequence, scene.frame, scene.time, drive_version()]
    place = in_time(scene)
    return [] if place is None else [place.sequence, place.frame, place.time]


def _corruption_facts(study: Study, condition: str) -> dict[str, object]:
    """What determines the pixels of a condition, beside the clean image.

    The backend is none of it: Kornia and the compiled loops give the same bytes.
    """
    if condition == "clean":
        return {}
    facts: dict[str, object] = {
        "code": provenance.source_digest("corruptions", "protocol/conditions"),
    }
    if condition == BLANK:
        return facts
    row = condition_row(condition)
    facts["seed"] = study.seed
    if row.kernel is not None:
        facts["blur_scale"] = study.blur_scale
    if row.gamma is not None:
        facts["noise_sigma"] = study.noise_sigma[row.severity - 1]
    return facts


def described(study: Study, units: Sequence[Unit]) -> str:
    """Return in lines what a study is, and how many images of each model are recorded or to run."""
    what = f"sequences of {study.frames} frames" if study.frames else "scenes"
    lines = [
        f"study {study.study}: {study.scenes} {what} of {study.dataset} ({study.split}), "
        f"{len(study.conditions)} conditions, {len(study.segmenters)} segmenters, "
        f"{len(study.vlms)} vision-language models",
        f"{'':22}{'recorded':>10}{'to run':>10}   images",
    ]
    for label, group in itertools.groupby(units, key=lambda unit: unit.model or unit.table):
        sizes = [(unit.stop - unit.start, unit.recorded) for unit in group]
        done = sum(size for size, recorded in sizes if recorded)
        lines.append(f"{label:22}{done:>10}{sum(s for s, _ in sizes) - done:>10}")
    return "\n".join([*lines, f"records in {study.records}, book in {study.folder / 'html'}"])
