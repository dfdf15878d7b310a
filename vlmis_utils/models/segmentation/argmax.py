"""From scores at any size to a label for each pixel: bilinear upsampling, then the greatest class.

On a CPU the compiled pass of `models.segmentation.argmax_numba` makes no full-size map of scores:
4 to 20 times as fast as torch at 1024 x 2048 pixels on a core. It gives torch's labels but where
the two greatest scores of a pixel are equal up to rounding: such near ties may come out otherwise
there than on a GPU, as they do from one version of torch to the next.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import lru_cache

import torch
from torch import Tensor
from torch.nn import functional

from vlmis_utils.core.errors import RunError, one_line

__all__ = ["greatest", "resize"]

_LARGEST = 1e37  # of the scores that the compiled pass takes: nothing overflows


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
        uint8 (B, *size): ``ids[resize(scores, size).argmax(1)]``, near ties aside.

    Raises:
        RunError: a score is NaN or infinite.

    >>> greatest(torch.tensor([[[[1.0, 0.0]], [[0.0, 3.0]]]]), (1, 4), torch.tensor([7, 9]).byte())
    tensor([[[7, 7, 9, 9]]], dtype=torch.uint8)
    """
    if not scores.numel():
        return scores.new_empty((len(scores), *size), dtype=torch.uint8)
    bound = float(torch.maximum(-scores.min(), scores.max()))
    if not bound < float("inf"):  # or NaN, which both of them hand on
        raise RunError(
            "scores that are no numbers (NaN or infinite), so no label: set precision: float32 in"
            " the model's options, or mend its checkpoint"
        )
    same = tuple(scores.shape[2:]) == tuple(size)
    on_cpu = scores.device.type == "cpu" and scores.dtype == torch.float32
    compiled = _compiled() if on_cpu and not same and bound <= _LARGEST else None
    if compiled is None:
        return _by_torch(scores, size, ids)
    return torch.from_numpy(compiled(scores.contiguous().numpy(), tuple(size), ids.numpy(), bound))


def _by_torch(scores: Tensor, size: tuple[int, ...], ids: Tensor) -> Tensor:
    """Label image by image, so that the full-size scores of one are there at a time.

    On a CPU ``max`` takes a third of the time that ``argmax`` takes over this axis.
    """
    labels = scores.new_empty((len(scores), *size), dtype=torch.uint8)
    for index in range(len(scores)):
        whole = resize(scores[index : index + 1], size).contiguous()
        labels[index] = ids[whole.max(1).indices[0]]
    return labels


@lru_cache(maxsize=1)
def _compiled() -> Callable | None:
    """Import the compiled pass, None where numba fails; once in a process, on first use."""
    try:
        from vlmis_utils.models.segmentation import argmax_numba
    except Exception as error:
        warnings.warn(
            "numba cannot compile here, so scores are upsampled by torch, with the same result but"
            f" more slowly: {one_line(error)}",
            RuntimeWarning,
            stacklevel=2,
        )
        return None
    return argmax_numba.greatest
