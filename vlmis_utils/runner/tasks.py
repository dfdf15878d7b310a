"""What one unit of work computes: rows of a table for some scenes under one condition.

These functions run in worker processes. Everything they need comes with the call, or is found
again from the study; scenes and the last model are kept for the next call.
"""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
import pandas as pd
import torch
from PIL import Image

from vlmis_utils.core.errors import RunError
from vlmis_utils.core.provenance import file_facts
from vlmis_utils.corruptions.corrupt import corrupt, occluder
from vlmis_utils.datasets.cache import Window, ahead
from vlmis_utils.datasets.registry import FileScene, Scene, open_dataset
from vlmis_utils.datasets.streetworld import HEIGHT, WIDTH
from vlmis_utils.metrics.confusion import confusion_within
from vlmis_utils.models.segmentation.loading import load_segmenter
from vlmis_utils.models.vlm.loading import Paid, Vlm, load_vlm
from vlmis_utils.models.vlm.response_cache import Replies
from vlmis_utils.protocol.answer import Answer
from vlmis_utils.protocol.classes import IGNORE, pixel_counts
from vlmis_utils.protocol.prompts import PROMPTS
from vlmis_utils.protocol.reasoning import split_reasoning
from vlmis_utils.protocol.safety_label import corridor_mask
from vlmis_utils.protocol.study import Study
from vlmis_utils.records.store import BLANK

__all__ = [
    "Loaders",
    "Task",
    "blank_image",
    "loaded",
    "model",
    "open_scenes",
    "replies",
    "rows",
    "scene_facts",
    "sha256",
    "sizes",
]

_GREY = 128


@dataclass(frozen=True)
class Loaders:
    """How a catalogue entry becomes a model; tests put their own here."""

    segmenter: Callable = load_segmenter
    vlm: Callable = load_vlm


@dataclass(frozen=True)
class Task:
    """Rows to compute: a table, for scenes start to stop of the study, under one condition.

    Attributes:
        study, table, condition: which rows; ``condition`` is empty for scenes.
        start, stop: scenes by their place in the split.
        entry: the model's catalogue entry, None for scenes and conditions.
        device: where the model runs.
        loaders: how the entry becomes a model.
        images: the recorded digest of each degraded image, by scene_id; checked before a model
            sees it. Empty for scenes and conditions.
        digest: the model's, for a machine that may have another under its name.
    """

    study: Study
    table: str
    condition: str
    start: int
    stop: int
    entry: object | None = None
    device: str = "cpu"
    loaders: Loaders = Loaders()
    images: Mapping[str, str] = field(default_factory=dict)
    digest: str = ""


def rows(task: Task) -> pd.DataFrame:
    """Return the rows of a task, columns as `records.store.SCHEMAS` says.

    Raises:
        RunError: an image or label map is damaged, or is not what it was; the first such.
            `runner.outcome` finds all of a task's.
    """
    with torch.inference_mode():
        return pd.DataFrame(_TABLES[task.table](task))


def sha256(array: np.ndarray) -> str:
    """Return the digest of an array's shape and bytes."""
    digest = hashlib.sha256(repr(array.shape).encode())
    digest.update(np.ascontiguousarray(array))
    return digest.hexdigest()


def blank_image(shape: tuple[int, ...]) -> np.ndarray:
    """Return the control image: uniform mid grey, uint8 of the given shape."""
    return np.full(shape, _GREY, np.uint8)


@lru_cache(maxsize=1)
def open_scenes(study: Study) -> Sequence[Scene]:
    """Open the scenes of a study (cached)."""
    return open_dataset(
        study.dataset,
        root=study.data_root,
        split=study.split,
        limit=study.scenes,
        seed=study.seed,
        class_map=study.class_map,
        image_size=study.image_size,
    )


def scene_facts(scene: Scene) -> list[object]:
    """Return what determines a scene, without looking at its pixels: files, or the generator."""
    if isinstance(scene, FileScene):
        files = file_facts([scene.image_path, scene.label_path])
        size = [] if scene.size is None else [list(scene.size)]
        return [scene.scene_id, *files, sha256(scene.table), *size]
    from vlmis_utils.streetworld.world import WORLD_VERSION

    return [scene.scene_id, WORLD_VERSION]


