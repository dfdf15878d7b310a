"""What one unit of work computes: rows of a table for some scenes under one condition.

These functions run in worker processes. Everything they need comes with the task, or is found in
the process's `RunContext`, which keeps scenes and the last model for the next task.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import torch

from vlmis_utils.datasets.registry import Scene
from vlmis_utils.metrics.confusion import confusion_within
from vlmis_utils.models.vlm.loading import Paid, Vlm
from vlmis_utils.protocol.answer import Answer
from vlmis_utils.protocol.classes import IGNORE, pixel_counts
from vlmis_utils.protocol.conditions import BLANK
from vlmis_utils.protocol.image_corridor import corridor_mask
from vlmis_utils.protocol.models import ModelEntry
from vlmis_utils.protocol.prompts import PROMPTS
from vlmis_utils.protocol.reasoning import split_reasoning
from vlmis_utils.protocol.study import Study
from vlmis_utils.records.masks import mask_png
from vlmis_utils.runner.context import Loaders, RunContext, context_of, hosted
from vlmis_utils.runner.images import Batch, array_digest, batches, image_digest, luma, psnr
from vlmis_utils.runner.in_time import occluder_of, placed, timed
from vlmis_utils.runner.segmenting_in_time import segmentation_rows
from vlmis_utils.runner.signals import of_pictures, of_segmenter, segmented, with_flips

__all__ = ["Task", "rows"]

Rows = list[dict[str, object]]


@dataclass(frozen=True)
class Task:
    """Rows to compute: a table, for scenes start to stop of the study, under one condition.

    Attributes:
        study, table, condition: which rows; ``condition`` is empty for scenes.
        start, stop: scenes by their place in the split.
        entry: the model's catalogue entry, None for scenes and conditions.
        device: where the models of the study run.
        loaders: how the entry becomes a model.
        images: the recorded digest of each degraded image, by scene_id; checked before a model
            sees it. Empty for scenes and conditions.
        digest: the model's, for a machine that may have another under its name.
        mirrored: whether a segmenter also sees each image mirrored.
    """

    study: Study
    table: str
    condition: str
    start: int
    stop: int
    entry: ModelEntry | None = None
    device: str = "cpu"
    loaders: Loaders = Loaders()
    images: Mapping[str, str] = field(default_factory=dict)
    digest: str = ""
    mirrored: bool = False

    @property
    def context(self) -> RunContext:
        """The study, open in this process."""
        return context_of(self.study, self.loaders, self.device)

    @property
    def scenes(self) -> list[Scene]:
        """The scenes of the task."""
        scenes = self.context.scenes
        return [scenes[index] for index in range(self.start, min(self.stop, len(scenes)))]

    @property
    def model(self) -> object:
        """The model of the task, loaded."""
        return self.context.model(self.entry)

    def batches(self) -> Iterator[Batch]:
        """Yield the images of the task; a hosted model gets them from the CPU."""
        device = "cpu" if hosted(self.entry) else self.device
        return batches(self.context, self.scenes, self.condition, device, self.images)


def rows(task: Task) -> pd.DataFrame:
    """Return the rows of a task, columns as `records.store.SCHEMAS` says.

    Raises:
        RunError: an image or label map is damaged, or is not what it was; the first such.
            `runner.outcome` finds all of a task's.
    """
    with torch.inference_mode():
        return pd.DataFrame(_TABLES[task.table](task))


def _scenes(task: Task) -> Rows:
    found = []
    for scene in task.scenes:
        image, labels = task.context.decoded(scene)
        found.append(
            timed(scene)
            | {
                "scene_id": scene.scene_id,
                "dataset": task.study.dataset,
                "split": task.study.split,
                "height": labels.shape[0],
                "width": labels.shape[1],
                "pixel_counts": pixel_counts(labels),
                "corridor_counts": pixel_counts(labels[corridor_mask(*labels.shape)]),
                "safe": bool(scene.safe),
                "safety_reason": scene.safety_reason,
                "image_sha256": image_digest(image),
                "labels_sha256": array_digest(labels),
            }
        )
    return found


def _conditions(task: Task) -> Rows:
    found = []
    for batch in task.batches():
        clean = batch.clean.to(batch.seen.device)
        signals = of_pictures(batch.seen)
        for index, scene in enumerate(batch.scenes):
            labels = batch.labels[index]
            box = occluder_of(task.study, scene, task.condition, labels.shape)
            if box is not None:
                top, left, height, width = box
                labels = labels.copy()
                labels[top : top + height, left : left + width] = IGNORE
            found.append(
                placed(scene)
                | {
                    "scene_id": scene.scene_id,
                    "condition": task.condition,
                    "psnr": psnr(clean[index], batch.seen[index]),
                    "occluder": box,
                    "visible_counts": pixel_counts(labels),
                    "image_sha256": batch.digests[index],
                    "luma": luma(batch.seen[index]),
                    **signals[index],
                }
            )
    return found


def _segmentation(task: Task) -> Rows:
    if task.study.frames:
        return segmentation_rows(task)
    segmenter = task.model
    found = []
    for batch in task.batches():
        start = time.perf_counter()
        maps, shares = segmented(segmenter, batch.seen)
        predicted = np.asarray(maps.cpu())
        seconds = (time.perf_counter() - start) / len(batch.scenes)
        signals = of_segmenter(predicted, shares, batch.labels)
        if task.mirrored:
            signals = with_flips(signals, predicted, segmenter, batch.seen)
        inside = corridor_mask(*predicted.shape[1:])
        of_each = zip(batch.scenes, batch.labels, predicted, signals, strict=True)
        for scene, labels, output, own in of_each:
            whole, part = confusion_within(labels, output, inside)
            found.append(
                {
                    "segmenter": task.entry.name,
                    "scene_id": scene.scene_id,
                    "condition": task.condition,
                    "confusion": whole.ravel(),
                    "corridor_confusion": part.ravel(),
                    "seconds": seconds,
                    "mask": mask_png(output),
                    **own,
                }
            )
    return found


def _answers(task: Task) -> Rows:
    vlm = task.model
    if isinstance(vlm, Paid):
        vlm.keep_replies(task.context.replies)
    found = []
    to_blank: dict[torch.Size, tuple[list[list[Answer]], float]] = {}
    for batch in task.batches():
        if task.condition != BLANK:
            answered, seconds = _ask(vlm, batch.seen)
        else:  # one grey image of a size stands for all
            size = batch.seen.shape[1:]
            if size not in to_blank:
                to_blank[size] = _ask(vlm, batch.seen[:1])
            answered, seconds = to_blank[size]
            answered = answered * len(batch.scenes)
        for scene, of_scene in zip(batch.scenes, answered, strict=True):
            for prompt, answer in zip(PROMPTS, of_scene, strict=True):
                asked = placed(scene) | {
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
        "first_entropy": answer.first_entropy,
        "first_margin": answer.first_margin,
        "embedding": answer.embedding,
    }


def _ask(vlm: Vlm, images: torch.Tensor) -> tuple[list[list[Answer]], float]:
    """Return the answers to all prompts, images outside, and the seconds for each answer."""
    start = time.perf_counter()
    answered = vlm.answer(images, PROMPTS)
    return answered, (time.perf_counter() - start) / (len(images) * len(PROMPTS))


_TABLES: dict[str, Callable[[Task], Rows]] = {
    "scenes": _scenes,
    "conditions": _conditions,
    "segmentation": _segmentation,
    "answers": _answers,
}
