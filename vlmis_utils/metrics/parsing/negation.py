"""Which classes a text names, and how each mention stands: asserted, negated or hedged.

A text becomes words, the words become items (the longest phrase of `metrics.parsing.lexicon` at
each place), and one pass from left to right over each sentence keeps the scope of the last negation
or hedge. A scope ends at a preposition ("no cars on the road": the road is there), at "but" and its
like, after the verb, and where a list goes on with a new determiner ("no cars, two buses"). "Or"
takes an ended negation up again ("no cars on the road or buses"). "... are not visible" reaches
back to its subject.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from vlmis_utils.metrics.parsing import triggers
from vlmis_utils.metrics.parsing.tokens import Item, items_of, normalise, words

__all__ = ["ASSERTED", "HEDGED", "NEGATED", "PAIRED", "read"]

ASSERTED, NEGATED, HEDGED = "asserted", "negated", "hedged"

_STOPS = frozenset(".;!?\n{}]")
_AUXILIARIES = frozenset("is are do does can could will was were what which should how".split())
_EVIDENTIAL = ("appear", "seem", "look", "resembl", "suggest")
_MODAL = ("may ", "might ", "could ")
_SHOWN = frozenset("visible present seen there in on at here to near nearby shown not".split())
_DEFINITE = frozenset("the this that these those two three several both its one many".split())
PAIRED = {"present class": ASSERTED, "absent class": NEGATED, "unsure class": HEDGED}
_ALIKE = frozenset(("like", "sized", "shaped"))


@dataclass
class _Scope:
    """What the pass over one sentence remembers."""

    state: str | None = None  # NEGATED or HEDGED: reaches the classes that follow
    ended: bool = False  # a negation that a preposition ended and "or" takes up again
    bare: bool = True  # the negation opened without "a" or "any"
    seen: bool = False  # it has reached a class
    listed: bool = False  # opened by "absent:", runs to the end of the sentence
    subject: list[int] = field(default_factory=list)  # classes that "are not visible" reaches
    over: bool = False  # the subject is complete
    doubted: bool = False  # and was hedged by a modal
    aside: bool = False  # inside a prepositional phrase, so not in the subject
    definite: bool = False

    def close(self) -> None:
        if not self.listed:
            self.state, self.ended, self.seen = None, False, False

    def open(self, state: str, bare: bool = True) -> None:
        self.state, self.ended, self.seen, self.bare = state, False, False, bare


def read(text: str) -> list[tuple[str, str]]:
    """Return (class, ASSERTED | NEGATED | HEDGED) for every mention, in the order of the text.

    >>> read("No pedestrians or cyclists, but two cars.")
    [('pedestrian', 'negated'), ('cyclist', 'negated'), ('car', 'asserted')]
    """
    tokens = words(normalise(text))
    ends = [i for i, token in enumerate(tokens) if token in _STOPS] + [len(tokens)]
    mentions: list[tuple[str, str]] = []
    start = 0
    for end in ends:
        sentence, closing = tokens[start:end], tokens[end : end + 1]
        following = tokens[end + 1 : end + 2] if closing == ["?"] else []
        mentions += _sentence(sentence, closing == ["?"], following[0] if following else "")
        start = end + 1
    return mentions


def _sentence(tokens: list[str], question: bool, following: str) -> list[tuple[str, str]]:
    items = items_of(tokens)
    mentions = _scan(items, tokens)
    if not mentions:
        return []
    answered = {"yes": ASSERTED, "no": NEGATED}.get(following)
    if question and (answered or tokens[0] in _AUXILIARIES):
        return [(name, answered or HEDGED) for name, _ in mentions]
    if question and items[-1].kind == "class":
        mentions[-1] = (mentions[-1][0], HEDGED)
    return mentions


def _scan(items: list[Item], tokens: list[str]) -> list[tuple[str, str]]:
    """Pass over a sentence from left to right, keeping the scope of the last cue."""
    names: list[str] = []
    states: list[str] = []
    scope = _Scope()
    tellers = _tellers(items)
    last = {item.value: at for at, item in enumerate(items)}

    def add(name: str, state: str) -> None:
        names.append(name)
        states.append(state)

    def mark(state: str) -> None:
        for index in scope.subject or ([len(states) - 1] if states else []):
            states[index] = state

    for at, item in enumerate(items):
        after = tokens[item.stop] if item.stop < len(tokens) else ""
        match item.kind:
            case "class":
                _class(scope, items, at, tokens, len(names))
                state = scope.state or ASSERTED
                if after == "free":
                    state = NEGATED
                elif after in _ALIKE:
                    state = HEDGED
                add(item.value, state)
            case "present class" | "absent class" | "unsure class":
                add(item.value, PAIRED[item.kind])
                scope = _Scope()
            case "heading":
                heading = _heading(tellers[at + 1], last[item.value] > at)
                if heading:
                    add(item.value, heading)
                scope = _Scope()
            case "anyone":
                if scope.state:
                    scope.seen = True
                    add(item.value, scope.state)
            case "nobody":
                add("pedestrian", HEDGED if scope.state == HEDGED else NEGATED)
            case "no" if not after.isalnum() or after in triggers.INTERJECTION_FOLLOWERS:
                scope = _Scope()
            case "no" | "negate":
                indefinite = {"a", "an", "any", "single"} & {item.value.split()[-1], after}
                scope = _Scope(state=NEGATED, bare=not indefinite)
            case "negate list":
                scope = _Scope(state=NEGATED, listed=True)
            case "hedge list":
                scope = _Scope(state=HEDGED, listed=True)
            case "end" | "close":
                scope = _Scope()
            case "hedge":
                _hedge(scope, item, at == len(items) - 1 or items[at + 1].kind == "comma", mark)
            case "modal":
                if scope.subject and not scope.definite:
                    mark(HEDGED)
                scope = _Scope()
            case "gone" | "unsure":
                state = NEGATED if item.kind == "gone" else HEDGED
                if states and (scope.subject or at):
                    mark(state)
                    scope = _Scope()
                else:
                    scope = _Scope(state=state)
            case "prep":
                ended = scope.state == NEGATED or scope.ended
                scope.close()
                scope.ended, scope.aside = ended, True
            case "and" | "or" | "comma":
                _join(scope, items, at, tokens)
            case "verb" | "pronoun":
                if scope.seen:
                    scope.close()
                    scope.ended = False
                scope.over = True
                if item.kind == "pronoun":
                    scope.subject = []
    return list(zip(names, states, strict=True))


def _class(scope: _Scope, items: list[Item], at: int, tokens: list[str], index: int) -> None:
    """Enter a class into the scope: it may be the subject of "... are not visible"."""
    scope.seen = scope.seen or scope.state is not None
    if scope.over:
        scope.subject, scope.over, scope.doubted = [], False, False
    if not scope.aside:
        if not scope.subject:
            before = at
            while before and items[before - 1].kind in ("word", "neutral"):
                before -= 1
            start = items[before - 1].stop if before else 0
            scope.definite = bool(_DEFINITE.intersection(tokens[start : items[at].start]))
        scope.subject.append(index)


def _hedge(scope: _Scope, item: Item, last: bool, mark: Callable[[str], None]) -> None:
    if scope.state == NEGATED or scope.listed:
        return
    if scope.subject and item.value.startswith(_MODAL):
        if not scope.definite and not scope.doubted:
            mark(HEDGED)
        scope.over = scope.doubted = True
    elif scope.subject and item.value.startswith(_EVIDENTIAL):
        scope.over = True
    elif scope.subject and last:
        scope.subject = scope.subject[-1:]
        mark(HEDGED)
    else:
        scope.open(HEDGED)
        scope.subject = []


def _join(scope: _Scope, items: list[Item], at: int, tokens: list[str]) -> None:
    """Go over a comma, "and" or "or": does the scope reach the next noun?"""
    scope.aside = False
    if at + 1 == len(items) or scope.listed:
        return
    after = items[at + 1]
    following = tokens[after.start]
    if items[at].kind == "or":
        if scope.ended and scope.state is None:
            scope.open(NEGATED)
        return
    if after.kind in ("and", "or"):
        return
    article = following in ("a", "an", "any") and not scope.bare
    renewed = following in triggers.DETERMINERS and not article
    barren = scope.state == HEDGED and not scope.seen
    if renewed or barren or (scope.state == NEGATED and _predicate(items, at + 1, tokens)):
        scope.close()
        scope.ended = False


def _predicate(items: list[Item], start: int, tokens: list[str]) -> bool:
    """Tell whether the next noun has a predicate of its own: "no trucks and cars are parked"."""
    for at in range(start, len(items) - 1):
        item, follower = items[at], items[at + 1]
        if item.kind == "class":
            said = tokens[follower.stop] if follower.stop < len(tokens) else "visible"
            verb = follower.value in ("is", "are", "was", "were")
            return follower.kind == "verb" and verb and said not in _SHOWN
        if item.kind != "word":
            return False
    return False


def _tellers(items: list[Item]) -> list[str]:
    """Return, for each place, the kind of the first item from there on that settles a heading."""
    kinds = [""]
    for item in reversed(items):
        settles = item.kind in ("class", "negate", "gone", "hedge", "unsure")
        kinds.append(item.kind if settles else kinds[-1])
    return kinds[::-1]


def _heading(teller: str, again: bool) -> str | None:
    """Read "class: sentence": None where the sentence itself names the class again."""
    if teller == "class":
        return None if again else ASSERTED
    states = {"negate": NEGATED, "gone": NEGATED, "hedge": HEDGED, "unsure": HEDGED}
    return states.get(teller, ASSERTED)
