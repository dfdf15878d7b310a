"""Metrics against brute force, scikit-learn and torchmetrics, and the identities that tie them."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest
import torch
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    confusion_matrix,
    jaccard_score,
    roc_auc_score,
)
from torchmetrics.functional.classification import multiclass_confusion_matrix

from vlmis_utils.core.errors import UserError
from vlmis_utils.metrics import language
from vlmis_utils.protocol.classes import CRITICAL_CLASSES, OBJECT_CLASSES

NAN = float("nan")


def random_sets(seed: int, scenes: int = 200) -> tuple[list[set[str]], list[set[str]]]:
    draw = random.Random(seed)
    words = [*OBJECT_CLASSES]

    def one() -> set[str]:
        return set(draw.sample(words, draw.randrange(0, len(words))))

    return [one() for _ in range(scenes)], [one() for _ in range(scenes)]


def brute(mentioned: list[set[str]], present: list[set[str]]) -> tuple[float, float, float]:
    """HR, COR and coverage, scene by scene, as printed."""
    hr = cor = cover = filled = 0.0
    for said, there in zip(mentioned, present, strict=True):
        false = 0
        for word in said:
            false += word not in there
        hr += false / (len(said) + 1e-6)
        missing = False
        for word in CRITICAL_CLASSES:
            if word in there and word not in said:
                missing = True
        cor += missing
        if there:
            filled += 1
            cover += sum(word in said for word in there) / len(there)
    return hr / len(mentioned), cor / len(mentioned), cover / filled


@pytest.mark.parametrize("seed", range(5))
def test_language_metrics_match_the_printed_formulas(seed: int) -> None:
    mentioned, present = random_sets(seed)
    hr, cor, cover = brute(mentioned, present)
    assert language.hallucination_rate(mentioned, present) == pytest.approx(hr, abs=1e-12)
    assert language.critical_omission_rate(mentioned, present) == pytest.approx(cor, abs=1e-12)
    assert language.coverage(mentioned, present) == pytest.approx(cover, abs=1e-12)
    mean = sum(len(said) for said in mentioned) / len(mentioned)
    assert language.mentions_per_answer(mentioned) == pytest.approx(mean)


def test_epsilon_is_the_printed_one() -> None:
    assert language.hallucination_rate([{"car"}], [set()], epsilon=1.0) == 0.5
    assert language.hallucination_rate([{"car"}], [set()]) == pytest.approx(1 / (1 + 1e-6))
    assert language.hallucination_rate([set()], [{"car"}]) == 0.0


def test_a_scene_without_a_critical_class_is_not_omitted_from() -> None:
    mentioned, present = [set(), set(), {"pedestrian"}], [{"car"}, {"pedestrian"}, {"pedestrian"}]
    assert language.critical_omission_rate(mentioned, present) == pytest.approx(1 / 3)
    assert language.critical_omission_rate_conditional(mentioned, present) == 0.5
    assert math.isnan(language.critical_omission_rate_conditional([set()], [{"car"}]))
    assert language.critical_omission_rate([{"pedestrian"}], [{"pedestrian"}]) == 0.0


def test_the_conditional_rate_rescales_the_printed_one() -> None:
    mentioned, present = random_sets(11)
    critical = {"pedestrian", "cyclist"}
    share = np.mean([bool(critical & there) for there in present])
    printed = language.critical_omission_rate(mentioned, present, critical)
    given = language.critical_omission_rate_conditional(mentioned, present, critical)
    assert printed == pytest.approx(given * share)


def test_critical_classes_may_differ_between_scenes() -> None:
    mentioned, present = [{"car"}, {"car"}], [{"bus", "truck"}, {"bus", "truck"}]
    rate = language.critical_omission_rate
    assert rate(mentioned, present, {"bus"}) == 1.0
    assert rate(mentioned, present, [{"bus"}, set()]) == 0.5
    assert rate(mentioned, present, set()) == 0.0


def test_saying_more_never_omits_more_and_truth_never_hallucinates() -> None:
    mentioned, present = random_sets(3)
    more = [said | {"pedestrian"} for said in mentioned]
    assert (
        np.nan_to_num(language.critical_omissions(more, present))
        <= np.nan_to_num(language.critical_omissions(mentioned, present))
    ).all()
    assert language.hallucination_rate(present, present) == 0.0
    assert language.coverage(present, present) == 1.0


@pytest.mark.parametrize("seed", range(3))
def test_safety_rate_is_the_sum_of_its_parts(seed: int) -> None:
    draw = random.Random(seed)
    decisions = draw.choices(language.DECISIONS, k=150)
    labels = draw.choices(["safe", "unsafe"], k=150)
    rate = language.safety_misinterpretation_rate(decisions, labels)
    parts = language.safety_breakdown(decisions, labels)
    assert rate == pytest.approx(sum(parts.values()))
    assert rate == pytest.approx(1 - accuracy_score(labels, decisions))
    assert parts["abstained"] == pytest.approx(1 - language.safety_parse_success(decisions))
    flags = [label == "safe" for label in labels]
    assert language.safety_misinterpretation_rate(decisions, flags) == rate
    assert language.safety_breakdown(decisions, np.array(flags)) == parts


def test_nothing_in_gives_nan_out() -> None:
    for value in (
        language.hallucination_rate([], []),
        language.critical_omission_rate([], []),
        language.coverage([], []),
        language.coverage([{"car"}], [set()]),
        language.mentions_per_answer([]),
        language.safety_misinterpretation_rate([], []),
        language.safety_parse_success([]),
        language.balanced_accuracy([], []),
        language.auc([], []),
        language.auc([True, True], [0.1, 0.2]),
        language.balanced_accuracy([True], ["yes"]),
    ):
        assert math.isnan(value)


@pytest.mark.filterwarnings("ignore:y_pred contains classes not in y_true")
@pytest.mark.parametrize("seed", range(3))
def test_presence_metrics_match_scikit_learn(seed: int) -> None:
    draw = random.Random(seed)
    present = [draw.random() < 0.3 for _ in range(120)]
    answers = draw.choices(["yes", "no", "unknown"], k=120)
    truth = ["yes" if flag else "no" for flag in present]
    expected = balanced_accuracy_score(truth, answers)
    assert language.balanced_accuracy(present, answers) == pytest.approx(expected)
    scores = [draw.gauss(flag, 1) for flag in present]
    assert language.auc(present, scores) == pytest.approx(roc_auc_score(present, scores))


@pytest.mark.parametrize("answer", ["yes", "no"])
def test_a_constant_answer_scores_one_half(answer: str) -> None:
    assert language.balanced_accuracy([True, False, False], [answer] * 3) == 0.5


def random_maps(seed: int, classes: int = 19) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, classes, size=(3, 40, 50)).astype(np.uint8)
    predictions = np.where(rng.random(labels.shape) < 0.6, labels, rng.integers(0, classes, 50))
    labels[rng.random(labels.shape) < 0.1] = 255
    return labels, predictions.astype(np.uint8)


@pytest.mark.parametrize("seed", range(3))
def test_confusion_matches_scikit_learn_and_torchmetrics(seed: int) -> None:
    labels, predictions = random_maps(seed)
    counts = language.confusion(labels, predictions)
    assert counts.shape == (19, 19) and counts.dtype == np.int64
    known = labels != 255
    expected = confusion_matrix(labels[known], predictions[known], labels=range(19))
    assert np.array_equal(counts, expected)
    other = multiclass_confusion_matrix(
        torch.from_numpy(predictions).long(),
        torch.from_numpy(labels).long(),
        num_classes=19,
        ignore_index=255,
    )
    assert np.array_equal(counts, other.numpy())
    parts = sum(language.confusion(a, b) for a, b in zip(labels, predictions, strict=True))
    assert np.array_equal(counts, parts)
    assert np.array_equal(language.confusion(predictions, labels), counts.T)


def test_ignore_is_left_out_on_both_sides() -> None:
    labels, predictions = np.array([0, 1, 255, 2, 255]), np.array([0, 255, 1, 2, 255])
    counts = language.confusion(labels, predictions)
    assert counts.sum() == 2 and counts[0, 0] == counts[2, 2] == 1


@pytest.mark.parametrize("seed", range(3))
def test_iou_and_accuracy_match_scikit_learn(seed: int) -> None:
    labels, predictions = random_maps(seed)
    known = labels != 255
    counts = language.confusion(labels, predictions)
    truth, guess = labels[known], predictions[known]
    expected = jaccard_score(truth, guess, labels=range(19), average=None)
    assert language.iou(counts) == pytest.approx(expected)
    assert language.miou(counts) == pytest.approx(expected.mean())
    assert language.pixel_accuracy(counts) == pytest.approx(accuracy_score(truth, guess))


def test_iou_without_union_is_nan_and_a_class_only_predicted_is_not_averaged() -> None:
    counts = np.zeros((4, 4), dtype=int)
    counts[0, 0], counts[0, 2], counts[1, 1] = 6, 2, 4
    scores = language.iou(counts)
    assert scores[:3].tolist() == [0.75, 1.0, 0.0] and math.isnan(scores[3])
    assert language.miou(counts) == 0.875
    assert language.pixel_accuracy(counts) == pytest.approx(10 / 12)


def test_leading_axes_and_image_means() -> None:
    labels, predictions = random_maps(8)
    counts = np.stack(
        [language.confusion(a, b) for a, b in zip(labels, predictions, strict=True)]
        + [np.zeros((19, 19), dtype=np.int64)]
    )
    each = [language.miou(matrix) for matrix in counts]
    assert language.miou(counts) == pytest.approx(each, nan_ok=True)
    assert math.isnan(each[-1])
    assert language.miou_image_mean(counts) == pytest.approx(np.mean(each[:-1]))
    assert language.iou(counts).shape == (4, 19)
    accuracies = [language.pixel_accuracy(matrix) for matrix in counts]
    assert language.pixel_accuracy(counts) == pytest.approx(accuracies, nan_ok=True)


def test_torch_maps_are_taken_too() -> None:
    labels, predictions = random_maps(2)
    counts = language.confusion(torch.from_numpy(labels), torch.from_numpy(predictions))
    assert np.array_equal(counts, language.confusion(labels, predictions))


def test_changes_are_positive_when_things_get_worse() -> None:
    assert language.delta_q(0.7, 0.4) == pytest.approx(0.3)
    assert language.delta_l(0.1, 0.4) == pytest.approx(0.3)
    assert language.delta_q(0.7, np.array([0.7, 0.4])) == pytest.approx([0.0, 0.3])


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: language.hallucination_rate([set()], []), "same length"),
        (lambda: language.hallucination_rate(["car"], [{"car"}]), "one set"),
        (lambda: language.critical_omission_rate([set()], [set()], "car"), "critical"),
        (lambda: language.critical_omission_rate([set()], [set()], [set(), set()]), "1 sets"),
        (lambda: language.safety_misinterpretation_rate(["Safe"], ["safe"]), "'Safe'"),
        (lambda: language.safety_misinterpretation_rate(["safe"], ["ok"]), "'ok'"),
        (lambda: language.safety_breakdown(["safe"], []), "same length"),
        (lambda: language.balanced_accuracy([True], ["maybe"]), "'maybe'"),
        (lambda: language.confusion(np.zeros((2, 2)), np.zeros((2, 3))), "shape"),
        (lambda: language.confusion(np.array([19]), np.array([0])), "id 19"),
        (lambda: language.confusion(np.array([0]), np.array([-1])), "id -1"),
    ],
)
def test_misuse_is_named_in_one_line(call, words: str) -> None:
    with pytest.raises(UserError, match=words) as error:
        call()
    assert "\n" not in str(error.value)
