"""Labels of upsampled scores against interpolate, then argmax: only near ties may differ."""

from __future__ import annotations

import sys

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from vlmis_utils.core.errors import RunError
from vlmis_utils.models.segmentation import argmax
from vlmis_utils.models.segmentation.argmax import greatest, resize

KINDS = ("noise", "smooth", "near ties", "ties", "one value", "tiny", "huge")


def scores_of(kind: str, shape: tuple[int, int, int, int], seed: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    batch, classes, height, width = shape
    noise = torch.randn(shape, generator=generator)
    match kind:
        case "noise":
            return 5 * noise
        case "smooth":
            few = torch.randn((batch, classes, 3, 4), generator=generator)
            return 8 * functional.interpolate(few, (height, width), mode="bicubic") + noise / 50
        case "near ties":  # the last bits decide
            bits = torch.randint(0, 4, shape, generator=generator)
            return noise[:, :1] * (1 + bits * 2.0**-23)
        case "ties":
            return noise.round()
        case "one value":
            return torch.full(shape, 0.1)
    return noise * (1e-42 if kind == "tiny" else 1e37)


def oracle(scores: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    whole = functional.interpolate(scores, size, mode="bilinear", align_corners=False)
    return whole.contiguous().argmax(1).to(torch.uint8)


def check(scores: torch.Tensor, size: tuple[int, int]) -> None:
    """Compare with torch: where labels differ, their scores are equal up to rounding."""
    ids = torch.arange(scores.shape[1]).to(torch.uint8)
    whole = functional.interpolate(scores.double(), size, mode="bilinear", align_corners=False)
    slack = float(scores.abs().max()) * 2.0**-20 + 1e-37
    for layout in (torch.contiguous_format, torch.channels_last):
        arranged = scores.contiguous(memory_format=layout)
        found = greatest(arranged, size, ids)
        assert found.dtype == torch.uint8 and found.shape == (len(scores), *size)
        taken = whole.gather(1, found.long()[:, None])[:, 0]
        assert (whole.amax(1) - taken <= slack).all(), (scores.shape, size, layout)


@settings(max_examples=120, deadline=None)
@given(
    kind=st.sampled_from(KINDS),
    shape=st.tuples(
        st.integers(1, 2), st.integers(1, 40), st.integers(1, 40), st.integers(1, 40)
    ),
    size=st.tuples(st.integers(1, 160), st.integers(1, 160)),
    seed=st.integers(0, 999),
)  # fmt: skip
def test_any_sizes_and_classes(kind, shape, size, seed) -> None:
    check(scores_of(kind, shape, seed), size)


@pytest.mark.parametrize("kind", ["noise", "smooth", "near ties", "ties"])
def test_100_images_at_stride_4(kind: str) -> None:
    for seed in range(25):
        check(scores_of(kind, (1, 19, 48, 80), seed), (192, 320))


@pytest.mark.parametrize("kind", ["noise", "smooth", "near ties"])
@pytest.mark.parametrize("stride", [4, 8])
def test_a_whole_image(kind: str, stride: int) -> None:
    check(scores_of(kind, (1, 19, 512 // stride, 1024 // stride), 5), (512, 1024))


def test_torch_takes_the_first_of_equal_classes() -> None:
    scores = torch.zeros((1, 19, 40, 40))
    assert not scores.argmax(1).any() and not scores.max(1).indices.any()
    check(scores, (160, 160))


@pytest.mark.parametrize("odd", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float64])
def test_scores_that_are_no_numbers_give_no_label(odd: float, dtype: torch.dtype) -> None:
    scores = scores_of("noise", (2, 5, 20, 20), 1).to(dtype)
    scores[0, 3, 4, 5] = odd
    for size in ((80, 90), (20, 20)):
        with pytest.raises(RunError, match="no numbers .NaN or infinite."):
            greatest(scores, size, torch.arange(5, dtype=torch.uint8))


def test_large_scores_go_through_torch() -> None:
    scores = scores_of("noise", (2, 5, 20, 20), 1)
    scores[0, 3, 4, 5] = 3e38
    ids = torch.arange(5, dtype=torch.uint8)
    assert torch.equal(greatest(scores, (80, 90), ids), oracle(scores, (80, 90)))


def test_ids_name_the_classes() -> None:
    scores = scores_of("noise", (1, 4, 20, 20), 2)
    ids = torch.tensor([7, 0, 255, 7], dtype=torch.uint8)
    assert torch.equal(greatest(scores, (90, 80), ids), ids[oracle(scores, (90, 80)).long()])
    assert torch.equal(greatest(scores, (20, 20), ids), ids[scores.argmax(1)])


def test_other_types_and_views() -> None:
    scores = scores_of("noise", (1, 6, 30, 40), 3)
    ids = torch.arange(6, dtype=torch.uint8)
    for other in (scores.double(), scores.bfloat16(), scores[:, :, ::2, 3:], scores.mT):
        assert torch.equal(greatest(other, (120, 140), ids), oracle(other, (120, 140)))
    assert greatest(scores[:0], (120, 140), ids).shape == (0, 120, 140)


def test_a_cpu_makes_no_full_size_scores(monkeypatch) -> None:
    def never(*_: object) -> None:
        raise AssertionError("full-size scores")

    monkeypatch.setattr(argmax, "_by_torch", never)
    for layout in (torch.contiguous_format, torch.channels_last):
        scores = scores_of("smooth", (2, 19, 32, 64), 4).contiguous(memory_format=layout)
        greatest(scores, (128, 256), torch.arange(19, dtype=torch.uint8))


def test_without_numba_torch_does_it(monkeypatch) -> None:
    scores = scores_of("smooth", (2, 19, 32, 64), 4)
    ids = torch.arange(19, dtype=torch.uint8)
    expected = greatest(scores, (128, 256), ids)
    monkeypatch.delattr("vlmis_utils.models.segmentation.argmax_numba", raising=False)
    monkeypatch.setitem(sys.modules, "vlmis_utils.models.segmentation.argmax_numba", None)
    argmax._compiled.cache_clear()
    try:
        with pytest.warns(RuntimeWarning, match="upsampled by torch, with the same result"):
            assert torch.equal(greatest(scores, (128, 256), ids), expected)
    finally:
        monkeypatch.undo()
        argmax._compiled.cache_clear()


def test_resize_is_torch_and_nothing_at_the_same_size() -> None:
    x = scores_of("noise", (1, 3, 8, 9), 0)
    assert resize(x, (8, 9)) is x
    expected = functional.interpolate(x, (5, 4), mode="bilinear", antialias=True)
    assert torch.equal(resize(x, (5, 4), antialias=True), expected)
