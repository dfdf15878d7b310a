"""StreetWorld as a dataset: splits from disjoint world seeds, frames cached on disk."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import as_completed
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm.auto import tqdm

from vlmis_utils.core.errors import UserError, closest
from vlmis_utils.core.processes import pool
from vlmis_utils.datasets.rendered import Rendered, arrays_of, cache_root, depth_of, write_arrays
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
    """One scene, 256 pixels high and 512 wide; rendered when first looked at."""

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

    def render(self) -> dict[str, np.ndarray]:
        """Render the arrays that are kept."""
        world = world_seed(self.split, self.seed)
        return arrays_of(render_scene(world, self.index, HEIGHT, WIDTH))

    def frame(self) -> Frame:
        """Everything about the scene."""
        kept = self.read("image", "labels", "instances", "depth", "safe", "reason")
        return Frame(
            kept["image"], kept["labels"], kept["instances"].astype(np.int32),
            depth_of(kept["depth"]), bool(kept["safe"]), str(kept["reason"]),
        )  # fmt: skip


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


def _render_one(scene: StreetScene) -> str:
    if not scene.path.exists():
        write_arrays(scene.path, scene.render())
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
