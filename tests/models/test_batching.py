"""Halving on out-of-memory: everything is computed once, in order, in parts that fit."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from vlmis_utils.core.errors import RunError, UserError
from vlmis_utils.models.batching import answer_in_parts, check_images, in_parts, out_of_memory
from vlmis_utils.protocol.answer import Answer
from vlmis_utils.protocol.prompts import PROMPTS

ERRORS = (
    MemoryError(), torch.OutOfMemoryError("CUDA out of memory"),
    RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"),
    RuntimeError("DefaultCPUAllocator: can't allocate memory"),
)  # fmt: skip


@given(
    count=st.integers(0, 40),
    limit=st.integers(1, 12),
    most=st.none() | st.integers(1, 50),
    error=st.sampled_from(ERRORS),
)
def test_all_items_once_and_in_order(
    count: int, limit: int, most: int | None, error: Exception
) -> None:
    sizes: list[int] = []
    told: list[int] = []

    def run(part: list[int]) -> list[int]:
        if len(part) > limit:
            raise error
        sizes.append(len(part))
        return [2 * item for item in part]

    found = in_parts(run, list(range(count)), "full", most, told.append)
    assert found == [2 * item for item in range(count)]
    assert sum(sizes) == count and all(size <= limit for size in sizes)
    assert told == sorted(told, reverse=True) and all(size > 0 for size in told)


@pytest.mark.parametrize("error", ERRORS)
def test_one_that_does_not_fit_ends_with_the_remedy(error: Exception) -> None:
    def run(part: list[int]) -> list[int]:
        raise error

    with pytest.raises(RunError, match="take a smaller one") as caught:
        in_parts(run, [1, 2, 3], "take a smaller one")
    assert caught.value.__cause__ is error


@pytest.mark.parametrize("error", [RuntimeError("shapes differ"), ValueError("out of memory")])
def test_other_errors_are_not_tried_again(error: Exception) -> None:
    tries = []

    def run(part: list[int]) -> list[int]:
        tries.append(part)
        raise error

    with pytest.raises(type(error)) as caught:
        in_parts(run, [1, 2], "full")
    assert caught.value is error and len(tries) == 1 and not out_of_memory(error)


@given(limit=st.integers(1, 40), count=st.integers(0, 5))
def test_answers_halve_images_then_prompts(limit: int, count: int) -> None:
    images = torch.arange(count).view(-1, 1, 1, 1)

    def ask(some: torch.Tensor, prompts: list) -> list[list[Answer]]:
        if len(some) * len(prompts) > limit:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return [[Answer(f"{int(image)} {p.name}") for p in prompts] for image in some]

    found = answer_in_parts(ask, images, PROMPTS)
    assert [[a.text for a in row] for row in found] == [
        [f"{image} {p.name}" for p in PROMPTS] for image in range(count)
    ]


@pytest.mark.parametrize(
    ("images", "words"),
    [
        (torch.zeros(3, 4, 5, dtype=torch.uint8), r"torch.uint8 \(3, 4, 5\)"),
        (torch.zeros(1, 1, 4, 5, dtype=torch.uint8), r"torch.uint8 \(1, 1, 4, 5\)"),
        (torch.zeros(1, 3, 4, 5), r"torch.float32 \(1, 3, 4, 5\)"),
    ],
)
def test_images_of_another_shape_or_type_are_refused(images: torch.Tensor, words: str) -> None:
    with pytest.raises(UserError, match=rf"images must be uint8 \(B, 3, H, W\), not {words}"):
        check_images(images)
