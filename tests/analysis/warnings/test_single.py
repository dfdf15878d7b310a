"""Signals alone: AUROC, precision and their means over VLMs against scikit-learn."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from tests.helpers.synthetic import write_records
from vlmis_utils.analysis.results import Results
from vlmis_utils.analysis.warnings.signals import TARGETS, Warnings, load_warnings
from vlmis_utils.analysis.warnings.single import MEAN, signal_aucs, single_signals
from vlmis_utils.analysis.warnings.tasks import LEAST, Task, tasks


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    folder = tmp_path_factory.mktemp("single") / "records"
    return Results(write_records(folder, scenes=12), bootstrap=50)


@pytest.fixture(scope="module")
def watched(results: Results) -> Warnings:
    return load_warnings(results)


def by_hand(watched: Warnings, task: Task, signal: str) -> pd.DataFrame:
    score = watched.signals[task.vlm][signal].to_numpy()[task.at]
    condition = watched.pictures.condition.to_numpy()[task.at]
    score = np.where(np.isfinite(score), score, np.nanmean(score))
    return pd.DataFrame({"y": task.outcome, "score": score, "condition": condition})


def test_each_signal_is_scored_as_scikit_learn_does(watched: Warnings) -> None:
    found = single_signals(watched, 50)
    table = found.set_index(["vlm", "target", "signal"])
    checked = 0
    for task in (task for task in tasks(watched) if not task.reason):
        for signal in ("noise", "entropy_critical", "safety_margin"):
            frame, row = by_hand(watched, task, signal), table.loc[(task.vlm, task.target, signal)]
            assert row.auc == pytest.approx(roc_auc_score(frame.y, frame.score))
            assert row.precision == pytest.approx(average_precision_score(frame.y, frame.score))
            assert row.low < row.auc < row.high and row.precision_low < row.precision
            wins = pairs = 0.0
            for _, own in frame.groupby("condition"):
                size = own.y.sum() * (1 - own.y).sum()
                if size:
                    wins, pairs = wins + size * roc_auc_score(own.y, own.score), pairs + size
            assert row.within == pytest.approx(wins / pairs)
            checked += 1
    assert checked > 6
    lacking = found[found.reason != ""]
    assert lacking.auc.isna().all() and (lacking.signal == "").all()


def test_the_mean_over_models_is_that_of_their_aurocs(results: Results, watched: Warnings) -> None:
    found = signal_aucs(results, 50)
    table = found.set_index(["target", "signal", "vlm"]).auc
    for target in dict.fromkeys(found.target):
        own = [t for t in tasks(watched) if t.target == target and not t.reason]
        frames = [by_hand(watched, task, "noise") for task in own]
        mean = np.mean([roc_auc_score(f.y, f.score) for f in frames])
        assert table[target, "noise", MEAN] == pytest.approx(mean, abs=1e-3)
    decided = np.where(found.low > 0.5, 1, np.where(found.high < 0.5, -1, 0))
    assert np.array_equal(found.sign, decided) and (decided != 0).any()


def test_a_failure_in_few_scenes_is_not_predicted(watched: Warnings) -> None:
    vlm = watched.vlms[0]
    for scenes in (LEAST - 1, LEAST):
        for value, words in ((1.0, "happens"), (0.0, "fails to happen")):
            rare = np.where(watched.scene < scenes, value, 1 - value)
            targets = {vlm: pd.DataFrame(dict.fromkeys(TARGETS, rare))}
            changed = Warnings(
                watched.pictures, watched.scene, watched.fold, {vlm: watched.signals[vlm]}, targets,
                watched.miou, watched.segmenter,
            )  # fmt: skip
            reasons = {task.reason for task in tasks(changed)}
            assert reasons == ({""} if scenes == LEAST else {f"it {words} in fewer than 5 scenes"})
