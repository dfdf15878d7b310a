"""The specification curve and the bars of verdicts draw whatever the study, and stay readable."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tests.helpers.pictures import readable
from vlmis_utils.analysis.multiverse.curves import CONCLUSION
from vlmis_utils.analysis.multiverse.robustness import robustness, rows_of
from vlmis_utils.report.figures.multiverse import plot_specification, plot_verdicts


def made(count: int, metric: str = "cor", gaps: bool = False) -> pd.DataFrame:
    """A curve of one conclusion with 2 * count specifications."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        [(f"Top-{i}", name) for i in range(count) for name in ("over all images", "ε = 1")],
        columns=["top_k", "images"],
    )
    named = dict.fromkeys(CONCLUSION, "") | {"kind": "rise", "vlm": "clip", "condition": "LL3"}
    value = rng.normal(size=len(frame))
    value[: 2 * count if gaps else 0] = np.nan
    return frame.assign(
        **named | {"metric": metric}, own=np.arange(len(frame)) == 0, estimate=value,
        low=value - 0.5, high=value + 0.5,
        verdict=np.where(value > 0.5, "up", np.where(value < -0.5, "down", "same")),
    )  # fmt: skip


@pytest.mark.parametrize("count", [1, 9, 90])
def test_curve_draws_any_number_of_specifications(count: int) -> None:
    frame = made(count)
    rows = rows_of(frame, robustness(frame).iloc[0])
    figure = plot_specification(rows, "change of COR", {})
    readable(figure)
    names = [t.get_text() for t in figure.axes[1].get_yticklabels()]
    assert names[:1] == ["Top-0"] and names[-1] == "ε = 1" and len(names) == count + 2
    bold = [t.get_text() for t in figure.axes[1].get_yticklabels() if t.get_fontweight() == "bold"]
    assert bold == ["Top-0", "Over all images"]
    assert f"{2 * count} specifications" in figure.axes[1].get_xlabel()


def test_curve_without_a_single_estimate_is_empty_and_not_an_error() -> None:
    frame = made(4, gaps=True)
    readable(plot_specification(rows_of(frame, robustness(frame).iloc[0]), "correlation", {}))


def test_marks_stand_under_their_estimates() -> None:
    frame = made(3)
    rows = rows_of(frame, robustness(frame).iloc[0])
    figure = plot_specification(rows, "x", {})
    picture = figure.axes[1].images[0].get_array()
    ranked = rows.sort_values("estimate", kind="stable")
    names = [t.get_text() for t in figure.axes[1].get_yticklabels()]
    for line, name in enumerate(names[:3]):
        assert (picture[line, :, 3] == (ranked.top_k == name)).all()
    assert np.allclose(picture[:3, :, 3].sum(0), 1) and np.allclose(picture[3:, :, 3].sum(0), 1)


def test_verdict_bars_fill_their_rows_and_leave_missing_ones_empty() -> None:
    frame = pd.concat([made(5), made(5, "hr").assign(condition="MB3")])
    found = robustness(frame)
    figure = plot_verdicts(found, {"clip": "CLIP"}, ("vlm", "condition"))
    readable(figure)
    titles = [axis.get_title() for axis in figure.axes]
    assert titles == ["HR", "COR"]
    widths = [sum(p.get_width() for p in axis.patches) for axis in figure.axes]
    assert widths == pytest.approx([1, 1])
    names = [t.get_text() for t in figure.axes[0].get_yticklabels()]
    assert names == ["CLIP, LL3", "CLIP, MB3"]
