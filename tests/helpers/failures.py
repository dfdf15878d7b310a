"""Simulated failures of images that come from scenes."""

from __future__ import annotations

import numpy as np

SCENES, IMAGES = 40, 5
SCENE = np.repeat(np.arange(SCENES), IMAGES)


def simulated(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return features (200, 3) that images of a scene share in part, and whether each fails."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(SCENES * IMAGES, 3)) + rng.normal(size=SCENES)[SCENE, None]
    return x, (x[:, 0] + rng.normal(size=len(x)) > 0.3).astype(float)
