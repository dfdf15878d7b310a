"""From raw text to plain words: quotes, contractions, Markdown, bullets and line ends resolved;
and from words to items, the known phrases of `metrics.parsing.lexicon` and
`metrics.parsing.triggers`.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from vlmis_utils.metrics.parsing import triggers
from vlmis_utils.metrics.parsing.lexicon import ANYONE, CLASS_PHRASES, COMPOUNDS, KEYWORDS
from vlmis_utils.metrics.parsing.markup import unwrapped
from vlmis_utils.metrics.parsing.triggers import CUES

__all__ = ["LONGEST", "Item", "items_of", "keywords", "normalise", "words"]

LONGEST = 7

_JOIN_WIDTH = 50
_CONTRACTIONS: tuple[tuple[str, str], ...] = (
    (r"\bcan(?:'t|not|t)\b", "can not"),
    (r"\bwon'?t\b", "will not"),
    (r"\b(do|does|did|is|are|was|were|has|have|had|could|would|should|must|need)n'?t\b", r"\1 not"),
    (r"\b(there|it|that|what|here|he|she|who)'s\b", r"\1 is"),
    (r"'re\b", " are"),
    (r"'ve\b", " have"),
    (r"\bi'm\b", "i am"),
    (r"\b(?:e\.g\.|i\.e\.|etc\.?)", " "),
    (r"\bn/a\b", "unknown"),
    (r"(?<=\d)[.,](?=\d)", ""),
    (r"(?<=\w)-(?=\w)", " "),
    (r"&", " and "),
    (r"\b(no|any) \((\w+)\)", r"\1 \2"),
)
_ADVERBS = re.compile(
    r"\b(?:really|actually(?!,)|currently|immediately|explicitly|directly|readily|otherwise|"
    r"any longer|"
    r"particularly|specifically|personally|presently|at all|anywhere|yet)\b"
)
_BULLET = re.compile(r"^\s*(?:[-+•·|]+|\(?\d{1,2}[.)](?=\s)|\(?[a-z][.)](?=\s))\s*")
_HEAD = re.compile(r"\b(?:" + "|".join(p[:-2] for p in CUES if p.endswith(" :")) + r")\s*:$")
_TOKEN = re.compile(r"[a-z0-9]+|[.;!?\n,:=|()\[\]{}/-]")


class Item(NamedTuple):
    """A phrase of a sentence: its kind, its class or words, and its place among the words."""

    kind: str
    value: str
    start: int
    stop: int


def normalise(text: str) -> str:
    """Return lower-case text with plain quotes and dashes, contractions and bullets resolved.

    >>> normalise("**There aren\\u2019t** any bus-stops!")
    'there are not any bus stops!'
    """
    plain = unwrapped(text)
    for pattern, replacement in _CONTRACTIONS:
        plain = re.sub(pattern, replacement, plain)
    plain = _ADVERBS.sub(" ", plain.replace("'", " "))
    return _join_lines([re.sub(r"[^\S\n]+", " ", line).strip() for line in plain.splitlines()])


def _join_lines(lines: list[str]) -> str:
    """End sentences at line ends, save in wrapped prose and in lists under "not visible:"."""
    done: list[str] = []  # whole lines
    last: list[str] = []  # pieces of the line under way
    length, head = 0, False
    for line in lines:
        body = _BULLET.sub("", line)
        bullet = body != line
        if not body:
            if done or last:
                done.append("".join(last).rstrip(", "))
            last, length, head = [], 0, False
            continue
        wrapped = length >= _JOIN_WIDTH and not bullet and last[-1][-1] not in ".!?:;,"
        if head and bullet:
            pieces = [" ", body, ","]
        else:
            head = False
            if (done or last) and not wrapped:
                done.append("".join(last))
                last, length = [], 0
            pieces = [" ", body] if wrapped else [body]
        last += pieces
        length += sum(map(len, pieces))
        if _HEAD.search(body):
            head = True
    return "\n".join([*done, "".join(last)]).strip(", \n")


def words(text: str) -> list[str]:
    """Return the words and marks of a normalised text."""
    return _TOKEN.findall(text)


def keywords(text: str) -> frozenset[str]:
    """Return every class whose keyword occurs; longest match wins, nothing else is understood."""
    tokens = words(normalise(text))
    found, at = set(), 0
    while at < len(tokens):
        phrases = [(n, " ".join(tokens[at : at + n])) for n in range(LONGEST, 0, -1)]
        size, phrase = next(((n, p) for n, p in phrases if p in KEYWORDS), (1, ""))
        found |= {KEYWORDS[phrase]} if phrase else set()
        at += size
    return frozenset(found)


def items_of(tokens: list[str]) -> list[Item]:
    """Cut the words of a sentence into the longest known phrases.

    A "class: value" pair becomes one item, a person who rides a bicycle a cyclist.
    """
    items: list[Item] = []
    at = 0
    while at < len(tokens):
        kind, value, stop = _phrase(tokens, at)
        if kind == "class":
            pair = _value(tokens, stop)
            if pair:
                kind, value, stop = pair[0], value, pair[1]
        items.append(Item(kind, value, at, stop))
        at = stop
    return [_rider(items, i, tokens) for i in range(len(items))]


def _phrase(tokens: list[str], at: int) -> tuple[str, str, int]:
    for stop in range(min(at + LONGEST, len(tokens)), at, -1):
        phrase = " ".join(tokens[at:stop])
        if phrase in CLASS_PHRASES:
            return "class", CLASS_PHRASES[phrase], stop
        if phrase in ANYONE:
            return "anyone", "pedestrian", stop
        kind = "compound" if phrase in COMPOUNDS else CUES.get(phrase)
        if phrase == "pedestrian crossing" and _crosses(tokens[stop : stop + 2]):
            continue
        if kind:
            return kind, phrase, stop
    mark = {",": "comma", "/": "or", "-": "close", "(": "comma", ")": "close"}.get(
        tokens[at], "word"
    )
    return mark, tokens[at], at + 1


def _crosses(after: list[str]) -> bool:
    """Tell "a pedestrian crossing the street" from a pedestrian crossing."""
    verb = {"the", "a", "an", "our", "your", "my", "its", "this", "from", "against", "slowly"}
    return bool(after) and (after[0] in verb or after == ["in", "front"])


def _value(tokens: list[str], at: int) -> tuple[str, int] | None:
    """Read ``: value`` after a class: which kind of item that makes, and where it stops."""
    skip = at
    while skip < len(tokens) and tokens[skip] in ("visible", "present", "detected", "count"):
        skip += 1
    if skip >= len(tokens) or tokens[skip] not in (":", "=", "|", "-", "("):
        return None
    mark, at = tokens[skip], skip + 1
    for stop in range(min(at + 3, len(tokens)), at, -1):
        value, after = " ".join(tokens[at:stop]), tokens[stop : stop + 1]
        ended = not after or not after[0].isalnum()
        if mark in "-(" and not ended:
            continue
        if value in triggers.ABSENT_VALUES:
            return "absent class", stop if ended or value != "no" else at
        if value in triggers.UNSURE_VALUES:
            return "unsure class", stop
        if value in triggers.PRESENT_VALUES or (value.isdigit() and mark in ":="):
            return "present class", stop
    return ("heading", at) if mark == ":" and at < len(tokens) else None


def _rider(items: list[Item], at: int, tokens: list[str]) -> Item:
    """Turn the person of "a person riding a bicycle" into a cyclist."""
    item = items[at]
    if item.kind != "class" or item.value != "pedestrian":
        return item
    for follower in items[at + 1 : at + 9]:
        if follower.kind == "class":
            between = tokens[item.stop : follower.start]
            rides = between[:1] == ["on"] or triggers.RIDE_VERBS.intersection(between)
            if follower.value in ("bicycle", "motorcycle") and rides:
                return item._replace(value="cyclist")
            return item
        if follower.kind in ("comma", "close"):
            return item
    return item
