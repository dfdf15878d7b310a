"""Segmentation models under test: a checkpoint becomes a function from images to label maps.

Public checkpoints and the embedded ones load by the same code: DeepLabV3+ through
`vlmis_utils.deeplab`, the others through transformers with their own image processor. The whole
image is segmented at once (no sliding window); scores are upsampled bilinearly to the image's size
before the argmax.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from vlmis_utils.errors import RunError, UserError, closest
from vlmis_utils.taxonomy import TRAIN_CLASSES

if TYPE_CHECKING:
    from vlmis_utils.catalogue import ModelEntry

__all__ = ["LIBRARIES", "Segmenter", "folder_digest", "label_table", "load_segmenter"]

LIBRARIES: tuple[str, ...] = ("deeplabv3plus", "transformers-semantic", "transformers-universal")
_FILES = ("*.json", "*.safetensors")


class _Scorer(Protocol):
    def __call__(self, images: Tensor) -> Tensor:
        """Map uint8 (B, 3, H, W) to the model's own labels, int64 (B, H, W)."""
        ...


class Segmenter:
    """A segmentation model on a device.

    Attributes:
        digest: 16 hex digits, SHA-256 of the checkpoint's weights and configuration files.
        device: where it runs.
    """

    def __init__(self, name: str, labels: _Scorer, table: Tensor, digest: str, device: str) -> None:
        self.name = name
        self.digest = digest
        self.device = device
        self._labels = labels
        self._table = table.to(device)

    def predict(self, images: Tensor) -> Tensor:
        """Segment a batch.

        A batch that does not fit in memory is halved until it does.

        Args:
            images: uint8 (B, 3, H, W), RGB, on any device.

        Returns:
            train ids, uint8 (B, H, W), on the images' device.

        Raises:
            UserError: images of another shape or type.
            RunError: one image alone does not fit in memory.
        """
        if images.ndim != 4 or images.shape[1] != 3 or images.dtype != torch.uint8:
            raise UserError(
                f"images must be uint8 (B, 3, H, W), not {images.dtype} {tuple(images.shape)}"
            )
        if len(images) == 0:
            return images.new_empty((0, *images.shape[2:]))
        try:
            with torch.inference_mode(), _autocast(self.device):
                return self._table[self._labels(images.to(self.device))].to(images.device)
        except (torch.OutOfMemoryError, RuntimeError) as error:
            if not _out_of_memory(error):
                raise
            size = len(images)
        if size == 1:
            height, width = images.shape[2:]
            raise RunError(f"{self.name}: one {height}x{width} image does not fit in memory")
        if self.device.startswith("cuda"):
            torch.cuda.empty_cache()
        half = (size + 1) // 2
        return torch.cat([self.predict(images[:half]), self.predict(images[half:])])


def load_segmenter(entry: ModelEntry, device: str = "cpu") -> Segmenter:
    """Load the segmenter of a catalogue entry; its library is imported only now.

    Args:
        entry: from `vlmis_utils.catalogue.load_catalogue`, with ``kind`` "segmenter".
        device: such as "cpu" (float32) or "cuda:0" (bfloat16 autocast).

    Raises:
        UserError: the entry is no segmenter, its library is unknown, its checkpoint is missing or
            broken, or its labels are not the 19 train classes.
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
    path = _locate(entry)
    load = _load_deeplab if entry.library == "deeplabv3plus" else _load_transformers
    labels, names = load(entry, path, device)
    table = label_table(entry.name, names)
    return Segmenter(entry.name, labels, torch.from_numpy(table), folder_digest(path), device)


def label_table(name: str, labels: list[str]) -> np.ndarray:
    """Match a checkpoint's labels with the train classes by name.

    Case, underscores and hyphens do not matter.

    Args:
        name: of the model, for the message.
        labels: the label of each output index.

    Returns:
        uint8 (len(labels),): the train id of each output index.

    Raises:
        UserError: a label is unknown, or a train class is missing.
    """
    plain = [
        " ".join(label.lower().replace("_", " ").replace("-", " ").split()) for label in labels
    ]
    unknown = [
        label for label, word in zip(labels, plain, strict=True) if word not in TRAIN_CLASSES
    ]
    missing = [word for word in TRAIN_CLASSES if word not in plain]
    if unknown or missing:
        raise UserError(
            f"model {name!r} has another label set than the 19 Cityscapes train classes"
            f" (unknown: {', '.join(unknown) or 'none'}; missing: {', '.join(missing) or 'none'}):"
            " use a checkpoint trained on Cityscapes"
        )
    return np.array([TRAIN_CLASSES.index(word) for word in plain], dtype=np.uint8)


def folder_digest(path: str | Path) -> str:
    """Return 16 hex digits of the SHA-256 of a checkpoint: its JSON and safetensors files.

    Args:
        path: the checkpoint's folder, or the checkpoint where it is one file.
    """
    path = Path(path)
    files = [path] if path.is_file() else {f for kind in _FILES for f in path.glob(kind)}
    digest = hashlib.sha256()
    for file in sorted(files):
        if not file.name.startswith("."):
            digest.update(file.name.encode() + b"\0")
            with file.open("rb") as stream:
                digest.update(hashlib.file_digest(stream, "sha256").digest())
    return digest.hexdigest()[:16]


def _locate(entry: ModelEntry) -> Path:
    """Return the checkpoint's folder (or file) on disk, fetched from the hub where it names one."""
    from vlmis_utils.catalogue import checkpoint_path

    path = checkpoint_path(entry)
    if path is not None:
        return path
    if entry.library == "deeplabv3plus" or entry.checkpoint.count("/") != 1:
        raise UserError(
            f"model {entry.name!r}: no checkpoint at {entry.checkpoint}: run `make weights`, or"
            " mend the path in the model catalogue"
        )
    from huggingface_hub import snapshot_download

    try:
        return Path(
            snapshot_download(
                entry.checkpoint, revision=entry.revision, allow_patterns=list(_FILES)
            )
        )
    except Exception as error:
        raise UserError(
            f"model {entry.name!r}: checkpoint {entry.checkpoint} cannot be fetched"
            f" ({_first_line(error)}): check the id, the revision and the network"
        ) from error


