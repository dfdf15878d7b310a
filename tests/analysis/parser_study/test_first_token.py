"""First tokens against scikit-learn, and on answers whose numbers are known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import cohen_kappa_score, roc_auc_score

from tests.helpers.synthetic import write_records
from vlmis_utils.analysis.parser_study.first_token import (
    agreement,
    coverage,
    discrimination,
    disputed,
    first_tokens,
)
from vlmis_utils.analysis.parser_study.rereading import EVERY
from vlmis_utils.analysis.results import Results


def _shaken(folder: Path, seed: int = 1) -> Path:
    """Give the synthetic probabilities some noise, so that scores vary and readings part."""
    rng = np.random.default_rng(seed)
    table = pd.read_parquet(folder / "answers.parquet")
    told = table.p_yes.notna()
    yes = np.clip(table.p_yes[told] + 0.3 * rng.normal(size=told.sum()), 0.01, 0.98)
    table.loc[told, "p_yes"] = yes
    table.loc[told, "p_no"] = (1 - yes) * rng.uniform(0.8, 1, told.sum())
    table.to_parquet(folder / "answers.parquet")
    return folder


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    return Results(_shaken(write_records(tmp_path_factory.mktemp("records"), scenes=12)))


@pytest.fixture(scope="module")
def tokens(results: Results) -> pd.DataFrame:
    return first_tokens(results)


def test_the_frame_says_what_the_records_hold(results: Results, tokens: pd.DataFrame) -> None:
    assert len(tokens) == 12 * 11 * 10 and set(tokens.vlm) == {"qwen2-vl"}
    assert tokens.score.between(0, 1).all() and tokens.outside.between(0, 1).all()
    assert ((tokens["first"] == "yes") == (tokens.score > 0.5)).all()
    assert set(tokens.said[tokens.text == "I cannot tell."]) == {"unknown"}
    row = tokens[(tokens.task == "presence") & (tokens.condition == "MB2")].iloc[0]
    told = results.answers[
        (results.answers.vlm == row.vlm) & (results.answers.scene_id == row.scene_id)
        & (results.answers.condition == "MB2")
        & (results.answers.prompt == f"presence/{row['class']}")
    ].iloc[0]  # fmt: skip
    assert row.score == pytest.approx(told.p_yes / (told.p_yes + told.p_no))
    assert row.outside == pytest.approx(1 - told.p_yes - told.p_no)
    truth = results.truth.set_index(["scene_id", "condition"]).loc[(row.scene_id, "MB2")]
    assert row.truth == (row["class"] in truth.present)


def test_presence_words_and_truth_are_those_of_the_results(
    results: Results, tokens: pd.DataFrame
) -> None:
    keys = ["vlm", "condition", "scene_id", "class"]
    asked = results.presence_answers().merge(tokens[tokens.task == "presence"], on=keys)
    assert len(asked) == 12 * 11 * 9
    assert (asked.word == asked.said).all() and (asked.truth_x == asked.truth_y).all()


def test_kappa_and_share_against_scikit_learn(tokens: pd.DataFrame) -> None:
    found = agreement(tokens, 100).set_index(["task", "condition"])
    assert len(found) == 2 * 12
    for (task, condition), row in found.iterrows():
        mine = tokens[tokens.task == task]
        mine = mine[
            mine.condition.ne("blank") if condition == EVERY else mine.condition == condition
        ]
        assert row.n == len(mine)
        assert row.agree == pytest.approx((mine.said == mine["first"]).mean())
        if row.kappa == row.kappa:
            assert row.kappa == pytest.approx(cohen_kappa_score(mine.said, mine["first"]))
            assert row.kappa_low <= row.kappa <= row.kappa_high
        assert row.low <= row.agree <= row.high and row.low < row.high
        assert row.outside == pytest.approx(mine.outside.mean())
        assert row.outside <= row.outside_max


def test_the_interval_of_kappa_is_that_of_resampled_scenes(tokens: pd.DataFrame) -> None:
    row = agreement(tokens, 1000).set_index(["task", "condition"]).loc[("presence", EVERY)]
    mine = tokens[(tokens.task == "presence") & (tokens.condition != "blank")]
    parts = {scene: group for scene, group in mine.groupby("scene_id")}
    rng = np.random.default_rng(3)
    drawn = []
    for _ in range(150):
        sample = pd.concat([parts[s] for s in rng.choice(list(parts), len(parts))])
        drawn.append(cohen_kappa_score(sample.said, sample["first"]))
    low, high = np.quantile(drawn, [0.025, 0.975])
    assert (row.kappa_low, row.kappa_high) == pytest.approx((low, high), abs=0.03)


def test_auc_against_scikit_learn(tokens: pd.DataFrame) -> None:
    found = discrimination(tokens, 100).set_index(["task", "condition", "measure"])
    for task, condition in (("presence", "clean"), ("presence", "LL3"), ("safety", "OCC1")):
        mine = tokens[(tokens.task == task) & (tokens.condition == condition)]
        groups = [g for _, g in mine.groupby("class") if g.truth.nunique() == 2]
        for measure, column in (("score", "score"), ("text", "steps")):
            row = found.loc[(task, condition, measure)]
            expected = np.mean([roc_auc_score(g.truth, g[column]) for g in groups])
            assert row.value == pytest.approx(expected)
            assert row.low <= row.value <= row.high
    for measure in ("score", "text", "gain"):
        seen = found.xs(measure, level="measure").value["presence"].drop([EVERY, "blank"])
        assert found.value["presence", EVERY, measure] == pytest.approx(seen.mean())
    wide = found.value.unstack()
    assert wide.gain.to_numpy() == pytest.approx((wide.score - wide.text).to_numpy(), nan_ok=True)


def test_text_auc_is_that_of_the_results(results: Results, tokens: pd.DataFrame) -> None:
    found = discrimination(tokens, 10)
    found = found[(found.task == "presence") & (found.measure == "text")].set_index("condition")
    known = results.presence_by_condition()
    known = known[known.vlm == "qwen2-vl"].set_index("condition").auc
    for condition in known.index:
        assert found.value[condition] == pytest.approx(known[condition])


def test_the_auc_of_resampled_scenes_repeats_their_answers() -> None:
    from vlmis_utils.statistics.prediction import auc_draws

    rng = np.random.default_rng(0)
    real, score = rng.random(20) < 0.4, rng.integers(4, size=20).astype(float)
    weights = rng.integers(3, size=(30, 20)).astype(float)
    for row, value in zip(weights, auc_draws(real, score, weights), strict=True):
        index = np.repeat(np.arange(20), row.astype(int))
        assert value == pytest.approx(roc_auc_score(real[index], score[index]))


def test_disputed_are_all_answers_that_part(tokens: pd.DataFrame) -> None:
    found = disputed(tokens)
    assert (found.said != found["first"]).all()
    assert found["count"].sum() == (tokens.said != tokens["first"]).sum() > 0
    assert found["count"].is_monotonic_decreasing


def test_untold_probabilities_are_left_out_and_counted(tmp_path: Path) -> None:
    folder = write_records(tmp_path / "records", scenes=2)
    table = pd.read_parquet(folder / "answers.parquet")
    table.loc[table.condition != "clean", ["p_yes", "p_no"]] = np.nan
    zero = (table.condition == "clean") & (table.prompt == "safety") & table.text.notna()
    table.loc[zero, ["p_yes", "p_no"]] = 0.0
    table.to_parquet(folder / "answers.parquet")
    results = Results(folder)
    told = coverage(results).set_index("task")
    assert told.answers.to_dict() == {"presence": 2 * 9 * 11, "safety": 2 * 11}
    assert told.told.to_dict() == {"presence": 2 * 9, "safety": 2}
    assert set(first_tokens(results).condition) == {"clean"}
    assert set(first_tokens(results).task) == {"presence"}


def test_a_study_without_first_tokens_gives_empty_frames(tmp_path: Path) -> None:
    folder = write_records(tmp_path / "records", scenes=2)
    table = pd.read_parquet(folder / "answers.parquet")
    table[table.text.isna()].to_parquet(folder / "answers.parquet")
    results = Results(folder)
    tokens = first_tokens(results)
    assert tokens.empty and coverage(results).empty
    for frame in (agreement(tokens, 10), discrimination(tokens, 10), disputed(tokens)):
        assert frame.empty and len(frame.columns)
