"""How long models would take: from the seconds that earlier records on this machine hold."""

from __future__ import annotations

import json
import statistics
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from vlmis_utils.core import provenance
from vlmis_utils.protocol.conditions import BLANK
from vlmis_utils.protocol.prompts import PROMPTS
from vlmis_utils.protocol.study import Study
from vlmis_utils.records.run_info import read_run

__all__ = ["expected_seconds"]

_KINDS = {"segmentation": "segmenter", "answers": "vlm"}
_ENOUGH = 8  # newest shards of a model that are read


def expected_seconds(study: Study, device: str | None) -> dict[str, float | None]:
    """Return the wall time that each model of a study would take for all of its images.

    Mean seconds for an image (for a VLM: for an answer, times the prompts) in the newest shards of
    the same dataset under the build root, times images, over the processes that share the work.
    Shards of a study whose ``run.json`` names another machine or device do not count. It says
    nothing of a model's loading time, and holds as long as the images have the same size.

    Args:
        study: to be run.
        device: where it would run; None if that is not known.

    Returns:
        model -> seconds, None where no record tells.
    """
    images = study.images * len(study.conditions)
    workers = min(study.workers or provenance.cores(), study.shard_size, study.images)
    if device is None or not device.startswith("cpu"):
        workers = min(study.workers or 1, study.shard_size, study.images)
    expected: dict[str, float | None] = {}
    for table, names in (("segmentation", study.segmenters), ("answers", study.vlms)):
        found = _recorded(study, device, table, names) if device else {}
        for name in names:
            each = found.get(name)
            many = images * (len(PROMPTS) if table == "answers" else 1)
            expected[name] = None if each is None else each * many / workers
    return expected


def _recorded(study: Study, device: str, table: str, names: tuple[str, ...]) -> dict[str, float]:
    """Return the mean seconds of a row for each model that has records of the same dataset."""
    kind = _KINDS[table]
    seconds: dict[str, list[float]] = defaultdict(list)
    read: dict[str, int] = defaultdict(int)
    for path in _shards(study, device, table):
        if all(read[name] >= _ENOUGH for name in names):
            break
        try:
            facts = json.loads((pq.read_schema(path).metadata or {})[b"vlmis"])
            model = facts.get("model")
            if model not in names or read[model] >= _ENOUGH or facts.get("condition") == BLANK:
                continue
            rows = pq.read_table(path, columns=[kind, "scene_id", "seconds"]).to_pylist()
        except (OSError, ValueError, KeyError, pa.ArrowException):
            continue
        same = [r["seconds"] for r in rows if r["scene_id"].startswith(f"{study.dataset}-")]
        if same:
            seconds[model] += same
            read[model] += 1
    return {model: statistics.fmean(values) for model, values in seconds.items()}


def _shards(study: Study, device: str, table: str) -> Iterator[Path]:
    """Yield the shards of a table, this study's first, then newest first.

    A folder of the user's own pictures is another dataset in each study. An object store is not
    looked through.
    """
    own = [study.store] if isinstance(study.store, Path) else []
    others = [] if study.dataset == "folder" else sorted(Path(study.build_root).glob("*"))
    for folder in dict.fromkeys([*own, *others]):
        recorded = read_run(folder / "records").get("machine")
        if recorded is not None and recorded != provenance.machine() | {"device": device}:
            continue
        paths = (folder / "shards" / table).glob("*.parquet")
        yield from sorted(paths, key=lambda path: path.stat().st_mtime, reverse=True)
