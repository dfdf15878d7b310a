"""Results of sequences: intervals over drives, the shuffled control, and aggregation."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import bootstrap

from tests.helpers.sequences import write_sequences
from vlmis_utils.analysis.cost import load_measured
from vlmis_utils.analysis.sequences.aggregation import (
    RULES,
    aggregated,
    by_rule,
    gains,
    parted,
    quality_gains,
    verdict,
)
from vlmis_utils.analysis.sequences.results import (
    LANGUAGE,
    SEGMENTATION,
    Sequences,
    open_sequence_results,
    over_drives,
)
from vlmis_utils.analysis.sequences.spells import survival_curves
from vlmis_utils.core.errors import RunError
from vlmis_utils.core.formatting import percent
from vlmis_utils.metrics.per_image import METRIC_COLUMNS
from vlmis_utils.report.tables.sequences import load_recording
from vlmis_utils.report.text.sequences import carried, control, in_short, rules_in_short


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Sequences:
    return open_sequence_results(write_sequences(tmp_path_factory.mktemp("seq") / "made-up"))


def test_every_frame_has_its_place_in_order(found: Sequences) -> None:
    for _, group in found.frames.groupby(["vlm", "condition", "sequence"]):
        assert list(group.frame) == list(range(6))
    assert len(found.drives) == 5 and set(found.changing) <= set(found.drives)


def test_rates_by_drive_add_up_to_those_of_pictures(found: Sequences) -> None:
    by_drive = found.language_by_drive().groupby(["vlm", "condition"])[["hr", "smr"]].mean()
    whole = found.results.vlm_by_condition().set_index(["vlm", "condition"])
    for key, row in by_drive.iterrows():  # drives have equally many frames
        assert row.hr == pytest.approx(whole.loc[key].hr)
        assert row.smr == pytest.approx(whole.loc[key].smr)


def test_intervals_are_over_drives(found: Sequences) -> None:
    drives = found.language_by_drive()
    over = over_drives(drives, ["vlm", "condition"], ["smr"], 4000)
    values = drives[(drives.vlm == "clip") & (drives.condition == "LL3")].smr.to_numpy()
    row = over[(over.vlm == "clip") & (over.condition == "LL3")].iloc[0]
    expected = bootstrap((values,), np.mean, n_resamples=4000, method="percentile", rng=0)
    width = expected.confidence_interval.high - expected.confidence_interval.low
    assert row.smr == pytest.approx(values.mean()) and row.drives == 5
    assert 0.9 * width <= row.smr_high - row.smr_low <= 1.8 * width  # expanded for five drives


def test_shuffling_keeps_rates_and_destroys_time(found: Sequences) -> None:
    plain, mixed = found.language_by_drive(), found.language_by_drive(found.shuffled())
    for column in ("hr", "cor", "smr", "missed", "exposure"):
        assert np.allclose(plain[column], mixed[column], equal_nan=True), column
    assert not np.allclose(plain.flicker, mixed.flicker, equal_nan=True)
    assert "stay exactly as they are" in control(plain, mixed)


@pytest.mark.parametrize("rule", RULES)
def test_the_last_answer_alone_gains_nothing(found: Sequences, rule: str) -> None:
    same = aggregated(found, rule, 1)
    if rule != "probabilities":
        assert (same.mentioned.to_list(), same.decision.to_list()) == (
            found.frames.mentioned.to_list(), found.frames.decision.to_list(),
        )  # fmt: skip
    for column in METRIC_COLUMNS.values():
        if rule != "probabilities" or column != "smr_i":
            assert np.allclose(same[column], found.frames[column])


def test_a_vote_flickers_less_and_a_gain_is_a_difference_of_rates(found: Sequences) -> None:
    voted = found.language_by_drive(aggregated(found, "majority", 3))
    plain = found.language_by_drive()
    assert voted.flicker.mean() < plain.flicker.mean()
    table = gains(by_rule(found, 3), 200)
    row = table[(table.rule == "majority") & (table.metric == "smr")].iloc[0]
    at = [(f.vlm == row.vlm) & (f.condition == row.condition) for f in (plain, voted)]
    difference = plain[at[0]].smr.mean() - voted[at[1]].smr.mean()
    assert row.gain == pytest.approx(difference) and row.low <= row.gain <= row.high
    assert set(table[table.rule == "probabilities"].metric) == {"smr"}


def test_rules_in_short_counts_intervals_on_both_sides(found: Sequences) -> None:
    table = gains(by_rule(found, 3), 200)
    table = table.assign(low=-1.0, high=1.0)
    votes = table.index[table.rule == "majority"]
    table.loc[votes[:2], "low"] = 0.01
    table.loc[votes[2:3], "high"] = -0.01
    said = rules_in_short(table)
    assert len(said) == len(RULES) and said[0].startswith(f"**Majority vote**: of {len(votes)} ")
    assert ", 2 are significantly smaller" in said[0] and "and 1 significantly larger" in said[0]
    mean = table[(table.rule == "majority") & (table.metric == "smr")].gain.mean()
    assert f"SMR {'falls' if mean > 0 else 'rises'} by {abs(mean):.3f} on average" in said[0]


def test_the_made_up_running_mean_gains_nothing(found: Sequences) -> None:
    pixels = found.segmentation_by_drive()
    assert quality_gains(pixels, 200).gain.abs().max() < 1e-12
    table = verdict(by_rule(found, 3), pixels, 200)
    assert list(table.of) == ["pixels", "language", "difference"]
    first, second, third = table.gain
    assert third == pytest.approx(second - first)
    assert carried(table).startswith(("Answers gain", "Neither gains"))


def test_what_was_kept_of_a_study_gives_its_numbers_again(found: Sequences, tmp_path: Path) -> None:
    said, seen = by_rule(found, 3), found.segmentation_by_drive()
    kept = [seen.rename(columns={"segmenter": "model"}), said.rename(columns={"vlm": "model"})]
    about = {"frames": 6, "rate": 2.0, "safe": 0.5, "machine": "one"}
    pd.concat(kept).assign(**about).to_csv(tmp_path / "drives-streetworld.csv", index=False)
    answers, maps = parted(load_measured("drives-streetworld", tmp_path))
    for again, first in ((gains(answers, 200), gains(said, 200)),
                         (quality_gains(maps, 200), quality_gains(seen, 200)),
                         (verdict(answers, maps, 200), verdict(said, seen, 200))):  # fmt: skip
        pd.testing.assert_frame_equal(again, first)
    labels = {"clip": "CLIP"}
    shown = load_recording(load_measured("drives-streetworld", tmp_path), labels)
    assert len(shown) == len(seen) + len(said) / (1 + len(RULES)) and "CLIP" in set(shown.model)


def test_pixels_by_drive(found: Sequences) -> None:
    frame = found.segmentation_by_drive()
    assert set(SEGMENTATION) <= set(frame) and set(LANGUAGE) <= set(found.language_by_drive())
    assert frame.flips.between(0, 0.25).all() and (frame.flips_smoothed < frame.flips).all()


def test_in_short_names_the_values_of_each_model(found: Sequences) -> None:
    spoken = over_drives(found.language_by_drive(), ["vlm", "condition"], LANGUAGE, 50)
    said = in_short(spoken, {"clip": "CLIP"})
    assert len(said) == spoken.vlm.nunique()
    clip = spoken[spoken.vlm == "clip"].set_index("condition").exposure
    degraded = sorted([clip.LL3, clip.OCC3])
    span = " to ".join(dict.fromkeys(percent(value) for value in degraded))
    assert said[0].startswith("**CLIP**, on clean images: ")
    assert f"judges {percent(clip.clean)} of the unsafe time safe, degraded {span};" in said[0]
    alone = in_short(spoken[spoken.condition == "clean"].assign(lag=np.nan), {})
    assert "degraded" not in alone[0] and "after the change" not in alone[0]


def test_survival_falls(found: Sequences) -> None:
    for _, rows in survival_curves(found, "LL3").groupby("vlm"):
        assert rows.share.iloc[0] == 1 and (np.diff(rows.share) <= 1e-12).all()


def test_single_pictures_are_refused(tmp_path: Path) -> None:
    from tests.helpers.synthetic import write_records

    with pytest.raises(RunError, match="holds single pictures"):
        open_sequence_results(write_records(tmp_path / "records"))
