"""The failures that the evaluation chose, looked at again: picture, truth, and what was made of it.

``failures.csv`` says which scenes, chosen by a rule before anybody looked. Label maps and answers
are made anew from the checkpoints, so they are those of the weights that are there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch

from vlmis_utils.core.formatting import listing, number, percent
from vlmis_utils.datasets.registry import open_dataset
from vlmis_utils.metrics.per_image import Reading
from vlmis_utils.protocol.answer import Answer
from vlmis_utils.protocol.classes import LANGUAGE_NAMES, OBJECT_CLASSES
from vlmis_utils.protocol.models import ModelEntry
from vlmis_utils.protocol.prompts import PROMPTS
from vlmis_utils.training.evaluation.held_out import SEED, SPLIT

__all__ = ["Failure", "look", "reason"]


@dataclass(frozen=True, eq=False)
class Failure:
    """A scene that a model fails on.

    Attributes:
        model: its name.
        reason: why this one was chosen, in words.
        scene_id: of the scene.
        image: uint8 (H, W, 3).
        labels: the truth, uint8 (H, W).
        truth: object classes that are there, and whether it is safe to proceed, in words.
        output: a segmenter's label map uint8 (H, W); None for a vision-language model.
        answer: what a vision-language model said, in words; "" for a segmenter.
    """

    model: str
    reason: str
    scene_id: str
    image: np.ndarray
    labels: np.ndarray
    truth: str
    output: np.ndarray | None = None
    answer: str = ""


def reason(row: Mapping[str, object]) -> str:
    """Say why a scene was chosen.

    Args:
        row: of ``failures.csv``: rule, about, score.

    >>> reason({"rule": "largest miss", "about": "rider", "score": 812.0})
    'largest miss: cyclist, 812 pixels'
    """
    rule, about, score = str(row["rule"]), str(row["about"]), float(str(row["score"]))
    if rule == "largest miss":
        return f"{rule}: {LANGUAGE_NAMES.get(about, about)}, {score:.0f} pixels"
    if rule == "surest error":
        sure = percent(score) if score < 0.995 else "> 99 %"
        return f"{rule}: {about}, {sure} sure"
    return f"{rule}, {'mIoU' if row.get('kind') == 'segmenter' else 'F1'} {number(score)}"


def look(entries: Mapping[str, ModelEntry], failures: pd.DataFrame) -> list[Failure]:
    """Return the failures of some models, with what the models make of the scenes now.

    Args:
        entries: of the models' checkpoints; one model is loaded at a time.
        failures: rows of ``failures.csv``.
    """
    found = []
    for name, entry in entries.items():
        rows = failures[failures.model == name].to_dict("records")
        if rows:
            found += _of_model(name, entry, rows)
    return found


def _of_model(name: str, entry: ModelEntry, rows: list[dict]) -> list[Failure]:
    limit = 1 + max(int(row["scene"]) for row in rows)
    world = open_dataset("streetworld", split=SPLIT, limit=limit, seed=SEED)
    frames = [world[int(row["scene"])].frame() for row in rows]
    present = [world[int(row["scene"])].present & frozenset(OBJECT_CLASSES) for row in rows]
    images = torch.from_numpy(np.stack([f.image for f in frames])).permute(0, 3, 1, 2)
    outputs: list[np.ndarray | None] = [None] * len(rows)
    answers = [""] * len(rows)
    if entry.kind == "segmenter":
        from vlmis_utils.models.segmentation.loading import load_segmenter

        outputs = list(load_segmenter(entry).predict(images).numpy())
    else:
        from vlmis_utils.models.vlm.loading import load_vlm

        said = load_vlm(entry).answer(images, PROMPTS)
        answers = [_words(row, a) for row, a in zip(rows, said, strict=True)]
    return [
        Failure(
            name, reason(row | {"kind": entry.kind}), row["scene_id"], frame.image, frame.labels,
            _truth(row, there, frame), output, answer,
        )
        for row, frame, there, output, answer in zip(
            rows, frames, present, outputs, answers, strict=True
        )
    ]  # fmt: skip


def _truth(row: Mapping[str, object], present: frozenset[str], frame: object) -> str:
    if row["about"] == "safety":
        return f"{'safe' if frame.safe else 'not safe'}: {frame.safety_reason}"  # type: ignore
    if row["rule"] == "surest error":
        return f"{row['about']}: {'yes' if row['about'] in present else 'no'}"
    return listing(sorted(present), "no object")


def _words(row: Mapping[str, object], answers: list[Answer]) -> str:
    """Return what was said where the model failed: the mentions, or one closed answer."""
    place = {p.name: index for index, p in enumerate(PROMPTS)}
    about = str(row["about"])
    if not about:
        answer = answers[place["describe"]]
        return answer.text or listing(sorted(Reading().mentions(answer)), "nothing")
    answer = answers[place["safety" if about == "safety" else f"presence/{about}"]]
    return answer.text or f"{about}: {Reading().decision(answer)}"
