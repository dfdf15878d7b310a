"""People and vehicles by other words, and words that only look like them."""

from __future__ import annotations

import pytest

from vlmis_utils.metrics.parsing.parse import mentions
from vlmis_utils.protocol.classes import OBJECT_CLASSES

PEOPLE = [
    "an individual", "individuals", "a passer-by", "passers-by", "passersby", "commuters",
    "someone", "somebody", "a figure", "humans", "tourists", "students", "shoppers", "a guy",
    "two gentlemen", "a crowd of onlookers", "a teenager", "a couple", "a family",
    "a street vendor", "joggers",
]  # fmt: skip
# text -> asserted, negated, hedged among the object classes
OTHER_WORDS = [
    ("Several individuals are walking.", {"pedestrian"}, set(), set()),
    ("I do not see anyone.", set(), {"pedestrian"}, set()),
    ("There isn't anybody on the road.", set(), {"pedestrian"}, set()),
    ("This could be dangerous for anyone.", set(), set(), set()),
    ("No individuals are visible.", set(), {"pedestrian"}, set()),
    ("The individual cars are red.", {"car"}, set(), set()),
    ("A couple of cars.", {"car"}, set(), set()),
    ("Figure 1 shows a car.", {"car"}, set(), set()),
    ("There is a trolley car.", {"train"}, set(), set()),
    ("Two trolley cars pass.", {"train"}, set(), set()),
    ("a trolleybus", {"bus"}, set(), set()),
    ("a double-decker", {"bus"}, set(), set()),
    ("a tractor-trailer", {"truck"}, set(), set()),
    ("an e-bike", {"bicycle"}, set(), set()),
    ("a people carrier", {"car"}, set(), set()),
    ("a commuter train", {"train"}, set(), set()),
    ("A bus-only lane.", set(), set(), set()),
    ("a buses-only lane", set(), set(), set()),
    ("a pedestrian-only zone", set(), set(), set()),
    ("a bus and taxi lane", set(), set(), set()),
    ("A train of thought.", set(), set(), set()),
    ("a toy car", set(), set(), set()),
    ("It is too blurry to make out any cars.", set(), set(), {"car"}),
    ("The image is too dark to tell whether there are pedestrians.", set(), set(), {"pedestrian"}),
    ("I am unable to find a motorcycle.", set(), {"motorcycle"}, set()),
    ("There are 0 buses.", set(), {"bus"}, set()),
    ("There are no (visible) buses.", set(), {"bus"}, set()),
]


@pytest.mark.parametrize("words", PEOPLE)
def test_people_by_other_words(words: str) -> None:
    for text in (f"There is {words} on the left.", f"I see {words}.", words.capitalize()):
        assert "pedestrian" in mentions(text).asserted
    assert "pedestrian" in mentions(f"There is no {words.split(maxsplit=1)[-1]} here.").negated


@pytest.mark.parametrize(("text", "asserted", "negated", "hedged"), OTHER_WORDS)
def test_other_words(text: str, asserted: set, negated: set, hedged: set) -> None:
    said, objects = mentions(text), frozenset(OBJECT_CLASSES)
    assert (said.asserted & objects, said.negated & objects, said.hedged & objects) == (
        asserted, negated, hedged,
    )  # fmt: skip
