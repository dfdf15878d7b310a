"""Corruptions against independent oracles, and the properties that Table 1 promises."""

from __future__ import annotations

import math

import kornia
import numpy as np
import pytest
import torch
from scipy import ndimage

from vlmis_utils.core.errors import UserError
from vlmis_utils.corruptions.corrupt import (
    CONDITIONS,
    NOISE_SIGMA,
    TABLE1,
    corrupt,
    occluder,
)
from vlmis_utils.protocol.conditions import blur_length, condition_row

HEIGHT, WIDTH = 96, 160
NAMES = ["streetworld-test-0-00001", "aachen_000001", "ä b/ç"]
QUIET = (0.0, 0.0, 0.0)


def smooth(scenes: int = 3, height: int = HEIGHT, width: int = WIDTH) -> torch.Tensor:
    """Return images with structure at several scales, uint8 (scenes, 3, height, width)."""
    rng = np.random.default_rng(5)
    layers = [
        ndimage.gaussian_filter(rng.normal(size=(scenes, 3, height, width)), (0, 0, s, s)) * s
        for s in (1, 4, 12)
    ]
    field = sum(layers)
    field = (field - field.min()) / (field.max() - field.min())
    return torch.from_numpy((field * 255).round().astype(np.uint8))


@pytest.fixture(scope="module")
def images() -> torch.Tensor:
    return smooth()


def test_table_has_the_papers_parameters() -> None:
    rows = {row.condition: row for row in TABLE1}
    assert set(rows) == set(CONDITIONS) - {"clean"} and len(CONDITIONS) == 10
    assert [rows[f"MB{s}"].kernel for s in (1, 2, 3)] == [7, 15, 25]
    assert [rows[f"LL{s}"].gamma for s in (1, 2, 3)] == [1.6, 2.2, 3.0]
    assert [rows[f"OCC{s}"].share for s in (1, 2, 3)] == [0.08, 0.15, 0.25]
    assert all(row.condition.endswith(str(row.severity)) and row.motivation for row in TABLE1)
    assert condition_row("clean") is None


@pytest.mark.parametrize("condition", CONDITIONS)
def test_a_scene_is_the_same_alone_and_in_any_batch(images: torch.Tensor, condition: str) -> None:
    before = images.clone()
    together = corrupt(images, condition, scene_ids=NAMES, seed=3)
    assert together.dtype == torch.uint8 and together.shape == images.shape
    assert torch.equal(images, before) and together.data_ptr() != images.data_ptr()
    backwards = corrupt(images.flip(0), condition, scene_ids=NAMES[::-1], seed=3).flip(0)
    assert torch.equal(together, backwards)
    for index, name in enumerate(NAMES):
        alone = corrupt(images[index : index + 1], condition, scene_ids=[name], seed=3)
        assert torch.equal(alone[0], together[index])
    strided = images.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2)
    assert torch.equal(corrupt(strided, condition, scene_ids=NAMES, seed=3), together)


def test_number_of_threads_does_not_matter(images: torch.Tensor) -> None:
    threads = torch.get_num_threads()
    try:
        results = []
        for count in (1, 2):
            torch.set_num_threads(count)
            results.append([corrupt(images, c, scene_ids=NAMES) for c in CONDITIONS])
    finally:
        torch.set_num_threads(threads)
    assert all(torch.equal(a, b) for a, b in zip(*results, strict=True))


@pytest.mark.parametrize("condition", CONDITIONS)
def test_a_callers_autocast_does_not_matter(images: torch.Tensor, condition: str) -> None:
    expected = corrupt(images, condition, scene_ids=NAMES)
    with torch.autocast("cpu", dtype=torch.bfloat16), torch.inference_mode():
        assert torch.equal(corrupt(images, condition, scene_ids=NAMES), expected)


