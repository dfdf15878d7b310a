"""Measures of Q against direct counting on synthetic records."""

from __future__ import annotations

import numpy as np
import pytest

from tests.helpers.synthetic import write_records
from vlmis_utils.analysis.quality_measures import (
    measures,
    quality_measures,
    quality_measures_by_condition,
    score,
)
from vlmis_utils.analysis.results import Results
from vlmis_utils.metrics.segmentation import class_counts, iou, miou
from vlmis_utils.protocol.classes import CRITICAL_CLASSES, TRAIN_CLASSES

KNOWN = {m.name: m for m in measures(CRITICAL_CLASSES)}
CRITICAL = [TRAIN_CLASSES.index(c) for c in ("traffic light", "traffic sign", "person", "rider")]


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    return Results(write_records(tmp_path_factory.mktemp("records"), scenes=6), bootstrap=50)


def test_names_follow_the_critical_classes() -> None:
    assert list(KNOWN)[:5] == [
        "miou", "iou_traffic light", "iou_traffic sign", "iou_person", "iou_rider",
    ]  # fmt: skip
    assert "iou_car" in [m.name for m in measures(["car"])]


def test_scores_of_an_image_by_hand() -> None:
    rng = np.random.default_rng(0)
    table = rng.integers(0, 50, (19, 19))
    table[CRITICAL[0]] = 0
    counts = class_counts(table)
    real = table.sum(axis=1)
    assert score(KNOWN["miou"], counts) == pytest.approx(miou(table))
    assert score(KNOWN["iou_person"], counts) == pytest.approx(iou(table)[11])
    assert np.isnan(score(KNOWN["iou_traffic light"], counts))
    hits = np.diag(table)[CRITICAL]
    assert score(KNOWN["critical_recall"], counts) == pytest.approx(
        hits.sum() / real[CRITICAL].sum()
    )
    shares = hits[1:] / real[CRITICAL[1:]]
    assert score(KNOWN["critical_class_recall"], counts) == pytest.approx(shares.mean())
    assert score(KNOWN["corridor_accuracy"], counts) == pytest.approx(np.trace(table) / table.sum())


def test_a_class_below_the_floor_is_not_there() -> None:
    table = np.diag(np.full(19, 60))
    table[11, 11] = 30
    counts = class_counts(table)
    assert score(KNOWN["iou_person"], counts, 30.0) == 1
    assert np.isnan(score(KNOWN["iou_person"], counts, 31.0))
    assert score(KNOWN["miou"], counts, 31.0) == 1


def test_an_empty_image_has_no_score() -> None:
    for measure in KNOWN.values():
        assert np.isnan(score(measure, np.zeros((3, 19)))).all()


def test_frames_agree_with_the_results(results: Results) -> None:
    keys = ["segmenter", "condition", "scene_id"]
    ours = quality_measures(results).set_index(keys)
    theirs = results.segmentation_per_image().set_index(keys).loc[ours.index]
    np.testing.assert_allclose(ours.miou, theirs.miou)
    assert list(ours) == list(KNOWN)
    whole = quality_measures_by_condition(results).set_index(keys[:2])
    summed = results.segmentation_by_condition().set_index(keys[:2]).loc[whole.index]
    np.testing.assert_allclose(whole.miou, summed.miou)
    np.testing.assert_allclose(whole["iou_rider"], summed["iou_rider"])


def test_the_corridor_is_counted_apart(results: Results) -> None:
    row = results.segmentation.iloc[0]
    inside = np.reshape(row.corridor_confusion, (19, 19))
    found = quality_measures(results).iloc[0]
    assert found.corridor_accuracy == pytest.approx(np.trace(inside) / inside.sum())
