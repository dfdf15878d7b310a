"""What was measured about speed and memory, and what a study of any size would cost.

Measurements are CSV files in ``book/measured``, each written by a script of ``tests/benchmarks``
and each with the name of the machine in its last column. The cost model takes a profile, or the
seconds that a run recorded, to a number of scenes, conditions and models.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from vlmis_utils.core.errors import RunError
from vlmis_utils.protocol.prompts import PROMPTS
from vlmis_utils.records.store import BLANK

__all__ = [
    "BENCHES", "COMMANDS", "MODEL_STAGES", "STAGES", "Cost", "by_model", "cost_of", "hours",
    "load_benches", "load_measured", "missing", "recorded_seconds", "verdict",
]  # fmt: skip

_STUDY = "tests/benchmarks/bench_study.py"
_MEMORY = "tests/benchmarks/bench_memory.py"

# Comparisons with other libraries or other ways, a file each, in the order in which they are shown.
BENCHES: Mapping[str, str] = {
    "prompts": "Ten prompts, one image",
    "corruptions": "Corruptions",
    "scoring": "From logits to counts",
    "bootstrap": "Intervals",
    "allocator": "Memory that is kept",
    "cluster": "A cluster against one machine",
}

# The command that makes each file, to be run in the repository.
COMMANDS: Mapping[str, str] = {
    **{name: f"python tests/benchmarks/bench_{name}.py --save" for name in BENCHES},
    "profile-before": f"python {_STUDY} --scenes 16 --rounds 3 --package OTHER_CHECKOUT --save",
    "profile-after": f"python {_STUDY} --scenes 16 --rounds 3 --save",
    "profile-large": f"python {_STUDY} --large --scenes 2 --save",
    "memory": f"python {_MEMORY} --most 10000 --save",
    "memory-before": f"python {_MEMORY} --most 10000 --package OTHER_CHECKOUT --save",
    "signals": "python tests/benchmarks/bench_signals.py --save",
    "label-constants": "python tests/benchmarks/bench_label.py FOLDER_OF_CITYSCAPES --save",
    "several-frames": "python tests/benchmarks/bench_several_frames.py --save",
    **{
        f"drives-{world}": f"python tests/benchmarks/bench_drives.py build/{study}/records --save"
        for world, study in (("streetworld", "sequences"), ("camvid", "sequences-camvid"))
    },
}

_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "profile": ("table", "model", "stage", "scenes", "images", "seconds", "size", "machine"),
    "memory": ("scenes", "seconds", "mib", "machine"),
    "signals": ("what", "ms", "inputs", "machine"),
    "several": (
        "sequence",
        "condition",
        "frames",
        "answers",
        "hr",
        "cor",
        "smr",
        "abstained",
        "mentions",
        "texts",
        "seconds",
        "machine",
    ),
    "label": ("change", "frames", "unsafe", "turns_safe", "turns_unsafe", "machine"),
    "drives": ("sequence", "frames", "rate", "safe", "model", "condition", "rule", "machine"),
}
# Where an empty cell is a number that is not known, and not an empty word.
_UNKNOWN: Mapping[str, list[str]] = {"drives": [""]}
_NO_GOAL: dict[str, list[str]] = {"goal": [""]}
_BENCH = ("subject", "inputs", "peer", "ours_ms", "peer_ms", "ratio", "low", "high", "goal",
          "machine")  # fmt: skip

# What a stage is, in the order in which they follow each other.
STAGES: Mapping[str, str] = {
    "render": "draw a StreetWorld scene, once in the life of the cache",
    "decode": "read image and label map from their files",
    "corrupt": "degrade the image",
    "digest": "check that the pixels are those recorded",
    "prepare": "resize and normalise for the model, write its prompts as tokens",
    "network": "the model's layers",
    "finish": "upsample and take the best class; choose tokens and turn them to text",
    "score": "count pixels by true and predicted class",
    "write": "put rows into shards and shards into tables",
    "plan": "find out what is recorded",
    "load": "import libraries and read weights, once for each worker",
    "other": "all the rest",
}
MODEL_STAGES: tuple[str, ...] = ("prepare", "network", "finish")

_ONCE = ("load", "render")
_AGAIN = ("corrupt", "digest")  # in each pass over the images: one for conditions, one a model


def load_measured(name: str, folder: str | Path = "book/measured") -> pd.DataFrame | None:
    """Return a file of measurements, None where it has not been made.

    Args:
        name: a key of `COMMANDS`.
        folder: where the files lie.

    Raises:
        RunError: the file cannot be read, or lacks a column; the message names it and the command
            that makes it.
    """
    path = Path(folder) / f"{name}.csv"
    if not path.exists():
        return None
    kind = name.partition("-")[0]
    wanted = _COLUMNS.get(kind, _BENCH)
    try:
        found = pd.read_csv(path, keep_default_na=False, na_values=_UNKNOWN.get(kind, _NO_GOAL))
    except (OSError, ValueError) as error:
        raise RunError(f"cannot read {path} ({error}): run `{COMMANDS[name]}`") from error
    lacking = [column for column in wanted if column not in found]
    if lacking:
        raise RunError(f"{path} lacks the column {lacking[0]}: run `{COMMANDS[name]}`")
    return found


def missing(folder: str | Path = "book/measured") -> dict[str, str]:
    """Return the files that have not been made, each with the command that makes it."""
    return {n: c for n, c in COMMANDS.items() if not (Path(folder) / f"{n}.csv").exists()}


def load_benches(folder: str | Path = "book/measured") -> dict[str, pd.DataFrame]:
    """Return the comparisons that were made: a file of `BENCHES` each, with ``verdict``."""
    found = {}
    for name in BENCHES:
        rows = load_measured(name, folder)
        if rows is not None:
            found[name] = rows.assign(
                verdict=[verdict(r, g) for r, g in zip(rows.ratio, rows.goal, strict=True)]
            )
    return found


def verdict(ratio: float, goal: float) -> str:
    """Return whether a ratio reaches its goal; empty where there is none (NaN).

    >>> verdict(6.1, 6), verdict(5.9, 6), verdict(2, float("nan"))
    ('met', 'missed', '')
    """
    if goal != goal:
        return ""
    return "met" if ratio >= goal else "missed"


def by_model(profile: pd.DataFrame) -> pd.DataFrame:
    """Return the milliseconds of each stage for one image, a row for each table and model.

    Args:
        profile: of `load_measured`, from ``bench_study.py``.

    Returns:
        index (table, model); columns those of `STAGES` that occur, without ``load`` and ``render``,
        and ``total``; ``share`` of all seconds of these stages in the whole profile, all images
        together. Rows of the control image, and what belongs to no table, count in the share of
        the others only.
    """
    lasting = profile[~profile.stage.isin(_ONCE)]
    whole = lasting.seconds.sum()
    seconds = lasting.pivot_table(
        index=["table", "model"], columns="stage", values="seconds", aggfunc="sum", fill_value=0.0
    )
    images = lasting.groupby(["table", "model"]).images.max()
    kept = [
        key for key in dict.fromkeys(zip(lasting.table, lasting.model, strict=True))
        if key[0] in ("scenes", "conditions") or (key[0] and key[1] not in ("", BLANK))
    ]  # fmt: skip
    order = [stage for stage in STAGES if stage in seconds]
    found = 1000 * seconds.div(images, axis=0).loc[kept, order]
    total = found.sum(axis=1)
    return found.assign(total=total, share=seconds.loc[kept].sum(axis=1) / whole)


@dataclass(frozen=True)
class Cost:
    """Seconds on one worker.

    Attributes:
        decode: to read a scene's image and label map, d.
        corrupt: to degrade an image and check its pixels, k.
        models: model -> all else that it takes for an image: model, scoring, writing, s_m.
    """

    decode: float
    corrupt: float
    models: Mapping[str, float]


def cost_of(profile: pd.DataFrame) -> Cost:
    """Return the cost that a profile shows, means over its images."""
    table = by_model(profile) / 1000
    runs = table[[model != "" for _, model in table.index]]
    again = [stage for stage in _AGAIN if stage in runs]
    decode = profile[profile.stage == "decode"].seconds.sum() / profile.scenes.iloc[0]
    rest = runs.total - runs.reindex(columns=[*again, "decode"], fill_value=0.0).sum(axis=1)
    return Cost(
        decode=float(decode),
        corrupt=float(runs[again].sum(axis=1).mean()),
        models={model: float(rest[table, model]) for table, model in runs.index},
    )


def hours(cost: Cost, scenes: int, conditions: int = 10, workers: int = 1) -> float:
    """Return the hours that a study takes with M models.

    ``N / (3600 W) * ((M + 2) d + C ((M + 1) k + sum of s_m))`` for N scenes, C conditions and W
    workers: scenes are read for their own table, for the conditions, and once for each model; each
    image is made for the conditions and again for each model, so that none has to be kept.

    >>> round(hours(Cost(0.1, 0.05, {"a": 1.0, "b": 0.5}), scenes=360, conditions=10), 3)
    1.69
    """
    passes = len(cost.models)
    image = (passes + 1) * cost.corrupt + sum(cost.models.values())
    return scenes * ((passes + 2) * cost.decode + conditions * image) / workers / 3600


def recorded_seconds(segmentation: pd.DataFrame, answers: pd.DataFrame) -> dict[str, float]:
    """Return model -> mean seconds for an image in a run's own records, the control image left out.

    A segmenter's row is an image, a VLM's an answer, of which an image has one for each prompt.
    """
    asked = answers[answers.condition != BLANK]
    each = asked.groupby("vlm", sort=False).seconds.mean() * len(PROMPTS)
    return {**segmentation.groupby("segmenter", sort=False).seconds.mean(), **each}
