"""StreetWorld frames as arrays on disk, built once and read by every training recipe.

Training sees clean frames only, from world seeds disjoint of those evaluated
(`datasets.registry.open_dataset`). No torch is imported here, so that workers start quickly.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib.format import open_memmap

from vlmis_utils.core.errors import UserError
from vlmis_utils.core.io import write_atomically
from vlmis_utils.core.processes import pool
from vlmis_utils.protocol.classes import pixel_counts

__all__ = [
    "SCENES", "TrainingData", "class_frequencies", "gathered", "load_training", "scene_weights",
]  # fmt: skip

# Scenes that the recipes train on.
SCENES = 3000


@dataclass(frozen=True, eq=False)
class TrainingData:
    """N scenes of one split.

    Attributes:
        images: uint8 (N, H, W, 3), RGB, a read-only memory map.
        labels: uint8 (N, H, W), train ids, 255 = ignore, a read-only memory map.
        counts: int64 (N, 19), pixels of each train class.
        safe: bool (N,), the safety label.
        reasons: N safety reasons.
        scene_ids: N scene ids.
    """

    images: np.ndarray
    labels: np.ndarray
    counts: np.ndarray
    safe: np.ndarray
    reasons: list[str]
    scene_ids: list[str]

    def __len__(self) -> int:
        return len(self.scene_ids)


def load_training(
    split: str = "train",
    limit: int = SCENES,
    seed: int = 0,
    cache: str | Path | None = None,
    workers: int = 2,
) -> TrainingData:
    """Return the first ``limit`` StreetWorld scenes of a split as arrays.

    The arrays are written once under ``<cache>/<WORLD_VERSION>-<split>-<seed>-<limit>/``; a build
    that was interrupted goes on where it stopped, complete arrays of more scenes serve too, and
    those of fewer are begun with.

    Args:
        split: "train" or "val"; "test" is kept for the study and refused.
        limit: scenes, at least 1.
        seed: the study seed that the split's world seed derives from.
        cache: root of the arrays; by default ``$VLMIS_CACHE/training`` or ``build/cache/training``.
        workers: processes that render; 0 renders in this one.

    Raises:
        UserError: an unusable split or limit.
    """
    if split not in ("train", "val"):
        raise UserError(f"split {split!r} is not for training: use 'train' or 'val'")
    if limit < 1:
        raise UserError(f"limit {limit} leaves no scene to train on: use 1 or more")
    from vlmis_utils.streetworld.world import WORLD_VERSION

    root = Path(cache or Path(os.environ.get("VLMIS_CACHE", "build/cache")) / "training")
    stem = f"{WORLD_VERSION}-{split}-{seed}"
    folder, rows = _find(root, stem, limit)
    if not rows:
        folder.mkdir(parents=True, exist_ok=True)
        _begin(folder, root, stem, limit)
        rows = _read_rows(folder)
    missing = [index for index in range(limit) if index not in rows]
    if missing:
        _build(folder, split, seed, limit, missing, workers)
        rows = _read_rows(folder)
    ordered = [rows[index] for index in range(limit)]
    return TrainingData(
        images=np.load(folder / "images.npy", mmap_mode="r")[:limit],
        labels=np.load(folder / "labels.npy", mmap_mode="r")[:limit],
        counts=np.array([row["counts"] for row in ordered], dtype=np.int64),
        safe=np.array([row["safe"] for row in ordered], dtype=bool),
        reasons=[row["reason"] for row in ordered],
        scene_ids=[row["scene_id"] for row in ordered],
    )


def gathered(scenes: Iterable[Any]) -> TrainingData:
    """Return StreetWorld scenes as arrays in memory; those that the cache lacks are rendered."""
    scenes = list(scenes)
    frames = [scene.frame() for scene in scenes]
    labels = np.stack([frame.labels for frame in frames])
    return TrainingData(
        images=np.stack([frame.image for frame in frames]),
        labels=labels,
        counts=np.stack([pixel_counts(each) for each in labels]),
        safe=np.array([frame.safe for frame in frames], dtype=bool),
        reasons=[str(frame.safety_reason) for frame in frames],
        scene_ids=[scene.scene_id for scene in scenes],
    )


def class_frequencies(data: TrainingData) -> np.ndarray:
    """Return the share of labelled pixels of each train class, float64 (19,), summing to 1."""
    total = data.counts.sum(axis=0).astype(np.float64)
    return total / max(total.sum(), 1.0)


def scene_weights(data: TrainingData, power: float = 0.5, floor: int = 64) -> np.ndarray:
    """Return sampling probabilities that favour scenes with rare classes, float64 (N,).

    A class's rarity is (1 / share of scenes that show it) ** ``power``; a scene weighs as much as
    its rarest class. This is repeat-factor sampling (Gupta et al. 2019) without its threshold.

    Args:
        data: the scenes.
        power: 0 samples evenly, 1 gives each class nearly the same number of scenes.
        floor: pixels from which a class counts as shown.
    """
    shown = data.counts >= floor
    share = np.maximum(shown.mean(axis=0), 1.0 / len(data))
    weight = np.maximum(np.where(shown, share**-power, 0.0).max(axis=1), 1.0)
    return weight / weight.sum()


@lru_cache(maxsize=2)
def _dataset(split: str, seed: int, limit: int) -> Any:
    from vlmis_utils.datasets.registry import open_dataset

    return open_dataset("streetworld", split=split, limit=limit, seed=seed)


def _read_scene(task: tuple[str, int, int, int]) -> tuple[int, np.ndarray, np.ndarray, dict]:
    split, seed, limit, index = task
    scene = _dataset(split, seed, limit)[index]
    frame = scene.frame()
    row = {
        "index": index,
        "scene_id": scene.scene_id,
        "safe": bool(frame.safe),
        "reason": str(frame.safety_reason),
        "counts": pixel_counts(frame.labels).tolist(),
    }
    return index, frame.image, frame.labels, row


def _read_scenes(tasks: list[tuple[str, int, int, int]], workers: int) -> Iterator[Any]:
    if workers < 1 or len(tasks) < 4:
        yield from map(_read_scene, tasks)
        return
    with pool(workers) as executor:
        yield from executor.map(_read_scene, tasks, chunksize=4)


def _build(
    folder: Path, split: str, seed: int, limit: int, missing: list[int], workers: int
) -> None:
    from tqdm.auto import tqdm

    images = labels = None
    scenes = _read_scenes([(split, seed, limit, index) for index in missing], workers)
    with (folder / "rows.jsonl").open("a", encoding="utf-8") as log:
        log.write("\n")  # closes a line that a kill left half written
        bar = tqdm(scenes, f"{split} scenes", len(missing), mininterval=2)
        for index, image, label, row in bar:
            if images is None or labels is None:
                images = _open(folder / "images.npy", (limit, *image.shape))
                labels = _open(folder / "labels.npy", (limit, *label.shape))
            images[index], labels[index] = image, label
            images.flush()
            labels.flush()
            log.write(json.dumps(row) + "\n")
            log.flush()


def _begin(folder: Path, root: Path, stem: str, limit: int) -> None:
    """Copy the scenes of the largest arrays of fewer, if there are any; their rows last."""
    fewer = [size for size in _sizes(root, stem) if size < limit]
    if not fewer or not _read_rows(earlier := root / f"{stem}-{fewer[-1]}"):
        return
    for name in ("images.npy", "labels.npy"):
        old = np.load(earlier / name, mmap_mode="r")
        new = _open(folder / name, (limit, *old.shape[1:]))
        new[: len(old)] = old
        new.flush()
    write_atomically(folder / "rows.jsonl", (earlier / "rows.jsonl").read_bytes())


def _sizes(root: Path, stem: str) -> list[int]:
    """Return how many scenes the arrays at hand hold, complete or not, in rising order."""
    sizes = (path.name.rpartition("-")[2] for path in root.glob(f"{stem}-*"))
    return sorted(int(size) for size in sizes if size.isdigit())


def _find(root: Path, stem: str, limit: int) -> tuple[Path, dict[int, dict]]:
    """Return the folder to use, and its rows: one of more scenes if that is complete."""
    own = root / f"{stem}-{limit}"
    for size in (size for size in _sizes(root, stem) if size > limit):
        rows = _read_rows(root / f"{stem}-{size}")
        if all(index in rows for index in range(limit)):
            return root / f"{stem}-{size}", rows
    return own, _read_rows(own)


def _open(path: Path, shape: tuple[int, ...]) -> np.memmap:
    if path.exists():
        return open_memmap(path, mode="r+")
    return open_memmap(path, mode="w+", dtype=np.uint8, shape=shape)


def _read_rows(folder: Path) -> dict[int, dict]:
    path = folder / "rows.jsonl"
    rows: dict[int, dict] = {}
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
        try:
            row = json.loads(line)
        except json.JSONDecodeError:
            continue
        rows[int(row["index"])] = row
    return rows
