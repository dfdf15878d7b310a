"""The figures of the page on performance draw what was measured."""

from __future__ import annotations

import pandas as pd
import pytest

from tests.analysis.test_cost import profile
from tests.report.text.test_cost import samples
from vlmis_utils.analysis.cost import STAGES, by_model
from vlmis_utils.report.figures.cost import (
    GROUPS,
    load_peaks,
    load_stages,
    plot_memory,
    plot_stages,
)


def test_groups_hold_every_stage_of_an_image_once() -> None:
    held = [stage for stages, _ in GROUPS.values() for stage in stages]
    assert sorted(held) == sorted(set(STAGES) - {"load", "render"})


def test_bars_are_as_long_as_the_stages_together() -> None:
    frame = load_stages(profile(), profile(0.5))
    assert list(frame.when) == ["before"] * 3 + ["now"] * 3
    total = by_model(profile(0.5)).total
    sums = frame[frame.when == "now"].set_index("model")[list(GROUPS)].sum(axis=1)
    assert sums["b"] == pytest.approx(total["segmentation", "b"])
    axis = plot_stages(frame, {}).axes[0]
    ends = [p.get_x() + p.get_width() for p in axis.patches]
    assert max(ends) == pytest.approx(frame[list(GROUPS)].sum(axis=1).max())


def test_a_profile_alone_is_drawn_alone() -> None:
    frame = load_stages(None, profile())
    assert set(frame.when) == {"now"}
    words = [t.get_text() for t in plot_stages(frame, {"a": "Model A"}).axes[0].get_yticklabels()]
    assert words == ["Model A", "b", "c"]


def test_peaks_and_growth_by_hand() -> None:
    peaks = load_peaks(samples({100: 700.0, 300: 800.0}))
    assert list(peaks.peak) == [700, 800] and list(peaks.start) == [50, 50]
    assert pd.isna(peaks.growth[0]) and peaks.growth[1] == pytest.approx(1024 * 100 / 200)


def test_memory_is_drawn_with_and_without_what_was() -> None:
    now, before = samples({100: 700.0, 300: 710.0}), samples({100: 700.0, 300: 900.0})
    assert len(plot_memory(now).axes[0].lines) == 1
    above, below = plot_memory(now, before).axes
    assert [line.get_label() for line in above.lines] == ["before", "now"]
    assert list(above.lines[1].get_ydata()) == [700, 710]
    assert max(below.lines[0].get_xdata()) == 100
