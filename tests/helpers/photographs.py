"""A small folder of photographs with label maps: noise, but in the layout of the real ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import yaml
from PIL import Image

from vlmis_utils.protocol.classes import TRAIN_CLASSES

__all__ = ["write_photographs"]


def write_photographs(root: Path, size: tuple[int, int], **counts: int) -> Path:
    """Write ``counts`` photographs of each split, and a class map; return ``root``."""
    rng = np.random.default_rng(0)
    for split, count in counts.items():
        for kind in ("images", "labels"):
            (root / kind / split).mkdir(parents=True)
        for index in range(count):
            labels = rng.choice([0, 2, 13, 255], size=size).astype(np.uint8)
            image = rng.integers(0, 256, (*size, 3), dtype=np.uint8)
            Image.fromarray(image).save(root / "images" / split / f"{split}{index}.png")
            Image.fromarray(labels).save(root / "labels" / split / f"{split}{index}.png")
    classes = {"classes": dict(enumerate(TRAIN_CLASSES)) | {255: "ignore"}}
    (root / "classes.yaml").write_text(yaml.safe_dump(classes), encoding="utf-8")
    return root
