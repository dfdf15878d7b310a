"""Is it safe to proceed forward? What an answer comes to: safe, unsafe or abstain (Section 4.3)."""

from __future__ import annotations

import re
from bisect import bisect_left
from functools import lru_cache

from vlmis_utils.metrics.parsing import yes_no
from vlmis_utils.metrics.parsing.markup import unasked
from vlmis_utils.metrics.parsing.tokens import normalise

__all__ = ["parse_safety"]

_CLAUSE = re.compile(
    r"[.;!?\n]|,\s*(?:but|so|and|yet)\b|\b(?:but|however|so|therefore|thus|because|since|hence|"
    r"although|though|even though|whereas|while)\b|\s-\s"
)
_POSSIBLE = re.compile(
    r"\b(?:after (?:the|a|they|all|everyone|he|she|it)|as long as|so long as|may|might|could|"
    r"possibly|perhaps|maybe|if|whether|until|when|once|unless|before|depends|"
    r"depending|in case|assuming|provided|for it to be|not necessarily|ensure|make sure|ensuring|"
    r"not sure|unsure|"
    r"uncertain|unclear|not clear|not certain|can not (?:be sure|be certain|tell|say|determine|"
    r"confirm|judge|assess|guarantee|conclude|assume)|unable to|not possible to|hard to|"
    r"difficult to|impossible to|not enough|not know|is it|how)\b"
)
_ONLY = re.compile(r"\bonly$")
_ONLY_IF = re.compile(r"[,;:-]?\s?\b(?:but|and|yet|though) (?:then )?only\b")
_REACH = 64  # characters: longer than any phrase that is looked for before a statement
_CONDITION = re.compile(
    r"\b(?:if|once|when|after|provided|providing|only|unless|assuming|as soon as|on condition)\b"
)
# "I would not recommend proceeding" is "I would not should proceed".
_GERUND = re.compile(
    r"\b(?:recommend|advise|suggest)(?:ed)? (against )?(proceed|stop|go|wait|mov|driv|continu)ing\b"
)
_VERBS = {"mov": "move forward", "driv": "drive on", "continu": "continue driving", "go": "go on"}
_ASIDE = re.compile(r",\s*(?:in my opinion|at (?:this|the) (?:time|moment)|as of now|right now),")
_APPEARS = re.compile(r"\b(?:appears?|seems?|looks?|considered|deemed|likely|believed)\s+to\s+be\b")
_NEGATION = re.compile(
    r"\b(?:not|never|no(?! doubt| question)|hardly|neither|nor|far from|nothing|none|no longer|"
    r"without(?! (?:a |any )?(?:doubt|question))|anything other than|cease to be|anything but)\b"
)
_SAFE = re.compile(
    r"\b(?:(safe|harmless|all clear|good to go|coast is clear|"
    r"(?:ok|okay|fine|alright|all right|clear) to (?:proceed|go|move|drive|continue))"
    r"|(unsafe|dangerous|hazardous|risky|perilous|no safe (?:way|path|passage|route|gap)))\b"
    r"(?!\s+(?:distance|speed|driving|stop|stopping|side|manner|gap|passage|following|margin|way|"
    r"zone|"
    r"crossing|island|neither|and sound|mode|lights?|to (?:stop|assume|say|wait|conclude))\b)"
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
    r"\b(?:no|not any|without any|without|not see any|not see|free of|clear of) (?:\w+ ){0,2}"
    r"(?:danger|hazard|obstacle|threat|risk|obstruction|reason to (?:stop|wait|brake)|"
    r"concern|problem|issue)s?\b|"
    r"\b(?:not|never|nothing) (?:\w+ ){0,3}(?:unsafe|dangerous|hazardous|risky|perilous)\b|"
    r"\bno (?:\w+ ){1,5}(?:blocking|obstructing|in the way)\b|"
    r"\bnothing (?:\w+ ){0,3}(?:blocks?|blocking|in the way|against|prevents?|obstructs?|to fear|"
    r"to worry about)\b"
)
_BUT = re.compile(r"\b(?:but|however|except|although|though|yet|because|since|still)\b")
_WOULD = re.compile(r"\b(?:would|could|might) (?:be|have been) safe\b")
_PLAINLY_SAFE = re.compile(r"\bsafe(?:ly)?\b")
_FEW = 4  # words after yes or no that can be an order which contradicts it
_CAUTION = re.compile(r"\b(?:caution\w*|cautious\w*|careful|carefully|slowly|alert|care)\b")
_STOP_ORDER = (
    r"should|must|need to|needs to|have to|has to|better|advised to|required to|please|can|will|to|"
    r"let s|let us|would|and|then|just|not|you|we|i|best to"
)
_ORDERS = {
    "safe": re.compile(rf"(?:^|\b(?:{_STOP_ORDER}|may|safely|is|are|the|ahead|vehicle|it)\s)$"),
    "unsafe": re.compile(rf"(?:^|\b(?:{_STOP_ORDER}|the)\s)$"),
}
_WORD_FIELD = re.compile(
    r"\b(?:(?:final )?(?:answer|decision|verdict|judge?ment|conclusion|response|result|status|"
    r"safety|"
    r"label|class|prediction|recommendation|action|assessment|output|value|situation|road)|safe|"
    r"proceed)(?: is)?\s?(?:[:=|?→⇒➡]|-(?=\s))[\s(\[{→:>]*(?:[a-d][).:] ?)?"
    r"(?:(safe|proceed(?! with| slowly| carefully)|go|continue|clear)|"
    r"(not safe|unsafe|dangerous|hazardous|stop|wait|brake|halt|do not proceed|no go|not clear|"
    r"blocked)|"
    r"(uncertain|unsure|unknown|unclear|maybe|depends|ambiguous|undetermined|abstain))\b"
)
_DANGER_FIELD = re.compile(
    r"\b(?:unsafe|dangerous|hazardous|dangers?|risk(?: level)?|hazards?|obstacles?)\s?[:=|"
    r"][\s(\[{]*"
    r"(?:(no|none|false|low|0|zero|minimal|not present|\])|(yes|true|high|1|severe|extreme|"
    r"present))\b"
)
# What may stand between "yes" and the condition that takes it back.
_FILLERS = frozenset(
    """but and then only just even it is s would be will appears seems looks to safe okay ok fine
    proceed go ahead forward move on drive continue you can may should could the vehicle car we i
    think believe driver carefully cautiously slowly with caution generally now here sir indeed
    though however do so this that are must need needs have has""".split()
)
_HANGS = re.compile(
    r"(?:if|once|when|whenever|after|provided|providing|unless|until|assuming|depending|subject to|"
    r"(?:on|under) (?:the )?condition|as soon as|given that|conditional|in case|wait|"
    r"not until|first)\b"
)
_AS_LONG = re.compile(r"(?:as|so) long as\b")


