"""What a run records of pictures and segmenters beside their truth."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from tests.helpers import fakes
from vlmis_utils.metrics.signals.picture import picture_signals
from vlmis_utils.metrics.signals.uncertainty import coarse
from vlmis_utils.protocol.classes import pixel_counts
from vlmis_utils.protocol.signals import COARSE, FLIPS, PICTURE_SIGNALS, SEGMENTER_SIGNALS
from vlmis_utils.records.store import read_table
from vlmis_utils.runner import run as engine
from vlmis_utils.runner.context import open_context
from vlmis_utils.runner.images import batches

SCENES = 4


class Unsure(fakes.FakeSegmenter):
    """Calls the left half of every picture sky, and is as sure as a picture is bright."""

    digest = "unsure"

    def predict(self, images: torch.Tensor) -> torch.Tensor:
        maps = torch.zeros(images.shape[0], *images.shape[2:], dtype=torch.uint8)
        maps[..., : maps.shape[-1] // 2] = 10
        return maps

    def predict_with_scores(self, images, grid):
        scores = torch.zeros(len(images), 19, *grid)
        scores[:, 0] = images.float().mean(dim=(1, 2, 3))[:, None, None] / 20
        return self.predict(images), torch.log_softmax(scores, dim=1)


LOADERS = replace(fakes.LOADERS, segmenter=lambda entry, device="cpu": Unsure())


@pytest.fixture
def study(tmp_path: Path):
    return fakes.make_study(tmp_path, SCENES, mirrored=1, vlms=())


def test_pictures_and_segmenters_leave_their_signals(study) -> None:
    engine.run(study, loaders=LOADERS)
    context = open_context(study, LOADERS)
    seen = {
        (scene.scene_id, condition): image
        for condition in study.conditions
        for batch in batches(context, context.scenes, condition, "cpu")
        for scene, image in zip(batch.scenes, batch.seen, strict=True)
    }
    keys = ["scene_id", "condition"]
    pictures = read_table(study.records, "conditions").set_index(keys)
    tables = read_table(study.records, "segmentation").set_index(keys)
    assert len(tables) == len(seen) == SCENES * len(study.conditions)
    for key, image in seen.items():
        for name, (value,) in picture_signals(image[None]).items():
            assert pictures.loc[key, name] == pytest.approx(value, rel=1e-5)
        (plain,) = Unsure().predict(image[None]).numpy()
        row = tables.loc[key]
        assert list(row.predicted) == list(pixel_counts(plain))
        kept = np.frombuffer(row.coarse, np.uint8).reshape(COARSE)
        assert np.array_equal(kept, coarse(plain, COARSE))
        assert row.flip_image > 0.9 and pd.isna(row.flip_critical)
    assert set(PICTURE_SIGNALS) <= set(pictures) and set(SEGMENTER_SIGNALS) <= set(tables)
    order = pictures.loc[list(seen)].brightness.rank().tolist()
    unsure = tables.loc[list(seen)].entropy_image.rank(ascending=False).tolist()
    assert np.corrcoef(order, unsure)[0, 1] > 0.99
    assert tables.entropy_critical.isna().all()


def test_a_segmenter_without_scores_leaves_nulls(study) -> None:
    engine.run(study, loaders=fakes.LOADERS)
    table = read_table(study.records, "segmentation")
    assert table[[*SEGMENTER_SIGNALS]].isna().all().all()
    assert (table.flip_image == 0).all()  # it judges each pixel alone


def test_mirrors_are_asked_of_the_first_segmenters_only(study) -> None:
    engine.run(study, loaders=LOADERS)
    without = replace(study, mirrored=0)
    left = [unit for unit in engine.plan(without, LOADERS) if not unit.recorded]
    assert {unit.table for unit in left} == {"segmentation"}  # another question, another shard
    engine.run(without, loaders=LOADERS)
    assert read_table(study.records, "segmentation")[[*FLIPS]].isna().all().all()
    assert all(unit.recorded for unit in engine.plan(study, LOADERS))