def _load_deeplab(entry: ModelEntry, path: Path, device: str) -> tuple[_Scorer, list[str]]:
    from vlmis_utils.deeplab import DeepLabV3Plus

    stride = int(str(entry.option("output_stride", 16)))
    model = (
        DeepLabV3Plus.from_public(path, stride)
        if path.is_file()
        else DeepLabV3Plus.from_pretrained(path)
    )
    model = _ready(model, device).to(memory_format=torch.channels_last)
    config = model.config
    mean = torch.tensor(config.mean, device=device).view(1, 3, 1, 1)
    std = torch.tensor(config.std, device=device).view(1, 3, 1, 1)

    def labels(images: Tensor) -> Tensor:
        x = images.float() / 255
        if config.size is not None and tuple(images.shape[2:]) != tuple(config.size):
            x = _resize(x, config.size, antialias=True)
        logits = model.coarse(((x - mean) / std).contiguous(memory_format=torch.channels_last))
        return _labels(_resize(_resize(logits, tuple(x.shape[2:])), tuple(images.shape[2:])))

    return labels, list(config.labels)


def _load_transformers(entry: ModelEntry, folder: Path, device: str) -> tuple[_Scorer, list[str]]:
    from transformers import (
        AutoImageProcessor,
        AutoModelForSemanticSegmentation,
        AutoModelForUniversalSegmentation,
    )

    universal = entry.library == "transformers-universal"
    auto = AutoModelForUniversalSegmentation if universal else AutoModelForSemanticSegmentation
    try:
        processor: Any = AutoImageProcessor.from_pretrained(folder)
        model = auto.from_pretrained(folder, use_safetensors=True, dtype=torch.float32)
    except Exception as error:
        raise UserError(
            f"model {entry.name!r}: {folder} does not load ({_first_line(error)}):"
            " run `make weights`, or mend the checkpoint in the model catalogue"
        ) from error
    model = _ready(model, device)
    names = [str(model.config.id2label[index]) for index in range(model.config.num_labels)]

    def labels(images: Tensor) -> Tensor:
        inputs = processor(images=list(images), return_tensors="pt").to(device)
        size = tuple(images.shape[2:])
        if not universal:
            outputs = model(pixel_values=inputs["pixel_values"])
            return _labels(_resize(outputs.logits.float(), size))
        outputs = model(pixel_values=inputs["pixel_values"], pixel_mask=inputs.get("pixel_mask"))
        return _semantic(outputs.class_queries_logits, outputs.masks_queries_logits, size)

    return labels, names


def _semantic(classes: Tensor, masks: Tensor, size: tuple[int, ...]) -> Tensor:
    """Return the label maps of class logits (B, Q, C + 1) and mask logits (B, Q, h, w).

    The steps of the library's ``post_process_semantic_segmentation`` (masks at 384 x 384 first, as
    there), for the whole batch at once and with the faster `_labels`.
    """
    masks = _resize(masks.float(), (384, 384)).sigmoid()
    scores = torch.einsum("bqc,bqhw->bchw", classes.float().softmax(-1)[..., :-1], masks)
    return _labels(_resize(scores, size))


def _labels(logits: Tensor) -> Tensor:
    """Return the first greatest class of logits (B, C, H, W), int64 (B, H, W).

    On a CPU ``max`` takes a third of the time that ``argmax`` takes over this axis.
    """
    return logits.contiguous().max(1).indices


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def _ready(model: Any, device: str) -> Any:
    model = model.eval().requires_grad_(False).to(device)
    assert isinstance(model, nn.Module)
    return model.to(memory_format=torch.channels_last) if device.startswith("cuda") else model


def _resize(x: Tensor, size: tuple[int, ...], antialias: bool = False) -> Tensor:
    if tuple(x.shape[2:]) == tuple(size):
        return x
    return functional.interpolate(
        x, size, mode="bilinear", align_corners=False, antialias=antialias
    )


def _autocast(device: str) -> torch.autocast:
    kind = "cuda" if device.startswith("cuda") else "cpu"
    return torch.autocast(kind, torch.bfloat16, enabled=kind == "cuda")


def _out_of_memory(error: BaseException) -> bool:
    text = str(error).lower()
    return isinstance(error, torch.OutOfMemoryError) or any(
        phrase in text for phrase in ("out of memory", "can't allocate memory", "not enough memory")
    )
