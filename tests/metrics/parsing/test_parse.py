"""Reading answers: the named hard cases, and what must hold for any text."""

from __future__ import annotations

import math
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vlmis_utils.core.errors import UserError
from vlmis_utils.metrics.parsing import parse as answers
from vlmis_utils.metrics.parsing.lexicon import SYNONYMS
from vlmis_utils.metrics.parsing.parse import (
    Mentions,
    best_label,
    mentioned_top_k,
    mentions,
    parse_presence,
    parse_safety,
)
from vlmis_utils.protocol.classes import LANGUAGE_CLASSES, OBJECT_CLASSES

PRESENCE = {
    "yes": [
        "Yes.", "yes", "YES!", " Yes, two. ", "**Yes**", "Answer: Yes",
        '"Yes"', "The answer is yes.", '{"answer": "yes"}', '{"present": true}', "- Yes", "Yep",
        "<answer>yes</answer>", "True",
        "Yes, there is no pedestrian", "There is a truck.", "I can see one.", "A bus is visible.",
        "I'm not sure, but I think yes", "There appears to be a truck", "Yes - but only cars",
        "pedestrian: true", "Of course.", "I think so.",
    ],
    "no": [
        "NO", "no", "No.", "nope", "\u2018No\u2019", "**No**", '{"answer": "no"}',
        "No, the road is clear of people; yes there are cars", "There aren't any",
        "There aren\u2019t any.", "I don't see any cyclists", "No pedestrians are visible.",
        "It is not visible.", "The image does not show a bus.", "None.", "pedestrian: false",
        "No, but there is a truck.", "no there isn't", "Absolutely not.", "I would say no.",
        "Nobody is there.", "I can't see a bus.", "Of course not.", "I don't think so.",
    ],
    "unknown": [
        "", "  ", "\n", "...", "I cannot tell.", "Maybe.", "Possibly yes", "There might be a bus.",
        "Yes and no", "yes or no", "Yes/No", "No idea", "Not sure.", "It depends.", "unknown",
        "I see a car but no bus", "I'm sorry, I can't help with that.", "Yesterday.", "Know",
        "It is unclear whether there is a cyclist.", "I cannot see the image.", "\u2754",
    ],
}  # fmt: skip
SAFETY = {
    "safe": [
        "Yes.", "Safe", "It is safe.", "Yes, it is safe to proceed forward.", "not unsafe",
        "It isn't unsafe.", "It is not dangerous.", '{"safe": true}', "decision: YES",
        "Yes, but proceed with caution.", "It is safe to proceed with caution.", "Go ahead.",
        "The path ahead is clear.", "No pedestrians are ahead, so it is safe to proceed.",
        "It appears to be safe to proceed.", "There is no need to stop.", "I think it is safe.",
    ],
    "unsafe": [
        "No", "NO.", "unsafe", "UNSAFE", "Not safe.", "It is not safe", "It isn\u2019t safe.",
        "It is unsafe.", "No, it is not safe to proceed.", "You should stop", "Stop.",
        "safe to proceed: no", '{"decision": "NO", "reason": "A bus blocks the lane."}',
        "decision: NO, reason: it would be safe otherwise", "safe: false", "unsafe: true",
        "It is not safe. Wait until it is safe.", "Although it looks clear, it is not safe.",
        "I don't think it is safe.", "It is far from safe.", "Do not proceed.",
        "It would be dangerous to go on.", "It is neither safe nor sensible.",
    ],
    "abstain": [
        "", "  ", "I cannot tell", "decision: UNCERTAIN , reason: A large occlusion blocks much.",
        "proceed with caution", "Maybe.", "It may be safe.", "It depends on the light.",
        "I can't determine whether it is safe or unsafe.", "Yes and no.", "Be careful.",
        "No, it is safe to proceed.", "Yes, it is unsafe.", "There is a stop sign.",
        "If the light is green, it is safe.", "It is safe for cars but not safe for bicycles.",
        "Drive safely.", "Keep a safe distance.", "not necessarily safe",
    ],
}  # fmt: skip
# text -> asserted, negated, hedged among the object classes
MENTIONS = [
    ("No pedestrians or cyclists, but two cars", {"car"}, {"pedestrian", "cyclist"}, set()),
    ("no cars, trucks or buses are visible", set(), {"car", "truck", "bus"}, set()),
    ("neither a bus nor a truck", set(), {"bus", "truck"}, set()),
    ("a street without any pedestrians", set(), {"pedestrian"}, set()),
    ("the road is free of cyclists", set(), {"cyclist"}, set()),
    ("absence of traffic lights", set(), {"traffic light"}, set()),
    ("I see a car but no bus", {"car"}, {"bus"}, set()),
    ("There aren\u2019t any buses.", set(), {"bus"}, set()),
    ("Pedestrians are not visible, cars are.", {"car"}, {"pedestrian"}, set()),
    ("No bus at the traffic light.", {"traffic light"}, {"bus"}, set()),
    ("possibly a truck", set(), set(), {"truck"}),
    ("what might be a truck", set(), set(), {"truck"}),
    ("there may be a truck", set(), set(), {"truck"}),
    ("this appears to be a truck", set(), set(), {"truck"}),
    ("it looks like a truck", set(), set(), {"truck"}),
    ("that could be a truck", set(), set(), {"truck"}),
    ("seems to be a truck", set(), set(), {"truck"}),
    ("perhaps a truck", set(), set(), {"truck"}),
    ("I think there is a truck", set(), set(), {"truck"}),
    ("not sure if there is a truck", set(), set(), {"truck"}),
    ("car: false, truck: true", {"truck"}, {"car"}, set()),
    ('{"traffic_light": true, "bus": false}', {"traffic light"}, {"bus"}, set()),
    ("car: false\ntruck: true\nbus: unknown", {"truck"}, {"car"}, {"bus"}),
    ("Not visible:\n- bus\n- car\n\nVisible:\n- truck", {"truck"}, {"bus", "car"}, set()),
    ("buses and people", {"bus", "pedestrian"}, set(), set()),
    ("a red car", {"car"}, set(), set()),
    ("a sky-blue car", {"car"}, set(), set()),
    ("a motorcyclist", {"cyclist"}, set(), set()),
    ("a bicycle rider", {"cyclist"}, set(), set()),
    ("a man riding a bicycle", {"cyclist", "bicycle"}, set(), set()),
    ("a street sign and a crosswalk sign", {"traffic sign"}, set(), set()),
    ("No, there is a car.", {"car"}, set(), set()),
    ("decision: NO, reason: cars ahead", {"car"}, set(), set()),
    ("A truck, or possibly a bus.", {"truck"}, set(), {"bus"}),
    ("There is no car. There is a car.", {"car"}, set(), set()),
    ("There is no car. There may be a car.", set(), set(), {"car"}),
    ("A pedestrian crossing the road.", {"pedestrian"}, set(), set()),
    ("No vehicles except a bus.", {"bus"}, set(), set()),
    ("**Pedestrians:** none", set(), {"pedestrian"}, set()),
]
NOT_THE_CLASS = [
    "bus stop", "bus lane", "bus-stop", "car park", "car parking", "parking lot", "street light",
    "streetlight", "traffic", "traffic jam", "bike lane", "pedestrian crossing", "pedestrian zone",
    "train station", "road users", "roadside", "cable car", "bicycle rack", "no sign of life",
    "a signal", "designs", "carpet", "trained", "businesses", "first-person view", "manhole",
]  # fmt: skip
OBJECTS = frozenset(OBJECT_CLASSES)
TEXTS = st.text(max_size=200) | st.lists(
    st.sampled_from(
        "no not yes a the two , . ; : ? but and or is are visible car cars bus truck people safe "
        "unsafe possibly might be without neither nor traffic light sign \n - there in on : "
        "true false don't see any if stop proceed ( ) \" until riding bicycle".split(" ")
    ),
    max_size=30,
).map(" ".join)


