"""Batches: what one is, and as many images at a time as a device's memory holds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import torch
from torch import Tensor

from vlmis_utils.core.errors import RunError, UserError
from vlmis_utils.protocol.answer import Answer
from vlmis_utils.protocol.prompts import Prompt

__all__ = ["answer_in_parts", "check_images", "in_parts", "out_of_memory"]

T = TypeVar("T")
Ask = Callable[[Tensor, Sequence[Prompt]], list[list[Answer]]]

_FULL = ("out of memory", "can't allocate memory", "not enough memory", "alloc_failed")


def check_images(images: Tensor) -> None:
    """Raise `UserError` unless images are uint8 (B, 3, H, W)."""
    if images.ndim != 4 or images.shape[1] != 3 or images.dtype != torch.uint8:
        raise UserError(
            f"images must be uint8 (B, 3, H, W), not {images.dtype} {tuple(images.shape)}"
        )


def out_of_memory(error: BaseException) -> bool:
    """Tell whether an error says that memory is full, in whatever words of torch.

    >>> out_of_memory(RuntimeError("CUDA error: out of memory")), out_of_memory(ValueError("no"))
    (True, False)
    """
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and any(w in str(error).lower() for w in _FULL)


def in_parts(
    run: Callable[[Any], Sequence[T]],
    items: Any,
    full: str,
    most: int | None = None,
    halved: Callable[[int], None] = lambda most: None,
) -> list[T]:
    """Return a result for each item; where memory does not hold them, for half as many at a time.

    Args:
        run: returns a result for each of some items.
        items: a tensor or a sequence.
        full: what to say where one item alone does not fit.
        most: items at a time to begin with; all by default.
        halved: told, each time, how many are tried from there on.

    Raises:
        RunError: one item does not fit.
    """
    found: list[T] = []
    while len(found) < len(items):
        part = items[len(found) : len(found) + (most or len(items))]
        try:
            found += run(part)
            continue
        except (RuntimeError, MemoryError) as error:
            if not out_of_memory(error):
                raise
            if len(part) == 1:
                raise RunError(full) from error
        if torch.cuda.is_initialized():
            torch.cuda.empty_cache()
        most = (len(part) + 1) // 2
        halved(most)
    return found


def answer_in_parts(
    ask: Ask, images: Tensor, prompts: Sequence[Prompt], halved: Callable[[], None] = lambda: None
) -> list[list[Answer]]:
    """Answer; where memory does not do, half the images, then half the prompts, at a time.

    Args:
        ask: answers each prompt about each image, or raises what `out_of_memory` knows.
        images: (B, 3, H, W).
        prompts: the questions.
        halved: told each time that fewer are computed together.

    Raises:
        RunError: one image and one prompt do not fit.
    """
    full = (
        "one image does not fit in the device's memory: set device: cpu, or give the model fewer"
        " pixels by the options of its entry in the model catalogue"
    )

    def rows(some: Tensor) -> list[list[Answer]]:
        if len(some) > 1:
            return ask(some, prompts)
        return [in_parts(lambda part: ask(some, part)[0], prompts, full, halved=lambda _: halved())]

    return in_parts(rows, images, full, halved=lambda _: halved())
