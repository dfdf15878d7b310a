"""Runs what a study still lacks: scenes, then conditions, then every model on every condition.

A unit of work is a table, a model, a condition and up to ``shard_size`` scenes; its rows are one
shard of the record store. A unit is split over the worker processes, and the next one starts when
its shard is written: an interruption, even a power cut, loses at most that one shard.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pandas as pd

from vlmis_utils import provenance, work
from vlmis_utils.errors import RunError
from vlmis_utils.planning import TABLES, Planner, Unit
from vlmis_utils.pool import pool
from vlmis_utils.progress import Progress, say
from vlmis_utils.scenes import annotated_classes
from vlmis_utils.study import Study, flat
from vlmis_utils.work import Loaders, Task

__all__ = ["TABLES", "plan", "run"]

LOADERS = Loaders()
_SHOWN = 3  # damaged scenes that an error names


def plan(study: Study, loaders: Loaders = LOADERS) -> list[Unit]:
    """Return all units of a study and whether each is recorded; computes nothing.

    Raises:
        UserError: a dataset or checkpoint is missing.
    """
    planner = Planner(study, loaders)
    return [unit for table in TABLES for unit in planner.units(table)]


def run(study: Study, tables: Iterable[str] | None = None, loaders: Loaders = LOADERS) -> None:
    """Compute what the study lacks and write its tables under ``build/<study>/records``.

    Args:
        study: what to run.
        tables: only these tables and what they need; all when None.
        loaders: how catalogue entries become models.

    Raises:
        UserError: a dataset, a checkpoint or the device is missing; raised before any work.
        RunError: images or label maps are damaged (all of them named before a model runs, the
            scenes of other shards kept), or a worker died.
    """
    work.open_scenes.cache_clear()
    work.pixels.cache_clear()
    planner = Planner(study, loaders)
    wanted = [t for t in TABLES if tables is None or t in tables or t in TABLES[:2]]
    models = [name for table in wanted for name in planner.models(table) if name]
    for name in models:
        planner.digest(name)
    work.model.cache_clear()
    work.replies.cache_clear()
    computed: dict[str, dict[str, object]] = {}
    log = study.folder / "workers.log"
    with _computing(_workers(study, planner.device), log) as compute:
        for table in wanted:
            units = list(planner.units(table))
            for damaged in planner.store.damaged:
                say(f"{damaged} was damaged: moved aside to *.corrupt, computed again")
            planner.store.damaged.clear()
            for model, group in itertools.groupby(units, key=lambda unit: unit.model):
                computed |= _run_group(planner, table, model, list(group), compute)
            if table in TABLES[:2]:
                units = [unit if unit.recorded else planner.looked_up(unit) for unit in units]
            planner.store.consolidate(table, [unit.key for unit in units])
    provenance.merge_run(
        study.records,
        {
            "parameters": flat(study),
            "annotated_classes": sorted(annotated_classes(study.dataset, study.class_map)),
            "versions": provenance.versions(),
            "machine": provenance.machine() | {"device": planner.device},
            "models": {
                name: {**known, "shown": planner.catalogue[name].shown}
                for name, known in planner.described.items()
            },
            "hosted": _hosted(planner),
            "stages": computed,
        },
    )


def _hosted(planner: Planner) -> dict[str, dict[str, object]]:
    """Return, and say, what each hosted model of the study has taken so far."""
    names = [n for n in planner.study.vlms if planner.catalogue[n].library == "openai"]
    taken = {}
    for name in names:
        usage = work.replies(planner.study).usage(name)
        say(f"{name}: {usage}")
        taken[name] = asdict(usage)
    return taken


def _run_group(
    planner: Planner,
    table: str,
    model: str,
    units: list[Unit],
    compute: Callable[[Task], pd.DataFrame],
) -> dict[str, dict[str, object]]:
    """Compute the missing units of one model (or table) and return how long that took."""
    missing = [unit for unit in units if not unit.recorded]
    if not missing:
        return {}
    start = time.perf_counter()
    label = model or table
    total = sum(unit.stop - unit.start for unit in missing)
    unusable: list[str] = []
    with Progress(label, total, "scenes" if table == "scenes" else "images") as progress:
        for unit in missing:
            try:
                frame = compute(planner.task(unit))
            except RunError as error:
                if table != "scenes":
                    raise RunError(str(error).splitlines()[0]) from error
                unusable += str(error).splitlines()
                continue
            planner.store.write(table, unit.key, frame, unit.facts or {})
            progress.add(unit.stop - unit.start)
    if unusable:
        more = f"; and {len(unusable) - _SHOWN} more" if len(unusable) > _SHOWN else ""
        raise RunError(f"{'; '.join(unusable[:_SHOWN])}{more}")
    return {label: {"seconds": round(time.perf_counter() - start, 2), "images": total}}


def _workers(study: Study, device: str) -> int:
    most = provenance.cores() if device == "cpu" else 1
    return min(study.workers or most, study.shard_size, study.scenes)


@contextmanager
def _computing(workers: int, log: Path) -> Iterator[Callable[[Task], pd.DataFrame]]:
    """Give a function that computes a task's rows, in ``workers`` processes or in this one."""
    if workers <= 1:
        yield work.rows
        return
    with ExitStack() as stack:
        started: list[ProcessPoolExecutor] = []

        def compute(task: Task) -> pd.DataFrame:
            if getattr(task.entry, "library", "") == "openai":  # waits for a server, not for cores
                return work.rows(task)
            if not started:
                threads = max(1, provenance.cores() // workers)
                started.append(stack.enter_context(pool(workers, threads, log)))
            edges = np.linspace(task.start, task.stop, workers + 1).round().astype(int)
            parts = [
                started[0].submit(work.rows, replace(task, start=int(a), stop=int(b)))
                for a, b in itertools.pairwise(edges)
                if b > a
            ]
            return pd.concat(_results(parts), ignore_index=True)

        yield compute


def _results(parts: list[Future[pd.DataFrame]]) -> list[pd.DataFrame]:
    """Return the rows of all parts, or raise what is wrong with any of them, a line each."""
    frames, failures = [], []
    for part in parts:
        try:
            frames.append(part.result())
        except RunError as error:
            failures.append(str(error))
    if failures:
        raise RunError("\n".join(failures))
    return frames
