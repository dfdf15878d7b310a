"""Figures of flips and of power draw in the book's look, also where little is there to draw."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from tests.analysis.test_change_tests import row
from tests.helpers.pictures import readable
from vlmis_utils.report.figures.changes import plot_transitions
from vlmis_utils.report.figures.power import (
    load_detectable,
    load_needed,
    load_sizes,
    plot_detectable,
    power_cells,
)
from vlmis_utils.statistics import detectable_change, half_width, scenes_needed


def flipped(vlms: tuple[str, ...]) -> pd.DataFrame:
    rows = [
        row(metric, 20, 5 * i, holm_p, condition) | {"vlm": vlm}
        for vlm in vlms for metric in ("hr", "cor", "smr")
        for i, (condition, holm_p) in enumerate((("LL1", 0.01), ("MB3", 0.5), ("OCC2", math.nan)))
    ]  # fmt: skip
    return pd.DataFrame(rows)


@pytest.mark.parametrize("vlms", [("clip",), ("clip", "siglip", "a-new-model")])
def test_flips_draw_a_panel_for_each_model_and_metric(vlms: tuple[str, ...]) -> None:
    figure = plot_transitions(flipped(vlms), {"clip": "CLIP"})
    assert len(figure.axes) == 2 * len(vlms)
    readable(figure)
    widths = [bar.get_width() for bar in figure.axes[0].patches]
    assert sorted(widths) == pytest.approx(sorted([0.2] * 3 + [0, -0.05, -0.1]))


def test_flips_without_any_flip_still_draw() -> None:
    frame = flipped(("clip",)).assign(destructive=0, corrective=0)
    readable(plot_transitions(frame, {}, metrics=("smr",)))


def test_detectable_sizes_are_those_of_the_statistics() -> None:
    frame = load_detectable([50, 100], shares=(0.1, 0.3), power=0.9)
    assert frame["half_0.2"].to_list() == [half_width(0.2, 50), half_width(0.2, 100)]
    assert frame["change_0.3"][1] == detectable_change(100, 0.3, 0.9)
    assert math.isnan(frame["change_0.1"][0])
    cells = power_cells(frame)
    assert cells.columns.to_list() == [
        "n", "rate 0.5", "rate 0.2", "rate 0.05", "10 % flip", "30 % flip", "correlation",
    ]  # fmt: skip
    assert cells["10 % flip"][0] == "–" and cells.n.to_list() == ["50", "100"]


def test_needed_scenes_leave_out_what_cannot_be() -> None:
    cells = load_needed((0.1, 0.2), (0.1, 0.4))
    assert cells["10 % flip"].to_list() == [str(scenes_needed(0.1, 0.1)), "–"]
    assert cells["40 % flip"][1] == str(scenes_needed(0.2, 0.4))


def test_sizes_rise_and_hold_both_ends() -> None:
    sizes = load_sizes(500, 6)
    assert sizes[0] == 6 and sizes[-1] == 500 and (np.diff(sizes) > 0).all()


@pytest.mark.parametrize("ours", [50, 100])
def test_power_draws_and_equal_sizes_share_a_line(ours: int) -> None:
    frame = load_detectable(load_sizes(300, steps=8))
    figure = plot_detectable(frame, {"the paper": 50, "this run": ours}, {"conditions": 10})
    readable(figure)
    words = [text.get_text() for text in figure.axes[0].texts]
    marks = ["the paper, this run\n50"] if ours == 50 else ["the paper\n50", "this run\n100"]
    assert words == [*marks, *(f"{share} % discordant" for share in (10, 20, 40))]
