"""The interval plot draws what the frame holds, in its order, and nothing else changes it."""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.helpers.pictures import drawn_intervals, drawn_points, readable
from vlmis_utils.report.figures.intervals import plot_intervals
from vlmis_utils.report.style import book_look, colour

MODELS = ("clip", "siglip", "qwen2-vl")


def made(places: int, panels: int = 1, seed: int = 0) -> pd.DataFrame:
    """A value with its interval for each place, model and panel."""
    rng = np.random.default_rng(seed)
    rows = [(f"place {i}", m, f"panel {k}")
            for k in range(panels) for i in range(places) for m in MODELS]  # fmt: skip
    frame = pd.DataFrame(rows, columns=["place_name", "vlm", "panel"])
    value = rng.uniform(-1, 1, len(frame))
    return frame.assign(value=value, low=value - 0.1, high=value + 0.2, clear=value > 0)


@settings(max_examples=8, deadline=None)
@given(places=st.integers(1, 5), panels=st.integers(1, 3), seed=st.integers(0, 9))
def test_every_row_is_one_point_with_its_interval(places: int, panels: int, seed: int) -> None:
    frame = made(places, panels, seed)
    figure = plot_intervals(frame, "value", "place_name", "vlm", 3, columns="panel", filled="clear")
    assert len(figure.axes) == panels
    for axis, (_, part) in zip(figure.axes, frame.groupby("panel"), strict=True):
        drawn, hollow = drawn_points(axis)
        assert sorted(drawn[:, 0]) == pytest.approx(sorted(part.value))
        assert hollow.sum() == (~part.clear).sum()
        for model, mine in part.groupby("vlm"):
            ends = drawn_intervals(axis, colour(model))[:, :, 0]
            assert sorted(ends.min(axis=1)) == pytest.approx(sorted(mine.low))
            assert sorted(ends.max(axis=1)) == pytest.approx(sorted(mine.high))


def test_places_run_down_in_the_order_of_their_words_and_groups_do_not_overlap() -> None:
    names = {"place 2": "last first", "place 0": "then this"}
    (axis,) = plot_intervals(made(3), "value", "place_name", "vlm", 3, names=names).axes
    assert [t.get_text() for t in axis.get_yticklabels()] == ["last first", "then this", "place 1"]
    assert axis.get_ylim()[0] > axis.get_ylim()[1]
    heights = np.unique(drawn_points(axis)[0][:, 1].round(6))
    assert len(heights) == 9 and np.diff(heights).min() > 0.1


def test_upright_points_stand_over_their_numbers_beside_a_hollow_reference() -> None:
    frame = pd.DataFrame({"x": [0, 1, 2] * 2, "vlm": ["clip"] * 3 + ["siglip"] * 3,
                          "value": np.arange(6.0)}).assign(low=0.0, high=6.0)  # fmt: skip
    figure = plot_intervals(frame, "value", "x", "vlm", 3, upright=True, connect=True,
                            reference=frame.assign(value=0.5), apart=0.2, labels={})  # fmt: skip
    (axis,) = figure.axes
    drawn = drawn_points(axis)[0]
    assert set(map(tuple, drawn.round(6))) == {
        (0.1 * side + x, y) for side, values in ((-1, (0, 1, 2)), (1, (3, 4, 5)))
        for x, y in enumerate(values)
    }  # fmt: skip
    reference = [line for line in axis.lines if (line.get_ydata() == 0.5).all()]
    assert len(reference) == 2 and all(line.is_dashed() for line in reference)
    assert {line.get_markerfacecolor() for line in reference} == {(1.0, 1.0, 1.0, 1.0)}
    readable(figure)


def test_a_frame_without_a_value_has_empty_panels() -> None:
    frame = made(2).assign(value=np.nan)
    assert not plot_intervals(frame, "value", "place_name", "vlm", 2).axes[0].collections


DRAW = """
import hashlib
import pandas as pd
from tests.report.figures.test_intervals import made
from vlmis_utils.report.figures.bars import plot_stacked
from vlmis_utils.report.figures.intervals import plot_intervals
from vlmis_utils.report.style import show, styled
parts = {"low": ("a", "red"), "high": ("b", "blue")}
bars = pd.DataFrame({"condition": ["x", "y"], "low": [0.1, 0.2], "high": [0.3, 0.4]})
points = made(3, 2), "value", "place_name", "vlm", 3
figures = [
    styled(plot_intervals)(*points, columns="panel", labels={}),
    styled(plot_stacked)(bars, parts, "condition", 2),
]
print([hashlib.sha256(show(f).data).hexdigest() for f in figures])
"""
HOSTILE = """
text.usetex: True
font.family: serif
font.size: 20
figure.dpi: 33
savefig.dpi: 33
savefig.bbox: tight
savefig.transparent: True
axes.grid: False
axes.facecolor: black
figure.facecolor: red
figure.constrained_layout.w_pad: 1
lines.linewidth: 9
legend.loc: center
axes.prop_cycle: cycler('color', ['k'])
backend: TkAgg
"""


OWN = """
import matplotlib.pyplot as plt, seaborn as sns, seaborn.objects as so
plt.style.use("dark_background")
sns.set_theme(style="darkgrid", context="poster", palette="husl", rc={"axes.grid": False})
so.Plot.config.theme.update({"axes.facecolor": "green", "font.size": 30})
"""


def test_settings_of_a_reader_change_no_byte_of_a_figure(tmp_path: Path) -> None:
    hostile = tmp_path / "matplotlibrc"
    hostile.write_text(HOSTILE, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", OWN + DRAW], capture_output=True, text=True, cwd=Path.cwd(),
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "MATPLOTLIBRC": str(hostile),
                          "MPLBACKEND": "svg"}, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    usual = io.StringIO()
    with contextlib.redirect_stdout(usual):
        exec(DRAW, {})
    assert done.stdout == usual.getvalue() and len(done.stdout) > 128


def test_the_look_leaves_settings_as_they_were() -> None:
    import matplotlib as mpl

    with mpl.rc_context({"font.size": 21, "text.usetex": True}):
        with book_look():
            assert mpl.rcParams["font.size"] == 11 and not mpl.rcParams["text.usetex"]
        assert mpl.rcParams["font.size"] == 21 and mpl.rcParams["text.usetex"]
