"""Predicted failures of a synthetic run, against scikit-learn and by construction."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss, roc_auc_score
from sklearn.preprocessing import StandardScaler

from tests.helpers.synthetic import write_records
from vlmis_utils.analysis.failure_prediction import (
    FEATURE_SETS,
    GAINS,
    Prediction,
    predict_failures,
)
from vlmis_utils.analysis.results import Results
from vlmis_utils.statistics.cross_validation import grouped_folds

ONE = ("smr", "clip")


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    """Made-up results of two VLMs and two segmenters."""
    found = Results(write_records(tmp_path_factory.mktemp("records"), scenes=20), bootstrap=200)
    images, table = found.vlm_per_image(), found.segmentation
    frame_found = images[images.vlm.isin(["clip", "qwen2-vl"])]
    found.vlm_per_image = frame_found.copy
    found.segmentation = table[table.segmenter.isin(["deeplabv3plus", "segformer"])]
    return found


@pytest.fixture(scope="module")
def found(results: Results) -> Prediction:
    return predict_failures(results)


def pictures(found: Prediction, features: str, segmenter: str = "") -> pd.DataFrame:
    p = found.pictures
    mine = (p.metric == ONE[0]) & (p.vlm == ONE[1]) & (p.features == features)
    return p[mine & (p.segmenter == segmenter)].sort_values(["scene_id", "condition"])


def test_sets_with_quality_have_a_row_for_each_segmenter(found: Prediction) -> None:
    each = found.scores.groupby(["metric", "vlm", "features"]).size()
    for (_, _, features), rows in each.items():
        assert rows == (2 if {"miou", "measures"} & set(FEATURE_SETS[features]) else 1)
    assert len(found.gains) == 2 * 2 * 2 * len(GAINS)


def test_clean_pictures_and_those_without_a_critical_class_are_left_out(
    results: Results, found: Prediction
) -> None:
    assert "clean" not in set(found.pictures.condition)
    images = results.vlm_per_image()
    images = images[(images.vlm == "clip") & ~images.condition.isin(["clean", "blank"])]
    n = found.scores.set_index(["metric", "vlm", "features"]).n
    assert n["cor", "clip", "clean"] == images.omitted_conditional.notna().sum()
    assert n["smr", "clip", "clean"] == len(images) == 20 * 9


def test_probabilities_are_those_of_a_logistic_model(results: Results, found: Prediction) -> None:
    mine = pictures(found, "mIoU", "segformer")
    quality = results.segmentation_per_image()
    quality = quality[quality.segmenter == "segformer"].set_index(["scene_id", "condition"]).miou
    x = quality.loc[list(zip(mine.scene_id, mine.condition, strict=True))].to_numpy()[:, None]
    folds = grouped_folds(pd.factorize(mine.scene_id, sort=True)[0], 5, 0)
    expected = np.zeros(len(mine))
    for fold in range(5):
        fit, test = folds != fold, folds == fold
        scale = StandardScaler().fit(x[fit])
        model = LogisticRegression(tol=1e-8).fit(scale.transform(x[fit]), mine.outcome[fit])
        expected[test] = model.predict_proba(scale.transform(x[test]))[:, 1]
    np.testing.assert_allclose(mine.probability, expected, atol=1e-4)


def test_scores_are_scikit_learns(found: Prediction) -> None:
    mine = pictures(found, "condition")
    row = found.scores.set_index(["metric", "vlm", "features"]).loc[(*ONE, "condition")]
    folds = grouped_folds(pd.factorize(mine.scene_id, sort=True)[0], 5, 0)
    wins, pairs = 0.0, 0.0
    for fold in range(5):
        part = mine[folds == fold]
        count = part.outcome.sum() * (1 - part.outcome).sum()
        wins, pairs = wins + count * roc_auc_score(part.outcome, part.probability), pairs + count
    assert row.auc == pytest.approx(wins / pairs)
    assert row.brier == pytest.approx(brier_score_loss(mine.outcome, mine.probability))
    assert row.low <= row.auc <= row.high and row.skill_low <= row.skill <= row.skill_high


def test_gains_are_differences_of_scores(found: Prediction) -> None:
    auc = found.scores.set_index(["metric", "vlm", "features", "segmenter"]).auc
    row = found.gains.query("features == 'mIoU + condition'").iloc[0]
    first = auc[row.metric, row.vlm, row.features, row.segmenter]
    assert row.gain == pytest.approx(first - auc[row.metric, row.vlm, "condition", ""])
    outside = (found.gains.low > 0) | (found.gains.high < 0)
    assert (outside == (found.gains.p < 0.05)).all()


def test_a_failure_that_follows_the_clean_picture_is_predicted_by_it(results: Results) -> None:
    stubborn = Results(results.records, bootstrap=100)
    images = results.vlm_per_image().query("vlm == 'clip'")
    clean = images[images.condition == "clean"].set_index(["vlm", "scene_id"]).smr_i
    keys = list(zip(images.vlm, images.scene_id, strict=True))
    frame_stubborn = images.assign(smr_i=clean.loc[keys].to_numpy())
    stubborn.vlm_per_image = frame_stubborn.copy
    scores = predict_failures(stubborn, {"smr": "smr_i"}).scores
    auc = scores[scores.features == "clean"].auc
    assert (auc > 0.99).all()


def test_a_failure_that_always_happens_cannot_be_predicted(results: Results) -> None:
    hopeless = Results(results.records, bootstrap=50)
    frame_hopeless = results.vlm_per_image().assign(smr_i=1.0)
    hopeless.vlm_per_image = frame_hopeless.copy
    found = predict_failures(hopeless, {"smr": "smr_i"})
    assert found.scores.auc.isna().all() and set(found.scores.reason) == {
        "it always or never happens"
    }
    assert found.gains.gain.isna().all() and found.gains.holm.isna().all()


def test_one_scene_is_not_enough(tmp_path: Path) -> None:
    lonely = Results(write_records(tmp_path, scenes=1), bootstrap=20)
    assert set(predict_failures(lonely, {"smr": "smr_i"}).scores.reason) == {
        "fewer than two scenes"
    }
