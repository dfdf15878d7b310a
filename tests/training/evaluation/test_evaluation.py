"""The parts of the evaluation, against brute force and scikit-learn."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.metrics import (
    balanced_accuracy_score,
    jaccard_score,
    precision_score,
    recall_score,
    roc_auc_score,
)

from tests.helpers.embedded import answers, frames
from vlmis_utils.datasets.streetworld import world_seed
from vlmis_utils.metrics.miou_intervals import jackknife_miou
from vlmis_utils.metrics.segmentation import iou
from vlmis_utils.protocol.classes import (
    CRITICAL_CLASSES,
    LANGUAGE_NAMES,
    OBJECT_CLASSES,
    PRESENCE_CLASSES,
)
from vlmis_utils.training.evaluation import (
    baselines,
    goals,
    intervals,
    language,
    probe,
)
from vlmis_utils.training.evaluation import segmentation as seg
from vlmis_utils.training.evaluation.held_out import (
    SCENES,
    SEED,
    SPLIT,
    held_out,
    world,
)

ONE = np.ones((1, 40))


def test_the_held_out_world_is_no_one_else_s() -> None:
    own = world_seed(SPLIT, SEED)
    others = {world_seed(split, seed) for split in ("train", "val", "test") for seed in range(9)}
    assert own not in others and SCENES >= 300
    assert str(SCENES) in world() and str(SEED) in world()


def test_held_out_scenes_come_as_arrays(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("VLMIS_CACHE", str(tmp_path))
    data = held_out.__wrapped__(limit=1)
    assert data.images.shape == (1, 256, 512, 3) and data.images.dtype == np.uint8
    assert data.scene_ids == [f"streetworld-{SPLIT}-{SEED}-00000"]
    assert data.counts.sum() == (data.labels != 255).sum()


def test_class_ious_are_those_of_the_whole_and_their_mean_has_the_interval_of_miou() -> None:
    rng = np.random.default_rng(0)
    counts = rng.integers(0, 50, (30, 4, 4))
    found = intervals.class_ious(counts)
    assert found.value == pytest.approx(iou(counts.sum(0)))
    assert (found.low < found.value).all() and (found.value < found.high).all()
    single = np.zeros((30, 2, 2), dtype=int)  # one class in the truth: its IoU is mIoU
    single[:, 0] = rng.integers(1, 50, (30, 2))
    one, whole = intervals.class_ious(single), jackknife_miou(single)
    bounds = (one.value[0], one.low[0], one.high[0])
    assert bounds == pytest.approx((whole.value, whole.low, whole.high))


def test_draws_of_all_scenes_are_scikit_learn_s() -> None:
    rng = np.random.default_rng(1)
    truth, score = rng.random((40, 3)) < 0.4, rng.normal(size=(40, 3)).round(1)
    said = (score > 0).astype(float)
    found = intervals.auc_draws(truth, score, ONE)[0]
    assert found == pytest.approx([roc_auc_score(truth[:, c], score[:, c]) for c in range(3)])
    found = intervals.balanced_draws(truth, said, ONE)[0]
    wanted = [balanced_accuracy_score(truth[:, c], said[:, c]) for c in range(3)]
    assert found == pytest.approx(wanted)
    said[truth[:, 0], 0] = np.nan  # neither yes nor no is wrong
    assert intervals.balanced_draws(truth, said, ONE)[0, 0] <= 0.5


def test_draws_of_a_resample_are_those_of_the_drawn_scenes() -> None:
    rng = np.random.default_rng(2)
    truth, score = rng.random((12, 2)) < 0.5, rng.normal(size=(12, 2))
    weights = intervals.resampled(12, 3)
    assert (weights[0] == 1).all() and (weights.sum(1) == 12).all()
    drawn = np.repeat(np.arange(12), weights[2].astype(int))
    found = intervals.auc_draws(truth, score, weights)[2]
    wanted = [roc_auc_score(truth[drawn, c], score[drawn, c]) for c in range(2)]
    assert found == pytest.approx(wanted)


def test_a_mean_leaves_out_classes_without_a_value_and_intervals_hold_it() -> None:
    draws = np.random.default_rng(3).uniform(0.6, 0.8, (50, 3))
    draws[0] = [0.7, 0.72, np.nan]
    mean = intervals.mean_draws(draws)
    assert mean[0] == pytest.approx(0.71) and mean[1] == pytest.approx(draws[1, :2].mean())
    for make in (intervals.from_auc, intervals.from_ratio):
        found = make(mean, 40)
        assert 0 < found.low < found.value < found.high < 1
    nearly = np.append(0.999, np.random.default_rng(4).uniform(0.997, 1.001, 50).clip(max=1))
    found = intervals.from_auc(nearly, 40)
    assert 0.99 < found.low < found.value < found.high <= 1


@pytest.mark.parametrize("words", [True, False])
def test_right_answers_are_heard_as_right(words: bool) -> None:
    data = frames(24, 0)
    truth = language.truth_of(data)
    given = [answers(p, s, words) for p, s in zip(truth.present, truth.safe, strict=True)]
    said = language.listen(given)
    assert (said.presence == truth.shown).all() and (said.safe == truth.safe).all()
    weights = intervals.resampled(24, 20)
    drawn = {k: intervals.mean_draws(v)[0] for k, v in language.draws(truth, said, weights).items()}
    assert drawn.keys() == set(language.MEASURES)
    perfect = [m for m in language.MEASURES if words or not m.startswith("mention")]
    assert {drawn[m] for m in perfect} == {1.0}
    if not words:  # a model that must mention K can do no better than this
        assert drawn["mention F1"] == pytest.approx(baselines.ceiling(truth))


def test_precision_and_recall_pool_mentions_as_scikit_learn_does() -> None:
    truth = language.truth_of(frames(24, 1))
    rng = np.random.default_rng(4)
    named = rng.random((24, len(OBJECT_CLASSES))) < 0.5
    said = language.Said(
        [frozenset(np.array(OBJECT_CLASSES)[row]) for row in named],
        np.zeros((24, 9)), np.zeros((24, 9)), np.zeros(24), np.zeros(24),
    )  # fmt: skip
    real = np.array([[c in p for c in OBJECT_CLASSES] for p in truth.present])
    drawn = language.draws(truth, said, np.ones((1, 24)))
    for name, score in (("mention precision", precision_score), ("mention recall", recall_score)):
        assert drawn[name][0, 0] == pytest.approx(score(real.ravel(), named.ravel()))
    assert drawn["presence AUC"][0] == pytest.approx(np.full(9, 0.5))


def test_measures_have_a_row_for_the_whole_and_one_for_each_class() -> None:
    truth = language.truth_of(frames(24, 2))
    said = language.listen([answers(p, True, True) for p in truth.present])
    table = pd.DataFrame(language.measures(truth, said, intervals.resampled(24, 50)))
    per = table[table.measure == "presence AUC"]
    assert list(per["class"]) == ["", *PRESENCE_CLASSES]
    parsed = table[table.measure == "parse success"].iloc[0]
    assert parsed.value == 1 and 0.8 < parsed.low < 1  # Wilson's has width
    judged = table[table.measure == "safety balanced accuracy"].iloc[0]
    assert judged.value == 0.5


def test_failures_of_words_are_the_least_f1_and_the_surest_wrong_answer() -> None:
    data = frames(12, 3)
    truth = language.truth_of(data)
    given = [answers(p, s, True) for p, s in zip(truth.present, truth.safe, strict=True)]
    said = language.listen(given)
    said.mentioned[4] = frozenset()
    said.presence[7, 2] = 1 - said.presence[7, 2]
    said.score[7, 2] = 9.0 if said.presence[7, 2] else -9.0
    said.presence[8, 1], said.score[8, 1] = 1 - said.presence[8, 1], 0.0
    first, second = language.failures(truth, said, data)
    assert first["scene"] == 4 and first["score"] == 0 and first["scene_id"] == data.scene_ids[4]
    assert (second["scene"], second["about"]) == (7, PRESENCE_CLASSES[2])
    assert second["score"] > 0.99
    assert len(language.failures(truth, language.listen(given), data)) == 1  # nothing else is wrong


def test_failures_of_maps_are_the_least_miou_and_the_largest_thing_missed() -> None:
    counts = np.stack([np.diag(np.full(19, 100)) for _ in range(4)])
    counts[1, 0, 0], counts[1, 0, 1], counts[1, 13, 13], counts[1, 13, 0] = 0, 100, 0, 100
    counts[2, 11, 11], counts[2, 11, 0] = 5, 95  # a person, nearly all lost
    counts[3, 12, 12], counts[3, 12, 0] = 90, 500  # a rider, not quite
    first, second = seg.failures(counts, frames(4, 0))
    assert first["scene"] == 1
    assert (second["scene"], second["about"], second["score"]) == (2, "person", 100.0)


class _Painter:
    """Paints the truth, as its colours tell it, but for a class that it takes for another."""

    def predict(self, images: torch.Tensor) -> torch.Tensor:
        ids = (images[:, 0] // 13).to(torch.uint8)
        return torch.where(ids == 3, torch.tensor(4, dtype=torch.uint8), ids.clamp(max=18))


def test_confusions_and_measures_of_a_map() -> None:
    data = frames(6, 5)
    counts = seg.confusions(_Painter(), data)
    assert counts.shape == (6, 19, 19) and counts.sum() == data.labels.size
    painted = np.where(data.labels == 3, 4, data.labels)
    wanted = jaccard_score(data.labels.ravel(), painted.ravel(), average=None, labels=range(19))
    table = pd.DataFrame(seg.measures(counts))
    assert table[table.measure == "IoU"].value.to_numpy() == pytest.approx(wanted)
    assert table.value[0] == pytest.approx(wanted.mean()) and table.measure[0] == "mIoU"


def test_blind_maps_do_not_look_and_a_segmenter_that_does_beats_them() -> None:
    train, test = frames(9, 6), frames(6, 7)
    maps = seg.blind_maps(_Painter(), train)
    assert len(np.unique(maps["constant"])) == len(np.unique(maps["blank image"])) == 1
    stack = train.labels[:, :40, :40].reshape(9, -1)
    modes = [np.bincount(pixel, minlength=19).argmax() for pixel in stack.T]
    assert (maps["class prior"][:40, :40].ravel() == modes).all()
    rows = pd.DataFrame(seg.baseline_rows(seg.confusions(_Painter(), test), test.labels, maps))
    assert (rows.difference_low > 0).all() and list(rows.baseline) == list(maps)


def test_constant_answers_are_worth_a_coin_and_the_best_caption_beats_the_prior() -> None:
    truth, known = language.truth_of(frames(30, 8)), language.truth_of(frames(50, 9))
    weights = intervals.resampled(30, 30)
    said = language.listen(
        [answers(p, s, False) for p, s in zip(truth.present, truth.safe, strict=True)]
    )
    others = {"constant": baselines.constant(truth), "class prior": baselines.prior(known, 30)}
    rows = pd.DataFrame(baselines.baseline_rows("open_clip", truth, said, others, weights))
    assert set(rows[rows.measure.str.endswith("AUC")].value) == {0.5}
    f1 = rows[rows.measure == "mention F1"].set_index("baseline")
    assert f1.value["constant"] >= f1.value["class prior"]
    auc = rows[rows.measure == "safety AUC"]
    assert auc.difference.to_numpy() == pytest.approx([0.5, 0.5])


def test_a_probe_reads_what_features_hold_and_nothing_else() -> None:
    rng = np.random.default_rng(10)
    train, test = rng.normal(size=(120, 6)), rng.normal(size=(80, 6))
    truth = np.stack([train[:, 0] > 0, rng.random(120) < 0.5, np.ones(120, bool)], axis=1)
    found = probe.fit_probe(train, truth, test)
    assert roc_auc_score(test[:, 0] > 0, found[:, 0]) > 0.95
    assert abs(roc_auc_score(rng.random(80) < 0.5, found[:, 1]) - 0.5) < 0.2
    assert (found[:, 2] == 1).all()


def test_features_are_mean_and_maximum_over_the_map() -> None:
    data = frames(3, 11, 64, 128)
    found = probe.features(lambda x: x[:, :2].flatten(2), data.images, batch=2)
    assert found.shape == (3, 4)
    assert (found[:, 2:] >= found[:, :2]).all()


def test_verdicts_follow_the_estimate() -> None:
    rows = [("segformer", "mIoU", "", 0.65)]
    rows += [("segformer", "IoU", c, v) for c, v in (("person", 0.5), ("rider", 0.2))]
    rows += [("clip", "presence AUC", c, 0.9) for c in ("", *PRESENCE_CLASSES)]
    frame = pd.DataFrame(rows, columns=["model", "measure", "class", "value"])
    found = goals.judge(frame.assign(low=0.0, high=1.0))
    assert list(found.verdict) == ["floor", "missed", "reached", "reached"]
    assert found["class"][1] == "rider" and list(found.several) == [False, True, False, True]
    assert {LANGUAGE_NAMES[c] for c in goals.CRITICAL} == set(CRITICAL_CLASSES)
    assert all(goal.floor < goal.goal for goal in goals.GOALS)
    assert goals.verdict(float("nan"), 0.5, 0.4) == "missed"
