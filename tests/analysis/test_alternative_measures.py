"""Other measures of Q on a synthetic run, against direct computation."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from tests.helpers.synthetic import write_records
from vlmis_utils.analysis.alternative_measures import measure_correlations, measure_words
from vlmis_utils.analysis.quality_measures import quality_measures
from vlmis_utils.analysis.results import Results

ONE = {"quality": "iou_person", "metric": "cor", "vlm": "siglip", "segmenter": "mask2former"}


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    return Results(write_records(tmp_path_factory.mktemp("records"), scenes=14), bootstrap=200)


@pytest.fixture(scope="module")
def found(results: Results) -> pd.DataFrame:
    return measure_correlations(results)


def test_each_measure_meets_miou_in_its_own_pictures(results: Results, found: pd.DataFrame) -> None:
    quality = quality_measures(results)
    images = results.vlm_per_image()
    table = quality[quality.segmenter == "mask2former"].merge(
        images[images.vlm == "siglip"], on=["scene_id", "condition"]
    )
    table = table.dropna(subset=["iou_person"])
    row = found.query("over == 'images'").set_index(list(ONE)).loc[tuple(ONE.values())]
    assert row.n == len(table) < 140 and row.scenes == table.scene_id.nunique()
    assert row.r == pytest.approx(stats.spearmanr(table.iou_person, table.omitted)[0])
    assert row.miou_r == pytest.approx(stats.spearmanr(table.miou, table.omitted)[0])


def test_gains_are_differences_and_agree_with_their_p(found: pd.DataFrame) -> None:
    known = found.dropna(subset=["gain", "gain_low"])
    np.testing.assert_allclose(known.gain, known.miou_r - known.r, atol=1e-12)
    np.testing.assert_allclose(known.size_gain, known.r.abs() - known.miou_r.abs(), atol=1e-12)
    outside = (known.gain_low > 0) | (known.gain_high < 0)
    assert (outside == (known.gain_p < 0.05)).all()
    assert (known.gain_holm >= known.gain_p).all()


def test_miou_gains_nothing_over_itself(found: pd.DataFrame) -> None:
    own = found[found.quality == "miou"]
    assert own.gain.isna().all() and own.gain_holm.isna().all()
    np.testing.assert_allclose(own.r, own.miou_r)


def test_over_conditions_the_counts_are_added_up(results: Results, found: pd.DataFrame) -> None:
    quality = results.segmentation_by_condition().query("segmenter == 'mask2former'")
    rates = results.vlm_by_condition().query("vlm == 'siglip'")
    both = quality.merge(rates, on="condition")
    row = found.query("over == 'conditions'").set_index(list(ONE)).loc[tuple(ONE.values())]
    assert row.r == pytest.approx(stats.spearmanr(both.iou_person, both.cor)[0])
    assert row.n == 10


def test_all_measures_have_words(results: Results, found: pd.DataFrame) -> None:
    assert list(measure_words(results)) == list(dict.fromkeys(found.quality))
