"""What a catalogue entry can say about how its segmenter is run, and the scores of windows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from vlmis_utils.core.errors import UserError, closest

if TYPE_CHECKING:
    from vlmis_utils.protocol.models import ModelEntry

__all__ = ["Options", "precision", "read_options", "window_scores", "windows"]

_PRECISIONS = ("auto", "float32", "bfloat16", "float16")
_MASKS = ("library", "full")
_NATIVE = "native"


@dataclass(frozen=True)
class Options:
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

    window: tuple[int, int] | None = None
    stride: tuple[int, int] | None = None
    size: tuple[int, int] | str | None = None
    masks: str = "library"
    precision: str = "auto"
    label_map: dict[str, object] = field(default_factory=dict)


def read_options(entry: ModelEntry) -> Options:
    """Return the checked options of a catalogue entry.

    Raises:
        UserError: an unknown option, or a value that it cannot have; names the entry and the
            remedy.
    """
    known = [f.name for f in fields(Options)]
    for key, _ in entry.options:
        if key not in known:
            raise UserError(f"model {entry.name!r}: unknown option {key!r}{closest(key, known)}")
    given = {key: value for key, value in entry.options if value is not None}
    pairs = {key: _pair(entry.name, key, given.pop(key)) for key in ("window", "stride", "size")
             if key in given and given[key] != _NATIVE}  # fmt: skip
    if "label_map" in given:
        try:
            given["label_map"] = dict(given["label_map"])  # type: ignore[call-overload]
        except (TypeError, ValueError):
            raise UserError(
                f"model {entry.name!r}: label_map must map labels to train classes, one a line"
            ) from None
    options = Options(**{**given, **pairs})  # type: ignore[arg-type]
    for key, value, possible in (
        ("masks", options.masks, _MASKS), ("precision", options.precision, _PRECISIONS),
    ):  # fmt: skip
        if value not in possible:
            raise UserError(f"model {entry.name!r}: {key} cannot be {value!r}"
                            f"{closest(value, possible)}")  # fmt: skip
    if _NATIVE in (options.window, options.stride):
        raise UserError(f"model {entry.name!r}: window and stride are [height, width] in pixels")
    if options.stride and not options.window:
        raise UserError(f"model {entry.name!r}: stride without window: add the option window")
    if options.window and options.stride and any(
        step > side for step, side in zip(options.stride, options.window, strict=True)
    ):  # fmt: skip
        raise UserError(f"model {entry.name!r}: stride {list(options.stride)} leaves gaps between"
                        f" windows of {list(options.window)}: make it smaller")  # fmt: skip
    return options


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


def windows(length: int, window: int, stride: int) -> Iterator[tuple[int, int]]:
    """Yield start and stop of the windows that cover a side of an image, the last moved inside.

    >>> list(windows(2048, 1024, 768))
    [(0, 1024), (768, 1792), (1024, 2048)]
    >>> list(windows(600, 1024, 768))
    [(0, 600)]
    """
    count = max(0, -(-(length - window) // stride)) + 1
    for index in range(count):
        stop = min(index * stride + window, length)
        yield max(0, stop - window), stop


def window_scores(
    scores: Callable[[Tensor], Tensor],
    images: Tensor,
    window: tuple[int, int],
    stride: tuple[int, int] | None = None,
) -> Tensor:
    """Return the scores of images, each the mean over the windows that hold the pixel.

    Args:
        scores: of images uint8 (B, 3, h, w), float (B, C, h, w).
        images: uint8 (B, 3, H, W).
        window: height and width; an image smaller than that is one window.
        stride: from one window to the next; three quarters of the window by default.

    Returns:
        float32 (B, C, H, W).
    """
    stride = stride or tuple(max(1, side * 3 // 4) for side in window)
    height, width = images.shape[2:]
    total = count = None
    for top, bottom in windows(height, window[0], stride[0]):
        for left, right in windows(width, window[1], stride[1]):
            part = scores(images[:, :, top:bottom, left:right]).float()
            if total is None or count is None:
                total = part.new_zeros((len(images), part.shape[1], height, width))
                count = part.new_zeros((1, 1, height, width))
            total[:, :, top:bottom, left:right] += part
            count[:, :, top:bottom, left:right] += 1
    assert total is not None and count is not None
    return total / count


def _pair(name: str, key: str, value: object) -> tuple[int, int]:
    match value:
        case (int(height), int(width)) if height > 0 and width > 0:
            return height, width
    raise UserError(
        f"model {name!r}: {key} must be [height, width] in pixels, not {value!r}"
        + (f", or {_NATIVE}" if key == "size" else "")
    )
