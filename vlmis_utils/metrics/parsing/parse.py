"""Raw answers to mentions and decisions (Section 4.3 of the paper).

Two rules read mentions from text. *keyword* is the paper's plain rule: every class whose keyword
occurs is asserted. *scoped* understands negation, hedging, lists of ``class: value`` and compounds
that are not the class (a bus stop is no bus). Before either, reasoning is split off
(`protocol.reasoning`) and clauses that decline are left out (`metrics.parsing.refusals`). Answers
stay raw in the records, so a rule can be chosen after the run. The tables are in
`metrics.parsing.lexicon` and `metrics.parsing.triggers`; how well both rules read is measured by
`metrics.parsing.gold`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from vlmis_utils.core.errors import UserError, closest
from vlmis_utils.metrics.parsing import negation, presence, safety, tokens
from vlmis_utils.metrics.parsing.refusals import without_refusals
from vlmis_utils.protocol.answer import FILTERED, REFUSAL
from vlmis_utils.protocol.classes import check_classes
from vlmis_utils.protocol.reasoning import split_reasoning

__all__ = [
    "RULES", "Mentions", "best_label", "declined", "mentioned_top_k", "mentions", "parse_presence",
    "parse_safety",
]  # fmt: skip

RULES: tuple[str, ...] = ("scoped", "keyword")


@dataclass(frozen=True)
class Mentions:
    """The language classes that a text names; the three sets are disjoint.

    Attributes:
        asserted: said to be there, at least once.
        negated: only said not to be there.
        hedged: named without commitment ("possibly a truck", "if there are cyclists") and never
            asserted.
    """

    asserted: frozenset[str] = frozenset()
    negated: frozenset[str] = frozenset()
    hedged: frozenset[str] = frozenset()


def mentions(text: str, rule: str = "scoped") -> Mentions:
    """Return the classes that a text asserts, negates and hedges.

    A class named more than once counts as asserted before hedged before negated. *Rider* is
    "cyclist": cyclists, motorcyclists and people who ride a bicycle or motorcycle.

    Args:
        text: an answer, any language model's English.
        rule: ``scoped``, or ``keyword`` (everything found is asserted).

    Raises:
        UserError: ``text`` is no string, or the rule is unknown.

    >>> said = mentions("No pedestrians or cyclists, but two cars and possibly a truck.")
    >>> sorted(said.asserted), sorted(said.negated), sorted(said.hedged)
    (['car'], ['cyclist', 'pedestrian'], ['truck'])
    >>> sorted(mentions("no bus at the bus stop", rule="keyword").asserted)
    ['bus']
    """
    text = _spoken(text)
    if rule not in RULES:
        raise UserError(f"unknown parser rule {rule!r}{closest(rule, RULES)}")
    return _mentions(text, rule)


def parse_presence(text: str, asked: str | None = None) -> str:
    """Return what a text answers to "Is there a ... visible?": yes, no or unknown.

    The leading word decides, whatever follows. Without one the statements of the text must agree;
    a text that commits to nothing is unknown. See `metrics.parsing.presence`.

    Args:
        text: the answer.
        asked: the language class of the question; where given, statements about others are left
            out ("I see a car but no bus").

    Raises:
        UserError: ``text`` is no string, or the class is unknown.

    >>> parse_presence("No, the road is clear of people; yes there are cars")
    'no'
    >>> [parse_presence(t) for t in ("Yes.", "I don't see any cyclists", "I cannot tell")]
    ['yes', 'no', 'unknown']
    """
    text = _spoken(text)
    if asked is not None:
        check_classes([asked])
    return presence.parse_presence(text, asked)


def parse_safety(text: str) -> str:
    """Return what a text answers to "is it safe to proceed forward?": safe, unsafe or abstain.

    "Not safe" is read before "safe"; conditions and uncertainty state nothing; a text that
    contradicts itself abstains. See `metrics.parsing.safety`.

    Raises:
        UserError: ``text`` is no string.

    >>> [parse_safety(t) for t in ("It is unsafe.", "Yes, go ahead.", "Proceed with caution.")]
    ['unsafe', 'safe', 'abstain']
    """
    return safety.parse_safety(_spoken(text))


def declined(text: str) -> bool:
    """Tell whether a text declines to answer, and says nothing else that could be read.

    A refusal of the host, and one in words ("I'm sorry, I cannot help with that", "No image was
    provided"). "I cannot see any pedestrians" is an answer; "I cannot tell" and an empty text
    abstain, and decline nothing.

    Raises:
        UserError: ``text`` is no string.

    >>> [declined(t) for t in ("As an AI, I cannot see images.", "I cannot see any cars.", "")]
    [True, False, False]
    """
    rest = _spoken(text)
    silent = _mentions(rest, "scoped") == Mentions()
    readings = (presence.parse_presence(rest), safety.parse_safety(rest))
    return _heard(text)[1] and silent and readings == ("unknown", "abstain")


def mentioned_top_k(labels: Sequence[str], scores: Sequence[float], k: int) -> tuple[str, ...]:
    """Return the ``k`` labels with the highest scores, best first (Section 5.4: Top-K).

    Ties keep the order of ``labels``. Fewer than ``k`` labels: all of them. Scores of which one is
    not finite rank nothing: no label.

    Raises:
        UserError: ``k`` below 1, or labels and scores of different lengths.

    >>> mentioned_top_k(("car", "bus", "truck"), (0.1, 0.7, 0.3), 2)
    ('bus', 'truck')
    """
    if k < 1:
        raise UserError(f"top_k must be at least 1, not {k}")
    if len(labels) != len(scores):
        raise UserError(f"an answer has {len(labels)} labels but {len(scores)} scores")
    if not all(map(math.isfinite, scores)):
        return ()
    order = sorted(range(len(labels)), key=lambda index: -scores[index])
    return tuple(labels[index] for index in order[:k])


def best_label(labels: Sequence[str], scores: Sequence[float]) -> str:
    """Return the label with the highest score, the first on a tie; "" if a score is not finite.

    Raises:
        UserError: no labels, or labels and scores of different lengths.

    >>> best_label(("yes", "no"), (0.2, 0.9))
    'no'
    """
    if not labels:
        raise UserError("an answer without labels has no best label: it is text, parse it")
    return next(iter(mentioned_top_k(labels, scores, 1)), "")


@lru_cache(maxsize=16384)
def _mentions(text: str, rule: str) -> Mentions:
    if rule == "keyword":
        return Mentions(asserted=tokens.keywords(text))
    said = negation.read(text)
    asserted, hedged, negated = (
        frozenset(name for name, state in said if state == wanted)
        for wanted in (negation.ASSERTED, negation.HEDGED, negation.NEGATED)
    )
    return Mentions(asserted, negated - hedged - asserted, hedged - asserted)


@lru_cache(maxsize=16384)
def _heard(text: str) -> tuple[str, bool]:
    """Return what is left of a text to be read, and whether something in it declines."""
    answer = split_reasoning(text)[1]
    if answer.startswith((REFUSAL, FILTERED)):
        return "", True
    return without_refusals(answer)


def _spoken(text: object) -> str:
    if not isinstance(text, str):
        raise UserError(f"an answer must be text, not {type(text).__name__}: pass a string")
    return _heard(text)[0]
