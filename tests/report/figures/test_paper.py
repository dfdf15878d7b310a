"""The figures of the audit: the book's look, and what they draw is what the frames hold."""

from __future__ import annotations

import io

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from tests.helpers.pictures import drawn_intervals, drawn_points
from vlmis_utils.analysis import paper
from vlmis_utils.report import style
from vlmis_utils.report.figures import paper as fig
from vlmis_utils.report.style import colour, show


def draw(name: str):
    match name:
        case "coefficients":
            return fig.plot_coefficients(paper.printed_correlations())
        case "misfits":
            return fig.plot_misfits(paper.misfit_counts(), paper.PICTURES)
        case "paired":
            return fig.plot_paired(paper.changes_from_clean())
        case "safety":
            return fig.plot_safety_answers(paper.safety_answers())
    raise AssertionError(name)


@pytest.mark.parametrize("name", ["coefficients", "misfits", "paired", "safety"])
def test_draws_without_title_on_white(name: str) -> None:
    figure = draw(name)
    assert figure.get_suptitle() == ""
    assert figure.get_figwidth() == style.WIDTH
    ticks = [t for a in figure.axes for t in (*a.get_xticklabels(), *a.get_yticklabels())]
    assert min((t.get_fontsize() for t in ticks), default=10) >= 9
    picture = Image.open(io.BytesIO(show(figure, dpi=60).data)).convert("RGB")
    assert picture.getpixel((0, 0)) == (255, 255, 255)
    assert len(picture.getcolors(maxcolors=1 << 20)) > 5


def test_one_panel_a_method_and_every_coefficient_in_it() -> None:
    frame = paper.printed_correlations()
    figure = fig.plot_coefficients(frame)
    assert len(figure.axes) == 2
    for axis, method in zip(figure.axes, ("pearson", "spearman"), strict=True):
        drawn, _ = drawn_points(axis)
        assert sorted(drawn[:, 0]) == pytest.approx(sorted(frame[frame.method == method].r))


def test_coefficients_draw_with_a_missing_pair() -> None:
    frame = paper.printed_correlations()
    frame.loc[frame.index[:2], ["r", "low", "high"]] = np.nan
    assert len(show(fig.plot_coefficients(frame), dpi=50).data) > 1000


def test_the_marked_number_is_pointed_out() -> None:
    counts = paper.misfit_counts(60)
    figure = fig.plot_misfits(counts, 50)
    text = [t.get_text() for t in figure.axes[0].texts]
    assert text == [f"n = 50: {counts.misfits.iloc[49]}"]
    assert not fig.plot_misfits(counts, 500).axes[0].texts


def test_paired_lines_run_between_both_extremes_in_the_models_colour() -> None:
    changes = paper.changes_from_clean()
    figure = fig.plot_paired(changes)
    assert [a.get_title() for a in figure.axes] == ["COR", "SMR"]
    rows = changes[(changes.metric == "smr") & (changes.vlm == "clip")]
    segments = drawn_intervals(figure.axes[1], colour("clip"))
    ends = {(round(min(x), 9), round(max(x), 9)) for x in segments[:, :, 0].tolist()}
    pairs = rows[["p_low", "p_high"]].round(9)
    assert ends == set(pairs.itertuples(index=False, name=None))


def test_bars_of_the_safety_answers_fill_the_axis() -> None:
    axis = fig.plot_safety_answers(paper.safety_answers()).axes[0]
    totals = pd.Series([bar.get_width() for bar in axis.patches]).groupby(
        [round(bar.get_y(), 6) for bar in axis.patches]
    )
    assert totals.sum().to_list() == pytest.approx([1] * 10)
