"""Scenes are decoded once while they fit, and the next batch is made while one is used."""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import pytest
import torch

from vlmis_utils.datasets.cache import SceneCache, as_tensor, prefetch

BYTES = 4 * 5 * 3 + 4 * 5  # of a decoded scene


@dataclass(frozen=True)
class Made:
    name: int

    def image(self) -> np.ndarray:
        DECODED[self.name] += 1
        return np.full((4, 5, 3), self.name, np.uint8)

    def labels(self) -> np.ndarray:
        return np.full((4, 5), self.name, np.uint8)


DECODED: Counter[int] = Counter()


@pytest.fixture(autouse=True)
def _forget() -> None:
    DECODED.clear()


def test_a_scene_that_fits_is_decoded_once() -> None:
    cache = SceneCache(3 * BYTES)
    for _ in range(10):
        for name in range(3):
            image, labels = cache(Made(name))
            assert (image == name).all() and (labels == name).all()
    assert set(DECODED.values()) == {1}


@pytest.mark.parametrize("most", (0, BYTES, 3 * BYTES, 3 * BYTES + 1))
def test_the_cache_is_bounded_and_forgets_the_oldest(most: int) -> None:
    cache, rng = SceneCache(most), np.random.default_rng(0)
    room, last = max(1, most // BYTES), []
    for name in rng.integers(0, 6, 200).tolist():
        before = DECODED[name]
        assert (cache(Made(name))[0] == name).all()
        recent = list(dict.fromkeys(reversed(last)))[:room]
        assert DECODED[name] == before + (name not in recent)
        last.append(name)
        assert cache.nbytes <= max(most, BYTES)


def test_an_image_is_kept_as_models_take_it() -> None:
    rng = np.random.default_rng(3)
    image = rng.integers(0, 256, (4, 5, 3), dtype=np.uint8)
    for given in (image, image[:, ::-1], np.asfortranarray(image)):
        tensor = as_tensor(given)
        assert tensor.is_contiguous() and tensor.dtype == torch.uint8
        assert np.array_equal(tensor.permute(1, 2, 0).numpy(), given)
    kept = SceneCache(BYTES)(Made(7))[0]
    assert kept.shape == (3, 4, 5) and SceneCache(BYTES)(Made(7))[0].eq(7).all()


def test_clearing_forgets_all() -> None:
    cache = SceneCache(BYTES)
    cache(Made(1))
    cache.clear()
    cache(Made(1))
    assert DECODED[1] == 2 and cache.nbytes == BYTES


def test_a_scene_that_cannot_be_read_is_not_kept() -> None:
    class Broken(Made):
        def labels(self) -> np.ndarray:
            raise OSError("broken")

    cache = SceneCache(9 * BYTES)
    for _ in range(2):
        with pytest.raises(OSError, match="broken"):
            cache(Broken(1))
    assert cache.nbytes == 0


def test_many_threads_see_the_right_pixels() -> None:
    cache = SceneCache(2 * BYTES)
    with ThreadPoolExecutor(8) as threads:
        names = [n % 5 for n in range(400)]
        for name, (image, _) in zip(
            names, threads.map(lambda n: cache(Made(n)), names), strict=True
        ):
            assert (image == name).all()
    assert cache.nbytes <= 2 * BYTES


def test_the_next_item_is_made_while_one_is_used() -> None:
    made = [threading.Event() for _ in range(4)]

    def items():
        for number, event in enumerate(made):
            event.set()
            yield number

    for number in prefetch(items()):
        if number < 3:
            assert made[number + 1].wait(10)  # before it is asked for
        if number < 2:
            assert not made[number + 2].is_set()  # one ahead, no more


def test_an_error_comes_in_its_place() -> None:
    def items():
        yield 1
        raise ValueError("second")

    seen = []
    with pytest.raises(ValueError, match="second"):
        for item in prefetch(items()):
            seen.append(item)
    assert seen == [1] and list(prefetch(iter(()))) == []


def test_stopping_early_ends_the_thread() -> None:
    before = threading.active_count()
    items = prefetch(iter(range(1000)))
    assert next(items) == 0
    items.close()
    assert threading.active_count() == before
