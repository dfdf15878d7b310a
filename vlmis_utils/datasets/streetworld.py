"""StreetWorld as a dataset: splits from disjoint world seeds, frames cached on disk."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import as_completed
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm.auto import tqdm

from vlmis_utils.core.errors import UserError, closest
from vlmis_utils.core.processes import pool
from vlmis_utils.datasets.rendered import (
    UNREADABLE,
    Rendered,
    arrays_of,
    cache_root,
    depth_of,
    write_arrays,
)
from vlmis_utils.streetworld.version import world_version
from vlmis_utils.streetworld.world import Frame, render_scene

__all__ = ["LENGTHS", "StreetScene", "StreetWorld", "open_streetworld", "render_many", "world_seed"]

# Scenes of each split, and the offset that keeps the worlds of splits apart for every seed.
LENGTHS: dict[str, int] = {"train": 2000, "val": 300, "test": 500}
_OFFSETS: dict[str, int] = {"train": 1, "val": 2, "test": 3}
HEIGHT, WIDTH = 256, 512


def world_seed(split: str, seed: int) -> int:
    """The generator's seed for a split: 1000 seed + 1 (train), 2 (val) or 3 (test).

    Raises:
        UserError: if the split is unknown.
    """
    if split not in _OFFSETS:
        raise UserError(f"unknown split {split!r} of streetworld{closest(split, _OFFSETS)}")
    return 1000 * seed + _OFFSETS[split]


def cache_folder() -> Path:
    """Where frames of this version of the world are kept: under $VLMIS_CACHE or build/cache."""
    return cache_root() / "streetworld" / world_version()


@dataclass(frozen=True)
class StreetScene(Rendered):
    """One scene; it is rendered when first looked at, then read from the cache.

    `image()` is uint8 (256, 512, 3) sRGB, `labels()` uint8 (256, 512) train ids with 255 = ignore,
    `instances()` int32 (256, 512) with 0 = none, `depth()` float32 (256, 512) in metres
    (kept in half precision), inf = sky.
    """

    split: str
    seed: int
    index: int

    @property
    def scene_id(self) -> str:
        """Unique name, for example ``streetworld-test-0-00012``."""
        return f"streetworld-{self.split}-{self.seed}-{self.index:05d}"

    @property
    def path(self) -> Path:
        """The scene's file in the cache."""
        return cache_folder() / f"{self.scene_id}.npz"

    def frame(self) -> Frame:
        """Everything about the scene; a missing or damaged cache file is rendered again."""
        try:
            return _read(self.path)
        except UNREADABLE:
            frame = render_scene(world_seed(self.split, self.seed), self.index, HEIGHT, WIDTH)
            write_arrays(self.path, arrays_of(frame))
            return _read(self.path)

    def image(self) -> NDArray[np.uint8]:
        """The picture, uint8 (H, W, 3)."""
        return self.frame().image

    def labels(self) -> NDArray[np.uint8]:
        """Train ids, uint8 (H, W)."""
        return self.frame().labels

    def instances(self) -> NDArray[np.int32]:
        """Instance numbers, int32 (H, W), 0 = none."""
        return self.frame().instances

    def depth(self) -> NDArray[np.float32]:
        """Depth in metres, float32 (H, W), inf = sky."""
        return self.frame().depth

    @property
    def safe(self) -> bool:
        """The safety label."""
        return self.frame().safe

    @property
    def safety_reason(self) -> str:
        """Why, for example "pedestrian in corridor at 9.3 m", "red light" or "clear"."""
        return self.frame().safety_reason


@dataclass(frozen=True)
class StreetWorld(Sequence[StreetScene]):
    """A split of StreetWorld: `length` scenes."""

    split: str
    seed: int
    length: int

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, item: int | slice) -> StreetScene | list[StreetScene]:
        if isinstance(item, slice):
            return [self[number] for number in range(*item.indices(self.length))]
        number = item + self.length if item < 0 else item
        if not 0 <= number < self.length:
            raise IndexError(item)
        return StreetScene(self.split, self.seed, number)

    def __iter__(self) -> Iterator[StreetScene]:
        return (self[number] for number in range(self.length))


def open_streetworld(split: str = "test", limit: int | None = None, seed: int = 0) -> StreetWorld:
    """Open a split. Nothing is rendered yet.

    Args:
        split: "train", "val" or "test"; their worlds have different seeds.
        limit: number of scenes, by default `LENGTHS[split]`; larger numbers are fine, the world is
            endless.
        seed: which world.

    Raises:
        UserError: on an unknown split or a limit below 1.
    """
    world_seed(split, seed)
    if limit is not None and limit < 1:
        raise UserError(f"limit is {limit}: ask for at least one scene")
    return StreetWorld(split, seed, LENGTHS[split] if limit is None else limit)


def _read(path: Path) -> Frame:
    with path.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
        return Frame(
            file["image"], file["labels"], file["instances"].astype(np.int32),
            depth_of(file["depth"]), bool(file["safe"]), str(file["reason"]),
        )  # fmt: skip


def _render_one(scene: StreetScene) -> str:
    if not scene.path.exists():
        frame = render_scene(world_seed(scene.split, scene.seed), scene.index, HEIGHT, WIDTH)
        write_arrays(scene.path, arrays_of(frame))
    return scene.scene_id


def render_many(
    scenes: Iterable[StreetScene], workers: int | None = None, progress: bool = True
) -> None:
    """Render what the cache lacks, in `workers` single-threaded processes (all cores by default).

    Interrupt it at any time: the next call goes on where this one stopped.

    Raises:
        RunError: a process died.
    """
    missing = [scene for scene in scenes if not scene.path.exists()]
    if not missing:
        return
    workers = min(workers or os.cpu_count() or 1, len(missing))
    with tqdm(total=len(missing), desc="scenes", unit="scene", disable=not progress) as bar:
        if workers == 1:
            for scene in missing:
                _render_one(scene)
                bar.update()
            return
        with pool(workers) as executor:
            for job in as_completed([executor.submit(_render_one, scene) for scene in missing]):
                job.result()
                bar.update()
