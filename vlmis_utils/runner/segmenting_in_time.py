"""What a segmenter does over the frames of a sequence: labels that flip, and a running mean.

A frame's numbers depend on the frames before it in its sequence, and on nothing else: a task that
starts in mid-sequence looks at the frames before its own first, too.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import torch

from vlmis_utils.datasets.registry import Scene
from vlmis_utils.metrics.confusion import confusion_within
from vlmis_utils.protocol.image_corridor import corridor_mask
from vlmis_utils.records.masks import mask_png
from vlmis_utils.runner.images import batches
from vlmis_utils.runner.in_time import in_time, placed, with_history

if TYPE_CHECKING:
    from vlmis_utils.runner.tasks import Task

__all__ = ["Predicted", "predictions", "segmentation_rows"]

_KEPT = 96  # maps of corresponding pixels that a process keeps


def segmentation_rows(task: Task) -> list[dict[str, object]]:
    """Return the rows of a segmentation task of frames, with what changes from frame to frame."""
    scenes, before = with_history(task.context.scenes, task.start, task.stop)
    made = batches(task.context, scenes, task.condition, task.device, task.images)
    pairs = [(s, b.seen[i], b.labels[i]) for b in made for i, s in enumerate(b.scenes)]
    found: list[dict[str, object]] = []
    start = time.perf_counter()
    frames = predictions(task.model, ((s, x) for s, x, _ in pairs), task.study.smoothing)
    for number, (output, (scene, _, labels)) in enumerate(zip(frames, pairs, strict=True)):
        seconds, start = time.perf_counter() - start, time.perf_counter()
        if number >= before:
            found.append(_frame_row(task, scene, labels, output, seconds))
    return found


def _frame_row(
    task: Task, scene: Scene, labels: np.ndarray, output: Predicted, seconds: float
) -> dict[str, object]:
    inside = corridor_mask(*labels.shape)
    whole, part = confusion_within(labels, output.labels, inside)
    smoothed = output.smoothed
    if smoothed is not None:
        smoothed = confusion_within(labels, smoothed, inside)[0].ravel()
    return placed(scene) | {
        "segmenter": task.entry.name, "scene_id": scene.scene_id, "condition": task.condition,
        "confusion": whole.ravel(), "corridor_confusion": part.ravel(), "seconds": seconds,
        "mask": mask_png(output.labels), "smoothed_confusion": smoothed, "flips": output.flips,
        "raw_flips": output.raw_flips,
    }  # fmt: skip


@dataclass(frozen=True, eq=False)
class Predicted:
    """What a segmenter makes of a frame.

    Attributes:
        labels: train ids, uint8 (H, W).
        smoothed: labels of the running mean of scores; None where the model gives labels alone.
        flips: pixels that show the same place of the street as one of the frame before; those of
            them whose label differs, and those whose smoothed label does. None in the first
            frame and where the motion is not known.
        raw_flips: the same of each pixel and the one at its place in the frame before.
    """

    labels: np.ndarray
    smoothed: np.ndarray | None
    flips: list[int] | None
    raw_flips: list[int] | None


def predictions(
    segmenter: object, frames: Iterator[tuple[Scene, torch.Tensor]], smoothing: float
) -> Iterator[Predicted]:
    """Yield what a segmenter makes of frames, sequence by sequence.

    Args:
        segmenter: see `models.segmentation.segmenter.Segmenter`.
        frames: scenes and images uint8 (3, H, W), each sequence from its first frame on.
        smoothing: weight of the newest frame in the running mean, in (0, 1].
    """
    scores_of = getattr(segmenter, "scores", lambda images: None)
    sequence, mean, before = None, None, None
    for scene, image in frames:
        size = tuple(image.shape[1:])
        place = in_time(scene)
        if place.sequence != sequence:
            sequence, mean, before = place.sequence, None, None
        scores = scores_of(image[None])
        if scores is None:
            pair = (np.asarray(segmenter.predict(image[None])[0].cpu()), None)
        else:
            mean = scores if mean is None else smoothing * scores + (1 - smoothing) * mean
            both = segmenter.labels_of(torch.cat([scores, mean]), size)
            pair = tuple(np.asarray(both.cpu()))
        flips = raw = None
        if before is not None:
            where = _before(scene)
            flips = None if where is None else _flipped(pair, before, where)
            raw = _flipped(pair, before, np.arange(pair[0].size).reshape(size))
        before = pair
        yield Predicted(*pair, flips, raw)


def _flipped(
    now: tuple[np.ndarray | None, ...], before: tuple[np.ndarray | None, ...], where: np.ndarray
) -> list[int]:
    known = where >= 0
    counts = [int(known.sum())]
    for new, old in zip(now, before, strict=True):
        if new is not None:
            counts.append(int((new[known] != old.ravel()[where[known]]).sum()))
    return counts


@lru_cache(maxsize=_KEPT)
def _before(scene: Scene) -> np.ndarray | None:
    found = getattr(scene, "pixels_before", lambda: None)()
    return None if found is None else found.astype(np.int32)
