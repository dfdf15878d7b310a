"""Measure the embedded checkpoints: ``python -m vlmis_utils.training.evaluation.evaluate``.

Writes ``quality/*.csv``: what each model reaches on held-out clean scenes, what baselines reach on
the same scenes, where it fails, and what half precision on disk changed; and the model cards that
show them. A checkpoint that was measured already is left out; interrupt the program at any time.
With ``--data cityscapes`` and ``--root`` the models trained on photographs are measured on others.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from vlmis_utils.core.allocator import keep_freed_memory
from vlmis_utils.core.errors import UserError, closest, exit_code
from vlmis_utils.protocol.models import ModelEntry, load_catalogue
from vlmis_utils.streetworld.version import world_version
from vlmis_utils.training.data import TrainingData
from vlmis_utils.training.evaluation import store
from vlmis_utils.training.evaluation.cards import write_cards
from vlmis_utils.training.evaluation.sources import Source, photographs, streetworld
from vlmis_utils.training.weights import CHECKPOINTS, DATA, MODELS

__all__ = ["entries", "evaluate", "main", "measured"]

CLEAN, BASELINES, FAILURES, AGREEMENT = (
    f"{name}.csv" for name in ("clean", "baselines", "failures", "agreement")
)
# Scenes on which half precision is compared with full.
COMPARED = 60


def entries(checkpoints: str | Path = CHECKPOINTS) -> dict[str, ModelEntry]:
    """Return the catalogue's entries of the embedded models, their checkpoints in a folder."""
    known = load_catalogue()
    folder = Path(checkpoints)
    return {n: dataclasses.replace(known[n], checkpoint=str(folder / n)) for n in MODELS}


def measured(
    name: str, digest: str, folder: str | Path = store.FOLDER, version: str | None = None
) -> bool:
    """Whether ``clean.csv`` holds the numbers of a checkpoint, in this version of the scenes.

    Args:
        name: of the model.
        digest: of its checkpoint.
        folder: of the file.
        version: of the scenes; by default StreetWorld's.
    """
    rows = store.read(CLEAN, folder)
    rows = rows[(rows.model == name) & (rows.digest == digest)]
    return bool(len(rows)) and set(rows.world) == {version or world_version()}


def evaluate(
    entry: ModelEntry, train: TrainingData, test: TrainingData, count: bool = False
) -> dict[str, list[dict[str, Any]]]:
    """Measure one model.

    Args:
        entry: of its checkpoint.
        train: scenes that priors and probes learn from.
        test: held-out scenes.
        count: say how many scenes show each class, too.

    Returns:
        rows of `CLEAN`, `BASELINES` and `FAILURES`, without model and digest.
    """
    if entry.kind == "segmenter":
        return _segmenter(entry, train, test)
    return _vlm(entry, train, test, count)


def _segmenter(entry: ModelEntry, train: TrainingData, test: TrainingData) -> dict[str, list]:
    from vlmis_utils.models.segmentation.loading import load_segmenter
    from vlmis_utils.training.evaluation import segmentation

    model = load_segmenter(entry)
    counts = segmentation.confusions(model, test)
    maps = segmentation.blind_maps(model, train)
    return {
        CLEAN: segmentation.measures(counts),
        BASELINES: segmentation.baseline_rows(counts, test.labels, maps),
        FAILURES: segmentation.failures(counts, test),
    }


def _vlm(
    entry: ModelEntry, train: TrainingData, test: TrainingData, count: bool
) -> dict[str, list]:
    import numpy as np

    from vlmis_utils.models.vlm.loading import load_vlm
    from vlmis_utils.training.evaluation import baselines, intervals, language, segmentation
    from vlmis_utils.training.evaluation.probe import probe

    model, scenes = load_vlm(entry), len(test)
    said, truth = language.listen(language.ask(model, test.images)), language.truth_of(test)
    blank = np.full((1, *test.images.shape[1:]), segmentation.GREY, np.uint8)
    weights = intervals.resampled(scenes)
    others = {
        "constant": baselines.constant(truth),
        "class prior": baselines.prior(language.truth_of(train), scenes),
        "blank image": language.listen(language.ask(model, blank)).repeated(scenes),
        "linear probe": probe(entry, train, test),
    }
    clean = language.measures(truth, said, weights)
    clean += language.prevalence(truth) if count else []
    if entry.library == "open_clip":
        best = baselines.ceiling(truth)
        clean.append({"measure": "highest F1 of K mentions", "class": "", "value": best})
    return {
        CLEAN: clean,
        BASELINES: baselines.baseline_rows(entry.library, truth, said, others, weights),
        FAILURES: language.failures(truth, said, test),
    }


