"""Yes and no are heard in the same places: every carrier with either word, for both questions.

``carriers.txt`` has one carrier a line; <> stands for the word, and escapes are Python's.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vlmis_utils.metrics.parsing.parse import parse_presence, parse_safety
from vlmis_utils.protocol.prompts import PROMPTS

_LINES = Path(__file__).with_name("carriers.txt").read_text(encoding="utf-8").splitlines()
CARRIERS = [line.encode("ascii", "backslashreplace").decode("unicode_escape") for line in _LINES]
WITHOUT_OPTIONS = [carrier for carrier in CARRIERS if "Yes" not in carrier and "B" not in carrier]
# Words for yes and no; the last pairs are answers only by themselves or as the value of a field.
WORDS = [("Yes", "No"), ("yes", "no"), ("YES", "NO")]
VALUES = [*WORDS, ("True", "False"), ("true", "false"), ("Y", "N"), ("1", "0"), ("T", "F")]
FIELDS = [
    "<>", "<>.", " <>\n", "**<>**", "`<>`", '"<>"', "(<>)", "[<>]", "Answer: <>", "answer = <>",
    "**Answer:** <>", "Final answer: <>", "### Answer\n<>", "- <>", "\\boxed{<>}", "```\n<>\n```",
    "$\\boxed{\\text{<>}}$", '{"answer": "<>"}', '{"answer": <>}', '[{"label": "<>"}]',
    '{"label": "<>", "score": 0.98}', "<answer><></answer>", "<|begin_of_box|><><|end_of_box|>",
    "| Answer | <> |", "The answer is: <>", '{"reason": "The road is wet.", "answer": "<>"}',
]  # fmt: skip
PUNCTUATED = st.tuples(
    st.sampled_from(["", " ", "\n", "- ", "> ", "**", '"', "(", "\u201c", "\u200b", "\ufeff"]),
    st.sampled_from(["", ".", "!", "...", " \n", "**", '"', ")", "\u201d", "\u3002", ";", ","]),
)


def read(carrier: str, word: str) -> tuple[str, ...]:
    text = carrier.replace("<>", word)
    asked = {parse_presence(text, name) for name in ("bus", "pedestrian", "traffic sign")}
    return parse_presence(text), *sorted(asked), parse_safety(text)


def test_there_are_hundreds_of_carriers() -> None:
    assert len(set(CARRIERS)) == len(CARRIERS) >= 800
    assert all("<>" in carrier for carrier in CARRIERS)


@pytest.mark.parametrize("carrier", CARRIERS)
def test_both_words_are_heard_in_every_carrier(carrier: str) -> None:
    for yes, no in WORDS:
        assert read(carrier, yes) == ("yes", "yes", "safe")
        assert read(carrier, no) == ("no", "no", "unsafe")


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize(("yes", "no"), VALUES)
def test_other_spellings_are_heard_as_values(field: str, yes: str, no: str) -> None:
    assert read(field, yes) == ("yes", "yes", "safe")
    assert read(field, no) == ("no", "no", "unsafe")


@pytest.mark.parametrize("field", FIELDS)
def test_safe_and_unsafe_are_heard_as_values(field: str) -> None:
    for safe, unsafe in (("Safe", "Unsafe"), ("SAFE", "UNSAFE"), ("safe", "not safe")):
        assert parse_safety(field.replace("<>", safe)) == "safe"
        assert parse_safety(field.replace("<>", unsafe)) == "unsafe"


@pytest.mark.parametrize("prompt", [prompt for prompt in PROMPTS if prompt.name != "describe"])
def test_the_question_repeated_changes_nothing(prompt) -> None:
    frames = ["{q} {w}", "{q}\n{w}.", "Q: {q}\nA: {w}", "{q} - {w}", "{q} Answer: {w}",
              "\"{q}\" {w}", "**{q}**\n\n{w}, the road is wet."]  # fmt: skip
    for frame in frames:
        assert read(frame.format(q=prompt.text, w="<>"), "Yes") == ("yes", "yes", "safe")
        assert read(frame.format(q=prompt.text, w="<>"), "No") == ("no", "no", "unsafe")


@settings(max_examples=150, deadline=None, derandomize=True)
@given(
    st.sampled_from(CARRIERS),
    PUNCTUATED,
    st.sampled_from(["yes", "Yes", "YES", "yEs"]),
    st.sampled_from(["no", "No", "NO", "nO"]),
)
def test_case_and_marks_around_the_word_change_nothing(
    carrier: str, marks: tuple[str, str], yes: str, no: str
) -> None:
    before, after = marks
    readings = [
        (parse_presence(text), parse_safety(text))
        for text in (carrier.replace("<>", before + word + after) for word in (yes, no))
    ]
    assert readings in (
        [("yes", "safe"), ("no", "unsafe")],
        [("unknown", "abstain"), ("unknown", "abstain")],
    )


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.sampled_from(WITHOUT_OPTIONS), st.sampled_from(WITHOUT_OPTIONS))
def test_carriers_inside_carriers_are_read_alike(outer: str, inner: str) -> None:
    """Whatever is made of two wrappings, it is made of yes and no alike."""
    yes, no = (outer.replace("<>", inner.replace("<>", word)) for word in ("Yes", "No"))
    mirror = {"yes": "no", "unknown": "unknown", "safe": "unsafe", "abstain": "abstain"}
    assert parse_presence(yes) in mirror and parse_safety(yes) in mirror
    assert parse_presence(no) == mirror[parse_presence(yes)]
    assert parse_safety(no) == mirror[parse_safety(yes)]
