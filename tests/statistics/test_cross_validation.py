"""Probabilities of failure for scenes that the model has not seen, against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tests.helpers.failures import IMAGES, SCENE, SCENES, simulated
from vlmis_utils.core.errors import UserError
from vlmis_utils.statistics.cross_validation import cross_validated, fitted, grouped_folds


def test_folds_keep_scenes_together_and_are_fixed_by_the_seed() -> None:
    folds = grouped_folds(SCENE, 5, seed=3)
    assert all(len(set(folds[SCENE == s])) == 1 for s in range(SCENES))
    assert np.bincount(folds).tolist() == [SCENES * IMAGES // 5] * 5
    np.testing.assert_array_equal(folds, grouped_folds(SCENE, 5, seed=3))
    assert (folds != grouped_folds(SCENE, 5, seed=4)).any()
    assert set(grouped_folds(SCENE[:15], 5)) == {0, 1, 2}
    with pytest.raises(UserError, match="2 scenes"):
        grouped_folds(np.zeros(4))


def test_probabilities_are_those_of_a_pipeline_on_the_other_folds() -> None:
    x, y = simulated()
    folds = grouped_folds(SCENE)
    found = cross_validated(x, y, folds, ridge=0.5)
    for fold in range(5):
        test = folds == fold
        model = make_pipeline(StandardScaler(), LogisticRegression(C=2.0, tol=1e-8))
        expected = model.fit(x[~test], y[~test]).predict_proba(x[test])[:, 1]
        np.testing.assert_allclose(found[test], expected, atol=1e-4)


def test_probabilities_without_features_or_without_failures() -> None:
    x, y = simulated()
    folds = grouped_folds(SCENE)
    plain = cross_validated(x[:, :0], y, folds)
    others = folds != 2
    assert plain[folds == 2] == pytest.approx((y[others].sum() + 0.5) / (others.sum() + 1))
    never = cross_validated(x, np.zeros(len(y)), folds)
    assert (never < 0.01).all() and (never > 0).all()


def test_missing_features_count_as_the_mean() -> None:
    x, y = simulated()
    folds = grouped_folds(SCENE)
    x[::7, 1] = np.nan
    filled = x.copy()
    for fold in range(5):
        mean = np.nanmean(x[folds != fold, 1])
        filled[:, 1] = np.where(np.isnan(x[:, 1]), mean, x[:, 1])
        test = folds == fold
        spread = np.nanstd(x[~test], axis=0)
        scaled = (filled - np.nanmean(x[~test], axis=0)) / spread
        model = LogisticRegression(tol=1e-8).fit(scaled[~test], y[~test])
        found = cross_validated(x, y, folds)[test]
        np.testing.assert_allclose(found, model.predict_proba(scaled[test])[:, 1], atol=1e-4)


def test_one_split_is_that_fold_of_the_whole() -> None:
    x, y = simulated()
    folds = grouped_folds(SCENE)
    found = fitted(x, y, folds != 3, folds == 3)
    np.testing.assert_array_equal(found, cross_validated(x, y, folds)[folds == 3])
