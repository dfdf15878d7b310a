"""What must hold on a GPU; `make gpu` runs this file there, and a machine without one skips it."""

from __future__ import annotations

import importlib.util

import pytest
import torch

from tests.gpu.measure import noise_images
from vlmis_utils.corruptions import kornia_backend
from vlmis_utils.corruptions.corrupt import corrupt, degrade
from vlmis_utils.corruptions.noise import gaussian
from vlmis_utils.protocol.conditions import BLANK, CONDITIONS

if not torch.cuda.is_available():
    pytest.skip("needs a GPU: run `make gpu` where one is", allow_module_level=True)

NAMES = ["streetworld-test-0-00001", "aachen_000001", "ä b/ç"]
BACKENDS = ["auto", "kornia", *(["compiled"] if importlib.util.find_spec("numba") else [])]
SIZES = [(96, 160), (37, 61), (320, 640)]


@pytest.mark.parametrize("condition", CONDITIONS)
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("blur_scale", ["absolute", "relative"])
def test_bytes_are_those_of_the_cpu(condition: str, size: tuple[int, int], blur_scale: str) -> None:
    images = noise_images(3, *size, "cpu")
    options = {"scene_ids": NAMES, "seed": 3, "blur_scale": blur_scale}
    there = corrupt(images.cuda(), condition, **options)
    assert there.is_cuda and there.dtype == torch.uint8
    assert torch.equal(there.cpu(), corrupt(images, condition, **options))
    alone = corrupt(images[1:2].cuda(), condition, **options | {"scene_ids": NAMES[1:2]})
    assert torch.equal(alone[0], there[1])


@pytest.mark.parametrize("condition", CONDITIONS)
def test_faster_arithmetic_of_the_caller_changes_nothing(condition: str) -> None:
    images = noise_images(3, 128, 512, "cuda")
    options = {"scene_ids": NAMES, "blur_scale": "relative"}
    expected = corrupt(images.cpu(), condition, **options)
    before = torch.backends.cudnn.allow_tf32, torch.backends.cudnn.benchmark
    torch.backends.cudnn.allow_tf32 = torch.backends.cudnn.benchmark = True
    try:
        with torch.autocast("cuda", dtype=torch.bfloat16), torch.inference_mode():
            assert torch.equal(corrupt(images, condition, **options).cpu(), expected)
    finally:
        torch.backends.cudnn.allow_tf32, torch.backends.cudnn.benchmark = before


@pytest.mark.parametrize("length", [1.75, 3.75, 6.25, 25.0, 101.5, 255.0])
def test_sums_are_exact_at_their_upper_end(length: float) -> None:
    images = torch.full((1, 3, 8, 700), 255, dtype=torch.uint8, device="cuda")
    images[..., 300:310] = 0
    expected = kornia_backend.motion_blur(images.cpu(), length)
    assert torch.equal(kornia_backend.motion_blur(images, length).cpu(), expected)


@pytest.mark.parametrize("condition", [*CONDITIONS, BLANK])
@pytest.mark.parametrize("backend", BACKENDS)
def test_images_arrive_degraded_whatever_the_backend(condition: str, backend: str) -> None:
    images = noise_images(3, 64, 128, "cpu")
    there = degrade(images, condition, scene_ids=NAMES, device="cuda", backend=backend)
    assert there.is_cuda
    assert torch.equal(there.cpu(), degrade(images, condition, scene_ids=NAMES))


@pytest.mark.parametrize("key", [0, 2**64 - 1, 123456789])
def test_noise_is_that_of_the_cpu(key: int) -> None:
    shape = (3, 33, 65)
    assert torch.equal(gaussian(shape, key, 0.06, "cuda").cpu(), gaussian(shape, key, 0.06))


def test_a_study_records_on_a_gpu_what_it_records_on_a_cpu(tmp_path, monkeypatch) -> None:
    pandas = pytest.importorskip("pandas", reason="the machine has no pandas")
    pytest.importorskip("pyarrow", reason="the machine has no pyarrow")
    from tests.helpers import fakes
    from vlmis_utils.runner import run

    tables = []
    for device in ("cpu", "cuda"):
        study = fakes.make_study(tmp_path, 5, device=device, study=device)
        run.run(study, loaders=fakes.LOADERS)
        tables.append(
            [
                pandas.read_parquet(study.records / f"{table}.parquet")
                for table in ("scenes", "conditions")
            ]
        )
    for here, there in zip(*tables, strict=True):
        pandas.testing.assert_frame_equal(here, there)
