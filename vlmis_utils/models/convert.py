"""Pickled checkpoints become safetensors: the one place that opens a PyTorch file.

Such a file is opened with ``weights_only=True``: tensors, numbers and containers are read, nothing
else is unpickled. DeepLabV3+ is taken in the layout of the widely used public PyTorch checkpoints
for Cityscapes: a dictionary with ``model_state``, keys ``backbone.*``, ``classifier.project.*``,
``classifier.aspp.*`` and ``classifier.classifier.*``. A transformers checkpoint is a folder or a
hub id with ``pytorch_model.bin``, in one file or in parts.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor

from vlmis_utils.core.errors import UserError, one_line
from vlmis_utils.core.sniff import what_is
from vlmis_utils.models.segmentation.deeplab import DeepLabConfig, DeepLabV3Plus
from vlmis_utils.protocol.classes import TRAIN_CLASSES

__all__ = ["convert_deeplab", "convert_transformers", "read_public"]

_TEXTS = ("*.json", "*.txt", "*.jinja", "*.model")
_WEIGHTS, _INDEX = "pytorch_model*.bin", "pytorch_model.bin.index.json"
_UNUSED = "num_batches_tracked"  # of batch norm: only training reads it
# The scalar that numpy 1 and numpy 2 pickle for a recorded score.
_SCALAR = np.float64(0).__reduce__()[0]
_HARMLESS = [
    (_SCALAR, "numpy.core.multiarray.scalar"),
    (_SCALAR, "numpy._core.multiarray.scalar"),
    np.dtype,
    type(np.dtype(np.float64)),
    type(np.dtype(np.float32)),
]


def convert_deeplab(file: str | Path, folder: str | Path, output_stride: int = 16) -> DeepLabV3Plus:
    """Write a public DeepLabV3+ checkpoint as a folder that `models.segmentation` loads.

    Weights stay float32, so the model gives what the file's own code gives.

    Args:
        file: the ``.pth`` file.
        folder: of ``config.json`` and ``model.safetensors``; made where it does not exist.
        output_stride: 16 or 8, that the checkpoint was trained for; the file does not say.

    Returns:
        the model, in evaluation mode on the CPU.

    Raises:
        UserError: no such file, or one of another layout; names the key.
    """
    model = read_public(file, output_stride)
    _made(folder)
    model.save_pretrained(folder, torch.float32)
    return model


def read_public(file: str | Path, output_stride: int = 16) -> DeepLabV3Plus:
    """Return the model of a public DeepLabV3+ file, its backbone and widths read from the keys.

    Args:
        file: a dictionary with ``model_state``, or that state dictionary alone.
        output_stride: that the checkpoint was trained for.

    Raises:
        UserError: no such file, or one of another layout; names the key.
    """
    read = _unpickled(Path(file))
    state = read.get("model_state", read)
    if not isinstance(state, Mapping) or not state:
        raise UserError(f"{file}: model_state holds no weights: is it a DeepLabV3+ checkpoint?")
    config = _config(file, state, output_stride)
    with torch.device("meta"):
        model = DeepLabV3Plus(config)
    expected = model.state_dict()
    for key in expected:
        if key not in state and not key.endswith(_UNUSED):
            raise _other_layout(file, f"key {key} is missing")
    for key, value in state.items():
        if key not in expected:
            raise _other_layout(file, f"key {key} is not part of it")
        if not isinstance(value, Tensor) or value.shape != expected[key].shape:
            found = list(value.shape) if isinstance(value, Tensor) else type(value).__name__
            raise _other_layout(file, f"key {key} is {found}, not {list(expected[key].shape)}")
    none = torch.zeros((), dtype=torch.int64)
    weights = {key: state.get(key, none).to(like.dtype) for key, like in expected.items()}
    model.load_state_dict(weights, assign=True)
    return model.eval()


def convert_transformers(
    source: str | Path, folder: str | Path, revision: str | None = None
) -> int:
    """Write a transformers checkpoint with pickled weights as one with safetensors.

    Configuration and tokenizer are copied, values and types of the weights kept.

    Args:
        source: a folder, or a hub id.
        folder: where to write; made where it does not exist.
        revision: commit, tag or branch of the hub repository; its newest where None.

    Returns:
        how many numbers the weights hold.

    Raises:
        UserError: nothing to convert, a file that does not open, or the hub does not give it.
    """
    home = Path(source)
    if not home.is_dir():
        from vlmis_utils.models.hub import fetch

        home = fetch(str(source), str(source), revision, (*_TEXTS, _WEIGHTS))
    files = sorted(home.glob(_WEIGHTS))
    if not files:
        safe = any(home.glob("*.safetensors"))
        why = "has safetensors weights already: name it in the model catalogue" if safe else (
            "has no pytorch_model.bin to convert"
        )  # fmt: skip
        raise UserError(f"{source} {why}")
    weights: dict[str, Tensor] = {}
    for file in files:
        for key, value in _unpickled(file).items():
            if not isinstance(value, Tensor):
                raise UserError(f"{file}: key {key} is {type(value).__name__}, not a tensor")
            weights[key] = value.detach().clone().contiguous()
    if (home / _INDEX).exists():
        due = json.loads((home / _INDEX).read_text(encoding="utf-8")).get("weight_map", {})
        lost = next((key for key in due if key not in weights), None)
        if lost is not None:
            raise UserError(f"{source}: {due[lost]} with key {lost} is missing: fetch it again")
    folder = _made(folder)
    for pattern in _TEXTS:
        for text in home.glob(pattern):
            if text.name != _INDEX:
                shutil.copyfile(text, folder / text.name)
    partial = folder / ".model.safetensors"
    save_file(weights, partial, metadata={"format": "pt"})
    partial.chmod(0o644)
    os.replace(partial, folder / "model.safetensors")
    return sum(value.numel() for value in weights.values())


def _unpickled(file: Path) -> Mapping[str, object]:
    if not file.is_file():
        raise UserError(f"no file {file}: give the path of a downloaded checkpoint")
    try:
        with torch.serialization.safe_globals(_HARMLESS):
            read = torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:
        other = re.search(r"GLOBAL (\S+)", str(error))
        if other:
            why = f"it holds {other[1]}, more than tensors and numbers"
        elif what := what_is(file):
            raise UserError(f"{file} is {what}") from error
        elif "weights" in str(error):  # torch's own words advise to load it unsafely
            why = "it is damaged, or no file that torch.save wrote"
        else:
            why = one_line(error)
        raise UserError(f"{file} is not read ({why}): download it again, or another") from error
    if not isinstance(read, Mapping):
        raise UserError(f"{file} holds a {type(read).__name__}, not a dictionary of weights")
    return read


def _config(file: str | Path, state: Mapping[str, object], output_stride: int) -> DeepLabConfig:
    def width(key: str) -> int:
        if not isinstance(state.get(key), Tensor):
            raise _other_layout(file, f"key {key} is missing")
        return len(state[key])  # type: ignore[arg-type]

    first = "backbone.low_level_features.0.0.weight"
    multiplier = 1.0
    if first in state:
        backbone, multiplier = "mobilenet_v2", width(first) / 32
    elif any(key.startswith("backbone.layer3.") for key in state):
        backbone = "resnet101" if "backbone.layer3.22.conv1.weight" in state else "resnet50"
    else:
        key = next((k for k in state if k.startswith("backbone.")), next(iter(state)))
        raise _other_layout(file, f"key {key} is of no MobileNetV2, ResNet-50 or ResNet-101")
    classes = width("classifier.classifier.3.bias")
    if classes != len(TRAIN_CLASSES):
        raise _other_layout(
            file, f"key classifier.classifier.3.bias is of {classes} classes, not the 19 of"
            " Cityscapes",
        )  # fmt: skip
    return DeepLabConfig(
        backbone=backbone,
        width_mult=multiplier,
        output_stride=output_stride,
        aspp_channels=width("classifier.aspp.project.0.weight"),
        project_channels=width("classifier.project.0.weight"),
        decoder_channels=width("classifier.classifier.0.weight"),
    )


def _other_layout(file: str | Path, what: str) -> UserError:
    return UserError(
        f"{file} is not in the layout of the public DeepLabV3+ checkpoints for Cityscapes ({what}):"
        " convert one of those"
    )


def _made(folder: str | Path) -> Path:
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(
            f"cannot write to {folder} ({error.strerror}): name another folder"
        ) from None
    return folder
