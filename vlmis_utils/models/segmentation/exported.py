"""Segmenters exported as one file: TFLite, run by LiteRT, and ONNX, run by ONNX Runtime.

The file says what it takes and gives: the type of its input, its size where that is fixed, and
where the channels are. What it cannot say is in the catalogue, see `ExportedOptions`. Images are
resized to the file's size by Pillow's bilinear filter, their aspect not kept. Both runtimes compute
on the CPU.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from vlmis_utils.core.errors import RunError, UserError
from vlmis_utils.models.segmentation.argmax import greatest, resize
from vlmis_utils.models.segmentation.label_map import label_table
from vlmis_utils.models.segmentation.options import ExportedOptions
from vlmis_utils.models.segmentation.runtimes import Runtime, open_file
from vlmis_utils.protocol.classes import IGNORE

if TYPE_CHECKING:
    from vlmis_utils.protocol.models import ModelEntry

__all__ = ["load_exported"]

_BYTES = {"uint8": 0, "int8": 128}  # type of an input that takes bytes -> what is subtracted
_FLOATS = ("float32", "float16")
_CHANNELS = {"nhwc": 3, "nchw": 1}  # layout -> axis


def load_exported(
    entry: ModelEntry, options: ExportedOptions, path: Path
) -> tuple[Callable[[Tensor], Tensor], np.ndarray]:
    """Return what maps images to train ids, and the train id of each of the file's labels.

    Args:
        entry: of the catalogue, ``library`` "litert" or "onnx".
        options: of the entry.
        path: the file.

    Returns:
        a function from uint8 (B, 3, H, W) to uint8 (B, H, W), and the table of `label_table`.

    Raises:
        UserError: the runtime is not installed, the file does not open, or its input is not what
            the options say.
    """
    runtime = open_file(entry, path)
    layout, size = _input(entry.name, runtime, options)
    table = label_table(entry.name, options.labels, options.label_map)
    kept = torch.from_numpy(table != IGNORE).nonzero().flatten()
    ids = torch.from_numpy(table)
    if options.output == "labels" and len(kept) < len(table):
        raise UserError(
            f"model {entry.name!r}: its label_map ignores a label, which a map of labels leaves"
            " without a second best: take a file whose output is scores"
        )

    def labels(images: Tensor) -> Tensor:
        seen = images.cpu() if size is None else resize(images.cpu(), size, antialias=True)
        taken = _taken(seen, runtime.kind, options)
        found = []
        for image in taken.permute(0, 2, 3, 1) if layout == "nhwc" else taken:
            given = np.ascontiguousarray(image[None].numpy()).astype(runtime.kind, copy=False)
            result = runtime(given)
            if options.output == "labels":
                own = _label_map(entry.name, result, len(table))
                found.append(_nearest(ids[own], tuple(images.shape[2:])))
            else:
                scores = _scores(entry.name, result, layout, len(table))
                found.append(greatest(scores[:, kept], tuple(images.shape[2:]), ids[kept]))
        return torch.cat(found).to(images.device)

    return labels, table


def _input(
    name: str, runtime: Runtime, options: ExportedOptions
) -> tuple[str, tuple[int, int] | None]:
    """Return layout and size of what a file takes, the options checked against it."""
    shape = runtime.shape
    words = "x".join("?" if side is None else str(side) for side in shape)
    fits = [
        layout
        for layout, axis in _CHANNELS.items()
        if len(shape) == 4 and shape[0] in (1, None) and shape[axis] in (3, None)
        and options.layout in (layout, None)
    ]  # fmt: skip
    if not fits:
        told = f" in {options.layout}" if options.layout else ""
        raise UserError(
            f"model {name!r}: its file takes {words} values, not one RGB image{told}: correct the"
            " option layout, or export it for a batch of 1 with 3 channels"
        )
    sure = [layout for layout in fits if shape[_CHANNELS[layout]] == 3]
    if len(fits) > 1 and len(sure) != 1:
        raise UserError(
            f"model {name!r}: its file takes {words} values, so where the channels are it does not"
            " say: add the option layout, nhwc or nchw"
        )
    if runtime.kind not in (*_BYTES, *_FLOATS):
        raise UserError(
            f"model {name!r}: its file takes {runtime.kind}, which no image is given as: export it"
            " for float32 or uint8"
        )
    if (options.mean is None) != (runtime.kind in _BYTES):
        remedy = (
            "leave out the options mean and std"
            if runtime.kind in _BYTES
            else "add the options mean and std, [0, 0, 0] and [1, 1, 1] for values from 0 to 1"
        )
        raise UserError(f"model {name!r}: its file takes {runtime.kind}: {remedy}")
    layout = (sure or fits)[0]
    sides = shape[1:3] if layout == "nhwc" else shape[2:4]
    wanted = options.size
    for number, (own, asked) in enumerate(zip(sides, wanted or sides, strict=True)):
        if None not in (own, asked) and own != asked:
            raise UserError(
                f"model {name!r}: its file takes {words} values, so the"
                f" {('height', 'width')[number]} {asked} of the option size does not fit: leave"
                " size out"
            )
    if None in sides and wanted is None and any(sides):
        raise UserError(f"model {name!r}: its file takes {words} values: add the option size")
    fixed = wanted or (None if None in sides else sides)
    return layout, fixed


def _taken(images: Tensor, kind: str, options: ExportedOptions) -> Tensor:
    """Return images uint8 (B, 3, h, w) as a file of this kind takes them."""
    if kind in _BYTES:
        return (images.to(torch.int16) - _BYTES[kind]).to(getattr(torch, kind))
    mean = torch.tensor(options.mean).view(1, 3, 1, 1)
    std = torch.tensor(options.std).view(1, 3, 1, 1)
    return (images.float() / 255 - mean) / std


def _label_map(name: str, result: np.ndarray, count: int) -> Tensor:
    """Return a file's map of labels, checked, as (1, h, w)."""
    own = result.reshape([side for side in result.shape if side > 1] or [1, 1])
    if own.ndim != 2:
        raise RunError(
            f"{name}: its file gives {_shape(result)} values, no map of labels: set the option"
            " output to scores"
        )
    numbers = torch.from_numpy(own.astype(np.int64))
    if numbers.min() < 0 or numbers.max() >= count:
        odd = int(numbers.max() if numbers.max() >= count else numbers.min())
        raise RunError(
            f"{name}: its file gives the label {odd}, and the option labels names {count}, from 0:"
            " name all of them"
        )
    return numbers[None]


def _scores(name: str, result: np.ndarray, layout: str, count: int) -> Tensor:
    """Return a file's scores as float (1, C, h, w)."""
    axis = _CHANNELS[layout]
    if result.ndim != 4 or result.shape[axis] != count:
        raise RunError(
            f"{name}: its file gives {_shape(result)} values, not scores of {count} labels in"
            f" {layout}: correct the options labels and layout, or set output to labels"
        )
    scores = torch.from_numpy(np.ascontiguousarray(np.moveaxis(result, axis, 1)))
    return scores.float()


def _shape(result: np.ndarray) -> str:
    return "x".join(map(str, result.shape)) or "single"


def _nearest(ids: Tensor, size: tuple[int, ...]) -> Tensor:
    """Return train ids uint8 (1, h, w) brought to a size by nearest neighbour, centres aligned."""
    if tuple(ids.shape[1:]) == size:
        return ids
    return functional.interpolate(ids[None], size, mode="nearest-exact")[0]
