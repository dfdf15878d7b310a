"""A film strip says what is true of each frame, why, and what was said."""

from __future__ import annotations

import numpy as np
import pytest

from tests.helpers.sequences import write_sequences
from vlmis_utils.analysis.sequences.onset import since_onset
from vlmis_utils.analysis.sequences.results import Sequences, open_sequence_results
from vlmis_utils.analysis.sequences.strip import Shot, told
from vlmis_utils.report.figures.sequences import plot_onset, plot_strip


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Sequences:
    return open_sequence_results(write_sequences(tmp_path_factory.mktemp("seq") / "made-up"))


def shots(found: Sequences) -> list[Shot]:
    picture = np.zeros((4, 8, 3), np.uint8)
    rows = found.places.iloc[:4].itertuples()
    return [Shot(row.scene_id, row.time, picture) for row in rows]


def test_a_strip_tells_truth_reason_and_answer(found: Sequences) -> None:
    seen = shots(found)
    rows = told(found, seen, "clean", "qwen2-vl")
    assert list(rows.safe) == list(found.places.safe[:4])
    rows["safe"], rows["decision"] = (
        [True, False, False, True],
        ["safe", "abstain", "unsafe", "safe"],
    )
    rows["reason"] = ["clear", "car in corridor", "red light; car in corridor", "clear"]
    axes = plot_strip(seen, rows, "Qwen2-VL").axes[4:]
    words = [[text.get_text() for text in axis.texts] for axis in axes]
    assert [w[:3] for w in words] == [
        ["is safe", "", "said safe"], ["is unsafe", "car in corridor", "no decision"],
        ["is unsafe", "red light", "said unsafe"], ["is safe", "", "said safe"],
    ]  # fmt: skip


def test_reasons_lose_their_numbers(found: Sequences) -> None:
    reasons = told(found, shots(found), "clean", "clip").reason
    assert not reasons.str.contains(r"\d").any()


def test_an_onset_has_a_line_a_model_in_its_panels(found: Sequences) -> None:
    models = [*found.study.segmenters, *found.study.vlms]
    figure = plot_onset({"step": since_onset(found, "LL3", "step")}, models, {})
    zeros = 2  # the axes' own
    assert [len(axis.lines) - zeros for axis in figure.axes] == [
        len(found.study.segmenters), *[len(found.study.vlms)] * 3,
    ]  # fmt: skip
    assert "no degraded" in plot_onset({}, models, {}).axes[0].texts[0].get_text()
