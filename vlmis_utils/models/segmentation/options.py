"""What a catalogue entry can say about how its segmenter is run."""

from __future__ import annotations

from typing import Annotated, Literal

import torch
from pydantic import BeforeValidator, Field, model_validator

from vlmis_utils.core.validation import Number, Text, listed, must, unrepeated
from vlmis_utils.models.options import Options
from vlmis_utils.protocol.classes import TRAIN_CLASSES
from vlmis_utils.protocol.models import EXPORTED

__all__ = ["ExportedOptions", "SegmenterOptions", "options_of", "precision"]


def _pair(value: object) -> bool:
    whole = isinstance(value, tuple) and all(type(side) is int and side > 0 for side in value)
    return value is None or (whole and len(value) == 2)


def _mapping(value: object) -> object:
    """Take the pairs that a catalogue entry keeps of a mapping."""
    try:
        return dict(value) if isinstance(value, tuple) else value
    except (TypeError, ValueError):
        return value


Pair = Annotated[object, must(_pair, "[height, width] in pixels")]
Size = Annotated[
    object, must(lambda v: v == "native" or _pair(v), "[height, width] in pixels, or native")
]


class SegmenterOptions(Options):
    """The options of a segmenter in the model catalogue.

    Attributes:
        window: (height, width) in pixels that are segmented at a time; None for the whole image.
        stride: from one window to the next, at most the window; three quarters of it by default.
        size: (height, width) that an image, or a window, is resized to before the model sees it;
            "native" for not at all; None for what the checkpoint's own processor does.
        masks: of MaskFormer and Mask2Former, "library" as transformers upsamples them (to 384 x 384
            first), "full" straight to the size of the image.
        precision: on CUDA; "auto" is bfloat16, or float16 where the card has none. A CPU computes
            in float32 whatever it says.
        label_map: the checkpoint's label to a train class or "ignore"; empty where names match.
    """

    window: Pair = None
    stride: Pair = None
    size: Size = None
    masks: Literal["library", "full"] = "library"
    precision: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    label_map: Annotated[dict[Text, object], BeforeValidator(_mapping)] = Field(
        default_factory=dict
    )

    @model_validator(mode="after")
    def _windows_without_gaps(self) -> SegmenterOptions:
        if self.stride and not self.window:
            raise ValueError("stride without window: add the option window")
        pairs = zip(self.stride or (), self.window or (), strict=False)
        if any(step > side for step, side in pairs):
            raise ValueError(
                f"stride {list(self.stride)} leaves gaps between windows of {list(self.window)}:"
                " make it smaller"
            )
        return self


_Three = Annotated[
    tuple[Number, ...] | None,
    listed,
    must(lambda v: v is None or len(v) == 3, "three numbers, for red, green and blue"),
]


class ExportedOptions(Options):
    """The options of an exported segmenter, one TFLite or ONNX file, in the model catalogue.

    Attributes:
        size: (height, width) that an image is resized to, its aspect not kept; None for the size
            that the file fixes, or where it fixes none for the image's own.
        layout: of images and scores, "nhwc" or "nchw"; None for what the file's input shows.
        mean, std: of the channels, with values from 0 to 1, for a file that takes floating-point
            numbers; one that takes bytes is given the image's own.
        output: "scores", one map a label, or "labels", a map of their numbers.
        labels: what the file's numbers 0, 1, ... stand for.
        label_map: as of `SegmenterOptions`; "ignore" needs scores.
    """

    size: Pair = None
    layout: Literal["nhwc", "nchw"] | None = None
    mean: _Three = None
    std: Annotated[_Three, must(lambda v: 0 not in (v or ()), "three numbers other than 0")] = None
    output: Literal["scores", "labels"] = "scores"
    labels: Annotated[tuple[Text, ...], listed, unrepeated] = TRAIN_CLASSES
    label_map: Annotated[dict[Text, object], BeforeValidator(_mapping)] = Field(
        default_factory=dict
    )

    @model_validator(mode="after")
    def _both(self) -> ExportedOptions:
        if (self.mean is None) != (self.std is None):
            raise ValueError("mean and std go together: give both, or none for a file of bytes")
        return self


def options_of(library: str) -> type[ExportedOptions] | type[SegmenterOptions]:
    """Return what a catalogue entry of a segmenter's library may set."""
    return ExportedOptions if library in EXPORTED else SegmenterOptions


def precision(device: str, wanted: str = "auto") -> torch.dtype:
    """Return the type a device computes in: float32 on a CPU, else ``wanted``.

    >>> precision("cpu", "bfloat16")
    torch.float32
    """
    if not device.startswith("cuda"):
        return torch.float32
    if wanted != "auto":
        return getattr(torch, wanted)
    native = torch.cuda.is_bf16_supported(including_emulation=False)
    return torch.bfloat16 if native else torch.float16