def _agreement(entry: ModelEntry, work: Path, digest: str, out: Path, source: Source) -> None:
    """Compare precisions where the training's state is there and has not been compared yet."""
    from vlmis_utils.training.evaluation.agreement import STATES, compare

    state = work / f"{STATES.get(entry.name, entry.name)}.state.pt"
    old = store.read(AGREEMENT, out)
    if not state.exists() or bool(((old.model == entry.name) & (old.digest == digest)).any()):
        return
    test = source.test()
    fields = dataclasses.fields(test)
    part = TrainingData(**{f.name: getattr(test, f.name)[:COMPARED] for f in fields})
    rows = compare(entry, state, part)
    if not rows:
        print(f"{entry.name}: {state} is not what its checkpoint was written from: not compared",
              file=sys.stderr)  # fmt: skip
        return
    named = [{"model": entry.name, "digest": digest} | row for row in rows]
    store.replace(AGREEMENT, entry.name, named, MODELS, out)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "python -m vlmis_utils.training.evaluation.evaluate", None, __doc__
    )
    parser.add_argument("--only", nargs="+", metavar="NAME", help=f"of {', '.join(MODELS)}")
    parser.add_argument("--again", action="store_true", help="measure what was measured, too")
    parser.add_argument("--data", default="streetworld", choices=sorted(DATA))
    parser.add_argument("--root", type=Path, help="folder of the photographs")
    parser.add_argument("--checkpoints", type=Path, help="folder of models, else the package's")
    parser.add_argument("--work", type=Path, help="resume states, else build/training or its like")
    parser.add_argument("--out", type=Path, help="folder of the CSV files, else the package's")
    parser.add_argument("--threads", type=int, default=1, help="default: 1")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Measure the models named, and return the exit code: 0 done, 1 failed, 2 misused."""
    options = _parser().parse_args(argv)
    again = "interrupted: the same command goes on with the next model"
    return exit_code(lambda: _measure(options), again)


def _measure(options: argparse.Namespace) -> None:
    for name in options.only or ():
        if name not in MODELS:
            raise UserError(f"unknown model {name!r}{closest(name, MODELS)}")
    from vlmis_utils.training.loop import use_threads

    use_threads(options.threads)
    keep_freed_memory()
    drawn = options.data == "streetworld"
    source = streetworld() if drawn else photographs(options.root, options.data)
    options.work = options.work or Path("build") / ("training" if drawn else options.data)
    options.checkpoints = options.checkpoints or source.checkpoints
    options.out = options.out or source.quality
    names = options.only or [n for n in MODELS if (options.checkpoints / n).is_dir()]
    for name in names:
        _one(entries(options.checkpoints)[name], options, source)
    if (options.out, options.checkpoints) == (source.quality, source.checkpoints):
        write_cards(names, data=options.data)


def _one(entry: ModelEntry, options: argparse.Namespace, source: Source) -> None:
    name, out = entry.name, options.out
    digest = store.digest(name, options.checkpoints)
    _agreement(entry, options.work, digest, out, source)
    if measured(name, digest, out, source.version) and not options.again:
        print(f"{name}: measured already ({digest})")
        return
    start = time.monotonic()
    test = source.test()
    found = evaluate(entry, source.train(), test, count=source.name != "streetworld")
    about = {"model": name, "digest": digest, "world": source.version, "scenes": source.scenes}
    for file in (FAILURES, BASELINES, CLEAN):  # the last says that it is done
        store.replace(file, name, [about | row for row in found[file]], MODELS, out)
    print(f"{name}: {len(test)} scenes in {time.monotonic() - start:.0f} s, {digest}")


if __name__ == "__main__":
    sys.exit(main())
