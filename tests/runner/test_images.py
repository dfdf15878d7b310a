"""Images on their way from the decoder to a model: one layout, one degradation, the same bytes."""

from __future__ import annotations

import hashlib
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tests.helpers import fakes
from vlmis_utils.core.errors import RunError
from vlmis_utils.protocol.conditions import BLANK, CONDITIONS
from vlmis_utils.records.run_info import read_run
from vlmis_utils.runner import run as engine
from vlmis_utils.runner.context import open_context
from vlmis_utils.runner.images import batches, image_digest, luma, psnr

SCENES = 4


class Seeing(fakes.FakeSegmenter):
    """Keeps what it is shown."""

    shown: list[torch.Tensor] = []

    def predict(self, images: torch.Tensor) -> torch.Tensor:
        Seeing.shown.append(images.clone())
        return super().predict(images)


def load_seeing(entry, device: str = "cpu") -> Seeing:
    return Seeing()


def images_of_a_study(folder: Path, **changes: object) -> list[torch.Tensor]:
    """Run a study of all conditions and return the batches that its segmenter saw."""
    Seeing.shown = []
    study = fakes.make_study(folder, SCENES, conditions=CONDITIONS, vlms=(), **changes)
    engine.run(study, loaders=replace(fakes.LOADERS, segmenter=load_seeing))
    return Seeing.shown


@pytest.mark.parametrize("blur_scale", ["absolute", "relative"])
def test_a_whole_study_sees_the_same_bytes_by_either_backend(
    tmp_path: Path, blur_scale: str
) -> None:
    seen, tables = {}, {}
    for backend in ("kornia", "compiled"):
        changes = {"study": backend, "corruption_backend": backend, "blur_scale": blur_scale}
        seen[backend] = images_of_a_study(tmp_path, **changes)
        records = tmp_path / "build" / backend / "records"
        tables[backend] = pd.read_parquet(records / "conditions.parquet")
        ran = read_run(records)["corruptions"]
        assert ran == {"backend": backend, "device": "cpu"}
    assert sum(map(len, seen["kornia"])) == SCENES * len(CONDITIONS)
    pairs = zip(seen["kornia"], seen["compiled"], strict=True)
    assert all(torch.equal(by_kornia, compiled) for by_kornia, compiled in pairs)
    pd.testing.assert_frame_equal(tables["kornia"], tables["compiled"])


def test_another_backend_runs_nothing_again(tmp_path: Path, counts) -> None:
    study = fakes.make_study(tmp_path, SCENES, corruption_backend="compiled")
    engine.run(study, loaders=fakes.LOADERS)
    counts()
    other = replace(study, corruption_backend="kornia")
    assert all(unit.recorded for unit in engine.plan(other, fakes.LOADERS))
    engine.run(other, loaders=fakes.LOADERS)
    assert counts() == {}
    ran = read_run(study.records)["corruptions"]
    assert ran["backend"] == "compiled"  # what degraded the images that are recorded


def test_a_scene_is_decoded_once_and_keeps_its_layout(tmp_path: Path) -> None:
    context = open_context(fakes.make_study(tmp_path, SCENES, batch_size=3), fakes.LOADERS)
    made = list(batches(context, context.scenes, "clean", "cpu"))
    assert [len(batch.scenes) for batch in made] == [3, 1]
    for batch in made:
        assert batch.seen.dtype == torch.uint8 and batch.seen.is_contiguous()
        for index, scene in enumerate(batch.scenes):
            assert np.array_equal(batch.seen[index].permute(1, 2, 0).numpy(), scene.image())
            assert np.array_equal(batch.labels[index], scene.labels())
            assert context.decoded(scene)[1] is batch.labels[index]


def test_a_batch_ends_where_the_size_changes(tmp_path: Path) -> None:
    from PIL import Image

    study = fakes.make_study(tmp_path, SCENES, batch_size=8)
    for folder, mode in (("test", "RGB"), ("testannot", "L")):
        path = tmp_path / "data" / folder / "a_02.png"
        Image.open(path).convert(mode).resize((16, 12), 0).save(path)
    context = open_context(study, fakes.LOADERS)
    made = list(batches(context, context.scenes, BLANK, "cpu"))
    assert [tuple(b.seen.shape) for b in made] == [(2, 3, 24, 32), (1, 3, 12, 16), (1, 3, 24, 32)]
    assert all(b.seen.unique().tolist() == [128] for b in made)


def test_an_image_that_is_not_the_one_recorded_is_named(tmp_path: Path) -> None:
    context = open_context(fakes.make_study(tmp_path, SCENES), fakes.LOADERS)
    name = context.scenes[1].scene_id
    with pytest.raises(RunError, match=f"{name} under MB1 is not the image recorded"):
        list(batches(context, context.scenes, "MB1", "cpu", {name: "0" * 64}))


def test_the_digest_is_that_of_the_pixels_in_a_files_order() -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    written = b"".join(pixels[y, x].tobytes() for y in range(5) for x in range(7))
    expected = hashlib.sha256(b"(5, 7, 3)" + written).hexdigest()
    assert image_digest(torch.from_numpy(pixels).permute(2, 0, 1)) == expected
    assert image_digest(torch.from_numpy(pixels.transpose(2, 0, 1).copy())) == expected


def test_psnr_matches_its_definition() -> None:
    rng = np.random.default_rng(4)
    first, second = (rng.integers(0, 256, (3, 9, 11), dtype=np.uint8) for _ in range(2))
    error = np.mean((first.astype(float) - second) ** 2)
    got = psnr(torch.from_numpy(first), torch.from_numpy(second))
    assert got == pytest.approx(10 * math.log10(255**2 / error), abs=1e-12)
    assert psnr(torch.from_numpy(first), torch.from_numpy(first)) is None


@given(st.integers(0, 2**32 - 1))
def test_luma_is_pillows_up_to_its_rounding(seed: int) -> None:
    image = np.random.default_rng(seed).integers(0, 256, (9, 7, 3), dtype=np.uint8)
    theirs = np.asarray(Image.fromarray(image).convert("L")).mean() / 255
    ours = luma(torch.from_numpy(image).permute(2, 0, 1))
    assert ours == pytest.approx(theirs, abs=1 / 255)
