"""Measurements are read as they are, and the cost model counts what a run does."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.helpers.synthetic import write_records
from vlmis_utils.analysis import cost as performance
from vlmis_utils.analysis.cost import Cost, by_model, cost_of, hours, load_measured
from vlmis_utils.core.errors import RunError
from vlmis_utils.protocol.prompts import PROMPTS
from vlmis_utils.report.text import cost as performance_findings

MODELS = {"segmentation": ("a", "b"), "answers": ("c",)}
SCENES, CONDITIONS = 3, 4


def profile(scale: float = 1.0) -> pd.DataFrame:
    """Return a synthetic profile: each stage of each model takes a time of its own."""
    rng = np.random.default_rng(1)
    rows = [("", "", "load", 9.0, SCENES), ("scenes", "", "decode", 0.6, SCENES),
            ("scenes", "", "render", 5.0, SCENES), ("scenes", "", "score", 0.03, SCENES),
            ("conditions", "", "corrupt", 0.5, SCENES * CONDITIONS),
            ("answers", "blank", "network", 0.4, SCENES),
            ("answers", "", "write", 0.1, SCENES)]  # fmt: skip
    for table, models in MODELS.items():
        for model, stage in itertools.product(
            models, ("corrupt", "digest", "prepare", "network", "finish", "write")
        ):
            rows.append((table, model, stage, scale * rng.random(), SCENES * CONDITIONS))
    columns = ["table", "model", "stage", "seconds", "images"]
    frame = pd.DataFrame(rows, columns=columns)
    return frame.assign(scenes=SCENES, size="256x512", machine="A processor, 2 cores")


def bench(**changes: object) -> pd.DataFrame:
    row = {"subject": "blur", "inputs": "one", "peer": "other", "ours_ms": 1.0, "peer_ms": 6.0,
           "ratio": 6.0, "low": 5.0, "high": 7.0, "goal": 5.0, "machine": "A"}  # fmt: skip
    return pd.DataFrame([row | changes])


def save(frame: pd.DataFrame, folder: Path, name: str) -> None:
    frame.to_csv(folder / f"{name}.csv", index=False)


def test_what_is_missing_is_none_and_has_a_command_that_exists(tmp_path: Path) -> None:
    assert load_measured("memory", tmp_path) is None
    assert performance.load_benches(tmp_path) == {}
    assert performance.missing(tmp_path) == dict(performance.COMMANDS)
    save(profile(), tmp_path, "profile-after")
    assert set(performance.COMMANDS) - set(performance.missing(tmp_path)) == {"profile-after"}


def test_a_file_comes_back_as_it_was_written(tmp_path: Path) -> None:
    save(profile(), tmp_path, "profile-large")
    found = load_measured("profile-large", tmp_path)
    pd.testing.assert_frame_equal(found, profile(), check_dtype=False)
    assert set(found.model) == {"", "a", "b", "c", "blank"}


@pytest.mark.parametrize("text", ("", "a,b\n1,2\n", "table,model\n"))
def test_a_damaged_file_is_named_with_the_command_that_makes_it(tmp_path: Path, text: str) -> None:
    (tmp_path / "profile-after.csv").write_text(text)
    with pytest.raises(RunError, match=r"profile-after.csv.*run `python .*bench_study"):
        load_measured("profile-after", tmp_path)


def test_goals_are_met_missed_or_not_there(tmp_path: Path) -> None:
    rows = pd.concat([bench(), bench(ratio=4.9), bench(goal=None), bench(ratio=5.0)])
    save(rows, tmp_path, "corruptions")
    found = performance.load_benches(tmp_path)
    assert list(found) == ["corruptions"]
    assert list(found["corruptions"].verdict) == ["met", "missed", "", "met"]
    said = performance_findings.goal_findings(found)
    assert said[0] == "Comparisons: 4, with a goal: 3; 2 met, 1 missed."
    assert len(said) == 2 and "4.9 times as fast where 5 was the goal" in said[1]


def test_goals_that_nobody_set_are_not_said_to_be_met(tmp_path: Path) -> None:
    save(bench(goal=None), tmp_path, "bootstrap")
    found = performance.load_benches(tmp_path)
    assert performance_findings.goal_findings(found) == ["Comparisons: 1, with a goal: none."]
    assert performance_findings.goal_findings({}) == ["No comparison has been measured."]


def test_milliseconds_an_image_by_hand() -> None:
    rows, table = profile(), by_model(profile())
    assert list(table.index) == [
        ("scenes", ""), ("conditions", ""), ("segmentation", "a"), ("segmentation", "b"),
        ("answers", "c"),
    ]  # fmt: skip
    assert not {"load", "render"} & set(table.columns)
    mine = rows[(rows.model == "b") & (rows.stage == "network")].seconds.item()
    assert table.loc[("segmentation", "b"), "network"] == pytest.approx(
        1000 * mine / (SCENES * CONDITIONS)
    )
    one = rows[rows.model == "b"].seconds.sum()
    whole = rows[~rows.stage.isin(["load", "render"])].seconds.sum()
    assert table.loc[("segmentation", "b"), "share"] == pytest.approx(one / whole)
    assert table.share.sum() < 1  # the control image and what belongs to no model are not listed
    assert table.loc[("scenes", ""), "decode"] == pytest.approx(200)


def walk(cost: Cost, scenes: int, conditions: int) -> float:
    """Count the seconds of a study step by step, as it runs."""
    seconds = 0.0
    for _ in range(scenes):  # the table of scenes
        seconds += cost.decode
    for model in (None, *cost.models):  # the conditions, then each model
        for _ in range(scenes):
            seconds += cost.decode
            for _ in range(conditions):
                seconds += cost.corrupt
                if model is not None:
                    seconds += cost.models[model]
    return seconds


@pytest.mark.parametrize("seed", range(5))
def test_the_formula_counts_what_a_run_does(seed: int) -> None:
    rng = np.random.default_rng(seed)
    models = {f"m{i}": rng.random() for i in range(rng.integers(0, 7))}
    cost = Cost(rng.random(), rng.random(), models)
    scenes, conditions, workers = (int(n) for n in rng.integers(1, 12, 3))
    expected = walk(cost, scenes, conditions) / workers / 3600
    assert hours(cost, scenes, conditions, workers) == pytest.approx(expected)


def test_the_cost_of_a_profile_gives_its_models_seconds_back() -> None:
    rows = profile()
    cost = cost_of(rows)
    assert cost.decode == pytest.approx(0.6 / SCENES)
    images = SCENES * CONDITIONS
    again = rows[rows.model.isin(["a", "b", "c"]) & rows.stage.isin(["corrupt", "digest"])]
    assert cost.corrupt == pytest.approx(again.seconds.sum() / 3 / images)
    for model in "abc":
        own = rows[(rows.model == model) & ~rows.stage.isin(["corrupt", "digest"])]
        assert cost.models[model] == pytest.approx(own.seconds.sum() / images)
    every = rows[rows.model.isin(["a", "b", "c"])].seconds.sum()
    rebuilt = images * (3 * cost.corrupt + sum(cost.models.values()))
    assert rebuilt == pytest.approx(every)


def test_decoding_again_for_a_model_is_not_counted_twice() -> None:
    line = profile().iloc[[0]].assign(table="answers", model="c", stage="decode", seconds=0.9,
                                      images=SCENES * CONDITIONS)  # fmt: skip
    more = pd.concat([profile(), line], ignore_index=True)
    assert cost_of(more).models == pytest.approx(cost_of(profile()).models)
    assert cost_of(more).decode == pytest.approx((0.6 + 0.9) / SCENES)


def test_recorded_seconds_are_of_images(tmp_path: Path) -> None:
    folder = write_records(tmp_path, scenes=2)
    segmentation, answers = (
        pd.read_parquet(folder / f"{t}.parquet") for t in ("segmentation", "answers")
    )
    answers.loc[answers.condition == "blank", "seconds"] = 1e9
    found = performance.recorded_seconds(segmentation, answers)
    assert found["deeplabv3plus"] == pytest.approx(0.1)
    assert found["clip"] == pytest.approx(0.01 * len(PROMPTS))
    assert list(found) == [*dict.fromkeys(segmentation.segmenter), *dict.fromkeys(answers.vlm)]
    nobody = performance.recorded_seconds(segmentation.iloc[:0], answers.iloc[:0])
    assert dict(nobody) == {}
