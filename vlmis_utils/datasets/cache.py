"""A bounded window of decoded scenes, and the next batch made ready while a model works."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import numpy as np

from vlmis_utils.datasets.registry import Scene

__all__ = ["Window", "ahead"]

_T = TypeVar("_T")


class Window:
    """Image and label map of the scenes looked at last, up to a number of bytes.

    A pass over the conditions of a shard finds its scenes decoded, as long as one shard of them
    fits; small pictures stay for all models. Safe to call from several threads.

    Args:
        most: bytes to keep; the scene looked at last stays, whatever its size.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self._kept: OrderedDict[Scene, tuple[np.ndarray, np.ndarray]] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def __call__(self, scene: Scene) -> tuple[np.ndarray, np.ndarray]:
        """Return a scene's image, uint8 (H, W, 3), and label map, uint8 (H, W).

        Raises:
            RunError: a file is damaged.
        """
        with self._lock:
            if scene in self._kept:
                self._kept.move_to_end(scene)
                return self._kept[scene]
            pair = scene.image(), scene.labels()
            self._kept[scene] = pair
            self._bytes += _size(pair)
            while self._bytes > self.most and len(self._kept) > 1:
                self._bytes -= _size(self._kept.popitem(last=False)[1])
            return pair

    def cache_clear(self) -> None:
        """Forget all scenes."""
        with self._lock:
            self._kept.clear()
            self._bytes = 0


def _size(pair: tuple[np.ndarray, np.ndarray]) -> int:
    return sum(array.nbytes for array in pair)


def ahead(items: Iterator[_T]) -> Iterator[_T]:
    """Yield items, the next one being made in a thread meanwhile: one waits at most.

    An error of the iterator is raised where its item would have been.

    >>> list(ahead(iter("abc")))
    ['a', 'b', 'c']
    """
    end = object()
    with ThreadPoolExecutor(1) as thread:
        coming = thread.submit(next, items, end)
        while (item := coming.result()) is not end:
            coming = thread.submit(next, items, end)
            yield item
