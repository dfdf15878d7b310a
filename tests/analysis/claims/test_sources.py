"""Both sources answer as the tables and the results do."""

from __future__ import annotations

import numpy as np
import pytest

from tests.helpers.synthetic import write_records
from vlmis_utils.analysis.claims.sources import PrintedTables, Run
from vlmis_utils.analysis.paper.tables import pairs
from vlmis_utils.analysis.results import Results

LABELS = {"clip": "CLIP", "siglip": "SigLIP", "qwen2-vl": "Qwen2-VL", "deeplabv3plus": "DeepLabV3+"}


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    return Results(write_records(tmp_path_factory.mktemp("records"), scenes=12), bootstrap=300)


def test_printed_numbers_are_those_of_the_tables() -> None:
    printed = PrintedTables()
    assert len(printed.conditions) == 10 and printed.conditions[0] == "clean"
    for row in pairs().itertuples():
        assert printed.quality(row.segmenter, row.condition).value == row.miou
        for metric in ("hr", "cor", "smr"):
            assert printed.rate(row.vlm, row.condition, metric).value == getattr(row, metric)
    assert printed.iou("segformer", "clean", "car") is None
    assert printed.named("CLIP") in printed.vlms and printed.named("GPT") is None


def test_the_run_says_what_the_results_say(results: Results) -> None:
    run = Run(results, LABELS)
    assert run.conditions[0] == "clean" and "blank" not in run.conditions
    rates = results.vlm_by_condition().set_index(["vlm", "condition"])
    quality = results.segmentation_by_condition().set_index(["segmenter", "condition"])
    for vlm in run.vlms:
        for metric in ("hr", "cor", "smr", "abstained"):
            assert run.rate(vlm, "MB2", metric).value == pytest.approx(rates[metric][vlm, "MB2"])
    for name in run.segmenters:
        assert run.quality(name, "LL1").value == pytest.approx(quality.miou[name, "LL1"])
        assert run.iou(name, "LL1", "car").value == pytest.approx(quality.iou_car[name, "LL1"])


def test_errors_are_those_of_the_bootstrap_intervals(results: Results) -> None:
    run = Run(results, LABELS)
    rates = results.vlm_by_condition().set_index(["vlm", "condition"])
    width = rates.smr_high["clip", "LL3"] - rates.smr_low["clip", "LL3"]
    assert run.rate("clip", "LL3", "smr").error == pytest.approx(width / 3.92, rel=0.25)
    clean, dark = (run.quality("segformer", c) for c in ("clean", "LL3"))
    assert np.isfinite((clean - dark).error)


def test_models_are_found_by_their_label(results: Results) -> None:
    assert Run(results, LABELS).named("Qwen2-VL") == "qwen2-vl"
    assert Run(results, {"clip": "GPT"}).named("CLIP") is None