def sizes(scenes: Sequence[Scene]) -> list[tuple[int, int]]:
    """Return the sizes that a dataset's images have, (height, width), without reading pixels.

    Files that do not open are left out: they are named when their scene is recorded.
    """
    found = set()
    for scene in scenes:
        if not isinstance(scene, FileScene):
            return [(HEIGHT, WIDTH)]
        if scene.size is not None:
            return [scene.size]
        try:
            with Image.open(scene.image_path) as picture:
                found.add((picture.height, picture.width))
        except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
            continue
    return sorted(found)


@lru_cache(maxsize=1)
def replies(study: Study) -> Replies:
    """Open what hosted models have replied in a study (cached)."""
    return Replies(study.folder / "replies.jsonl", study.max_requests, study.max_cost)


# A scene's image and label map, the last ones kept: every condition and every model wants them.
pixels = Window(512 * 2**20)


@lru_cache(maxsize=1)
def model(load: Callable, entry: object, device: str) -> object:
    """Load a model, keeping only the last one."""
    return load(entry, device=device)


def loaded(task: Task) -> object:
    """Return the model of a task."""
    segments = task.table == "segmentation"
    load = task.loaders.segmenter if segments else task.loaders.vlm
    return model(load, task.entry, task.device)


def _scenes(task: Task) -> list[dict[str, object]]:
    found = []
    for scene in _slice(task):
        image, labels = pixels(scene)
        found.append(
            {
                "scene_id": scene.scene_id,
                "dataset": task.study.dataset,
                "split": task.study.split,
                "height": labels.shape[0],
                "width": labels.shape[1],
                "pixel_counts": pixel_counts(labels),
                "corridor_counts": pixel_counts(labels[corridor_mask(*labels.shape)]),
                "safe": bool(scene.safe),
                "safety_reason": scene.safety_reason,
                "image_sha256": sha256(image),
                "labels_sha256": sha256(labels),
            }
        )
    return found


def _conditions(task: Task) -> list[dict[str, object]]:
    found = []
    for scenes, clean, degraded in _batches(task):
        for scene, before, after in zip(scenes, clean, degraded, strict=True):
            labels, box = pixels(scene)[1], None
            if task.condition.startswith("OCC"):
                severity = int(task.condition[-1])
                box = occluder(scene.scene_id, severity, *labels.shape, task.study.seed)
                top, left, height, width = box
                labels = labels.copy()
                labels[top : top + height, left : left + width] = IGNORE
            found.append(
                {
                    "scene_id": scene.scene_id,
                    "condition": task.condition,
                    "psnr": _psnr(before, after),
                    "occluder": box,
                    "visible_counts": pixel_counts(labels),
                    "image_sha256": sha256(after),
                }
            )
    return found


def _segmentation(task: Task) -> list[dict[str, object]]:
    segmenter = loaded(task)
    found = []
    for scenes, _, degraded in _batches(task):
        start = time.perf_counter()
        predicted = np.asarray(segmenter.predict(_tensor(degraded)).cpu())
        seconds = (time.perf_counter() - start) / len(scenes)
        inside = corridor_mask(*predicted.shape[1:])
        for scene, output in zip(scenes, predicted, strict=True):
            whole, part = confusion_within(pixels(scene)[1], output, inside)
            found.append(
                {
                    "segmenter": task.entry.name,
                    "scene_id": scene.scene_id,
                    "condition": task.condition,
                    "confusion": whole.ravel(),
                    "corridor_confusion": part.ravel(),
                    "seconds": seconds,
                }
            )
    return found


def _answers(task: Task) -> list[dict[str, object]]:
    vlm = loaded(task)
    if isinstance(vlm, Paid):
        vlm.keep_replies(replies(task.study))
    found = []
    to_blank: dict[tuple[int, ...], tuple[list[list[Answer]], float]] = {}
    for scenes, _, degraded in _batches(task):
        if task.condition != BLANK:
            answered, seconds = _ask(vlm, degraded)
        else:  # one grey image of a size stands for all
            if degraded.shape[1:] not in to_blank:
                to_blank[degraded.shape[1:]] = _ask(vlm, degraded[:1])
            answered, seconds = to_blank[degraded.shape[1:]]
            answered = answered * len(scenes)
        for scene, of_scene in zip(scenes, answered, strict=True):
            for prompt, answer in zip(PROMPTS, of_scene, strict=True):
                asked = {
                    "vlm": task.entry.name,
                    "scene_id": scene.scene_id,
                    "condition": task.condition,
                    "prompt": prompt.name,
                }
                found.append(asked | _answer_columns(answer.finite()) | {"seconds": seconds})
    return found


