"""Cityscapes' own configuration on a miniature in the official layout, 1024 x 2048 pixels."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.helpers import fakes
from tests.helpers.miniature import CITIES, make_cityscapes
from vlmis_utils.analysis.results import Results
from vlmis_utils.datasets.registry import open_dataset
from vlmis_utils.protocol.parameters import load_study
from vlmis_utils.protocol.prompts import PROMPTS
from vlmis_utils.protocol.study import Study
from vlmis_utils.runner import run

SCENES = 3


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_cityscapes(
        tmp_path_factory.mktemp("cityscapes"), SCENES,
        labels=("labelIds", "labelTrainIds", "instanceIds"),
    )  # fmt: skip


@pytest.fixture
def study(tmp_path: Path, root: Path) -> Study:
    """`params/cityscapes.yaml` on the miniature, with the fake models of `tests.helpers.fakes`."""
    fake = fakes.make_study(tmp_path)
    given = load_study("params/cityscapes.yaml", {"data_root": str(root)})
    return replace(
        given, segmenters=fake.segmenters, vlms=fake.vlms, models=fake.models, workers=1,
        device="cpu", build_root=fake.build_root, bootstrap=50,
    )  # fmt: skip


def test_its_scenes_are_of_the_official_size(root: Path) -> None:
    scenes = open_dataset("cityscapes", root=root, split="val")
    assert [s.scene_id.split("-")[2].split("_")[0] for s in scenes] == list(CITIES)
    for scene in scenes:
        assert scene.image().shape == (1024, 2048, 3) and scene.labels().shape == (1024, 2048)
        assert {"road", "sky", "building"} <= scene.present


def test_the_three_kinds_of_label_maps_agree(root: Path, tmp_path: Path) -> None:
    whole = open_dataset("cityscapes", root=root, split="val")
    for kind in ("labelTrainIds", "instanceIds"):
        other = tmp_path / kind
        (other / "leftImg8bit").parent.mkdir()
        (other / "leftImg8bit").symlink_to(root / "leftImg8bit")
        for path in root.glob(f"gtFine/val/*/*_{kind}.png"):
            target = other / path.relative_to(root)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.symlink_to(path)
        scenes = open_dataset("cityscapes", root=other, split="val")
        for scene, first in zip(scenes, whole, strict=True):
            assert kind in scene.label_path.name
            assert np.array_equal(scene.labels(), first.labels())


def test_the_study_runs(study: Study) -> None:
    study = replace(study, conditions=("clean", "OCC1"))
    run.run(study, loaders=fakes.LOADERS)
    results = Results(study.records, bootstrap=50)
    assert list(results.scenes.scene_id) == sorted(results.scenes.scene_id)
    assert len(results.scenes) == SCENES and set(results.scenes.width) == {2048}
    assert len(results.segmentation) == SCENES * 2
    assert len(results.answers) == 2 * SCENES * 3 * len(PROMPTS)
    assert results.segmentation_by_condition().miou.between(0, 1).all()
    counted = results.segmentation.confusion.map(np.sum)
    labelled = results.scenes.set_index("scene_id").pixel_counts.map(np.sum)
    assert (counted.to_numpy() == labelled[results.segmentation.scene_id].to_numpy()).all()


def test_the_least_visible_pixels_grow_with_the_picture(root: Path, tmp_path: Path) -> None:
    small = make_cityscapes(tmp_path, SCENES, size=(256, 512))
    pairs = zip(
        open_dataset("cityscapes", root=root, split="val"),
        open_dataset("cityscapes", root=small, split="val"),
        strict=True,
    )
    for large, little in pairs:
        assert (large.pixel_counts() == 16 * little.pixel_counts()).all()
        assert large.present == little.present
