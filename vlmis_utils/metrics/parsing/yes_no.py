"""Where a text says yes or no, whatever it is wrapped in and whatever stands before it.

The two words are looked for in the same places, so that a wrapping in which "yes" is heard is one
in which "no" is heard. "No" has a second life as a determiner ("no cars"): it is the answer where
a mark, the end, or a word that begins no noun phrase comes after it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from vlmis_utils.metrics.parsing.triggers import PREAMBLE

__all__ = ["BOTH", "Said", "said"]

BOTH = "both"

_NEXT = (  # what follows the answer "no", and never the determiner
    r"(?:there|it|the|i|we|you|this|that|these|those|because|since|as|not|they|he|she|a|an|do|does|"
    r"is|are|was|but|and|so|if|when|unless|until|although|though|while|sir|ma am|boss|dear|indeed|"
    r"definitely|absolutely|my|your|our|please|sorry|thanks|thank|actually|neither|none|nothing|"
    r"nobody|never|therefore|thus|reason(?= ?:)|answer(?= ?:)|decision(?= ?:)|"
    r"would (?:be|have)|(?:in|on|at|for|from|to|with|by|according to|based on|due to|given) (?:the|"
    r"this|that|these|my|me|your|our|what|a|an|both|all|high|low|full|great)|"
    r"\d+(?: \d+)* ?%?(?=\s*(?:$|[^\w\s]|\n)))"
)
_NO = rf"no(?=\s*(?:$|[^\w\s]|\n)|\s+{_NEXT}(?!\w))"
_CORE = re.compile(rf"\b(?:(yes|yep|yeah|yup)|(nope|nah|{_NO}))\b")

_END = r"(?=\s*(?:$|[^\w\s]|\n))"
_SURELY = (
    r"(?:absolutely|of course|definitely|certainly|surely|clearly|obviously|probably|apparently|"
    r"presumably|seemingly|evidently|most likely|very likely|likely|almost certainly|"
    r"most definitely|most certainly|i think|i guess|i believe|i suppose|i would say|"
    r"i am afraid|it seems|it appears|unfortunately|it does|there is|there are|it is|they are|"
    r"i do)"
)
_PHRASES = (  # other ways to say the two words
    (
        re.compile(
            rf"\b{_SURELY},? not{_END}|(?:^|(?<=\n)|(?<=[.!?;,:-] ))not{_END}|"
            r"\bnot (?:that|as far as|so far as|from what) i (?:can|could) (?:see|tell|make out)\b|"
            r"\bi do not (?:think|believe) so\b|\bi (?:highly |strongly |very much )?doubt (?:it|"
            r"that)"
            rf"{_END}|\b(?:it|that) is (?:highly |very |most )?unlikely{_END}|\bno way{_END}|"
            rf"(?:^|(?<=\n)|(?<=[.!?;] ))not (?:in|on) (?:this|the) (?:image|picture|photo|scene|"
            rf"road)\b|"
            rf"\bnegative on\b|\bnot a single (?:one|thing){_END}|\bno chance{_END}|"
            rf"\bnone that i (?:can|could) (?:see|tell)\b|\bno sir\b"
        ),
        " no , ",
    ),
    (
        re.compile(
            r"\bi (?:do )?(?:think|believe|guess|suppose) so\b(?! not)|\bit (?:seems|appears|"
            r"looks) so\b|"
            rf"\byou bet\b|\bsure is\b|\b(?:it|that) is (?:highly |very |most )?likely{_END}"
        ),
        " yes , ",
    ),
)
# Words that answer where they stand alone between marks, or are the value of a field.
_TRUE = r"true|correct|affirmative|positive|y|t|agreed"
_FALSE = r"false|incorrect|wrong|negative|n|f|not true|not correct"
_LABELS = {
    question: re.compile(
        rf"(?:^|(?<=[.!?;\n]))[^\w\n]{{0,12}}(?:({_TRUE})|({_FALSE}{none})){_END}(?! ?[|=:])"
    )
    for question, none in (("presence", "|none"), ("safety", ""))
}
_NUMBER = re.compile(r"^\W*(?:(1)|(0))(?:\.0)?\W*$")
# Words that agree, or only introduce: an answer where nothing else is said.
_AGREES = re.compile(
    r"^\W*(?:(?:of course|certainly|absolutely|definitely|sure|surely|indeed|right|exactly|totally|"
    r"obviously|naturally|undoubtedly|sure thing|without a doubt|no doubt|without doubt|"
    r"most definitely|most certainly|it is|it does|there is|there are|i do|they are|sir)\W*)+$"
)
_VALUE = rf"(?:(yes|yep|yeah|{_TRUE})|({_NO}|nope|{_FALSE}|none))"
_KEY = (
    r"(?:answers?|decision|verdict|judge?ment|conclusion|response|result|output|reply|prediction|"
    r"label|class|classification|status|assessment|determination|value|text|content|message|"
    r"choice|option|selected|final|outcome|return|ans)"
)
_KEYS = {
    "presence": r"(?:visible|present|presence|found|detected|detection|seen|exists?|existence|"
    r"is there|there|contains?|appears?|in (?:the |this )?(?:image|picture|photo|scene))",
    "safety": r"(?:safe(?: to (?:proceed|go|drive|move|continue)(?: forward| on| ahead)?)?|"
    r"proceed(?: forward)?|can (?:proceed|go)|ok to proceed|go|go ahead|move forward)",
}
_SEPARATOR = r"(?:[\n:=|?→⇒➡➜➔►▶]|\bis\b|-(?=\s))[\s:=|>(\[{→-]*"
_FIELDS = {
    question: re.compile(
        rf"\b(final )?(?:{_KEY}|{keys})\s?{_SEPARATOR}(?:[a-d1-9][).:] ?)?{_VALUE}{_END}"
    )
    for question, keys in _KEYS.items()
}
_BINARIES = {
    question: re.compile(
        rf"\b(final )?(?:{_KEY}|{keys})\s?(?:[:=→|\n]|\bis\b\s?:?)[ (\[{{]*(?:(1)|(0))(?:\.0)?"
        r"(?=\s*(?:$|[,;}\]|\n]|[.)]\s*$))"
    )
    for question, keys in _KEYS.items()
}
_ANSWER_IS = re.compile(
    rf"\b(final )?answer\b[^.!?\n:;]{{0,50}}\b(?:is|be)\b[^\w\n]{{0,4}}"
    rf"(?:an? )?(?:(?:clear|firm|definite|simple|resounding|plain|hard|solid|"
    rf"big) )?{_VALUE}\b(?! answer)"
)
_NEITHER = re.compile(
    r"\b(?:maybe|perhaps|possibly|might be|may be|could be|not|neither|nor|whether|either)\s+"
    r"(?:a |an )?(?:yes|no)\b|\byes\s*(?:and|,? but(?: also)?|and also)\s*no\b|"
    r"\bno\s*(?:and|,? but(?: also)?|and also)\s*yes\b|"
    r"^\W*(?:yes|no)(?:\W+(?:yes\W+no|no\W+yes))+\W*$|^\W*(?:yes\W+no|no\W+yes)\W*$"
)
_IF = re.compile(
    r"\b(?:if|unless|assuming|provided that|depends|depending|in case|once|(?:as|so) long as|"
    r"(?:after|when) [^,.;\n]{0,80}\b(?:has|have|had|is|are|cross\w*|pass\w*|leaves?|turns?|"
    r"clears?))\b"
)
_TAKEN_BACK = re.compile(
    r"\b(?:wait|actually|correction|sorry|i mean|i meant|rather|on second thoughts?|scratch that|"
    r"mistake|correct myself|let me|look(?:ing)? again|re ?examin\w*|on closer|upon closer|"
    r"on reflection|thought|therefore|thus|hence|overall|in conclusion|in summary|to conclude|"
    r"so the|in short|ultimately|final)\b|\.\.\."
)
_NUMBERED = re.compile(r"\b(?:bus|line|route|tram|house|platform|number|train) $")
_DETERMINED = re.compile(r"\b(?:there (?:is|are|was|were)|see|has|have|shows?|contains?) $")
_NEAR = 40  # characters between two words that dispute each other
_REACH = 200  # characters before a word in which a condition is looked for


@dataclass(frozen=True)
class Said:
    """What a text says to a yes/no question.

    Attributes:
        word: yes, no, `BOTH` (it does not commit, or contradicts itself) or "" (neither word).
        rest: the text without the word that answers, all of it where there is none.
        after: what follows that word.
        agrees: nothing is said but a word that agrees ("Certainly.").
    """

    word: str
    rest: str
    after: str = ""
    agrees: bool = False


def said(plain: str, question: str) -> Said:
    """Return where a normalised text says yes or no.

    Args:
        plain: from `metrics.parsing.markup.unasked`.
        question: presence or safety; each has names of fields of its own.

    >>> texts = ("therefore no.", "sure! no", "the answer is yes", "no cars", "visible: y")
    >>> [said(text, "presence").word for text in texts]
    ['no', 'no', 'yes', '', 'yes']
    """
    for pattern, word in _PHRASES:
        plain = pattern.sub(word, plain)
    if _NEITHER.search(plain):
        return Said(BOTH, plain)
    number = _NUMBER.match(plain)
    if number:
        return Said("yes" if number[1] else "no", "")
    patterns = (_FIELDS[question], _BINARIES[question], _ANSWER_IS)
    fields = [found for pattern in patterns for found in pattern.finditer(plain)]
    finals = [found for found in fields if found[1]]
    if finals:
        return _agreed(finals, plain)
    words = sorted(
        [*_CORE.finditer(plain), *_LABELS[question].finditer(plain)], key=lambda m: m.start()
    )
    words = [found for found in words if not _counts(plain, found)]
    if len({found[0] for found in words}) > 1:
        words = [found for found in words if found[0] != "yeah"]  # "yeah, no"
    first = words[0] if words else None
    if first and _empty(plain[: first.start()]) and not _back(plain, words):
        if _disputed(plain, words):
            return Said(BOTH, plain)
        return Said(_word(first), *[plain[first.end() :]] * 2)
    if fields:
        return _agreed(fields, plain)
    if not first:
        return Said("", plain, agrees=bool(_AGREES.match(plain)))
    firm = [found for found in words if not _conditional(plain, found)]
    values = {_word(found) for found in firm}
    if len(values) == 1:
        after = plain[firm[0].end() :]
        return Said(values.pop(), plain[: firm[0].start()] + " " + after, after)
    if len(values) == 2 and _back(plain, firm):
        return Said(_word(firm[-1]), *[plain[firm[-1].end() :]] * 2)
    return Said(BOTH, plain)


def _word(found: re.Match[str], group: int = 1) -> str:
    return "yes" if found[group] else "no"


def _agreed(fields: list[re.Match[str]], plain: str) -> Said:
    """Return what all of the fields say, and the text after the last of them."""
    values = {_word(found, 2) for found in fields}
    rest = plain[max(found.end() for found in fields) :]
    return Said(values.pop() if len(values) == 1 else BOTH, rest, rest)


def _empty(before: str) -> bool:
    return len(before) < 400 and all(
        w in PREAMBLE or w.isdigit() for w in re.findall(r"\w+", before)
    )


def _back(plain: str, words: list[re.Match[str]]) -> bool:
    """Tell whether the last of the words takes back those before it: "no, wait, yes"."""
    if len({_word(found) for found in words}) < 2:
        return False
    return bool(_TAKEN_BACK.search(plain, words[-2].end(), words[-1].start()))


def _disputed(plain: str, words: list[re.Match[str]]) -> bool:
    """Tell whether the other word comes right after the first: "I would say yes and say no"."""
    if len(words) < 2 or _word(words[0]) == _word(words[1]):
        return False
    between = plain[words[0].end() : words[1].start()]
    return len(between) < _NEAR and _empty(between)


def _conditional(plain: str, found: re.Match[str]) -> bool:
    """Tell whether the word hangs on a condition before it: "if nobody steps out, yes"."""
    near = max(0, found.start() - _REACH)
    start = max(near, *(plain.rfind(mark, near, found.start()) + 1 for mark in ".!?\n;"))
    return bool(_IF.search(plain, start, found.start()))


def _counts(plain: str, found: re.Match[str]) -> bool:
    """Tell "bus no. 5" and "there are no (visible) cars" from an answer."""
    if found[2] != "no":
        return False
    before, after = plain[max(0, found.start() - 16) : found.start()], plain[found.end() :][:4]
    numbered = re.match(r"\s?[.:]?\s?\d", after) and _NUMBERED.search(before)
    return bool(numbered or (re.match(r"\s?[(,/-]", after) and _DETERMINED.search(before)))
