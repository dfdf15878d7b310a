"""Is there a ... visible? What an answer comes to: yes, no or unknown (Section 4.3)."""

from __future__ import annotations

import re
from functools import lru_cache

from vlmis_utils.metrics.parsing import yes_no
from vlmis_utils.metrics.parsing.markup import unasked
from vlmis_utils.metrics.parsing.negation import ASSERTED, HEDGED, NEGATED, PAIRED, read
from vlmis_utils.metrics.parsing.tokens import items_of, normalise, words
from vlmis_utils.protocol.classes import OBJECT_CLASSES

__all__ = ["parse_presence"]

_THERE = re.compile(
    r"\b(?:there (?:is|are|appears? to be|seems? to be)|i (?:can )?see|i (?:can )?observe|"
    r"i (?:can )?spot|we (?:can )?see|it does|they are|one is visible|some are visible|"
    r"is visible|are visible|is present|are present|can be seen)\b"
    r"(?!\s+(?:no|not|none|nothing|neither|any))"
)
_NOT_THERE = re.compile(
    r"\b(?:there (?:is|are|was|were) (?:no|not|none|nothing)|not (?:see|observe|detect|spot|find|"
    r"notice|visible|present|there|appear|be seen|contain|show|include|any)|none|nothing|"
    r"nowhere|absent|it is not|it does not|they are not|see no|empty|deserted)\b"
)
_NOTHING = re.compile(
    r"\b(?:nothing|none|nobody|no one|neither|no (?:\w+ ){1,3})\s?(?:is|are|was|were|can be) \w+"
)
_NO_SUCH = re.compile(
    r"\bno (?:such (?:\w+)|(?:\w+ ){0,1}(?:vehicles?|traffic|objects? of (?:this|that) kind|"
    r"sign of one))"
    r"(?: (?:is|are|was|were|can be|could be))?(?: (?:visible|present|seen|there|detected|in)\b|$|"
    r"\W*$)"
)
_PROBABLE = re.compile(r"\b(?:appears?|seems?|probably|likely|i think|i believe|looks? like)\b")
_DOUBT = re.compile(
    r"\b(?:not sure|unsure|uncertain|unclear|can not (?:tell|determine|say|confirm|be sure|answer|"
    r"assist|help)|unable to|hard to|difficult to|impossible to|not possible to|may|might|could|"
    r"possibly|perhaps|maybe|if|whether|not clear|not enough|no idea|no way to|not know|sorry|"
    r"depends|not see (?:the|this) (?:image|picture|photo)|not clearly|not rule out|not certain)\b"
)


_COUNT = re.compile(
    r"^\W*(?:(?:the )?(?:count|number|total|quantity|detections|objects|instances|matches)"
    r"(?: is)?\s?[:=]?\s?)(?:[\[(]\s?[\])]|(\d+)|(zero|none))\W*$"
)
_LABEL = re.compile(
    r"^\W*(?:(present|visible|detected|found|seen|in view)|"
    r"((?:not |un)(?:present|visible|detected|found|seen|in view)|absent|missing|zero|nothing))\W*$"
)


@lru_cache(maxsize=16384)
def parse_presence(text: str, asked: str | None = None) -> str:
    """Return what a text answers to "Is there a ... visible?": yes, no or unknown.

    An entry for the class asked ("bus: no") decides, then a yes or no (`metrics.parsing.yes_no`),
    whatever follows: "No, the road is clear of people; yes there are cars" is no. Without either
    the statements must agree: "There is a truck" is yes, "I do not see any" is no; "I see a car but
    no bus" is unknown unless ``asked`` names the class. A word that agrees ("Certainly.") answers
    where nothing else is said. Words of appearance ("appears", "probably") answer, words of
    possibility ("may", "might") do not.

    >>> [parse_presence(t) for t in ("Yes.", "NO", "There aren't any.", "Maybe a bus", "")]
    ['yes', 'no', 'no', 'unknown', 'unknown']
    """
    plain = unasked(normalise(text))
    entries = {state for name, state in _entries(plain) if name == asked}
    if entries:
        return _decided(entries)
    said = yes_no.said(plain, "presence")
    if said.word:
        return "unknown" if said.word == yes_no.BOTH else said.word
    for pattern in (_COUNT, _LABEL):
        found = pattern.match(plain)
        if found:
            return "yes" if found[1] and found[1].strip("0") else "no"
    wanted = OBJECT_CLASSES if asked is None else (asked,)
    states = {state for name, state in read(text) if name in wanted}
    if states in ({ASSERTED}, {NEGATED}) or (asked and ASSERTED in states):
        return "yes" if ASSERTED in states else "no"
    doubt = bool(_DOUBT.search(plain))
    if states:
        return "yes" if states == {HEDGED} and not doubt and _PROBABLE.search(plain) else "unknown"
    absent = bool(_NOT_THERE.search(plain) or _NO_SUCH.search(plain))
    there = bool(_THERE.search(_NOTHING.sub(" ", plain)))
    if doubt or (absent and there) or (there and asked and read(text)):
        return "unknown"
    if absent or there:
        return "no" if absent else "yes"
    return "yes" if said.agrees else "unknown"


def _decided(states: set[str]) -> str:
    if len(states) > 1:
        return "unknown"
    return {ASSERTED: "yes", NEGATED: "no", HEDGED: "unknown"}[states.pop()]


def _entries(plain: str) -> list[tuple[str, str]]:
    """Return (class, state) of each "class: value" in a normalised text.

    >>> _entries("a car: yes, bus: no")
    [('car', 'asserted'), ('bus', 'negated')]
    """
    found = items_of(words(plain))
    return [(item.value, PAIRED[item.kind]) for item in found if item.kind in PAIRED]
