"""ΔQ and ΔL against direct computation on synthetic records."""

from __future__ import annotations

import numpy as np
import pytest

from tests.helpers.synthetic import write_records
from vlmis_utils.analysis import changes
from vlmis_utils.analysis.results import Results
from vlmis_utils.metrics.segmentation import miou


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    return Results(write_records(tmp_path_factory.mktemp("records"), scenes=8), bootstrap=100)


def test_quality_change_is_clean_minus_degraded_of_summed_counts(results: Results) -> None:
    found = changes.quality_changes(results).set_index(["segmenter", "condition"])
    table = results.segmentation[results.segmentation.segmenter == "segformer"]
    total = table.groupby("condition").confusion.apply(lambda c: np.sum(list(c), axis=0))
    assert found.delta["segformer", "LL3"] == pytest.approx(
        miou(total["clean"]) - miou(total["LL3"])
    )
    assert (found.low <= found.delta).all() and (found.delta <= found.high).all()


def test_misalignment_change_agrees_with_the_rates(results: Results) -> None:
    found = changes.misalignment_changes(results).set_index(["vlm", "condition", "metric"]).delta
    rates = results.vlm_by_condition().set_index(["vlm", "condition"])
    for metric in ("hr", "cor", "smr"):
        expected = rates[metric]["clip", "MB3"] - rates[metric]["clip", "clean"]
        assert found["clip", "MB3", metric] == pytest.approx(expected)
    assert ("clip", "blank", "f1") in found.index


def test_above_constant_is_the_gap_to_the_baselines(results: Results) -> None:
    found = changes.above_constant(results).set_index(["vlm", "measure"]).delta
    rates = results.vlm_by_condition().set_index(["vlm", "condition"])
    constant = results.baselines().set_index("baseline")
    gain = rates.f1["clip", "clean"] - constant.f1["best constant caption"]
    assert found["clip", "f1"] == pytest.approx(gain)
    better = constant.smr[["always safe", "always unsafe"]].min()
    assert found["clip", "smr"] == pytest.approx(better - rates.smr["clip", "clean"])
