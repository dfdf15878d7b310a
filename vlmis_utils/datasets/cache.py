"""The scenes looked at last, decoded; and the next batch made ready while a model works."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import numpy as np
import torch

from vlmis_utils.datasets.registry import Scene

__all__ = ["Decoded", "SceneCache", "as_tensor", "prefetch"]

_T = TypeVar("_T")

# A scene's image, uint8 (3, H, W) as models take it, and its label map, uint8 (H, W).
Decoded = tuple[torch.Tensor, np.ndarray]


def as_tensor(image: np.ndarray) -> torch.Tensor:
    """Return an image uint8 (H, W, 3), as decoders give it, as a contiguous tensor (3, H, W).

    >>> as_tensor(np.zeros((2, 5, 3), np.uint8)).shape
    torch.Size([3, 2, 5])
    """
    return torch.from_numpy(np.ascontiguousarray(np.moveaxis(image, -1, 0)))


class SceneCache:
    """Image and label map of the scenes looked at last, up to a number of bytes.

    A pass over the conditions of a shard finds its scenes decoded, as long as one shard of them
    fits; small pictures stay for all models. Safe to call from several threads.

    Args:
        most: bytes to keep; the scene looked at last stays, whatever its size.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self._kept: OrderedDict[Scene, Decoded] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def __call__(self, scene: Scene) -> Decoded:
        """Return a scene's image, uint8 tensor (3, H, W), and label map, uint8 array (H, W).

        Neither may be written to.

        Raises:
            RunError: a file is damaged.
        """
        with self._lock:
            if scene in self._kept:
                self._kept.move_to_end(scene)
                return self._kept[scene]
            pair = as_tensor(scene.image()), scene.labels()
            self._kept[scene] = pair
            self._bytes += _size(pair)
            while self._bytes > self.most and len(self._kept) > 1:
                self._bytes -= _size(self._kept.popitem(last=False)[1])
            return pair

    def clear(self) -> None:
        """Forget all scenes."""
        with self._lock:
            self._kept.clear()
            self._bytes = 0

    @property
    def nbytes(self) -> int:
        """Bytes of the images and label maps that are kept."""
        return self._bytes


def _size(pair: Decoded) -> int:
    return pair[0].nbytes + pair[1].nbytes


def prefetch(items: Iterator[_T]) -> Iterator[_T]:
    """Yield items, the next one being made in a thread meanwhile: one waits at most.

    An error of the iterator is raised where its item would have been.

    >>> list(prefetch(iter("abc")))
    ['a', 'b', 'c']
    """
    end = object()
    with ThreadPoolExecutor(1) as thread:
        coming = thread.submit(next, items, end)
        while (item := coming.result()) is not end:
            coming = thread.submit(next, items, end)
            yield item
