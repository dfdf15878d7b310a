"""Yes or no, safe or unsafe: what an answer to a closed question comes to (Section 4.3).

Both readers try the same ladder and stop at the first rung that decides: an explicit field
("decision: NO"), the leading word, the statements of the text. A text that decides nothing, or
that contradicts itself, stays *unknown* or *abstain*; that it counts as a failure is the metric's
business. Words of appearance ("appears", "probably", "I think") still answer; words of mere
possibility ("may", "might", "possibly", "if") do not.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from functools import lru_cache

from vlmis_utils.metrics.parsing.negation import ASSERTED, HEDGED, NEGATED, read
from vlmis_utils.metrics.parsing.tokens import normalise
from vlmis_utils.protocol.classes import OBJECT_CLASSES

__all__ = ["parse_presence", "parse_safety"]

_YES = (
    r"(?:(?:yes|yep|yeah|yup|y|true|correct|affirmative|absolutely|of course|definitely|certainly|"
    r"i (?:do )?(?:think|believe) so)(?! not\b))"
)
_NO = (
    r"(?:nope|nah|no|n|false|incorrect|negative|none|not that i can see|"
    r"(?:absolutely|of course|definitely|certainly) not|i do not (?:think|believe) so)"
)
_FIELD = (
    r"(?:final answer|final decision|answer|decision|verdict|judge?ment|conclusion|response|result|"
    r"safe to proceed forward|safe to proceed|safe to go|is safe|safe|proceed|visible|present)"
)
_LEAD = re.compile(
    r"^[\s.,:;!?()\[\]{}|/=-]*"
    r"(?:(?:so|well|hmm|sure|assistant|a|the (?:final )?answer is)\b[\s,:]*)*"
    rf"(?:({_YES})|({_NO}))(?![\w])(.*)",
    re.S,
)
# After a leading "no", these make it a determiner: "no pedestrians", "no idea".
_ANSWER_END = re.compile(
    r"^\s*(?:$|[^\w\s]|\n|(?:there|it|the|i|we|you|this|that|because|since|as|not|they|he|a|an|do|"
    r"no|and no|sir|reason|answer|decision)\b)"
)
_BOTH = re.compile(
    r"\byes\s*(?:and|or|/|\|)\s*no\b|\bno\s*(?:and|or|/)\s*yes\b|"
    r"^\W*(?:yes\W+no|no\W+yes)\W*$|"
    r"\b(?:maybe|perhaps|possibly|might be|not)\s+(?:a\s+)?(?:yes|no)\b"
)
_UNSURE_WORDS = r"(?:uncertain|unsure|unknown|unclear|maybe|depends|ambiguous|undetermined|abstain)"
_PAIR = re.compile(
    rf"\b({_FIELD})\s*(?:[:=|?]|-(?=\s))[\s(\[{{]*"
    rf"(?:({_YES}|safe|proceed(?! with| slowly| carefully)|go)"
    rf"|({_NO}|not safe|unsafe|stop|wait|do not proceed)|({_UNSURE_WORDS}))\b"
)
_SELF_UNSAFE = re.compile(rf"\b(?:unsafe|dangerous|hazardous)\s*[:=|]\s*(?:({_YES})|({_NO}))\b")
_CLAUSE = re.compile(
    r"[.;!?\n]|,\s*(?:but|so|and|yet)\b|\b(?:but|however|so|therefore|thus|because|since|hence|"
    r"although|though|even though|whereas|while)\b|\s-\s"
)
_POSSIBLE = re.compile(
    r"\b(?:may|might|could|possibly|perhaps|maybe|if|whether|until|when|once|unless|before|depends|"
    r"depending|in case|assuming|provided|for it to be|not necessarily|ensure|make sure|ensuring|"
    r"not sure|unsure|"
    r"uncertain|unclear|not clear|not certain|can not (?:be sure|be certain|tell|say|determine|"
    r"confirm|judge|assess|guarantee|conclude|assume)|unable to|not possible to|hard to|"
    r"difficult to|impossible to|not enough|not know|is it|how)\b"
)
_ONLY = re.compile(r"\bonly$")
_REACH = 64  # characters: longer than any phrase that is looked for before a statement
_CONDITION = re.compile(r"\b(?:if|once|when|after|provided|only)\b")
_ASIDE = re.compile(r",\s*(?:in my opinion|at (?:this|the) (?:time|moment)|as of now|right now),")
_APPEARS = re.compile(r"\b(?:appears?|seems?|looks?|considered|deemed|likely|believed)\s+to\s+be\b")
_NEGATION = re.compile(
    r"\b(?:not|never|no|hardly|neither|nor|far from|without|anything other than|cease to be)\b"
)
_SAFE = re.compile(
    r"\b(?:(safe|harmless|all clear|good to go|ok to proceed|okay to proceed|fine to proceed)"
    r"|(unsafe|dangerous|hazardous|risky|perilous))\b"
    r"(?!\s+(?:distance|speed|driving|stop|stopping|side|manner|gap|passage|following|margin|way|zone|"
    r"crossing|island|and sound|mode|lights?|to (?:stop|assume|say|wait|conclude))\b)"
)
_ACT = re.compile(
    r"\b(?:(proceed|go ahead|move forward|keep driving|continue forward|continue driving|drive on|"
    r"advance|go(?= (?:on|forward|now)\b|\W*$)|"
    r"(?:path|road|way|route|lane)(?: ahead| forward)? is clear|clear to go|advisable|"
    r"recommended|green light to proceed)"
    r"|(stop|wait|halt|brake|hold position|yield|remain stopped|stay put|refrain from|"
    r"avoid proceeding|(?:path|road|way|route|lane)(?: ahead| forward)? is "
    r"(?:not clear|blocked|obstructed))(?! signs?| lines?| lights?))\b"
)
_CALM = re.compile(
    r"\bno (?:\w+ ){0,2}(?:danger|hazard|obstacle|threat|risk|obstruction|reason to stop)s?\b"
)
_CAUTION = re.compile(r"\b(?:caution\w*|cautious\w*|careful|carefully|slowly|alert|care)\b")
_STOP_ORDER = (
    r"should|must|need to|needs to|have to|has to|better|advised to|required to|please|can|will|to|"
    r"let s|let us|would|and|then|just|not|you|we|i|best to"
)
_ORDERS = {
    "safe": re.compile(rf"(?:^|\b(?:{_STOP_ORDER}|may|safely|is|are|the|ahead|vehicle|it)\s)$"),
    "unsafe": re.compile(rf"(?:^|\b(?:{_STOP_ORDER}|the)\s)$"),
}
_SAID = re.compile(r"\b(yes)\b|(?:^|[,:;.-]|\bsay|\bis)\s*\b(no)\b(?=\s*(?:$|[.,;!\n]))")
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
_NOTHING = re.compile(r"\b(?:nothing|none|nobody|no one|neither) (?:is|are|can be) \w+")
_PROBABLE = re.compile(r"\b(?:appears?|seems?|probably|likely|i think|i believe|looks? like)\b")
_DOUBT = re.compile(
    r"\b(?:not sure|unsure|uncertain|unclear|can not (?:tell|determine|say|confirm|be sure|answer|"
    r"assist|help)|unable to|hard to|difficult to|impossible to|not possible to|may|might|could|"
    r"possibly|perhaps|maybe|if|whether|not clear|not enough|no idea|no way to|not know|sorry|"
    r"depends|not see (?:the|this) (?:image|picture|photo)|not clearly|not rule out|not certain)\b"
)


def _leading(text: str) -> tuple[str | None, str]:
    """Return "yes" or "no" where the text opens with one as an answer, and the rest of the text."""
    found = _LEAD.match(text)
    if not found:
        return None, text
    yes, no, rest = found.groups()
    lone = (yes or no) in ("n", "y") and re.match(r"\s*\w", rest)
    if lone or (no and not _ANSWER_END.match(rest)):
        return None, text
    return ("yes" if yes else "no"), rest


def _said(text: str) -> set[str]:
    """Return which of yes, no occur as words of their own: "I would say no."."""
    return {"yes" if found.group(1) else "no" for found in _SAID.finditer(text)}


@lru_cache(maxsize=16384)
def parse_presence(text: str, asked: str | None = None) -> str:
    """Return what a text answers to "Is there a ... visible?": yes, no or unknown.

    The leading word decides, whatever follows ("No, the road is clear of people; yes there are
    cars" is no). Without one, the statements must agree: "There is a truck" is yes, "I do not see
    any" is no; "I see a car but no bus" is unknown unless ``asked`` names the class.

    >>> [parse_presence(t) for t in ("Yes.", "NO", "There aren't any.", "Maybe a bus", "")]
    ['yes', 'no', 'no', 'unknown', 'unknown']
    """
    plain = normalise(text)
    if _BOTH.search(plain):
        return "unknown"
    leading, _ = _leading(plain)
    if leading:
        return leading
    fields = {
        "yes" if found[2] else "no" for found in _PAIR.finditer(plain) if found[2] or found[3]
    }
    said = fields or _said(plain)
    if said:
        return said.pop() if len(said) == 1 else "unknown"
    wanted = OBJECT_CLASSES if asked is None else (asked,)
    states = {state for name, state in read(text) if name in wanted}
    if states in ({ASSERTED}, {NEGATED}) or (asked and ASSERTED in states):
        return "yes" if ASSERTED in states else "no"
    doubt = bool(_DOUBT.search(plain))
    if states:
        return "yes" if states == {HEDGED} and not doubt and _PROBABLE.search(plain) else "unknown"
    absent = bool(_NOT_THERE.search(plain))
    there = bool(_THERE.search(_NOTHING.sub(" ", plain)))
    if doubt or absent == there or (there and asked and read(text)):
        return "unknown"
    return "no" if absent else "yes"


@lru_cache(maxsize=16384)
def parse_safety(text: str) -> str:
    """Return what a text answers to "is it safe to proceed forward?": safe, unsafe or abstain.

    "Not safe" is read before "safe", "not unsafe" is safe; conditions ("wait until it is safe")
    and uncertainty ("I cannot tell whether it is safe") state nothing. A leading yes or no that
    every statement contradicts ("No, it is safe to proceed"), and statements that differ, abstain.
    Advice counts where nothing else does: "You should stop" is unsafe, "Go ahead" is safe,
    "Proceed with caution" alone abstains.

    >>> [parse_safety(t) for t in ("It is not safe.", "Yes.", "decision: UNCERTAIN", "not unsafe")]
    ['unsafe', 'safe', 'abstain', 'safe']
    """
    plain = _ASIDE.sub(" ", normalise(text))
    if _BOTH.search(plain):
        return "abstain"
    fields = {"safe" if found[2] else "unsafe" for found in _SELF_UNSAFE.finditer(plain)} or {
        "safe" if found[2] else "unsafe" if found[3] else "abstain"
        for found in _PAIR.finditer(plain)
    }
    if fields:
        return fields.pop() if len(fields) == 1 else "abstain"
    word, rest = _leading(plain)
    said = {word} if word else _said(plain)
    statements = _statements(rest, _SAFE)
    if said:
        answer = {"yes": "safe", "no": "unsafe"}[said.pop()] if len(said) == 1 else "abstain"
        return "abstain" if statements and answer not in statements else answer
    if statements:
        return statements.pop() if len(statements) == 1 else "abstain"
    advice = _statements(plain, _ACT)
    if advice == {"safe"} and _CAUTION.search(plain):
        return "abstain"
    if not advice and _CALM.search(plain):
        return "safe"
    return advice.pop() if len(advice) == 1 else "abstain"


def _statements(plain: str, pattern: re.Pattern[str]) -> set[str]:
    """Return which of safe, unsafe the clauses state, conditions and uncertainty left out."""
    said: set[str] = set()
    for clause in _CLAUSE.split(_APPEARS.sub("is", plain)):
        said |= _stated(clause, pattern)
    return said


def _stated(clause: str, pattern: re.Pattern[str]) -> set[str]:
    """Return what a clause states; passes over it once, however often it states something."""
    said: set[str] = set()
    conditions = [found.start() for found in _CONDITION.finditer(clause)]
    negations = [found.start() for found in _NEGATION.finditer(clause)]
    possible, read = False, 0
    near = 0  # where the words begin that the last comma leaves near
    for found in pattern.finditer(clause):
        comma = clause.rfind(",", read, found.start())
        near = near if comma < 0 else comma + 1
        possible = possible or bool(_POSSIBLE.search(clause, max(0, read - _REACH), found.start()))
        read = found.start()
        plus = bool(found.group(1))
        words = clause[max(near, read - _REACH) : read].strip()
        order = _ORDERS["safe" if plus else "unsafe"]
        if pattern is _ACT and not order.search(words + " " if words else ""):
            continue
        turns = bisect_left(negations, read) - bisect_left(negations, near)
        good = plus != (turns % 2 == 1)
        if (
            possible
            or _ONLY.search(words)
            or (good and conditions and conditions[-1] >= found.end())
        ):
            continue
        said.add("safe" if good else "unsafe")
    return said
