"""Runs what a study still lacks: scenes, then conditions, then every model on every condition.

A unit of work is a table, a model, a condition and up to ``shard_size`` scenes; its rows are one
shard of the record store. A unit is split over the worker processes, and the next one starts when
its shard is written: an interruption, even a power cut, loses at most that one shard. A unit that
fails is named, the others go on, and the next run computes what is missing.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import asdict

from vlmis_utils.core import provenance
from vlmis_utils.core.errors import RunError, unwritable
from vlmis_utils.core.progress import Progress, say
from vlmis_utils.datasets.files import turned
from vlmis_utils.protocol.datasets import annotated_classes
from vlmis_utils.protocol.parameters import write_study
from vlmis_utils.protocol.study import Study, flat
from vlmis_utils.records.lock import locked
from vlmis_utils.records.run_info import merge_run
from vlmis_utils.records.store import read_table
from vlmis_utils.runner.answer_watch import AnswerWatch, summaries, summary_line
from vlmis_utils.runner.context import Loaders, RunContext, hosted, open_context
from vlmis_utils.runner.local import computing
from vlmis_utils.runner.outcome import Compute, Failure
from vlmis_utils.runner.plan import TABLES, Planner, Unit

__all__ = ["TABLES", "plan", "run"]

LOADERS = Loaders()
_SHOWN = 3  # failures that an error names
_GIVE_UP = 3  # units of a model in a row of which nothing could be computed


def plan(study: Study, loaders: Loaders = LOADERS) -> list[Unit]:
    """Return all units of a study and whether each is recorded; computes nothing.

    Raises:
        UserError: a dataset or checkpoint is missing.
    """
    planner = Planner(open_context(study, loaders))
    return [unit for table in TABLES for unit in planner.units(table)]


def run(study: Study, tables: Iterable[str] | None = None, loaders: Loaders = LOADERS) -> None:
    """Compute what the study lacks and write its tables under ``build/<study>/records``.

    Args:
        study: what to run.
        tables: only these tables and what they need; all when None.
        loaders: how catalogue entries become models.

    Raises:
        UserError: a dataset, a checkpoint or the device is missing; raised before any work.
        RunError: another process runs this study; images or label maps are damaged (named before a
            model runs); a model failed on some images (named when all others are recorded); or the
            disk is full. What is recorded is kept, and a rerun does only what is missing.
    """
    with locked((study.folder, study.store), study.study):
        try:
            _run(open_context(study, loaders), tables)
        except OSError as error:
            raise unwritable(error.filename or study.folder, error) from error


def _run(context: RunContext, tables: Iterable[str] | None) -> None:
    planner, study = Planner(context), context.study
    context.store.sweep()
    write_study(study)
    wanted = [t for t in TABLES if tables is None or t in tables or t in TABLES[:2]]
    models = [name for table in wanted for name in planner.names(table) if name]
    degraded_by = {"backend": context.backend, "device": context.device}
    for name in models:
        planner.models.digest(name)
    context.release_model()
    computed: dict[str, dict[str, object]] = {}
    failed: list[str] = []
    with computing(context) as compute:
        for table in wanted:
            units = list(planner.units(table))
            for damaged in context.store.damaged:
                say(f"{damaged} was damaged: moved aside to *.corrupt, computed again")
            context.store.damaged.clear()
            if table == "scenes" and not all(unit.recorded for unit in units):
                if remark := turned(context.scenes):
                    say(remark)
            before = len(failed)
            for model, group in itertools.groupby(units, key=lambda unit: unit.model):
                stage, failures = _run_group(planner, table, model, list(group), compute)
                computed |= stage
                failed += failures
            if table in TABLES[:2]:
                if failed:
                    raise RunError(_shown(failed))
                units = [unit if unit.recorded else planner.looked_up(unit) for unit in units]
            if len(failed) == before:
                context.store.consolidate(table, [unit.key for unit in units])
    if failed:
        merge_run(study.records, {"stages": computed})
        raise RunError(_shown(failed))
    merge_run(
        study.records,
        {
            "parameters": flat(study),
            "annotated_classes": sorted(annotated_classes(study.dataset, study.class_map)),
            "versions": provenance.versions(),
            "machine": provenance.machine() | {"device": context.device},
            "corruptions": degraded_by if set(computed) - {"scenes"} else {},
            "models": {
                name: {**known, "shown": context.catalogue[name].shown}
                for name, known in planner.models.known.items()
            },
            "hosted": _usage(context),
            "answers": _answers(context) if TABLES[-1] in wanted and study.vlms else {},
            "stages": computed,
        },
    )


def _answers(context: RunContext) -> dict[str, dict[str, object]]:
    """Return how many answers of each model are none or not whole, and say so where there are."""
    counted = summaries(read_table(context.study.records, "answers"))
    for name, counts in counted.items():
        line = summary_line(context.catalogue[name], counts)
        if line:
            say(line)
    return counted


def _usage(context: RunContext) -> dict[str, dict[str, object]]:
    """Return, and say, what each hosted model of the study has taken so far."""
    taken = {}
    for name in context.study.vlms:
        if hosted(context.catalogue[name]):
            usage = context.replies.usage(name)
            say(f"{name}: {usage}")
            taken[name] = asdict(usage)
    return taken


def _run_group(
    planner: Planner, table: str, model: str, units: list[Unit], compute: Compute
) -> tuple[dict[str, dict[str, object]], list[str]]:
    """Compute the missing units of one model (or table); return how long that took, and failures.

    A model is given up after some units in a row of which nothing could be computed.
    """
    missing = [unit for unit in units if not unit.recorded]
    missing.sort(key=lambda unit: unit.start)  # all conditions of a scene while it is decoded
    if not missing:
        return {}, []
    start = time.perf_counter()
    label = model or table
    total = sum(unit.stop - unit.start for unit in missing)
    failed: list[str] = []
    watch = AnswerWatch(planner.context.catalogue[model]) if table == TABLES[-1] else None
    in_vain = done = seen = 0
    outcomes = compute([planner.task(unit) for unit in missing])
    with (
        Progress(label, total, "scenes" if table == "scenes" else "images") as progress,
        closing(outcomes),
    ):
        for place, outcome in outcomes:
            unit, seen = missing[place], seen + 1
            if not isinstance(outcome, Failure):
                planner.store.write(table, unit.key, outcome, unit.facts or {})
                for line in watch.lines(outcome) if watch else ():
                    say(line)
                progress.add(unit.stop - unit.start)
                done += unit.stop - unit.start
                in_vain = 0
                continue
            say(f"failed: {_shown(outcome.lines)}")
            failed += outcome.lines
            in_vain = in_vain + 1 if outcome.whole else 0
            if model and in_vain == _GIVE_UP and seen < len(missing):
                failed.append(f"model {model} was given up after {in_vain} units without a result")
                say(failed[-1])
                break
    stage = {label: {"seconds": round(time.perf_counter() - start, 2), "images": done}}
    return (stage if done else {}), failed


def _shown(lines: Sequence[str]) -> str:
    """Return failures in one line: the first ones, and how many more."""
    more = f"; and {len(lines) - _SHOWN} more" if len(lines) > _SHOWN else ""
    return f"{'; '.join(lines[:_SHOWN])}{more}"
