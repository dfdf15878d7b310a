"""Answering in as many parts as a device's memory asks for."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from vlmis_utils.core.errors import RunError
from vlmis_utils.protocol.answer import Answer
from vlmis_utils.protocol.prompts import Prompt

__all__ = ["answer_in_parts"]

Ask = Callable[[Tensor, Sequence[Prompt]], list[list[Answer]]]


def answer_in_parts(
    ask: Ask,
    images: Tensor,
    prompts: Sequence[Prompt],
    halved: Callable[[int], None] = lambda count: None,
) -> list[list[Answer]]:
    """Answer; where memory does not do, half the images, then half the prompts, at a time.

    Args:
        ask: answers each prompt about each image, or raises `torch.OutOfMemoryError`.
        images: (B, 3, H, W).
        prompts: the questions.
        halved: told how many images were too many, each time.

    Raises:
        RunError: one image and one prompt do not fit.
    """
    try:
        return ask(images, prompts)
    except torch.OutOfMemoryError as error:
        if len(images) == 1 and len(prompts) == 1:
            raise RunError(
                "one image does not fit in the device's memory: set device: cpu, or give the "
                "model fewer pixels by the options of its entry in the model catalogue"
            ) from error
    if torch.cuda.is_initialized():
        torch.cuda.empty_cache()
    halved(len(images))
    if len(images) > 1:
        half = (len(images) + 1) // 2
        parts = (images[:half], images[half:])
        return [row for part in parts for row in answer_in_parts(ask, part, prompts, halved)]
    half = (len(prompts) + 1) // 2
    (first,), (rest,) = (
        answer_in_parts(ask, images, part, halved) for part in (prompts[:half], prompts[half:])
    )
    return [first + rest]
