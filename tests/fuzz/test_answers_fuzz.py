"""Any text is read as one of three words."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vlmis_utils.metrics.parsing import (
    lexicon,
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
