"""From a catalogue entry to a segmenter: find the checkpoint, load it with its library."""

from __future__ import annotations

import hashlib
from pathlib import Path

import torch
from torch import Tensor

from vlmis_utils.core.errors import UserError, closest
from vlmis_utils.core.progress import say
from vlmis_utils.models.checkpoints import FILES, folder_digest
from vlmis_utils.models.hub import fetch
from vlmis_utils.models.options import read_options
from vlmis_utils.models.segmentation.argmax import greatest, resize
from vlmis_utils.models.segmentation.backends import load_deeplab, load_transformers
from vlmis_utils.models.segmentation.label_map import label_table, missing_classes
from vlmis_utils.models.segmentation.options import SegmenterOptions, precision
from vlmis_utils.models.segmentation.segmenter import Segmenter
from vlmis_utils.models.segmentation.sliding_window import window_scores
from vlmis_utils.protocol.classes import IGNORE
from vlmis_utils.protocol.models import ModelEntry, checkpoint_path

__all__ = ["LIBRARIES", "load_segmenter"]

LIBRARIES: tuple[str, ...] = ("deeplabv3plus", "transformers-semantic", "transformers-universal")


def load_segmenter(entry: ModelEntry, device: str = "cpu") -> Segmenter:
    """Load the segmenter of a catalogue entry; its library is imported only now.

    Its options are `SegmenterOptions`. Weights are safetensors; no code of a checkpoint runs.

    Args:
        entry: from `protocol.models.load_catalogue`, with ``kind`` "segmenter".
        device: such as "cpu" (float32) or "cuda:0" (autocast, channels last).

    Raises:
        UserError: the entry is no segmenter, its library or an option is unknown, its checkpoint is
            missing or broken, or its labels are not the 19 train classes.
    """
    if entry.kind != "segmenter":
        raise UserError(
            f"model {entry.name!r} is a {entry.kind}, not a segmenter: list it elsewhere"
        )
    if entry.library not in LIBRARIES:
        raise UserError(
            f"model {entry.name!r}: unknown segmenter library {entry.library!r}"
            f"{closest(entry.library, LIBRARIES)}"
        )
    options = read_options(SegmenterOptions, entry)
    folder = _locate(entry)
    load = load_deeplab if entry.library == "deeplabv3plus" else load_transformers
    scores, names = load(entry, options, folder, device)
    table = label_table(entry.name, names, options.label_map)
    kept = torch.from_numpy(table != IGNORE).nonzero().flatten()
    chosen = None if len(kept) == len(table) else kept.to(device)

    ids = torch.from_numpy(table)[kept].to(device)

    def labels(images: Tensor) -> Tensor:
        size = tuple(images.shape[2:])
        if options.window is None:
            return greatest(scores(images, chosen), size, ids)
        whole = window_scores(
            lambda part: resize(scores(part, chosen), tuple(part.shape[2:])),
            images, options.window, options.stride,
        )  # fmt: skip
        return greatest(whole, size, ids)

    missing = missing_classes(table)
    if missing:
        say(f"model {entry.name!r} cannot predict {', '.join(missing)}: their IoU is 0 in scenes"
            " that have them")  # fmt: skip
    used = precision(device, options.precision)
    digest = _digest(folder, entry, used)
    commit = None if checkpoint_path(entry) else folder.name
    return Segmenter(entry.name, labels, digest, device, used, missing, commit)


def _digest(folder: Path, entry: ModelEntry, used: torch.dtype) -> str:
    """Return the digest of the files, and of options and precision unless they are the default."""
    files = folder_digest(folder)
    if not entry.options and used == torch.float32:
        return files
    return hashlib.sha256(repr((files, entry.options, str(used))).encode()).hexdigest()[:16]


def _locate(entry: ModelEntry) -> Path:
    """Return the checkpoint's folder on disk, fetched from the hub where it names one."""
    path = checkpoint_path(entry)
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
