"""Where the time of a study goes: an untouched package with stop watches around its functions.

Run as a child of `bench_study.py`, with the checkout to be looked at on PYTHONPATH: it runs a study
in this one process and prints, as JSON, the seconds that each stage took for each table and model.
Watches are nested: a function's time does not count what a watched function inside it took. The
clock is that of the thread's processor time, so that a busy machine, or decoding in a thread beside
the model, does not distort the shares; waiting for the disk is therefore not in it.
"""

from __future__ import annotations

import functools
import importlib
import json
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import torch

# Stage of each function; one that a checkout lacks is skipped and named.
WATCHED: tuple[tuple[str, str, str], ...] = (
    ("render", "datasets.streetworld", "render_scene"),
    ("decode", "datasets.streetworld", "StreetScene.frame"),
    ("decode", "datasets.files", "FileScene.image"),
    ("decode", "datasets.files", "FileScene.labels"),
    ("corrupt", "runner.images", "degrade"),
    ("digest", "runner.images", "array_digest"),
    ("load", "runner.context", "RunContext.model"),
    ("load", "runner.model_facts", "ModelFacts.digest"),
    ("score", "runner.tasks", "confusion_within"),
    ("score", "runner.tasks", "pixel_counts"),
    ("score", "runner.tasks", "corridor_mask"),
    ("score", "runner.tasks", "psnr"),
    ("write", "records.store", "Store.write"),
    ("write", "records.store", "Store.consolidate"),
    ("write", "records.run_info", "merge_run"),
    ("plan", "runner.plan", "Planner.__init__"),
    ("plan", "runner.plan", "Planner.looked_up"),
    ("plan", "runner.plan", "Planner.task"),
    ("other", "runner.tasks", "rows"),
    ("other", "runner.run", "run"),
)
MODELS: tuple[tuple[str, str], ...] = (
    ("models.segmentation.segmenter", "Segmenter.predict"),
    ("models.vlm.contrastive", "Contrastive.answer"),
    ("models.vlm.generative", "Generative.answer"),
)
BLANK = "blank"


class Watch:
    """Seconds by (table, model, stage); a thread's own watched calls are nested in each other."""

    def __init__(self) -> None:
        self.seconds: dict[tuple[str, str, str], float] = defaultdict(float)
        self.group = ("", "")
        self._own = threading.local()
        self._lock = threading.Lock()

    @property
    def stack(self) -> list[list[Any]]:
        """The stages that this thread is in, each [stage, time at which it went on]."""
        if not hasattr(self._own, "stack"):
            self._own.stack = []
        return self._own.stack

    def enter(self, stage: str) -> None:
        """Begin a stage; the stage outside it stands still."""
        now = time.thread_time()
        self._pay(now)
        self.stack.append([stage, now])

    def leave(self) -> None:
        """End the innermost stage."""
        now = time.thread_time()
        self._pay(now)
        self.stack.pop()
        if self.stack:
            self.stack[-1][1] = now

    def turn(self, stage: str) -> None:
        """Go on in another stage at the same depth."""
        now = time.thread_time()
        self._pay(now)
        self.stack[-1] = [stage, now]

    def _pay(self, now: float) -> None:
        if self.stack:
            stage, since = self.stack[-1]
            with self._lock:
                self.seconds[*self.group, stage] += now - since

    def wrap(self, stage: str, call: Callable) -> Callable:
        """Return a function that is watched."""

        @functools.wraps(call, updated=())
        def watched(*args: Any, **kwargs: Any) -> Any:
            self.group = _group(call, args) or self.group
            self.enter(stage)
            try:
                return call(*args, **kwargs)
            finally:
                self.leave()

        for name in ("cache_clear", "cache_info"):  # of functions that keep their results
            if hasattr(call, name):
                setattr(watched, name, getattr(call, name))
        return watched


def _group(call: Callable, args: tuple[Any, ...]) -> tuple[str, str] | None:
    """Return the table and model that a call is about, None where it does not say."""
    name = getattr(call, "__qualname__", "")
    if name == "Store.consolidate":
        return args[1], ""
    if name == "run":
        return "", ""
    if name not in ("rows", "Planner.looked_up", "Planner.task"):
        return None
    about = args[-1]
    model = getattr(about, "model", None) or getattr(getattr(about, "entry", None), "name", "")
    return about.table, BLANK if about.condition == BLANK and model else model


def watch_package(watch: Watch) -> list[str]:
    """Put watches into the package; return what was not found."""
    missing = []
    for stage, module, path in WATCHED:
        if not _replace(module, path, functools.partial(watch.wrap, stage)):
            missing.append(f"{module}.{path}")
    for module, path in MODELS:
        if not _replace(module, path, functools.partial(watch.wrap, "prepare")):
            missing.append(f"{module}.{path}")
    _watch_networks(watch)
    _watch_compiler(watch)
    return missing


def _replace(module: str, path: str, wrapped: Callable[[Callable], Callable]) -> bool:
    try:
        owner: Any = importlib.import_module(f"vlmis_utils.{module}")
    except ModuleNotFoundError:
        return False
    *outer, name = path.split(".")
    for part in outer:
        owner = getattr(owner, part, None)
    if not hasattr(owner, name):
        return False
    setattr(owner, name, wrapped(getattr(owner, name)))
    return True


def _watch_networks(watch: Watch) -> None:
    """Count the outermost modules with weights as the network; before is prepare, after finish."""
    call = torch.nn.Module.__call__

    def watched(module: torch.nn.Module, *args: Any, **kwargs: Any) -> Any:
        stack = watch.stack
        inside = stack and stack[-1][0] in ("prepare", "finish")
        if not inside or next(module.parameters(), None) is None:
            return call(module, *args, **kwargs)
        watch.turn("finish")
        watch.enter("network")
        try:
            return call(module, *args, **kwargs)
        finally:
            watch.leave()

    torch.nn.Module.__call__ = watched


def _watch_compiler(watch: Watch) -> None:
    """Count numba's compiling, or reading what it compiled before, as loading."""
    try:
        from numba.core.dispatcher import Dispatcher
    except ImportError:
        return
    Dispatcher.compile = watch.wrap("load", Dispatcher.compile)


def main() -> None:
    import vlmis_utils.streetworld.rendering.render  # noqa: F401  (its libraries are no part of planning)
    from vlmis_utils.core.allocator import keep_freed_memory
    from vlmis_utils.protocol.study import Study
    from vlmis_utils.runner import run

    given = json.loads(sys.argv[1])
    torch.set_num_threads(1)
    keep_freed_memory()  # as in worker processes
    study = Study(**{k: tuple(v) if isinstance(v, list) else v for k, v in given.items()})
    watch = Watch()
    missing = watch_package(watch)
    start = time.perf_counter()
    run.run(study)
    wall = time.perf_counter() - start
    rows = [[*key, seconds] for key, seconds in watch.seconds.items()]
    print(json.dumps({"rows": rows, "wall": wall, "missing": missing}))


if __name__ == "__main__":
    main()
