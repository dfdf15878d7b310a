"""What the recipes owe to what: ``python -m vlmis_utils.training.recipes.ablations``.

One choice is changed at a time, and all runs of a comparison get the same number of optimiser
steps. Budgets are short, and all but the comparison of resolutions see scenes at half size: the
rows compare with each other, not with the embedded checkpoints. A run that is there is not
repeated; interrupt the program at any time.

With ``--data cityscapes --root FOLDER`` it asks what the StreetWorld weights are worth to a model
that goes on with photographs; measured on the cities of the split val, as all choices are.
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from vlmis_utils.core.allocator import keep_freed_memory
from vlmis_utils.statistics.intervals import Interval
from vlmis_utils.training.data import TrainingData, load_training
from vlmis_utils.training.evaluation import store
from vlmis_utils.training.evaluation.held_out import held_out
from vlmis_utils.training.loop import use_threads
from vlmis_utils.training.photographs import load_photographs
from vlmis_utils.training.recipes import train_contrastive as contrastive
from vlmis_utils.training.recipes.short_training import CROPS, contrast, first, segment
from vlmis_utils.training.weights import CHECKPOINTS, DATA

__all__ = ["PHOTOGRAPH_RUNS", "RUNS", "Run", "main", "run_one"]

FILE = "ablations.csv"


@dataclass(frozen=True)
class Run:
    """One row of the table.

    Attributes:
        question: what is compared.
        model: whose recipe is changed.
        setting: the value of what is compared.
        steps: optimiser steps, all stages together.
        scenes: training scenes.
        shrink: the scenes' sides are divided by it, in training and when measured.
        backbone: whether a trunk starts as the embedded DeepLabV3+'s backbone.
        dense: share of the steps spent on dense pretraining.
    """

    question: str
    model: str
    setting: str
    steps: int
    scenes: int = 1200
    shrink: int = 2
    backbone: bool = False
    dense: float = 0.0

    @property
    def key(self) -> str:
        """Names the run and its state on disk: 12 hex digits of its settings."""
        return hashlib.sha256(repr(dataclasses.astuple(self)).encode()).hexdigest()[:12]


_SIZES = partial(Run, "training scenes", "segformer", steps=1500)
_SIDES = partial(Run, "resolution", "segformer", steps=600)
_DENSE = partial(Run, "dense pretraining", "clip", steps=1000)
RUNS: tuple[Run, ...] = (
    _DENSE("captions alone, from scratch"),
    _DENSE("dense first, from scratch", dense=contrastive.TRUNK_SHARE),
    _DENSE("captions alone, from the backbone", backbone=True),
    _DENSE("dense first, from the backbone", backbone=True, dense=contrastive.TRUNK_SHARE),
    _SIZES("150", scenes=150),
    _SIZES("400", scenes=400),
    _SIZES("1200", scenes=1200),
    _SIZES("3000", scenes=3000),
    _SIDES("64 x 128", shrink=4),
    _SIDES("128 x 256", shrink=2),
    _SIDES("256 x 512", shrink=1),
)
# What a segmenter begins with on photographs -> its weights; None are random ones.
_STARTS: dict[str, Path | None] = {
    "StreetWorld weights": CHECKPOINTS / "segformer",
    "random weights": None,
}
PHOTOGRAPH_RUNS: tuple[Run, ...] = tuple(
    Run("start on photographs", "segformer", setting, steps=400, scenes=1944) for setting in _STARTS
)

_METRICS: dict[str, tuple[str, Callable[..., Interval]]] = {
    "segformer": ("mIoU", segment),
    "clip": ("presence AUC", contrast),
}


def run_one(
    run: Run, train: TrainingData, test: TrainingData, work: str | Path
) -> dict[str, object]:
    """Train and measure one run, and return its row of the table.

    Args:
        run: what to train.
        train: at least ``run.scenes`` scenes.
        test: held-out scenes.
        work: folder of the resume states.
    """
    metric, measure = _METRICS[run.model]
    if run.setting in _STARTS:
        measure = partial(segment, phases=(CROPS,), start=_STARTS[run.setting])
    start = time.monotonic()
    found = measure(run, first(train, run.scenes), test, Path(work))
    height, width = (side // run.shrink for side in train.labels.shape[1:])
    return {
        "question": run.question, "model": run.model, "setting": run.setting, "run": run.key,
        "steps": run.steps, "scenes": run.scenes, "height": height, "width": width,
        "measure": metric, "value": found.value, "low": found.low, "high": found.high,
        "n": len(test), "minutes": (time.monotonic() - start) / 60,
    }  # fmt: skip


def main(argv: Sequence[str] | None = None) -> int:
    """Train and measure the runs that the table lacks, and return the exit code."""
    parser = argparse.ArgumentParser(
        "python -m vlmis_utils.training.recipes.ablations", None, __doc__
    )
    parser.add_argument("--threads", type=int, default=1, help="default: 1")
    parser.add_argument("--work", type=Path, default=Path("build/ablations"), help="resume states")
    parser.add_argument("--out", type=Path, help="folder of ablations.csv; default: the package's")
    parser.add_argument("--data", default="streetworld", choices=sorted(DATA))
    parser.add_argument("--root", type=Path, help="folder of the photographs")
    options = parser.parse_args(argv)
    use_threads(options.threads)
    keep_freed_memory()
    on_photographs = options.data != "streetworld"
    runs = PHOTOGRAPH_RUNS if on_photographs else RUNS
    out = options.out or DATA[options.data].parent / store.FOLDER.name
    wanted = {run.key for run in runs}
    table = store.read(FILE, out)
    kept = {str(row["run"]): row for row in table.to_dict("records") if row["run"] in wanted}
    missing = [run for run in runs if run.key not in kept]
    if missing and on_photographs:
        train, test = (load_photographs(options.root, split) for split in ("train", "val"))
    elif missing:
        train, test = load_training("train", max(run.scenes for run in runs)), held_out()
    for run in missing:
        kept[run.key] = run_one(run, train, test, options.work)
        store.write(FILE, [kept[r.key] for r in runs if r.key in kept], out)
        print(f"{run.question}, {run.setting}: {kept[run.key]['value']:.3f}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