def test_seed_scene_and_severity_each_change_the_noise() -> None:
    grey = torch.full((2, 3, 40, 40), 128, dtype=torch.uint8)

    def noise(condition: str, seed: int = 0, sigma: float = 0.05) -> np.ndarray:
        out = corrupt(
            grey, condition, scene_ids=["a", "b"], seed=seed, noise_sigma=(sigma, sigma, sigma)
        )
        return out.numpy().reshape(2, -1).astype(float)

    first, second = noise("LL1")
    series = [first, second, noise("LL1", seed=1)[0], noise("LL2")[0], noise("LL3")[0]]
    bound = 4 / math.sqrt(first.size)
    for i in range(len(series)):
        for j in range(i):
            assert abs(np.corrcoef(series[i], series[j])[0, 1]) < bound


@pytest.mark.parametrize("condition", ["MB1", "MB2", "MB3"])
def test_blur_is_a_horizontal_mean(images: torch.Tensor, condition: str) -> None:
    kernel = condition_row(condition).kernel
    expected = ndimage.correlate1d(
        images.numpy().astype(float), np.full(kernel, 1 / kernel), axis=3, mode="nearest"
    )
    got = corrupt(images, condition, scene_ids=NAMES).numpy()
    assert np.array_equal(got, np.rint(expected))


def test_blur_equals_the_square_kernel_of_kornia(images: torch.Tensor) -> None:
    square = kornia.filters.motion_blur(
        images.double() / 255, 15, angle=0.0, direction=0.0, border_type="replicate"
    )
    got = corrupt(images, "MB2", scene_ids=NAMES)
    assert torch.equal(got, (square * 255).round().to(torch.uint8))


def test_blur_of_one_bright_column_spreads_evenly_and_only_sideways() -> None:
    line = torch.zeros(1, 3, 9, 101, dtype=torch.uint8)
    line[:, :, 4, 50] = 250
    out = corrupt(line, "MB3", scene_ids=["a"])[0, 0]
    assert torch.equal(out[4, 38:63], torch.full((25,), 10, dtype=torch.uint8))
    assert int(out.sum()) == 250


def test_blur_at_the_border_repeats_the_last_column() -> None:
    ramp = torch.zeros(1, 3, 4, 40, dtype=torch.uint8)
    ramp[..., 0] = 210
    out = corrupt(ramp, "MB1", scene_ids=["a"])[0, 0, 0]
    assert out[:5].tolist() == [120, 90, 60, 30, 0]


def test_relative_blur_keeps_the_angle_of_view_exactly(images: torch.Tensor) -> None:
    for kernel in (7, 15, 25):
        assert blur_length(kernel, 2048, "relative") == blur_length(kernel, 320) == kernel
        for width in (320, 480, 512, 640, 1024, 1280, 4096):
            assert blur_length(kernel, width, "relative") / width == kernel / 2048
    same = corrupt(images, "MB1", scene_ids=NAMES, blur_scale="relative")
    assert blur_length(7, WIDTH, "relative") < 1 and torch.equal(same, images)


@pytest.mark.parametrize(("condition", "length"), [("MB1", 1.75), ("MB2", 3.75), ("MB3", 6.25)])
def test_relative_blur_at_512_is_a_box_with_parts_of_pixels(condition: str, length: float) -> None:
    """A picture eight times as fine, blurred by a whole number of its pixels, says the same."""
    images = smooth(1, 16, 512)
    got = corrupt(images, condition, scene_ids=["a"], blur_scale="relative").numpy()
    fine = np.pad(images.numpy().astype(float), ((0, 0), (0, 0), (0, 0), (8, 8)), mode="edge")
    sums = np.cumsum(np.pad(fine.repeat(8, axis=3), ((0, 0), (0, 0), (0, 0), (1, 0))), axis=3)
    centres = 8 * np.arange(8, 520) + 4
    half = int(4 * length)
    means = (sums[..., centres + half] - sums[..., centres - half]) / (8 * length)
    assert np.array_equal(got, np.floor(means + 0.5))


@pytest.mark.parametrize("condition", ["LL1", "LL2", "LL3"])
def test_gamma_is_exact_without_noise(condition: str) -> None:
    levels = torch.arange(256, dtype=torch.uint8).reshape(1, 1, 16, 16).repeat(1, 3, 1, 1)
    out = corrupt(levels, condition, scene_ids=["a"], noise_sigma=QUIET)[0, 1].flatten()
    gamma = condition_row(condition).gamma
    assert out.tolist() == [round(255 * (v / 255) ** gamma) for v in range(256)]


