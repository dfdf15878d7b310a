"""Pictures of the embedded models."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.helpers.embedded import frames, write_quality
from tests.helpers.pictures import drawn_points
from vlmis_utils.report.figures import training as pictures
from vlmis_utils.report.style import show
from vlmis_utils.training.evaluation import gallery, store
from vlmis_utils.training.recipes.facts import STAGES
from vlmis_utils.training.weights import MODELS, SEGMENTERS, VLMS

LABELS = {name: name.upper() for name in MODELS}


def test_curves_hold_every_logged_stage_and_the_last_goes_on() -> None:
    frame = pictures.load_curves()
    assert set(frame.stage) == {file for stages in STAGES.values() for _, file in stages}
    assert (frame[frame.stage == "contrastive-trunk"].model == "").all()
    last = {s: g.minutes for s, g in frame.groupby("stage")}
    assert last["qwen2-vl-joint"].min() > last["qwen2-vl-language"].max()
    figure = pictures.plot_curves(frame, LABELS)
    assert len(figure.axes) == 3
    assert sum(len(axis.lines) for axis in figure.axes) == frame.stage.nunique()


def test_dots_have_a_row_a_class_and_a_mark_a_model(tmp_path: Path) -> None:
    clean = store.read("clean.csv", write_quality(tmp_path))
    for part, measure, count in ((SEGMENTERS, "IoU", 19), (VLMS, "presence AUC", 9)):
        figure = pictures.plot_dots(
            clean[clean.model.isin(part)], measure, LABELS, {"floor": 0.3, "goal": 0.5}
        )
        (axis,) = figure.axes
        drawn, _ = drawn_points(axis)
        own = clean[clean.model.isin(part) & (clean.measure == measure) & (clean["class"] != "")]
        assert len(axis.get_yticks()) == count
        assert sorted(drawn[:, 0]) == pytest.approx(sorted(own.value.dropna()))
        assert show(figure).data


def test_failures_are_laid_out() -> None:
    data = frames(2, 0, 64, 128)
    failures = [
        gallery.Failure("segformer", "worst scene", "s", data.images[i], data.labels[i], "car",
                        np.zeros((64, 128), np.uint8))
        for i in range(2)
    ]  # fmt: skip
    assert len(pictures.plot_failures(failures, LABELS).axes) == 6
    assert len(pictures.plot_scenes(failures[:1], LABELS).axes) == 2


def test_reasons_are_words() -> None:
    row = {"rule": "worst scene", "about": "", "score": 0.25}
    assert gallery.reason(row | {"kind": "segmenter"}) == "worst scene, mIoU 0.25"
    assert gallery.reason(row | {"kind": "vlm"}) == "worst scene, F1 0.25"
    sure = {"rule": "surest error", "about": "bus", "score": 0.98}
    assert gallery.reason(sure) == "surest error: bus, 98 % sure"
