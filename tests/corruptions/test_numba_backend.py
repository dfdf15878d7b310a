"""The compiled kernels give the bytes of the Kornia reference, however they are run."""

from __future__ import annotations

import hashlib
import importlib.util
import multiprocessing
import sys
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path
from types import ModuleType

import numba
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from vlmis_utils.corruptions import kornia_backend, numba_backend
from vlmis_utils.corruptions.box import box_of
from vlmis_utils.corruptions.corrupt import CONDITIONS, TABLE1, corrupt
from vlmis_utils.corruptions.noise import gaussian, philox4x32, quantiles
from vlmis_utils.protocol.conditions import NOISE_SIGMA

CPU = torch.device("cpu")
DEGRADED = [row.condition for row in TABLE1]


def made_up(shape: tuple[int, ...], seed: int) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(seed).integers(0, 256, shape).astype(np.uint8))


def by_reference(images: torch.Tensor, condition: str, **options: object) -> torch.Tensor:
    return corrupt(images, condition, backend="kornia", **options)


STRIDES = {
    "contiguous": lambda images: images,
    "channels last": lambda images: images.contiguous(memory_format=torch.channels_last),
    "part of a larger image": lambda images: torch.nn.functional.pad(images, (2, 3, 1, 4))[
        ..., 1:-4, 2:-3
    ],
    "one image shown to all": lambda images: images[:1].expand_as(images),
    "turned by 90 degrees": lambda images: images.transpose(2, 3),
}


@settings(max_examples=150, deadline=None, derandomize=True)
@given(
    condition=st.sampled_from(DEGRADED),
    batch=st.integers(1, 3),
    height=st.integers(1, 24),
    width=st.one_of(st.integers(1, 30), st.integers(31, 700)),
    seed=st.integers(0, 2**32),
    sigma=st.one_of(st.just(0.0), st.floats(1e-6, 10)),
    strides=st.sampled_from(sorted(STRIDES)),
    blur_scale=st.sampled_from(["absolute", "relative"]),
)
def test_bytes_are_those_of_the_reference(
    condition: str, batch: int, height: int, width: int, seed: int, sigma: float, strides: str,
    blur_scale: str,
) -> None:  # fmt: skip
    images = STRIDES[strides](made_up((batch, 3, height, width), seed))
    before = images.clone()
    options = {
        "scene_ids": [f"scene {number}" for number in range(batch)],
        "seed": seed, "noise_sigma": (sigma,) * 3, "blur_scale": blur_scale,
    }  # fmt: skip
    got = corrupt(images, condition, **options)
    assert torch.equal(got, by_reference(images, condition, **options))
    assert torch.equal(images, before) and got.dtype == torch.uint8
    alone = corrupt(images[-1:], condition, **options | {"scene_ids": options["scene_ids"][-1:]})
    assert torch.equal(alone[0], got[-1])


@pytest.mark.parametrize("condition", DEGRADED)
def test_bytes_are_those_of_the_reference_on_a_large_image(condition: str) -> None:
    images = made_up((1, 3, 361, 1023), 4)
    images[..., 100:, :400] = 255  # sums and levels at their upper ends too
    got = corrupt(images, condition, scene_ids=["a"])
    assert torch.equal(got, by_reference(images, condition, scene_ids=["a"]))


