"""Any text is read as one of three words, in time that grows with its length and no faster."""

from __future__ import annotations

import gc
import itertools
import random
import time
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vlmis_utils.metrics.parsing import (
    closed_answers,
    lexicon,
    negation,
    parse,
    tokens,
    triggers,
)
from vlmis_utils.protocol.classes import OBJECT_CLASSES

_PHRASES = sorted({*lexicon.KEYWORDS, *triggers.CUES})
_WORDS = (
    "yes no not safe unsafe maybe there is a the and or but if it can cannot n't proceed stop : . "
    "! ? ; , \n - | / = ( ) [ ] { } * ` # ' \" \\ <b> &amp; 3 1. \u2705 \u274c \u2019 \u2014 "
    "\u0130 \ufb01 \u0000 \u202e isn't e.g. i'm"
).split(" ")
TEXTS = st.one_of(
    st.text(max_size=200),
    st.lists(st.sampled_from(_WORDS + _PHRASES + list(OBJECT_CLASSES)), max_size=40).map(" ".join),
    st.lists(st.sampled_from(_WORDS) | st.characters(), max_size=60).map("".join),
)
QUICK = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))


@QUICK
@given(TEXTS, st.none() | st.sampled_from(OBJECT_CLASSES))
def test_any_text_is_one_of_three_words(text: str, asked: str | None) -> None:
    assert parse.parse_presence(text, asked) in ("yes", "no", "unknown")
    assert parse.parse_safety(text) in ("safe", "unsafe", "abstain")


@QUICK
@given(TEXTS)
def test_any_text_names_classes_and_no_class_twice(text: str) -> None:
    for rule in parse.RULES:
        said = parse.mentions(text, rule)
        parts = (said.asserted, said.negated, said.hedged)
        assert set().union(*parts) <= set(lexicon.KEYWORDS.values()) | set(OBJECT_CLASSES)
        assert sum(map(len, parts)) == len(set().union(*parts))


@QUICK
@given(TEXTS)
def test_normal_text_is_normal(text: str) -> None:
    plain = tokens.normalise(text)
    assert plain == plain.strip() and "\r" not in plain


def _readers():
    """Every reader, without the memory that would answer from before."""
    return {
        "presence": closed_answers.parse_presence.__wrapped__,
        "safety": closed_answers.parse_safety.__wrapped__,
        "read": negation.read,
        "keywords": negation.keywords,
    }


_ENGLISH = " ".join(random.Random(1).choices(_WORDS[:22] + _PHRASES, k=200)) + " "
# What patterns with two loops side by side choke on.
SHAPES = {
    "words": _ENGLISH, "spaces": " ", "tabs": "\t", "lines": "\n", "letters": "a", "digits": "1",
    "commas": ", ", "colons": ":", "dashes": "-", "quotes": "'", "stars": "* ", "brackets": "((",
    "so": "so ", "no": "no ", "yes ": "yes ", "not": "not ", "safe:": "safe : ", "if": "if ",
    "list": "- car\n", "head": "not visible:\n- car\n", "a b": "a ", "pipes": "| ", "dots": ". ",
    "long line": "a street with a car ", "person": "person on a ", "class:": "car : ",
    "no obstacle": "no big ", "check": "\u2705 ", "spaced check": "  :  ", "mark": "\u0301",
    "may": "it may be safe, ", "safe": "safe ", "but": "safe but ", "tag": "<a", "is": "is n't ",
    "and": "car and bus or ", "questions": "is there a car? ", "dash": " \u2014 ",
}  # fmt: skip


def seconds(read: Callable[[str], object], text: str) -> float:
    """Return the processor's time for one text: the least of three, garbage collection aside."""
    taken = []
    gc.disable()
    try:
        for _ in range(3):
            start = time.process_time()
            read(text)
            taken.append(time.process_time() - start)
            if taken[-1] > 2:
                break
    finally:
        gc.enable()
    return min(taken)


@pytest.mark.parametrize("shape", SHAPES)
def test_time_grows_with_length_and_no_faster(shape: str) -> None:
    """Ten times as much takes less than 20 times as long: up to 20 kB, words up to 1 MB."""
    sizes = (2_000, 20_000, 100_000, 1_000_000) if shape == "words" else (2_000, 20_000)
    for name, read in _readers().items():
        texts = [SHAPES[shape] * (size // len(SHAPES[shape]) + 1) for size in sizes]
        taken = [seconds(read, text) for text in texts]
        for short, long in itertools.pairwise(taken):
            assert long < 20 * short + 0.2, (name, taken)
