"""Corruptions against independent oracles, and the properties that Table 1 promises."""

from __future__ import annotations

import math

import kornia
import numpy as np
import pytest
import torch
from scipy import ndimage, stats

from vlmis_utils.core.errors import UserError
from vlmis_utils.corruptions.corrupt import (
    CONDITIONS,
    NOISE_SIGMA,
    TABLE1,
    blur_kernel_size,
    condition_row,
    corrupt,
    occluder,
    psnr,
)

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


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("condition", CONDITIONS)
def test_gpu_gives_the_same_bytes(images: torch.Tensor, condition: str) -> None:
    there = corrupt(images.cuda(), condition, scene_ids=NAMES)
    assert there.is_cuda
    assert torch.equal(there.cpu(), corrupt(images, condition, scene_ids=NAMES))


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


def test_relative_blur_keeps_the_angle_of_view(images: torch.Tensor) -> None:
    for kernel in (7, 15, 25):
        assert blur_kernel_size(kernel, 2048, "relative") == kernel
        for width in (320, 480, 512, 640, 1024, 1280, 4096):
            size = blur_kernel_size(kernel, width, "relative")
            assert size % 2 == 1 and size >= 3
            assert 0 <= size - kernel * width / 2048 < 2 or size == 3
    for width in (512, 1024, 1920):
        sizes = [blur_kernel_size(k, width, "relative") for k in (7, 15, 25)]
        assert len(set(sizes)) == 3
    relative = corrupt(images, "MB3", scene_ids=NAMES, blur_scale="relative")
    assert blur_kernel_size(25, WIDTH, "relative") == 3
    means = ndimage.uniform_filter1d(images.numpy().astype(float), 3, axis=3, mode="nearest")
    assert np.array_equal(relative.numpy(), np.rint(means))


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


@pytest.mark.parametrize(
    "size", [(256, 512), (360, 480), (1024, 2048), (512, 256), (64, 64), (9, 300), (300, 9)]
)
@pytest.mark.parametrize("severity", [1, 2, 3])
def test_occluder_has_its_area_and_lies_inside(size: tuple[int, int], severity: int) -> None:
    height, width = size
    share = condition_row(f"OCC{severity}").share
    for number in range(50):
        top, left, tall, wide = occluder(f"scene {number}", severity, height, width, seed=number)
        assert top >= 0 and left >= 0 and tall >= 1 and wide >= 1
        assert top + tall <= height and left + wide <= width
        assert abs(tall * wide - share * height * width) <= wide / 2 + 0.5


def test_occluder_spreads_over_places_and_shapes() -> None:
    boxes = np.array([occluder(f"s{n}", 2, 256, 512) for n in range(2000)], dtype=float)
    top, left, tall, wide = boxes.T
    down, across = top / (256 - tall + 1), left / (512 - wide + 1)
    assert stats.kstest(down, "uniform").pvalue > 1e-4
    assert stats.kstest(across, "uniform").pvalue > 1e-4
    aspect = np.log2(wide / tall)
    assert -1.05 < aspect.min() < -0.9 and 0.9 < aspect.max() < 1.05
    assert abs(np.corrcoef(down, across)[0, 1]) < 0.1
    other = np.array([occluder(f"s{n}", 2, 256, 512, seed=1) for n in range(2000)])
    assert (boxes != other).any(axis=1).mean() > 0.99


def test_occlusion_is_black_inside_and_untouched_outside(images: torch.Tensor) -> None:
    bright = images.clamp(min=1)
    out, info = corrupt(bright, "OCC3", scene_ids=NAMES, return_info=True)
    for before, after, applied in zip(bright, out, info, strict=True):
        top, left, tall, wide = applied.occluder
        assert applied.occluder == occluder(applied.scene_id, 3, HEIGHT, WIDTH)
        hidden = torch.zeros(HEIGHT, WIDTH, dtype=torch.bool)
        hidden[top : top + tall, left : left + wide] = True
        assert bool((after[:, hidden] == 0).all())
        assert torch.equal(after[:, ~hidden], before[:, ~hidden])


def test_psnr_falls_with_severity(images: torch.Tensor) -> None:
    for corruption in ("MB", "LL", "OCC"):
        ratios = []
        for severity in (1, 2, 3):
            condition = f"{corruption}{severity}"
            _, info = corrupt(images, condition, scene_ids=NAMES, return_info=True)
            assert [applied.condition for applied in info] == [condition] * 3
            ratios.append([applied.psnr for applied in info])
        means = np.mean(ratios, axis=1)
        assert means[0] > means[1] > means[2]
        if corruption != "OCC":
            assert (np.diff(ratios, axis=0) < 0).all()
    _, clean = corrupt(images, "clean", scene_ids=NAMES, return_info=True)
    assert all(math.isinf(applied.psnr) and applied.occluder is None for applied in clean)


def test_psnr_matches_its_definition(images: torch.Tensor) -> None:
    out = corrupt(images, "LL2", scene_ids=NAMES)
    for before, after, ratio in zip(images, out, psnr(images, out), strict=True):
        error = ((before.double() - after.double()) ** 2).mean()
        assert ratio == pytest.approx(float(10 * torch.log10(255**2 / error)), abs=1e-9)


def test_an_empty_batch_stays_empty() -> None:
    empty = torch.zeros(0, 3, 8, 8, dtype=torch.uint8)
    for condition in CONDITIONS:
        out, info = corrupt(empty, condition, scene_ids=[], return_info=True)
        assert out.shape == empty.shape and info == []


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


def test_occluder_rejects_an_unknown_severity() -> None:
    with pytest.raises(UserError, match="severity"):
        occluder("a", 4, 10, 10)
    with pytest.raises(UserError, match="no room"):
        occluder("a", 1, 0, 10)