def test_every_sum_of_every_kernel_is_divided_as_whole_numbers_are() -> None:
    for kernel in range(3, numba_backend.LARGEST + 1, 2):
        sums = np.arange(255 * kernel + 1, dtype=np.uint16)
        assert sums[-1] == 255 * kernel
        out = np.empty(sums.size, np.uint8)
        numba_backend._divide(sums, np.float32(1 / kernel), out)
        assert np.array_equal(out, (2 * sums.astype(int) + kernel) // (2 * kernel))


@pytest.mark.parametrize("kernel", [*range(3, 40, 2), 127, 129, 255, 257, 259])
def test_any_kernel_on_any_width(kernel: int) -> None:
    for width in (1, 2, kernel // 2, kernel, 300):
        for images in (made_up((1, 3, 2, width), kernel), torch.full((1, 3, 1, width), 255).byte()):
            expected = kornia_backend.motion_blur(images, kernel)
            assert torch.equal(numba_backend.motion_blur(images, kernel), expected)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(length=st.floats(1, 300), width=st.integers(1, 60), seed=st.integers(0, 99))
def test_any_length_is_the_weighted_mean_of_the_pixels_it_covers(
    length: float, width: int, seed: int
) -> None:
    images = made_up((1, 3, 2, width), seed)
    got = numba_backend.motion_blur(images, length)
    assert torch.equal(got, kornia_backend.motion_blur(images, length))
    # an oracle in exact fractions: how much of each pixel lies within half a length
    half = Fraction(length).limit_denominator(2048) / 2
    reach, row = int(half) + 1, images[0, 1, 0].tolist()
    for place in {0, width // 2, width - 1}:
        total = Fraction(0)
        for step in range(-reach, reach + 1):
            part = min(half, step + Fraction(1, 2)) - max(-half, step - Fraction(1, 2))
            if part > 0:
                total += part * row[min(max(place + step, 0), width - 1)]
        assert got[0, 1, 0, place] == int(total / (2 * half) + Fraction(1, 2))


def test_the_longest_box_that_fits_16_bits_and_the_next() -> None:
    white = torch.full((1, 3, 1, 600), 255, dtype=torch.uint8)
    for length in (255.5, 256.75, 257, 257.25, 258.5):
        assert torch.equal(numba_backend.motion_blur(white, length), white)
        noisy = made_up((1, 3, 2, 600), int(length))
        expected = kornia_backend.motion_blur(noisy, length)
        assert torch.equal(numba_backend.motion_blur(noisy, length), expected)
    assert box_of(257.25).size == numba_backend.LARGEST


@pytest.mark.parametrize("severity", [1, 2, 3])
def test_every_level_with_every_deviate(severity: int) -> None:
    row = next(row for row in TABLE1 if row.condition == f"LL{severity}")
    table = kornia_backend.gamma_table(row.gamma)
    noise = quantiles(NOISE_SIGMA[severity - 1], CPU)
    bits, out = np.arange(1 << 16, dtype=np.uint16), np.empty(1 << 16, np.uint8)
    for level in range(256):
        image = np.full(1 << 16, level, np.uint8)
        numba_backend._expose(image, table.numpy(), noise.numpy(), bits, out)
        expected = ((table[level] + noise).clamp_(0, 1) * 255).round_().to(torch.uint8)
        assert np.array_equal(out, expected.numpy())


@pytest.mark.parametrize("first", [0, 512, 2**32 - 100, 2**45 + 1])
def test_bits_are_those_of_the_noise_module(first: int) -> None:
    words = np.empty(4 * 512, np.uint32)
    for key in (0, 2**63 + 12345, 2**64 - 1):
        numba_backend._philox(words, np.uint64(first), np.uint64(key))
        expected = philox4x32(torch.arange(first, first + 512), key)
        assert np.array_equal(words.reshape(-1, 4), expected.numpy())


@pytest.mark.parametrize("size", [1, 7, 8, 9, 4095, 4096, 4097, 8191, 12288])
def test_images_that_end_within_a_block(size: int) -> None:
    images, key = made_up((1, 3, 1, size), size), 99
    dark = kornia_backend.gamma_table(2.2)[images[0].long()] + gaussian((3, 1, size), key, 0.05)
    got = numba_backend.low_light(images, 2.2, 0.05, [key])
    assert torch.equal(got[0], (dark.clamp(0, 1) * 255).round().byte())


def test_threads_do_not_disturb_each_other() -> None:
    images = made_up((2, 3, 64, 512), 1)
    work = [condition for condition in CONDITIONS for _ in range(4)]

    def one(condition: str) -> torch.Tensor:
        return corrupt(images, condition, scene_ids=["a", "b"])

    with ThreadPoolExecutor(4) as pool:
        for condition, got in zip(work, pool.map(one, work), strict=True):
            assert torch.equal(got, one(condition))


def fresh(cache: str) -> str:
    """Import the kernels anew, compiled into a folder; return the digest of what they make."""
    numba.config.CACHE_DIR = cache
    spec = importlib.util.spec_from_file_location("kernels_again", numba_backend.__file__)
    again = sys.modules["kernels_again"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(again)
    return digest_of(again)


def digest_of(way: ModuleType) -> str:
    images = made_up((1, 3, 40, 50), 7)
    blurred, dark = way.motion_blur(images, 15), way.low_light(images, 2.2, 0.04, [5])
    return hashlib.sha256(blurred.numpy().tobytes() + dark.numpy().tobytes()).hexdigest()


def test_two_processes_may_compile_at_once(tmp_path: Path) -> None:
    expected = digest_of(kornia_backend)
    with multiprocessing.get_context("fork").Pool(2) as pool:
        assert pool.map(fresh, [str(tmp_path)] * 2, chunksize=1) == [expected] * 2
        assert pool.map(fresh, [str(tmp_path)] * 2, chunksize=1) == [expected] * 2
    assert list(tmp_path.rglob("numba_backend._darken*.nbc"))


@pytest.mark.parametrize(
    ("where", "name", "value"),
    [(numba.config, "DISABLE_JIT", 1), (sys, "byteorder", "big")],
)
def test_the_import_refuses_what_would_be_slow_or_wrong(
    monkeypatch: pytest.MonkeyPatch, where: object, name: str, value: object
) -> None:
    spec = importlib.util.spec_from_file_location("again", numba_backend.__file__)
    monkeypatch.setattr(where, name, value)
    with pytest.raises(ImportError):
        spec.loader.exec_module(importlib.util.module_from_spec(spec))