@lru_cache(maxsize=16384)
def parse_safety(text: str) -> str:
    """Return what a text answers to "is it safe to proceed forward?": safe, unsafe or abstain.

    A field decides ("decision: NO"), then a yes or no (`metrics.parsing.yes_no`), then the
    statements, then advice. "Not safe" is read before "safe", "not unsafe" is safe; conditions
    ("wait until it is safe", "yes, if you are careful") and uncertainty ("I cannot tell whether it
    is safe") state nothing. A yes or no that every statement contradicts ("No, it is safe to
    proceed"), and statements that differ, abstain; "No, there is no danger" is safe. Advice counts
    where nothing else does: "You should stop" is unsafe, "Go ahead" is safe, "Proceed with
    caution" alone abstains.

    >>> [parse_safety(t) for t in ("It is not safe.", "Yes.", "decision: UNCERTAIN", "not unsafe")]
    ['unsafe', 'safe', 'abstain', 'safe']
    """
    plain = _GERUND.sub(_ordered, _ASIDE.sub(" ", unasked(normalise(text))))
    said = yes_no.said(plain, "safety")
    fields = {"safe" if found[1] else "unsafe" for found in _DANGER_FIELD.finditer(plain)} | {
        "safe" if found[1] else "unsafe" if found[2] else "abstain"
        for found in _WORD_FIELD.finditer(plain)
    }
    if said.word == yes_no.BOTH or len(fields) > 1:
        return "abstain"
    answer = {"yes": "safe", "no": "unsafe", "": ""}[said.word]
    if fields:
        field = fields.pop()
        return "abstain" if answer not in ("", field) else field
    if answer:
        return _weighed(answer, _WOULD.sub(" ", said.rest), said.after)
    statements = _statements(plain, _SAFE)
    if statements:
        return statements.pop() if len(statements) == 1 else "abstain"
    advice = _statements(plain, _ACT)
    if advice == {"safe"} and _CAUTION.search(plain):
        return "abstain"
    if not advice and (_CALM.search(plain) or said.agrees):
        return "safe"
    return advice.pop() if len(advice) == 1 else "abstain"


def _ordered(found: re.Match[str]) -> str:
    return f"{'not ' if found[1] else ''}should {_VERBS.get(found[2], found[2])}"


def _weighed(answer: str, rest: str, after: str) -> str:
    """Return what a yes or no comes to with the rest of its text."""
    statements = _statements(rest, _SAFE)
    if answer == "safe" and _hangs(after):
        return "abstain"
    calm = _CALM.search(after) if answer == "unsafe" and statements <= {"safe"} else None
    if calm and not _BUT.search(rest):
        if not _PLAINLY_SAFE.search(after, 0, calm.end()):
            return "abstain" if _statements(rest, _ACT) == {"unsafe"} else "safe"
    if not statements and len(rest.split()) <= _FEW:
        statements = _statements(rest, _ACT)
    return "abstain" if statements and answer not in statements else answer


def _hangs(after: str) -> bool:
    """Tell whether a yes is taken back by a condition: "yes, but only after they have crossed"."""
    stated = False
    for found in re.finditer(r"\w+|[.!?;\n]", after):
        if _HANGS.match(after, found.start()):
            return True
        if _AS_LONG.match(after, found.start()):
            return not stated
        if found[0] not in _FILLERS:
            return False
        stated = stated or found[0] in ("safe", "proceed", "go")
    return False


def _statements(plain: str, pattern: re.Pattern[str]) -> set[str]:
    """Return which of safe, unsafe the clauses state, conditions and uncertainty left out."""
    said: set[str] = set()
    for clause in _CLAUSE.split(_ONLY_IF.sub(" only", _APPEARS.sub("is", plain))):
        said |= _stated(clause, pattern)
    return said


def _stated(clause: str, pattern: re.Pattern[str]) -> set[str]:
    """Return what a clause states; passes over it once, however often it states something."""
    said: set[str] = set()
    conditions = [found.start() for found in _CONDITION.finditer(clause)]
    negated = [(found.start(), found[0]) for found in _NEGATION.finditer(clause)]
    negations = [start for start, _ in negated]
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
        first, last = bisect_left(negations, near), bisect_left(negations, read)
        turned = (last - first) % 2 == 1 or (last > first and negated[last - 1][1] == "nor")
        good = plus != turned
        if (
            possible
            or _ONLY.search(words)
            or (good and conditions and conditions[-1] >= found.end())
        ):
            continue
        said.add("safe" if good else "unsafe")
    return said