@pytest.mark.parametrize(("text", "word"), [(t, w) for w, ts in PRESENCE.items() for t in ts])
def test_presence(text: str, word: str) -> None:
    assert parse_presence(text) == word


@pytest.mark.parametrize(("text", "word"), [(t, w) for w, ts in SAFETY.items() for t in ts])
def test_safety(text: str, word: str) -> None:
    assert parse_safety(text) == word


@pytest.mark.parametrize(("text", "asserted", "negated", "hedged"), MENTIONS)
def test_mentions(text: str, asserted: set, negated: set, hedged: set) -> None:
    said = mentions(text)
    assert (said.asserted & OBJECTS, said.negated & OBJECTS, said.hedged & OBJECTS) == (
        asserted, negated, hedged,
    )  # fmt: skip


@pytest.mark.parametrize("text", NOT_THE_CLASS)
def test_compounds_that_are_not_the_class(text: str) -> None:
    said = mentions(f"There is a {text} here.")
    assert not said.asserted & OBJECTS
    assert not mentions(text).asserted & OBJECTS


def test_a_truck_free_street_has_no_truck() -> None:
    assert "truck" not in mentions("a truck-free street").asserted


@pytest.mark.parametrize("name", LANGUAGE_CLASSES)
def test_every_synonym_and_its_plural(name: str) -> None:
    for word in SYNONYMS[name]:
        assert name in mentions(f"There is a {word}.").asserted
        assert name in mentions(word.upper().replace(" ", "_")).asserted
        assert name in mentions(f"no {word}").negated
        assert name in mentions(word, rule="keyword").asserted


@pytest.mark.parametrize("name", OBJECT_CLASSES)
def test_every_class_under_each_frame(name: str) -> None:
    assert name in mentions(f"I do not see any {name}s.").negated | ({name} & {"bus"})
    assert name in mentions(f"There is no {name}, but the road is wet.").negated
    assert name in mentions(f"There might be a {name}.").hedged
    assert name in mentions(f"{name}: false").negated
    assert name in mentions(f"{name}: yes").asserted


