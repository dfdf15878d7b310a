"""What half precision on disk changes: trained weights in float32 against the checkpoint's float16.

The resume state of a training keeps the averaged weights that the checkpoint was written from. They
are written into a copy of the checkpoint's folder, and both load through their library's standard
path: so what is compared is what a user gets.
"""

from __future__ import annotations

import dataclasses
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from vlmis_utils.metrics.confusion import confusion
from vlmis_utils.metrics.per_image import Reading
from vlmis_utils.metrics.segmentation import miou
from vlmis_utils.models.segmentation.loading import load_segmenter
from vlmis_utils.models.vlm.loading import load_vlm
from vlmis_utils.protocol.models import ModelEntry
from vlmis_utils.training.data import TrainingData
from vlmis_utils.training.evaluation import language

__all__ = ["STATES", "averaged", "compare", "full_precision"]

# The last stage of a training, whose state holds the weights of the checkpoint.
STATES: dict[str, str] = {"qwen2-vl": "qwen2-vl-joint"}
_PREFIXES = ("core.", "model.", "")
_CLASSES: dict[str, str] = {
    "transformers-semantic": "AutoModelForSemanticSegmentation",
    "transformers-universal": "AutoModelForUniversalSegmentation",
    "transformers-vlm": "AutoModelForImageTextToText",
}


def averaged(state: str | Path, stored: Mapping[str, Tensor]) -> dict[str, Tensor] | None:
    """Return the float32 weights of a resume state under the checkpoint's names.

    Args:
        state: file that `training.fit` wrote.
        stored: the checkpoint's weights, in float16, or read from it into float32.

    Returns:
        None where the state is not what the checkpoint was written from: its weights, rounded, are
        not those on disk.
    """
    average = torch.load(state, map_location="cpu", weights_only=True)["average"]
    found = {}
    for name, kept in stored.items():
        own = next((average[p + name] for p in _PREFIXES if p + name in average), None)
        if own is None:
            return None
        rounded = own.half() if own.is_floating_point() else own
        if not torch.equal(rounded.to(kept.dtype), kept):
            return None
        found[name] = own.contiguous()
    return found


@contextmanager
def full_precision(entry: ModelEntry, state: str | Path) -> Iterator[ModelEntry | None]:
    """Give the entry of a float32 copy of a checkpoint, for as long as the block lasts.

    Args:
        entry: its checkpoint a folder with one safetensors file.
        state: see `averaged`; where it does not belong to the checkpoint, None is given.
    """
    (file,) = Path(entry.checkpoint).glob("*.safetensors")
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(file.parent, folder, dirs_exist_ok=True)
        if entry.library in _CLASSES:  # transformers saves weights under other names than it uses
            import transformers

            auto = getattr(transformers, _CLASSES[entry.library])
            model = auto.from_pretrained(file.parent, dtype=torch.float32)
            found = averaged(state, model.state_dict())
            if found is not None:
                model.load_state_dict(found)
                model.save_pretrained(folder)
        else:
            found = averaged(state, load_file(file))
            if found is not None:
                save_file(found, Path(folder) / file.name, metadata={"format": "pt"})
        yield None if found is None else dataclasses.replace(entry, checkpoint=folder)


def compare(entry: ModelEntry, state: str | Path, data: TrainingData) -> list[dict[str, Any]]:
    """Return how far the checkpoint's answers are from those of the trained weights.

    Args:
        entry: of the checkpoint.
        state: of its training.
        data: scenes to ask about.

    Returns:
        measure, value and n (of what the value is a share or a maximum): for a segmenter ``equal
        pixels`` and ``difference of mIoU``; for a vision-language model ``equal answers``, of all
        prompts as they are read, and ``largest score difference``, of logits or of probabilities of
        the first word. Empty where the state is not the checkpoint's.
    """
    with full_precision(entry, state) as exact:
        if exact is None:
            return []
        pair = _segmented if entry.kind == "segmenter" else _spoken
        return pair(exact, entry, data)


def _segmented(
    exact: ModelEntry, entry: ModelEntry, data: TrainingData, batch: int = 4
) -> list[dict[str, Any]]:
    equal, counts = 0, np.zeros((2, 19, 19), dtype=np.int64)
    models = [load_segmenter(each) for each in (exact, entry)]
    for start in range(0, len(data), batch):
        images = torch.from_numpy(np.array(data.images[start : start + batch])).permute(0, 3, 1, 2)
        maps = [model.predict(images).numpy() for model in models]
        equal += int((maps[0] == maps[1]).sum())
        truth = data.labels[start : start + batch]
        counts += np.stack([confusion(truth, each) for each in maps])
    change = float(abs(miou(counts[0]) - miou(counts[1])))
    pixels = int(data.labels.size)
    return [
        {"measure": "equal pixels", "value": equal / pixels, "n": pixels},
        {"measure": "difference of mIoU", "value": change, "n": len(data)},
    ]


def _spoken(exact: ModelEntry, entry: ModelEntry, data: TrainingData) -> list[dict[str, Any]]:
    answers = [language.ask(load_vlm(each), data.images) for each in (exact, entry)]
    same, apart = [], 0.0
    for row, other in zip(*answers, strict=True):
        for one, two in zip(row, other, strict=True):
            same.append(_read(one) == _read(two))
            scores = [a.scores or (a.p_yes or 0.0, a.p_no or 0.0) for a in (one, two)]
            apart = max(apart, float(np.abs(np.subtract(*scores)).max()))
    return [
        {"measure": "equal answers", "value": float(np.mean(same)), "n": len(same)},
        {"measure": "largest score difference", "value": apart, "n": len(same)},
    ]


def _read(answer: Any) -> Any:
    if len(answer.labels) > 2:
        return Reading().mentions(answer)
    return Reading().decision(answer) if answer.labels else answer.text
