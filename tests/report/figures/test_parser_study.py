"""The pictures of the parser study draw what they are given, also nothing."""

from __future__ import annotations

import pandas as pd
import pytest

from tests.helpers.pictures import drawn_points
from vlmis_utils.analysis.parser_study import closed_quality, mention_quality
from vlmis_utils.report.figures.parser_study import plot_quality, plot_reliability
from vlmis_utils.report.style import show

COLUMNS = ["vlm", "task", "pictures", "bin", "answers", "scenes", "score", "true", "low", "high"]


def _reliability(*models: str) -> pd.DataFrame:
    rows = [
        (
            model,
            task,
            pictures,
            at,
            10,
            5,
            (at + 0.5) / 5,
            0.2 * at,
            0.1 * at,
            min(1, 0.3 * at + 0.1),
        )
        for model in models
        for task in ("presence", "safety")
        for pictures in ("clean", "degraded")
        for at in range(5)
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def test_quality_has_four_panels_and_a_dot_for_each_number() -> None:
    mentions, closed = mention_quality(resamples=20), closed_quality()
    figure = plot_quality(mentions, closed)
    assert len(figure.axes) == 4
    shown, _ = drawn_points(figure.axes[3])
    known = closed[(closed.task == "safety") & (closed.phenomenon != "all")].value
    assert sorted(shown[:, 0]) == pytest.approx(sorted(known))


@pytest.mark.parametrize("models", [("qwen2-vl",), ("qwen2-vl", "gpt-4o"), ("other",)])
def test_reliability_has_a_row_for_each_model(models: tuple[str, ...]) -> None:
    figure = plot_reliability(_reliability(*models), {"gpt-4o": "GPT-4o"})
    assert len(figure.axes) == 2 * len(models)
    for axis in figure.axes:
        drawn, hollow = drawn_points(axis)
        assert len(drawn) == 10 and hollow.sum() == 5


def test_one_question_only_and_no_model_at_all() -> None:
    frame = _reliability("qwen2-vl")
    assert show(plot_reliability(frame[frame.task == "safety"], {})).data
    figure = plot_reliability(frame.iloc[:0], {})
    assert "no first token" in figure.axes[0].texts[0].get_text()
    assert show(figure).data
