"""The arrays of a run against its frames."""

from __future__ import annotations

import numpy as np
import pytest

from tests.helpers.synthetic import write_records
from vlmis_utils.analysis.panel import covariates, load_panel
from vlmis_utils.analysis.quality_measures import measures
from vlmis_utils.analysis.results import Results
from vlmis_utils.protocol.conditions import CONDITIONS

MIOU = measures(["pedestrian"])[0]


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    return Results(write_records(tmp_path_factory.mktemp("records"), scenes=6), bootstrap=50)


def test_values_lie_where_scene_and_condition_say(results: Results) -> None:
    panel = load_panel(results, ["hr_i", "omitted_conditional"])
    assert panel.conditions == CONDITIONS and len(panel.scenes) == 6
    images = results.vlm_per_image().set_index(["vlm", "scene_id", "condition"])
    at = panel.scenes[4], panel.conditions[7]
    assert panel.failures["siglip"]["hr_i"][4, 7] == images.hr_i["siglip", *at]
    quality = results.segmentation_per_image().set_index(["segmenter", "scene_id", "condition"])
    assert panel.quality(MIOU)[1, 4, 7] == pytest.approx(quality.miou["segformer", *at])


def test_means_are_those_of_the_conditions(results: Results) -> None:
    panel = load_panel(results, ["smr_i"])
    weights = np.array([[1.0] * 6, [2, 0, 1, 1, 1, 1]])
    rates = results.vlm_by_condition().set_index(["vlm", "condition"]).smr
    found = panel.failure_means("smr_i", weights)
    assert found[0, 0, 3] == pytest.approx(rates["clip", "LL3"])
    drawn = panel.failures["clip"]["smr_i"][[0, 0, 2, 3, 4, 5], 3]
    assert found[1, 0, 3] == pytest.approx(drawn.mean())
    miou = results.segmentation_by_condition().set_index(["segmenter", "condition"]).miou
    assert panel.quality_means(MIOU, weights)[0, 2, 1] == pytest.approx(miou["mask2former", "LL1"])


def test_a_missing_picture_leaves_a_gap(results: Results) -> None:
    cut = Results(results.records, bootstrap=50)
    cut.segmentation = results.segmentation.iloc[1:]
    panel = load_panel(cut, ["hr_i"])
    q = panel.quality(MIOU)
    assert np.isnan(q).sum() == 1
    assert np.isfinite(panel.quality_means(MIOU, np.ones((1, 6)))).all()


def test_parts_keep_their_conditions(results: Results) -> None:
    panel = load_panel(results, ["hr_i"])
    part = panel.part(panel.severity == 2)
    assert part.conditions == ("LL2", "MB2", "OCC2")
    np.testing.assert_array_equal(part.quality(MIOU), panel.quality(MIOU)[:, :, [2, 5, 8]])


def test_covariates_leave_out_what_others_determine(results: Results) -> None:
    panel = load_panel(results, ["hr_i"])
    assert covariates(panel).shape == (1, 10) and covariates(panel, corruption=True).shape == (
        4,
        10,
    )
    clean_and_one = panel.part([c in ("clean", "LL1", "MB1") for c in panel.conditions])
    assert len(covariates(clean_and_one, corruption=True)) == 2
    assert covariates(panel.part(panel.severity == 0)).shape == (0, 1)
