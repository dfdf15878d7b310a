"""A run says once that pictures were turned upright, and records them so."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.helpers import fakes
from vlmis_utils.records.store import read_table
from vlmis_utils.runner import run


def test_turned_pictures_are_said_once_and_size_is_part_of_the_record(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    study = fakes.make_study(tmp_path, 3, conditions=("clean",), segmenters=(), vlms=("scorer",))
    path = tmp_path / "data" / "test" / "a_01.png"
    upright = np.asarray(Image.open(path))
    exif = Image.Exif()
    exif[274] = 3
    run.run(study, tables={"conditions"}, loaders=fakes.LOADERS)
    before = read_table(study.records, "scenes").image_sha256
    Image.fromarray(np.ascontiguousarray(upright[::-1, ::-1])).save(path, exif=exif)
    assert "EXIF" not in capfd.readouterr().err
    run.run(study, tables={"conditions"}, loaders=fakes.LOADERS)
    assert capfd.readouterr().err.count("1 of 3 images carry an EXIF orientation") == 1
    assert read_table(study.records, "scenes").image_sha256.tolist() == before.tolist()
    run.run(study, tables={"conditions"}, loaders=fakes.LOADERS)
    assert "EXIF" not in capfd.readouterr().err


def test_a_size_asks_for_other_records(tmp_path: Path) -> None:
    sizes = {}
    for size in (None, (12, 16), (24, 32)):
        study = fakes.make_study(
            tmp_path, 3, conditions=("clean",), vlms=("scorer",), image_size=size,
        )  # fmt: skip
        units = run.plan(study, fakes.LOADERS)
        run.run(study, tables={"conditions"}, loaders=fakes.LOADERS)
        sizes[size] = units[0].key
        scenes = read_table(study.records, "scenes")
        assert (scenes.height[0], scenes.width[0]) == (size or (24, 32))
        counts = np.stack(list(scenes.pixel_counts))
        assert set(counts.sum(axis=1)) == {scenes.height[0] * scenes.width[0]}
    assert len(set(sizes.values())) == 3