def _answer_columns(answer: Answer) -> dict[str, object]:
    """Return an answer as it is recorded; reasoning that its text holds stays there, too."""
    inside = split_reasoning(answer.text)[0] if answer.text else ""
    ended = answer.finish_reason
    return {
        "text": answer.text,
        "labels": list(answer.labels),
        "scores": list(answer.scores),
        "p_yes": answer.p_yes,
        "p_no": answer.p_no,
        "finish_reason": ended,
        "truncated": None if ended is None else ended == "length",
        "reasoning": "\n".join(filter(None, (answer.reasoning, inside))) or None,
        "prompt_tokens": answer.prompt_tokens,
        "completion_tokens": answer.completion_tokens,
        "reasoning_tokens": answer.reasoning_tokens,
    }


def _ask(vlm: Vlm, images: np.ndarray) -> tuple[list[list[Answer]], float]:
    """Return the answers to all prompts, images outside, and the seconds for each answer."""
    start = time.perf_counter()
    answered = vlm.answer(_tensor(images), PROMPTS)
    return answered, (time.perf_counter() - start) / (len(images) * len(PROMPTS))


_TABLES: dict[str, Callable[[Task], list[dict[str, object]]]] = {
    "scenes": _scenes,
    "conditions": _conditions,
    "segmentation": _segmentation,
    "answers": _answers,
}


def _slice(task: Task) -> list[Scene]:
    scenes = open_scenes(task.study)
    return [scenes[index] for index in range(task.start, min(task.stop, len(scenes)))]


def _batches(task: Task) -> Iterator[tuple[list[Scene], np.ndarray, np.ndarray]]:
    """Yield scenes, clean and degraded images uint8 (B, H, W, 3), B at most the batch size.

    Beside a GPU the next batch is made while the model has this one; on a CPU the model has all
    cores, and there is nothing to gain.
    """
    return _made(task) if task.device.startswith("cpu") else ahead(_made(task))


def _made(task: Task) -> Iterator[tuple[list[Scene], np.ndarray, np.ndarray]]:
    batch: list[Scene] = []
    images: list[np.ndarray] = []
    for scene in _slice(task):
        image = pixels(scene)[0]
        if batch and (len(batch) == task.study.batch_size or image.shape != images[0].shape):
            yield batch, *_degrade(task, batch, np.stack(images))
            batch, images = [], []
        batch.append(scene)
        images.append(image)
    if batch:
        yield batch, *_degrade(task, batch, np.stack(images))


def _degrade(task: Task, scenes: list[Scene], clean: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    if task.condition == BLANK:
        degraded = blank_image(clean.shape)
    else:
        out = corrupt(
            _tensor(clean),
            task.condition,
            scene_ids=[scene.scene_id for scene in scenes],
            seed=task.study.seed,
            blur_scale=task.study.blur_scale,
            noise_sigma=task.study.noise_sigma,
        )
        degraded = np.ascontiguousarray(out.permute(0, 2, 3, 1).numpy())
    for scene, image in zip(scenes, degraded, strict=True):
        recorded = task.images.get(scene.scene_id)
        if recorded is not None and recorded != sha256(image):
            raise RunError(
                f"scene {scene.scene_id} under {task.condition} is not the image recorded: the "
                f"data changed during the study; remove {task.study.store / 'shards'} and rerun"
            )
    return clean, degraded


def _tensor(images: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(images).permute(0, 3, 1, 2).contiguous()


def _psnr(before: np.ndarray, after: np.ndarray) -> float | None:
    error = np.mean((before.astype(np.float64) - after) ** 2)
    return 10 * math.log10(255**2 / error) if error else None
