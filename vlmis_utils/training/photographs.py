"""Photographs and label maps as arrays on disk: the same `TrainingData` that StreetWorld gives.

Any folder that `datasets.folder` reads serves, such as frames of Cityscapes. The arrays are written
once; the frames themselves never leave the machine.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock
from PIL import Image

from vlmis_utils.core.errors import UserError
from vlmis_utils.core.io import write_atomically
from vlmis_utils.datasets.files import FileScene
from vlmis_utils.datasets.folder import open_folder
from vlmis_utils.protocol.classes import pixel_counts
from vlmis_utils.protocol.ground_corridor import CITYSCAPES_CAMERA, Camera, ground_rule
from vlmis_utils.training.data import TrainingData

__all__ = ["IMAGE_SIZE", "digest_of", "load_photographs", "read_photographs", "shrink"]

# Height and width that the checkpoints are trained at and made for.
IMAGE_SIZE = (320, 640)


def shrink(
    image: np.ndarray, labels: np.ndarray, size: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """Bring a photograph and its label map to a size: area means, and nearest pixels.

    Args:
        image: uint8 (H, W, 3).
        labels: train ids, uint8 (H, W).
        size: height and width.

    Returns:
        uint8 (h, w, 3) and (h, w); the same arrays where they have the size.
    """
    if labels.shape == tuple(size):
        return image, labels
    height, width = size
    smaller = Image.fromarray(image).resize((width, height), Image.Resampling.BOX)
    marks = Image.fromarray(labels).resize((width, height), Image.Resampling.NEAREST)
    return np.asarray(smaller), np.asarray(marks)


def load_photographs(root: str | Path | None, split: str = "train", **more: Any) -> TrainingData:
    """Return photographs to train on, as `read_photographs` does with the same arguments.

    Raises:
        UserError: the split "test", which is kept for evaluation, or as `read_photographs`.
    """
    if split not in ("train", "val"):
        raise UserError(f"split {split!r} is not for training: use 'train' or 'val'")
    return read_photographs(root, split, **more)


def read_photographs(
    root: str | Path | None,
    split: str = "test",
    *,
    class_map: str | Path | None = None,
    limit: int | None = None,
    size: tuple[int, int] = IMAGE_SIZE,
    camera: Camera = CITYSCAPES_CAMERA,
    seed: int = 0,
    cache: str | Path | None = None,
) -> TrainingData:
    """Return the photographs of a split as arrays, written once below ``<cache>/photographs/``.

    Args:
        root: folder with ``images/<split>`` and ``labels/<split>``; by default $VLMIS_FOLDER.
        split: "train", "val" or "test".
        class_map: what the label maps' values mean; by default ``<root>/classes.yaml``.
        limit: at most so many, a seeded choice.
        size: height and width of the arrays.
        camera: of the photographs, for their safety label (`ground_corridor.ground_rule`, at the
            size of the label maps on disk).
        seed: of the choice.
        cache: root of the arrays; by default ``$VLMIS_CACHE/training`` or ``build/cache/training``.

    Raises:
        UserError: an unusable folder or class map.
    """
    root = Path(root or os.environ.get("VLMIS_FOLDER", ""))
    scenes = open_folder(root, class_map or root / "classes.yaml", split, limit, seed)
    base = Path(cache or Path(os.environ.get("VLMIS_CACHE", "build/cache")) / "training")
    folder = base / "photographs" / f"{split}-{_key(scenes, size, camera)}"
    if not (folder / "rows.json").exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{folder}.lock"):  # two trainings may begin at once
            if not (folder / "rows.json").exists():
                _write(folder, scenes, size, camera)
    rows = json.loads((folder / "rows.json").read_text(encoding="utf-8"))
    return TrainingData(
        images=np.load(folder / "images.npy", mmap_mode="r"),
        labels=np.load(folder / "labels.npy", mmap_mode="r"),
        counts=np.array([row["counts"] for row in rows], dtype=np.int64),
        safe=np.array([row["safe"] for row in rows], dtype=bool),
        reasons=[row["reason"] for row in rows],
        scene_ids=[row["scene_id"] for row in rows],
    )


def digest_of(data: TrainingData) -> str:
    """Return 12 hex digits that change with the label maps and with which scenes there are."""
    hashed = hashlib.sha256(repr(data.scene_ids).encode())
    for labels in data.labels:
        hashed.update(np.ascontiguousarray(labels))
    return hashed.hexdigest()[:12]


def _key(scenes: list[FileScene], size: tuple[int, int], camera: Camera) -> str:
    """Identify arrays by what they are made of: files with their times, size, camera."""
    files = [(s.scene_id, s.image_path.stat().st_mtime_ns, s.label_path.stat().st_mtime_ns)
             for s in scenes]  # fmt: skip
    made = repr((files, tuple(size), camera)).encode()
    return hashlib.sha256(made).hexdigest()[:12]


def _write(folder: Path, scenes: list[FileScene], size: tuple[int, int], camera: Camera) -> None:
    from tqdm.auto import tqdm

    folder.mkdir(parents=True, exist_ok=True)
    shape = (len(scenes), *size)
    images = np.lib.format.open_memmap(folder / "images.npy", "w+", np.uint8, (*shape, 3))
    labels = np.lib.format.open_memmap(folder / "labels.npy", "w+", np.uint8, shape)
    rows = []
    for index, scene in enumerate(tqdm(scenes, "photographs", mininterval=2)):
        marks = scene.labels()
        safe, reason = ground_rule(marks, camera)
        images[index], labels[index] = shrink(scene.image(), marks, size)
        rows.append({"scene_id": scene.scene_id, "safe": safe, "reason": reason,
                     "counts": pixel_counts(labels[index]).tolist()})  # fmt: skip
    images.flush()
    labels.flush()
    write_atomically(folder / "rows.json", json.dumps(rows).encode())
