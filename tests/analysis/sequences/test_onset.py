"""Measures against the time since a degradation began, against loops and recorded onsets."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.stats import linregress

from tests.helpers.sequences import write_sequences
from vlmis_utils.analysis.sequences.onset import MEASURES, growth, onsets_of, since_onset
from vlmis_utils.analysis.sequences.results import Sequences, open_sequence_results
from vlmis_utils.metrics.segmentation import miou
from vlmis_utils.report.style import load_labels
from vlmis_utils.report.text.sequences import grows

CONDITIONS = ("clean", "LL1", "LL2", "LL3", "OCC3")


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Sequences:
    folder = tmp_path_factory.mktemp("seq") / "throughout"
    return open_sequence_results(write_sequences(folder, frames=10, conditions=CONDITIONS))


def test_what_is_added_is_a_difference_within_frames(found: Sequences) -> None:
    """By a loop over the drives, for one model, of a ramp: its severities at 1, 1.5 and 2 s."""
    level = {1.0: "LL1", 1.25: "LL1", 1.5: "LL2", 1.75: "LL2", 2.0: "LL3", 2.25: "LL3"}
    rows = found.frames[found.frames.vlm == "clip"].set_index(["condition", "sequence", "time"])
    table = since_onset(found, "LL3", "ramp")
    table = table[(table.model == "clip") & (table.measure == "smr_i")].set_index("since")
    assert list(table.index) == [t / 4 - 1 for t in range(10)]
    for since, row in table.iterrows():
        now = level.get(since + 1, "clean")
        each = [
            rows.loc[(now, d, since + 1)].smr_i - rows.loc[("clean", d, since + 1)].smr_i
            for d in found.drives
        ]
        assert row.added == pytest.approx(np.mean(each)) and row.drives == len(found.drives)
        assert row.low <= row.added <= row.high
    assert (table.added[table.index < 0] == 0).all()


def test_quality_is_that_of_each_frame(found: Sequences) -> None:
    table = since_onset(found, "OCC3", "step")
    row = table[(table.model == "segformer") & (table.since == 0.5)].iloc[0]
    frames = found.results.segmentation.merge(found.places[["scene_id", "time"]], on="scene_id")
    frames = frames[(frames.segmenter == "segformer") & (frames.time == 1.5)]
    of = {c: [float(miou(x)) for x in g.confusion] for c, g in frames.groupby("condition")}
    assert row.added == pytest.approx(np.mean(of["OCC3"]) - np.mean(of["clean"]))
    assert set(table.measure) == set(MEASURES)


def test_a_recorded_onset_is_taken_as_it_is(tmp_path: Path, found: Sequences) -> None:
    """The made-up rows of a step study are those of a study throughout, so all frames differ."""
    parameters = {"onset": "step", "onset_time": 0.5}
    records = write_sequences(tmp_path / "step", frames=10, conditions=CONDITIONS, **parameters)
    recorded = open_sequence_results(records)
    assert onsets_of(recorded.study, "LL3") == ["step"]
    table = since_onset(recorded, "LL3", "step")
    early = table[(table.measure == "miou") & (table.since < 0)]
    assert list(early.since.unique()) == [-0.5, -0.25] and (early.added != 0).all()


def test_growth_is_the_slope_within_drives(found: Sequences) -> None:
    row = growth(found, "LL3").set_index(["model", "measure"]).loc[("clip", "hr_i")]
    frames = found.frames[(found.frames.vlm == "clip") & (found.frames.time >= 1)]
    slopes = []
    for _, drive in frames.groupby("sequence"):
        hr = drive.pivot(index="time", columns="condition", values="hr_i")
        slopes.append(linregress(hr.index, hr.LL3 - hr.clean).slope)
    assert row.slope == pytest.approx(np.mean(slopes)) and row.drives == len(slopes)


def test_the_sentence_names_what_grows(found: Sequences) -> None:
    labels, slopes = load_labels(), growth(found, "LL3")
    still = slopes.assign(low=-1.0, high=1.0)
    assert "none has an interval off zero" in grows(still, "LL3", labels)
    one = still.assign(low=[0.1, *still.low[1:]], slope=0.5, high=0.9)
    assert "1 has an interval off zero" in grows(one, "LL3", labels)
    assert f"{labels[one.model[0]]}'s mIoU +0.50 [+0.10, +0.90] a second" in grows(
        one, "LL3", labels
    )
    assert "too few" in grows(slopes.assign(low=np.nan), "LL3", labels)
