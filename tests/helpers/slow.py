"""The fake models, made slow enough to be killed at work, or failing on some images."""

from __future__ import annotations

import hashlib
import time

import torch

from tests.helpers import fakes
from vlmis_utils.runner.context import Loaders

PAUSE = 0.3  # seconds for a batch


class SlowSegmenter(fakes.FakeSegmenter):
    """Takes its time."""

    def predict(self, images: torch.Tensor) -> torch.Tensor:
        time.sleep(PAUSE)
        return super().predict(images)


class SlowVlm(fakes.FakeVlm):
    """Takes its time."""

    def answer(self, images: torch.Tensor, prompts):
        time.sleep(PAUSE)
        return super().answer(images, prompts)


class FailingSegmenter(fakes.FakeSegmenter):
    """Cannot bear the darkest of the images."""

    def predict(self, images: torch.Tensor) -> torch.Tensor:
        if images.float().mean(dim=(1, 2, 3)).min() < 103.6:
            raise ValueError("too dark")
        return super().predict(images)


def slow_segmenter(entry, device: str = "cpu") -> SlowSegmenter:
    return SlowSegmenter()


def slow_vlm(entry, device: str = "cpu") -> SlowVlm:
    return SlowVlm(entry.name)


def failing_segmenter(entry, device: str = "cpu") -> FailingSegmenter:
    return FailingSegmenter()


SLOW = Loaders(slow_segmenter, slow_vlm)
FAILING = Loaders(failing_segmenter, fakes.load_vlm)


IMAGE = 0.5  # seconds for an image of the benchmark
_BLOCK = bytes(1 << 20)


class SleepingSegmenter(fakes.FakeSegmenter):
    """Waits for each image, as for an accelerator."""

    def predict(self, images: torch.Tensor) -> torch.Tensor:
        time.sleep(IMAGE * len(images))
        return super().predict(images)


class BusySegmenter(fakes.FakeSegmenter):
    """Keeps one core busy for each image, with the same amount of work every time."""

    def predict(self, images: torch.Tensor) -> torch.Tensor:
        for _ in range(400 * len(images)):
            hashlib.sha256(_BLOCK).digest()
        return super().predict(images)


def sleeping_segmenter(entry, device: str = "cpu") -> SleepingSegmenter:
    return SleepingSegmenter()


def busy_segmenter(entry, device: str = "cpu") -> BusySegmenter:
    return BusySegmenter()


SLEEPING = Loaders(sleeping_segmenter, fakes.load_vlm)
BUSY = Loaders(busy_segmenter, fakes.load_vlm)
