"""The scenes that measure the embedded models: of a world that neither training nor a study uses.

World seeds are 1000 seed + 1 for training, + 2 for validation and + 3 for tests
(`datasets.streetworld.world_seed`). The book's study tests in the world of seed 0. Here
the split is "test" too, the seed another one: so no choice was made by these scenes.
"""

from __future__ import annotations

from functools import lru_cache

from vlmis_utils.datasets.registry import load_many, open_dataset
from vlmis_utils.training.data import TrainingData, gathered

__all__ = ["SCENES", "SEED", "SPLIT", "held_out", "world"]

SPLIT, SEED, SCENES = "test", 900, 300


def world() -> str:
    """Return the scenes' common name and how many there are, as the CSV files keep it.

    >>> world()
    'streetworld-test-900, 300 scenes'
    """
    return f"streetworld-{SPLIT}-{SEED}, {SCENES} scenes"


@lru_cache(maxsize=1)
def held_out(limit: int = SCENES, workers: int = 1) -> TrainingData:
    """Return the held-out scenes as arrays; those that the cache lacks are rendered first.

    Args:
        limit: the first so many.
        workers: processes that render.

    Returns:
        images uint8 (N, 256, 512, 3), labels uint8 (N, 256, 512), and their facts.
    """
    scenes = open_dataset("streetworld", split=SPLIT, limit=limit, seed=SEED)
    load_many(scenes, workers=workers)
    return gathered(scenes)
