"""Label maps at random, and predictions that are right on six pixels in ten."""

from __future__ import annotations

import numpy as np


def random_maps(seed: int, classes: int = 19) -> tuple[np.ndarray, np.ndarray]:
    """Return labels and predictions uint8 (3, 40, 50); one label in ten is 255, ignore."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, classes, size=(3, 40, 50)).astype(np.uint8)
    predictions = np.where(rng.random(labels.shape) < 0.6, labels, rng.integers(0, classes, 50))
    labels[rng.random(labels.shape) < 0.1] = 255
    return labels, predictions.astype(np.uint8)