@pytest.mark.parametrize("severity", [1, 2, 3])
def test_noise_has_the_mean_and_spread_asked_for(severity: int) -> None:
    level = {1: 160, 2: 190, 3: 220}[severity]
    grey = torch.full((2, 3, 256, 256), level, dtype=torch.uint8)
    row = condition_row(f"LL{severity}")
    out = corrupt(grey, row.condition, scene_ids=["a", "b"]).numpy().astype(float)
    expected = 255 * (level / 255) ** row.gamma
    sigma = 255 * NOISE_SIGMA[severity - 1]
    spread = math.sqrt(sigma**2 + 1 / 12)
    assert abs(out.mean() - expected) < 4 * spread / math.sqrt(out.size)
    assert abs(out.std() / spread - 1) < 4 / math.sqrt(2 * out.size)
    channels = out[0].reshape(3, -1)
    neighbours = np.corrcoef(channels[0][:-1], channels[0][1:])[0, 1]
    bound = 4 / math.sqrt(channels.shape[1])
    assert abs(np.corrcoef(channels)[0, 1]) < bound and abs(neighbours) < bound


def test_occlusion_is_black_inside_and_untouched_outside(images: torch.Tensor) -> None:
    bright = images.clamp(min=1)
    out = corrupt(bright, "OCC3", scene_ids=NAMES)
    for before, after, name in zip(bright, out, NAMES, strict=True):
        top, left, tall, wide = occluder(name, 3, HEIGHT, WIDTH)
        hidden = torch.zeros(HEIGHT, WIDTH, dtype=torch.bool)
        hidden[top : top + tall, left : left + wide] = True
        assert bool((after[:, hidden] == 0).all())
        assert torch.equal(after[:, ~hidden], before[:, ~hidden])


def test_the_error_grows_with_severity(images: torch.Tensor) -> None:
    for corruption in ("MB", "LL", "OCC"):
        errors = [
            (corrupt(images, f"{corruption}{severity}", scene_ids=NAMES).float() - images.float())
            .square()
            .mean((1, 2, 3))
            for severity in (1, 2, 3)
        ]
        assert bool((errors[0] < errors[1]).all() and (errors[1] < errors[2]).all())


def test_an_empty_batch_stays_empty() -> None:
    empty = torch.zeros(0, 3, 8, 8, dtype=torch.uint8)
    for condition in CONDITIONS:
        assert corrupt(empty, condition, scene_ids=[]).shape == empty.shape


GOOD = torch.zeros(2, 3, 8, 8, dtype=torch.uint8)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"images": GOOD.float()}, "uint8"),
        ({"images": GOOD.numpy()}, "uint8"),
        ({"images": GOOD[0]}, "shape"),
        ({"images": GOOD.permute(0, 2, 3, 1)}, "shape"),
        ({"scene_ids": ["a"]}, "2 names"),
        ({"scene_ids": "ab"}, "2 names"),
        ({"condition": "MB4"}, "MB"),
        ({"condition": "Clean"}, "did you mean 'clean'"),
        ({"blur_scale": "absolut"}, "did you mean 'absolute'"),
        ({"noise_sigma": (0.1, 0.2)}, "three numbers"),
        ({"noise_sigma": (0.1, 0.2, -0.1)}, "three numbers"),
        ({"noise_sigma": 0.1}, "three numbers"),
        ({"noise_sigma": (0.1, 0.2, math.nan)}, "three numbers"),
    ],
)
def test_misuse_is_named_in_one_line(change: dict[str, object], words: str) -> None:
    given = {"images": GOOD, "condition": "LL1", "scene_ids": ["a", "b"], **change}
    with pytest.raises(UserError, match=words) as error:
        corrupt(given.pop("images"), given.pop("condition"), **given)
    assert "\n" not in str(error.value)
