"""Language metrics against brute force and scikit-learn, and the identities that tie them."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score, recall_score

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
    first, second, there = language.indicators(mentioned, more, present)
    terms = [language.omission_terms(said, there) for said in (second, first)]
    assert (np.nan_to_num(terms[0]) <= np.nan_to_num(terms[1])).all()
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
    assert parts["abstained"] == pytest.approx(decisions.count("abstain") / len(decisions))
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
    ):
        assert math.isnan(value)


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
    ],
)
def test_misuse_is_named_in_one_line(call, words: str) -> None:
    with pytest.raises(UserError, match=words) as error:
        call()
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("seed", range(3))
def test_f1_and_coverage_match_scikit_learn(seed: int) -> None:
    mentioned, present = random_sets(seed, 60)
    said, there = language.indicators(mentioned, present)
    expected = f1_score(there, said, average="samples", zero_division=1.0)
    assert language.f1_terms(said, there).mean() == pytest.approx(expected)
    some = there.any(axis=-1)
    expected = recall_score(there[some], said[some], average="samples")
    assert np.nanmean(language.coverage_terms(said, there)) == pytest.approx(expected)


def test_terms_take_any_leading_axes() -> None:
    rng = np.random.default_rng(0)
    said, there = rng.random((2, 3, 4, 5)) < 0.5
    for terms in (language.hallucination_terms, language.omission_terms, language.f1_terms):
        each = [[terms(said[i, j], there[i, j]) for j in range(4)] for i in range(3)]
        np.testing.assert_allclose(terms(said, there), each)
