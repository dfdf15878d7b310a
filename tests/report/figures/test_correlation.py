"""Figures and tables of correlations and predictions draw from synthetic records, whole or poor."""

from __future__ import annotations

import io
from types import SimpleNamespace

import numpy as np
import pytest
from IPython.display import Markdown
from matplotlib.figure import Figure
from PIL import Image

from tests.helpers.pictures import drawn_points
from tests.helpers.synthetic import write_records
from vlmis_utils.analysis import confounding, correlation
from vlmis_utils.analysis.alternative_measures import measure_correlations, measure_words
from vlmis_utils.analysis.failure_prediction import predict_failures
from vlmis_utils.analysis.panel import load_panel
from vlmis_utils.analysis.quality_measures import (
    measures,
    quality_measures_by_condition,
)
from vlmis_utils.analysis.results import Results
from vlmis_utils.analysis.validation.error_rates import pooling_errors
from vlmis_utils.report.figures import correlation as pictures
from vlmis_utils.report.figures import prediction as prediction_figures
from vlmis_utils.report.style import show
from vlmis_utils.report.tables import correlation as tables
from vlmis_utils.report.tables import numbered
from vlmis_utils.report.text import correlation as sentences
from vlmis_utils.report.text import prediction as predictions

LABELS = {"clip": "CLIP"}
SEGMENTERS, VLMS = ["segformer", "mask2former"], ["clip", "qwen2-vl"]


@pytest.fixture(scope="module", params=["whole", "poor"])
def results(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Results:
    """Made-up results of two models each; poor ones of 3 scenes, one each, COR always 1."""
    poor = request.param == "poor"
    folder = write_records(tmp_path_factory.mktemp("records"), scenes=3 if poor else 8)
    found = Results(folder, bootstrap=50)
    table, images = found.segmentation, found.vlm_per_image()
    found.segmentation = table[table.segmenter.isin(["segformer"] if poor else SEGMENTERS)]
    frame_found = images[images.vlm.isin(["clip"] if poor else VLMS)]
    found.vlm_per_image = frame_found.copy
    if poor:
        kept = ["clean", "MB2", "blank"]
        found.conditions = found.conditions[found.conditions.condition.isin(kept)]
        found.segmentation = found.segmentation[found.segmentation.condition.isin(kept)]
        images = found.vlm_per_image().query("condition in @kept")
        frame_found = images.assign(omitted=1.0, omitted_conditional=1.0)
    found.vlm_per_image = frame_found.copy
    return found


@pytest.fixture(scope="module")
def frames(results: Results) -> SimpleNamespace:
    return SimpleNamespace(
        levels=correlation.correlations(results),
        given=confounding.partial_correlations(results),
        strata=confounding.stratified_correlations(results),
        measures=measure_correlations(results),
        predicted=predict_failures(results),
        words=measure_words(results),
    )


def size(figure: Figure) -> tuple[int, int]:
    return Image.open(io.BytesIO(show(figure, dpi=60).data)).size


def test_one_pair_is_drawn_at_four_levels(results: Results) -> None:
    panel = load_panel(results, ["hr_i"])
    segmenter, vlm = next(iter(panel.counts)), next(iter(panel.failures))
    miou = measures(["pedestrian"])[0]
    figure = pictures.plot_one_pair(panel, miou, "hr_i", segmenter, vlm, "hr")
    assert [axis.get_title(loc="left") for axis in figure.axes] == [
        "over conditions", "over images", "within scenes", "between scenes",
    ]  # fmt: skip
    assert size(figure)[0] > 200


def test_figures_of_levels_and_of_what_stands_behind(frames: SimpleNamespace) -> None:
    figure = pictures.plot_levels(frames.levels, LABELS)
    assert len(figure.axes) == 4 and size(figure)[0] > 200
    figure = pictures.plot_strips(frames.given, LABELS, "given", words={"nothing": "plain"})
    ticks = [t.get_text() for t in figure.axes[0].get_yticklabels()]
    assert len(figure.axes) == 3 and "HR, plain" in ticks
    strata = frames.strata[frames.strata.over == "images"]
    figure = pictures.plot_strips(strata, LABELS, "stratum")
    assert len(figure.axes) == 1 and size(figure)[0] > 200


def test_figures_of_measures_and_predictions(frames: SimpleNamespace) -> None:
    figure = prediction_figures.plot_measures(
        frames.measures, LABELS, frames.words, segmenter="segformer"
    )
    assert len(figure.axes) == 12 and size(figure)[0] > 200
    assert len(prediction_figures.plot_auc(frames.predicted.scores, LABELS).axes) == 2
    said = frames.predicted.pictures
    figure = prediction_figures.plot_reliability(said, LABELS, "segformer")
    assert len(figure.axes) == 2 * said.vlm.nunique() and size(figure)[0] > 200


def test_a_hollow_dot_is_one_whose_interval_includes_zero(frames: SimpleNamespace) -> None:
    given = frames.given.dropna(subset=["r"]).query("over == 'images' and method == 'spearman'")
    (axis,) = pictures.plot_strips(given, LABELS, "given").axes
    drawn, hollow = drawn_points(axis)
    assert sorted(drawn[:, 0]) == pytest.approx(sorted(given.r))
    assert hollow.sum() == (~((given.low > 0) | (given.high < 0))).sum()


def test_tables_are_finished_cells(results: Results, frames: SimpleNamespace) -> None:
    rates = {0.0: pooling_errors(10, 3, 0.0, runs=5, resamples=20)}
    by_condition = quality_measures_by_condition(results)
    finished = {
        "tests": tables.load_tests(frames.levels),
        "levels": tables.load_levels(frames.levels, LABELS),
        "given": tables.load_given(frames.given, LABELS, "within"),
        "intervals": tables.load_intervals(frames.levels, LABELS),
        "richness": tables.load_richness(confounding.scene_richness(results), LABELS),
        "alarms": tables.load_false_alarms(rates),
        "measures": tables.load_measures(by_condition, frames.words, LABELS),
        "measure gains": tables.load_measure_gains(frames.measures, frames.words, "within"),
        "auc": tables.load_auc(frames.predicted.scores, LABELS, "smr"),
        "gains": tables.load_prediction_gains(frames.predicted.gains),
    }
    for name, table in finished.items():
        cells = np.ravel(table.to_numpy())
        assert len(cells) and all(isinstance(v, str) and "nan" not in v for v in cells), name
        assert isinstance(numbered(table, f"tab-{name}", "A caption."), Markdown)
    pairs = len(frames.levels.groupby(["metric", "vlm", "segmenter"]))
    assert len(finished["levels"]) == len(finished["intervals"]) == pairs


def test_sentences_read_right_with_little_to_say(frames: SimpleNamespace) -> None:
    said = [
        sentences.opposition_finding(frames.levels), sentences.interval_finding(frames.levels),
        predictions.best_measure(frames.measures, frames.words),
    ]  # fmt: skip
    assert all("nan" not in s and s.endswith(".") for s in said)
