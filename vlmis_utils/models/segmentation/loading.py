"""From a catalogue entry to a segmenter: find the checkpoint, load it with its library."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from vlmis_utils.core.errors import UserError, closest
from vlmis_utils.core.progress import say
from vlmis_utils.models.checkpoints import FILES, folder_digest
from vlmis_utils.models.hub import fetch
from vlmis_utils.models.options import read_options
from vlmis_utils.models.segmentation.argmax import greatest, resize
from vlmis_utils.models.segmentation.backends import load_deeplab, load_transformers
from vlmis_utils.models.segmentation.exported import load_exported
from vlmis_utils.models.segmentation.label_map import label_table, missing_classes
from vlmis_utils.models.segmentation.log_shares import log_shares
from vlmis_utils.models.segmentation.options import (
    ExportedOptions,
    SegmenterOptions,
    options_of,
    precision,
)
from vlmis_utils.models.segmentation.segmenter import Segmenter
from vlmis_utils.models.segmentation.sliding_window import window_scores
from vlmis_utils.protocol.classes import IGNORE
from vlmis_utils.protocol.models import EXPORTED, LIBRARIES, ModelEntry, checkpoint_path

__all__ = ["load_segmenter"]


def load_segmenter(entry: ModelEntry, device: str = "cpu") -> Segmenter:
    """Load the segmenter of a catalogue entry; its library is imported only now.

    Its options are those of `options_of` its library. Weights are safetensors, or one exported file
    whose operations its own runtime knows; no code of a checkpoint runs.

    Args:
        entry: from `protocol.models.load_catalogue`, with ``kind`` "segmenter".
        device: such as "cpu" (float32) or "cuda:0" (autocast, channels last); an exported file
            runs on the CPU whatever it says.

    Raises:
        UserError: the entry is no segmenter, its library or an option is unknown, its checkpoint is
            missing or broken, or its labels are not the 19 train classes.
    """
    if entry.kind != "segmenter":
        raise UserError(
            f"model {entry.name!r} is a {entry.kind}, not a segmenter: list it elsewhere"
        )
    known = [name for name, kind in LIBRARIES.items() if kind == "segmenter"]
    if entry.library not in known:
        raise UserError(
            f"model {entry.name!r}: unknown segmenter library {entry.library!r}"
            f"{closest(entry.library, known)}"
        )
    options = read_options(options_of(entry.library), entry)
    place = _locate(entry)
    scored = steps = None
    if isinstance(options, ExportedOptions):
        labels, table = load_exported(entry, options, place)
        used = torch.float32
    else:
        steps, scored, table = _of_scores(entry, options, place, device)
        labels = steps
        used = precision(device, options.precision)
    missing = missing_classes(table)
    if missing:
        say(f"model {entry.name!r} cannot predict {', '.join(missing)}: their IoU is 0 in scenes"
            " that have them")  # fmt: skip
    digest = _digest(place, entry, used)
    commit = None if checkpoint_path(entry) else place.name
    return Segmenter(entry.name, labels, digest, device, used, missing, commit, scored, steps)


def _of_scores(
    entry: ModelEntry, options: SegmenterOptions, folder: Path, device: str
) -> tuple[_Steps, Callable, np.ndarray]:
    """Return what maps images to train ids, alone and with log probabilities, and the table.

    The table has the train id of each of the checkpoint's labels.
    """
    load = load_deeplab if entry.library == "deeplabv3plus" else load_transformers
    scores, names = load(entry, options, folder, device)
    table = label_table(entry.name, names, options.label_map)
    kept = torch.from_numpy(table != IGNORE).nonzero().flatten()
    chosen = None if len(kept) == len(table) else kept.to(device)
    ids = torch.from_numpy(table)[kept].to(device)

    def whole(images: Tensor) -> Tensor:
        if options.window is None:
            return scores(images, chosen)
        return window_scores(
            lambda part: resize(scores(part, chosen), tuple(part.shape[2:])),
            images, options.window, options.stride,
        )  # fmt: skip

    def scored(images: Tensor, grid: tuple[int, int]) -> tuple[Tensor, Tensor]:
        given = whole(images)
        logits = entry.library != "transformers-universal"
        shares = log_shares(resize(given, grid).float(), ids, logits)
        return greatest(given, tuple(images.shape[2:]), ids), shares

    return _Steps(whole, ids), scored, table


@dataclass(frozen=True)
class _Steps:
    """From images to scores, and from scores to the ids of the greatest."""

    scores: Callable[[Tensor], Tensor]
    ids: Tensor

    def labels(self, scores: Tensor, size: tuple[int, int]) -> Tensor:
        return greatest(scores, size, self.ids)

    def __call__(self, images: Tensor) -> Tensor:
        return self.labels(self.scores(images), tuple(images.shape[2:]))


def _digest(folder: Path, entry: ModelEntry, used: torch.dtype) -> str:
    """Return the digest of the files, and of options and precision unless they are the default."""
    files = folder_digest(folder)
    if not entry.options and used == torch.float32:
        return files
    return hashlib.sha256(repr((files, entry.options, str(used))).encode()).hexdigest()[:16]


def _locate(entry: ModelEntry) -> Path:
    """Return the checkpoint on disk, fetched from the hub where it names a folder there."""
    path = checkpoint_path(entry)
    if entry.library in EXPORTED:
        ending = EXPORTED[entry.library]
        if path is None or path.is_dir() or path.suffix != ending:
            raise UserError(
                f"model {entry.name!r}: {entry.checkpoint} is no {ending} file, which"
                f" {entry.library} reads: mend it in the model catalogue"
            )
        return path
    if path is None:
        return fetch(entry.name, entry.checkpoint, entry.revision, FILES)
    if path.is_dir():
        return path
    layout = "deeplabv3plus" if entry.library == "deeplabv3plus" else "transformers"
    raise UserError(
        f"model {entry.name!r}: {entry.checkpoint} is a file, not a folder with config.json and"
        f" safetensors weights: run `vlmis convert {layout} {entry.checkpoint} FOLDER` once and"
        " name that folder in the model catalogue"
    )
