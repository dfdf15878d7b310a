"""Batches, memory and precision of a segmenter, with scorers that only pretend."""

from __future__ import annotations

import pytest
import torch

from tests.helpers.limited import Limited
from vlmis_utils.models.segmentation.backends import _ready
from vlmis_utils.models.segmentation.segmenter import Segmenter, autocast


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
        RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling cublasCreate(handle)"),
        RuntimeError(
            "[enforce fail at alloc_cpu.cpp:117] DefaultCPUAllocator: can't allocate memory"
        ),
    ],
)
def test_the_size_that_fits_is_found_once(error: Exception) -> None:
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (9, 3, 4, 5), dtype=torch.uint8, generator=generator)
    scorer = Limited(3, error)
    segmenter = Segmenter("m", scorer, "", "cpu")
    assert torch.equal(segmenter.predict(images), images[:, 0] % 19)
    assert scorer.sizes == [9, 5, 3, 3, 3]
    scorer.sizes.clear()
    assert torch.equal(segmenter.predict(images), images[:, 0] % 19)
    assert scorer.sizes == [3, 3, 3]
    assert len(segmenter.predict(images[:2])) == 2


def test_cuda_memory_is_given_back_before_the_next_attempt(monkeypatch) -> None:
    freed = []
    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: True)
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: freed.append(1))
    monkeypatch.setattr(
        "vlmis_utils.models.segmentation.segmenter.autocast",
        lambda *_: autocast("cpu", torch.float32),
    )
    monkeypatch.setattr(torch.Tensor, "to", lambda self, *_, **__: self)
    segmenter = Segmenter("m", Limited(1, torch.OutOfMemoryError("")), "", "cuda:0")
    images = torch.zeros((2, 3, 4, 5), dtype=torch.uint8)
    assert segmenter.predict(images).shape == (2, 4, 5)
    assert freed == [1]


def test_autocast_is_on_for_lower_precision_only(monkeypatch) -> None:
    seen = []
    monkeypatch.setattr(torch, "autocast", lambda *words, **more: seen.append((*words, more)))
    autocast("cuda:1", torch.bfloat16)
    autocast("cuda:0", torch.float16)
    autocast("cuda:0", torch.float32)
    autocast("cpu", torch.float32)
    assert seen == [
        ("cuda", torch.bfloat16, {"enabled": True}),
        ("cuda", torch.float16, {"enabled": True}),
        ("cuda", torch.bfloat16, {"enabled": False}),
        ("cpu", torch.bfloat16, {"enabled": False}),
    ]


class Moved(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv, self.asked = torch.nn.Conv2d(4, 4, 3), []

    def to(self, *words: object, **more: object) -> Moved:
        self.asked.append((words, more))
        return self


@pytest.mark.parametrize("device", ["cpu", "cuda:0"])
def test_a_model_on_a_gpu_is_channels_last(device: str) -> None:
    model = _ready(Moved(), device)
    assert model.asked[0] == ((device,), {})
    last = [more for _, more in model.asked if "memory_format" in more]
    assert last == ([{"memory_format": torch.channels_last}] if device != "cpu" else [])
    assert not model.training and not any(p.requires_grad for p in model.parameters())
