"""What each signal that needs no truth costs for one picture of 256 x 512, on one thread.

Processor time, not wall time, so that other work on the machine counts little; the models that a
signal needs are not part of it, but for the second pass of the segmenter that sees pictures twice.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import numpy as np
import torch
from paired import keep

from vlmis_utils.analysis.warnings.answers import distances
from vlmis_utils.analysis.warnings.pictures import pair_counts
from vlmis_utils.core.allocator import keep_freed_memory
from vlmis_utils.datasets.cache import as_tensor
from vlmis_utils.datasets.registry import open_dataset
from vlmis_utils.metrics.signals.uncertainty import coarse
from vlmis_utils.models.segmentation.loading import load_segmenter
from vlmis_utils.protocol.models import load_catalogue
from vlmis_utils.protocol.signals import COARSE, GRID
from vlmis_utils.runner.signals import of_pictures, of_segmenter, with_flips

PICTURES, ROUNDS = 4, 5


def main() -> None:
    torch.set_num_threads(1)
    keep_freed_memory()  # as in a run
    scenes = open_dataset("streetworld", split="test", limit=PICTURES, seed=0)
    images = torch.stack([as_tensor(scene.image()) for scene in scenes])
    labels = [scene.labels() for scene in scenes]
    segmenter = load_segmenter(load_catalogue()["deeplabv3plus"])
    rng = np.random.default_rng(0)
    vectors, fold = rng.normal(size=(1000, 128)), np.arange(1000) % 5
    with torch.inference_mode():
        maps, shares = segmenter.predict_with_scores(images, GRID)
        predicted = maps.numpy()
        small = coarse(predicted, COARSE).reshape(PICTURES, -1)
        timed = {
            "picture": (lambda: of_pictures(images), PICTURES),
            "scores": (lambda: of_segmenter(predicted, shares, labels), PICTURES),
            "mirror": (lambda: with_flips([{}] * PICTURES, predicted, segmenter, images), PICTURES),
            "maps": (lambda: pair_counts(small, small), PICTURES),
            "distance": (lambda: distances(vectors, fold, np.ones(1000, bool)), 1000),
        }
        rows = [
            {"what": what, "ms": _milliseconds(work) / count, "inputs": f"{count} pictures"}
            for what, (work, count) in timed.items()
        ]
    for row in rows:
        print(f"{row['what']:<12}{row['ms']:8.2f} ms")
    if "--save" in sys.argv[1:]:
        keep("signals", rows)


def _milliseconds(work: Callable[[], object]) -> float:
    work()
    spent = []
    for _ in range(ROUNDS):
        start = time.process_time()
        work()
        spent.append(1000 * (time.process_time() - start))
    return float(np.median(spent))


if __name__ == "__main__":
    main()