def test_the_keyword_rule_understands_nothing() -> None:
    said = mentions("No cars, possibly a truck, at the bus stop.", rule="keyword")
    assert said == Mentions(asserted=frozenset({"car", "truck", "bus"}))


def test_presence_with_the_class_of_the_question() -> None:
    assert parse_presence("I see a car but no bus.", asked="car") == "yes"
    assert parse_presence("I see a car but no bus.", asked="bus") == "no"
    assert parse_presence("There are cars.", asked="bus") == "unknown"
    assert parse_presence("Yes.", asked="bus") == "yes"
    with pytest.raises(UserError, match="unknown class"):
        parse_presence("Yes.", asked="pedestrain")


def test_what_a_hosted_model_declines_says_nothing() -> None:
    for text in ("[refusal] No, I can't discuss cars.", "[content filter]"):
        assert mentions(text) == Mentions() == mentions(text, rule="keyword")
        assert (parse_presence(text), parse_safety(text)) == ("unknown", "abstain")


@pytest.mark.parametrize("text", [None, 3, b"yes", ["yes"], float("nan")])
def test_only_text(text: object) -> None:
    for parse in (mentions, parse_presence, parse_safety):
        with pytest.raises(UserError, match="must be text"):
            parse(text)


def test_unknown_rule() -> None:
    with pytest.raises(UserError, match="did you mean 'keyword'"):
        mentions("a car", rule="keywords")


@settings(max_examples=200, deadline=None, derandomize=True)
@given(TEXTS)
def test_any_text_is_read(text: str) -> None:
    assert parse_presence(text) in ("yes", "no", "unknown")
    assert parse_safety(text) in ("safe", "unsafe", "abstain")
    said, plain = mentions(text), mentions(text, rule="keyword")
    assert not said.asserted & said.negated
    assert not said.asserted & said.hedged
    assert not said.negated & said.hedged
    assert said.asserted | said.negated | said.hedged <= set(LANGUAGE_CLASSES)
    assert plain.negated == plain.hedged == frozenset()


@settings(max_examples=100, deadline=None, derandomize=True)
@given(TEXTS.filter(str.isascii), st.text(string.whitespace, max_size=4))
def test_case_and_surrounding_space_do_not_matter(text: str, space: str) -> None:
    for changed in (text.upper(), text.lower(), text.swapcase(), space + text + space):
        assert mentions(changed) == mentions(text)
        assert parse_presence(changed) == parse_presence(text)
        assert parse_safety(changed) == parse_safety(text)


@given(st.sampled_from(OBJECT_CLASSES), st.sampled_from(OBJECT_CLASSES))
def test_negation_does_not_leak_over_but(left: str, right: str) -> None:
    said = mentions(f"There is no {left}, but there is a {right}.")
    assert right in said.asserted
    assert said.negated == {left} - {right}


def test_long_texts_are_quick() -> None:
    text = "There are no cars, and a bus is waiting; possibly a truck is not safe to proceed " * 200
    assert mentions(text).asserted >= {"bus"}
    assert parse_presence(text) in ("yes", "no", "unknown")
    assert parse_safety(text) in ("safe", "unsafe", "abstain")
    assert mentions("no " * 5000) == Mentions()


def test_top_k_ranks_and_keeps_order_on_ties() -> None:
    labels, scores = ("car", "bus", "truck", "train"), (0.5, 0.9, 0.5, 0.1)
    assert mentioned_top_k(labels, scores, 3) == ("bus", "car", "truck")
    assert mentioned_top_k(labels, scores, 99) == ("bus", "car", "truck", "train")
    assert mentioned_top_k(labels, scores, 1) == ("bus",)
    assert mentioned_top_k((), (), 2) == ()


@given(st.lists(st.floats(-5, 5), min_size=1, max_size=10), st.integers(1, 12))
def test_top_k_takes_the_highest(scores: list[float], k: int) -> None:
    labels = [str(i) for i in range(len(scores))]
    chosen = mentioned_top_k(labels, scores, k)
    kept = [scores[int(label)] for label in chosen]
    assert kept == sorted(scores, reverse=True)[:k]
    assert best_label(labels, scores) == chosen[0]


def test_best_label() -> None:
    assert best_label(("safe", "unsafe"), (0.1, 0.2)) == "unsafe"
    assert best_label(("yes", "no"), (0.1, 0.1)) == "yes"
    assert best_label(("yes", "no"), (-3.0, -4.0)) == "yes"


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_scores_that_are_not_finite_rank_nothing(bad: float) -> None:
    assert mentioned_top_k(("car", "bus"), (0.5, bad), 1) == ()
    assert best_label(("yes", "no"), (bad, 0.5)) == ""


def test_bad_scores() -> None:
    with pytest.raises(UserError, match="at least 1"):
        mentioned_top_k(("a",), (1.0,), 0)
    with pytest.raises(UserError, match="2 labels but 1 scores"):
        mentioned_top_k(("a", "b"), (1.0,), 1)
    with pytest.raises(UserError, match="without labels"):
        best_label((), ())


def test_public_names_exist() -> None:
    assert all(hasattr(answers, name) for name in answers.__all__)
