"""Every analysis gives an answer, NaN, an empty frame or a sentence, however little a study has."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Callable

import pandas as pd
import pytest

from tests.helpers.synthetic import write_records
from vlmis_utils.analysis import (
    alternative_measures,
    changes,
    claims,
    confounding,
    correlation,
    failure_prediction,
    multiverse,
    quality_measures,
)
from vlmis_utils.analysis.results import Results

LABELS = {"clip": "CLIP", "siglip": "SigLIP", "qwen2-vl": "Qwen2-VL", "deeplabv3plus": "DeepLabV3+"}


def one_scene(found: Results) -> None:
    only = found.scenes.scene_id.iloc[0]
    for table in ("scenes", "conditions", "segmentation", "answers"):
        frame = getattr(found, table)
        setattr(found, table, frame[frame.scene_id == only])


def clean_only(found: Results) -> None:
    for table in ("conditions", "segmentation", "answers"):
        frame = getattr(found, table)
        setattr(found, table, frame[frame.condition == "clean"])


def one_condition_beside_clean(found: Results) -> None:
    for table in ("conditions", "segmentation", "answers"):
        frame = getattr(found, table)
        setattr(found, table, frame[frame.condition.isin(["clean", "MB2"])])


def no_critical_class(found: Results) -> None:
    def without(counts: list[int]) -> list[int]:
        return [0 if i in (6, 7, 11, 12, 18) else n for i, n in enumerate(counts)]

    found.scenes = found.scenes.assign(pixel_counts=found.scenes.pixel_counts.map(without))


def one_model_of_each_kind(found: Results) -> None:
    found.segmentation = found.segmentation[found.segmentation.segmenter == "segformer"]
    found.answers = found.answers[found.answers.vlm == "clip"]


def all_abstained(found: Results) -> None:
    table = found.answers[found.answers.vlm == "qwen2-vl"]
    found.answers = table.assign(text="I cannot tell.")


def no_control_arm(found: Results) -> None:
    for table in ("conditions", "answers"):
        frame = getattr(found, table)
        setattr(found, table, frame[frame.condition != "blank"])


STUDIES = (
    one_scene, clean_only, one_condition_beside_clean, no_critical_class, one_model_of_each_kind,
    all_abstained, no_control_arm,
)  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory):
    return write_records(tmp_path_factory.mktemp("records"), scenes=4)


def whole_multiverse(found: Results) -> list[pd.DataFrame]:
    few = dict.fromkeys(("shares", "epsilons", "thresholds", "speeds"), ())
    grids = multiverse.grids(found, multiverse.choices(found, top_k=(3,), **few))
    curves = [
        multiverse.rise_curve(grids, 10), multiverse.correlation_curve(found, grids),
        multiverse.image_correlation_curve(found, grids, 10),
    ]  # fmt: skip
    judged = [f(curve) for curve in curves for f in (multiverse.robustness, multiverse.effects)]
    return [*curves, *judged, multiverse.joint_test(grids, 10)]


ANALYSES: tuple[Callable[[Results], object], ...] = (
    Results.segmentation_by_condition, Results.vlm_by_condition, Results.presence_by_condition,
    Results.baselines, Results.pairs, changes.quality_changes,
    changes.misalignment_changes, changes.above_constant, changes.misalignment_tests,
    changes.severity_tests, changes.quality_tests, correlation.correlations,
    confounding.partial_correlations,
    confounding.stratified_correlations, confounding.scene_richness, confounding.scene_shares,
    alternative_measures.measure_correlations, quality_measures.quality_measures,
    quality_measures.quality_measures_by_condition, failure_prediction.predict_failures,
    lambda found: claims.judge_claims(found, LABELS),
    lambda found: claims.other_bounds(found, LABELS), whole_multiverse,
)  # fmt: skip


@pytest.mark.parametrize("study", STUDIES, ids=lambda study: study.__name__)
def test_every_analysis_answers(study: Callable[[Results], None], folder) -> None:
    found = Results(folder, bootstrap=10)
    study(found)
    failed = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for analysis in ANALYSES:
            try:
                answer = analysis(found)
            except Exception as error:  # name them all at once
                failed.append(f"{analysis.__qualname__}: {error!r}")
                continue
            frames = answer if isinstance(answer, list) else [answer]
            if dataclasses.is_dataclass(answer):
                frames = [getattr(answer, field.name) for field in dataclasses.fields(answer)]
            assert all(isinstance(frame, pd.DataFrame) for frame in frames)
    assert not failed, "\n".join(failed)
