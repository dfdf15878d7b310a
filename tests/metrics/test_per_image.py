"""How answers are read for the metrics: Top-K of the annotated classes, scores that are no numbers,
declined answers, and the class asked.
"""

from __future__ import annotations

import math

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vlmis_utils.core.errors import UserError
from vlmis_utils.metrics.per_image import Reading, per_image, presence_answers
from vlmis_utils.protocol.answer import Answer
from vlmis_utils.protocol.classes import OBJECT_CLASSES

SCORES = st.lists(
    st.floats(-9, 9), min_size=len(OBJECT_CLASSES), max_size=len(OBJECT_CLASSES), unique=True
)


@given(SCORES, st.sets(st.sampled_from(OBJECT_CLASSES), min_size=1), st.integers(1, 12))
def test_top_k_is_drawn_from_the_annotated_classes(
    scores: list[float], annotated: set[str], k: int
) -> None:
    reading = Reading(top_k=k, vocabulary=tuple(c for c in OBJECT_CLASSES if c in annotated))
    said = reading.mentions(Answer(labels=OBJECT_CLASSES, scores=tuple(scores)))
    known = sorted(annotated, key=lambda name: -scores[OBJECT_CLASSES.index(name)])
    assert said == set(known[:k])


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_scores_that_are_no_numbers_are_no_answer(bad: float) -> None:
    reading = Reading()
    scores = (bad,) + (1.0,) * (len(OBJECT_CLASSES) - 1)
    assert reading.mentions(Answer(labels=OBJECT_CLASSES, scores=scores)) == frozenset()
    assert reading.decision(Answer(labels=("safe", "unsafe"), scores=(bad, 0.5))) == "abstain"
    word, score = reading.presence(Answer(labels=("yes", "no"), scores=(0.5, bad)), "car")
    assert word == "unknown" and math.isnan(score)


def test_no_answer_has_no_score() -> None:
    word, score = Reading().presence(Answer(), "car")
    assert word == "unknown" and math.isnan(score)
    assert Reading().decision(Answer()) == "abstain"


@pytest.mark.parametrize("name", ["road", "sky", "building", "vegetation"])
def test_a_critical_class_that_cannot_be_mentioned_is_refused(name: str) -> None:
    with pytest.raises(UserError, match=f"'{name}' cannot be mentioned.*traffic sign"):
        Reading(critical_classes=("car", name))


def frames(rows: list[tuple[str, str]]) -> tuple[pd.DataFrame, pd.DataFrame]:
    answers = pd.DataFrame(
        [
            {"vlm": "m", "condition": "clean", "scene_id": "a", "prompt": prompt, "text": text,
             "labels": [], "scores": []}
            for prompt, text in rows
        ]
    )  # fmt: skip
    truth = pd.DataFrame(
        {"scene_id": ["a"], "condition": ["clean"], "safe": [True],
         "present": [frozenset({"car"})], "critical": [frozenset()], "hidden": [frozenset()]}
    )  # fmt: skip
    return answers, truth


@pytest.mark.parametrize(
    ("text", "decision", "declined"),
    [
        ("I'm sorry, I can't assist with driving decisions.", "abstain", 1.0),
        ("[content filter]", "abstain", 1.0),
        ("I cannot tell.", "abstain", 0.0),
        ("", "abstain", 0.0),
        ("Sorry, no.", "unsafe", 0.0),
    ],
)
def test_declined_answers_are_counted_among_those_that_abstain(
    text: str, decision: str, declined: float
) -> None:
    answers, truth = frames([("describe", "A car."), ("safety", text)])
    row = per_image(answers, truth, Reading()).iloc[0]
    assert (row.decision, row.declined) == (decision, declined)
    assert row.declined <= row.abstained


def test_the_class_of_the_prompt_is_passed_on() -> None:
    text = "There are cars and trucks, but no pedestrians."
    prompts = [f"presence/{name}" for name in ("car", "pedestrian", "bus")]
    answers, truth = frames([(prompt, text) for prompt in prompts])
    read = presence_answers(answers, truth, Reading()).set_index("class").word
    assert dict(read) == {"car": "yes", "pedestrian": "no", "bus": "unknown"}
