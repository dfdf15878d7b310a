"""From scores at any size to a label for each pixel, the same by torch and by a compiled pass.

On a CPU the compiled pass of `models.segmentation.argmax` makes no full-size map of scores. It is
used where a probe of near ties shows that it decides as torch does on this machine.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import lru_cache

import torch
from torch import Tensor
from torch.nn import functional

__all__ = ["greatest", "resize"]

# Results whose sides add up to no more than this are interpolated by torch in yet another way.
_SMALL = 128
_LARGEST = 1e37  # of the scores that the compiled pass takes: nothing overflows
_FEW = 3  # classes that torch does not keep channels-last


def resize(x: Tensor, size: tuple[int, ...], antialias: bool = False) -> Tensor:
    """Return x (B, C, h, w) interpolated bilinearly to ``size``, corners not aligned."""
    if tuple(x.shape[2:]) == tuple(size):
        return x
    return functional.interpolate(
        x, size, mode="bilinear", align_corners=False, antialias=antialias
    )


def greatest(scores: Tensor, size: tuple[int, ...], ids: Tensor) -> Tensor:
    """Return the id of the greatest class of scores upsampled to ``size``, the first of equal ones.

    Args:
        scores: float (B, C, h, w).
        size: (height, width).
        ids: uint8 (C,), the id of each class, on the scores' device.

    Returns:
        uint8 (B, *size): ``ids[resize(scores, size).argmax(1)]``.

    >>> greatest(torch.tensor([[[[1.0, 0.0]], [[0.0, 3.0]]]]), (1, 4), torch.tensor([7, 9]).byte())
    tensor([[[7, 7, 9, 9]]], dtype=torch.uint8)
    """
    return _compiled(scores, size, ids) if _suits(scores, size) else _by_torch(scores, size, ids)


def _by_torch(scores: Tensor, size: tuple[int, ...], ids: Tensor) -> Tensor:
    """Label image by image, so that the full-size scores of one are there at a time.

    On a CPU ``max`` takes a third of the time that ``argmax`` takes over this axis.
    """
    labels = scores.new_empty((len(scores), *size), dtype=torch.uint8)
    for index in range(len(scores)):
        whole = resize(scores[index : index + 1], size).contiguous()
        labels[index] = ids[whole.max(1).indices[0]]
    return labels


def _suits(scores: Tensor, size: tuple[int, ...]) -> bool:
    same = tuple(scores.shape[2:]) == tuple(size)
    if scores.device.type != "cpu" or scores.dtype != torch.float32 or same or sum(size) <= _SMALL:
        return False
    last = _channels_last(scores)
    return (
        scores.numel() > 0 and (last or scores.is_contiguous()) and _agrees(scores.shape[1], last)
    )


def _compiled(scores: Tensor, size: tuple[int, ...], ids: Tensor) -> Tensor:
    bound = max(-float(scores.min()), float(scores.max()))
    if not bound <= _LARGEST:  # or not a number
        return _by_torch(scores, size, ids)
    pass_ = _pass()
    assert pass_ is not None
    vector = _in_registers(scores.shape[1]) if _channels_last(scores) else None
    found = pass_(scores.contiguous().numpy(), tuple(size), ids.numpy(), bound, vector)
    return torch.from_numpy(found)


def _channels_last(scores: Tensor) -> bool:
    last = scores.is_contiguous(memory_format=torch.channels_last)
    return last and scores.shape[1] > _FEW


def _in_registers(classes: int) -> int:
    """Return how many of the classes torch interpolates in whole vector registers."""
    lanes = 16 if torch.backends.cpu.get_cpu_capability() == "AVX512" else 8
    return classes // lanes * lanes


@lru_cache(maxsize=1)
def _pass() -> Callable | None:
    """Import the compiled pass, None where numba fails; once in a process, on first use."""
    try:
        from vlmis_utils.models.segmentation import argmax
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        warnings.warn(
            "numba cannot compile here, so scores are upsampled by torch, with the same result but"
            f" more slowly: {reason}",
            RuntimeWarning,
            stacklevel=2,
        )
        return None
    return argmax.greatest


@lru_cache(maxsize=64)
def _agrees(classes: int, channels_last: bool) -> bool:
    """Whether the compiled pass decides near ties as torch does here.

    The scores of a place differ in their last bits only, so that another order of operations, or
    another rounding, gives other labels for a large share of the pixels.
    """
    if _pass() is None:
        return False
    generator = torch.Generator().manual_seed(0)
    with torch.inference_mode(False):
        place = torch.randn((1, 1, 19, 23), generator=generator)
        bits = torch.randint(0, 4, (1, classes, 19, 23), generator=generator)
        scores = place * (1 + bits * 2.0**-23)
        if channels_last:
            scores = scores.contiguous(memory_format=torch.channels_last)
        ids = torch.arange(classes).to(torch.uint8)
        return all(
            torch.equal(_compiled(scores, size, ids), _by_torch(scores, size, ids))
            for size in ((76, 92), (83, 71))
        )
