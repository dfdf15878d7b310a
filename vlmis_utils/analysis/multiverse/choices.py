"""The choices that a careful analyst could have made otherwise, each with its levels.

The first level of a choice is the study's own, taken from its parameters; the others are those that
another reading of the paper, or another convention, would have led to. What no choice here covers
(prompts, corruptions, models, scenes) would need a new run.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from vlmis_utils.analysis.multiverse.safety_rules import SafetyRule, has_geometry
from vlmis_utils.analysis.results import Results
from vlmis_utils.protocol.classes import CRITICAL_CLASSES
from vlmis_utils.protocol.image_corridor import IMAGE_THRESHOLD
from vlmis_utils.protocol.safety_label import (
    STOP_STATES,
    STOPPING_DISTANCE,
    STOPPING_TIME,
    stopping_distance,
    stopping_time,
)

__all__ = ["KEYS", "QUALITIES", "Choice", "Level", "choices"]

# The choices, in the order of tables and pictures.
KEYS = ("text", "top_k", "share", "hidden", "epsilon", "critical", "images", "safety", "ambiguous",
        "quality")  # fmt: skip

# Levels beside the study's own.
TOP_K = (3, 4, 5)
SHARES = (0.0002, 0.0004, 0.001)
EPSILONS = (1e-6, 1.0)
THRESHOLDS = (IMAGE_THRESHOLD, IMAGE_THRESHOLD / 2, 2 * IMAGE_THRESHOLD)
SPEEDS = (20.0,)  # km/h

_SETS: dict[frozenset[str], str] = {
    frozenset(CRITICAL_CLASSES): "people, lights, signs",
    frozenset(("pedestrian", "cyclist", "traffic sign")): "people, signs",
    frozenset(("pedestrian", "cyclist")): "people",
}
_TEXTS: dict[tuple[str, bool], str] = {
    ("scoped", False): "scoped parser",
    ("scoped", True): "scoped, hedges in",
    ("keyword", False): "keyword parser",
}
_LIGHTS: dict[tuple[str, ...], str] = {
    STOP_STATES: "red or amber",
    ("red",): "red",
    (): "no lights",
}
QUALITIES: dict[str, str] = {"set": "mIoU of all pixels", "images": "mean of images' mIoU"}


@dataclass(frozen=True)
class Level:
    """One way to settle a choice.

    Attributes:
        name: in a few words, clear without the name of its choice.
        value: what the computation takes.
    """

    name: str
    value: object


@dataclass(frozen=True)
class Choice:
    """One dimension of the multiverse.

    Attributes:
        key: column name.
        name: in a few words.
        levels: the study's own first.
        metrics: which of hr, cor, smr it can move.
        origin: why it is open, and where the levels come from.
        needs: what a model or condition must show for the choice to matter: text or scores
            (answers of that kind), abstention (some safety answer that decides nothing), hidden
            (some object fully occluded), quality (a correlation over conditions), or empty.
    """

    key: str
    name: str
    levels: tuple[Level, ...]
    metrics: tuple[str, ...]
    origin: str
    needs: str = ""

    @property
    def own(self) -> Level:
        """The study's own level."""
        return self.levels[0]


def choices(
    results: Results,
    *,
    top_k: Iterable[int] = TOP_K,
    shares: Iterable[float] = SHARES,
    epsilons: Iterable[float] = EPSILONS,
    thresholds: Iterable[float] = THRESHOLDS,
    speeds: Iterable[float] = SPEEDS,
) -> tuple[Choice, ...]:
    """Return the choices, with the parameters of ``results`` as the study's own levels.

    Args:
        results: read the study's own way.
        top_k: classes that a contrastive model mentions.
        shares: of the image that a class needs to count as present.
        epsilons: in the denominator of HR.
        thresholds: of the image rule for the safety label.
        speeds: km/h; each gives a stopping distance, at most the recorded one. Used only where the
            recorded reasons come from geometry.
    """
    own = results.reading
    text = ("keyword", False) if own.parser == "keyword" else ("scoped", own.count_hedged)
    sets = _first(frozenset(own.critical_classes), list(_SETS)[1:])
    named = _names_of_sets(sets)
    return (
        Choice(
            "text", "reading of text",
            tuple(Level(_TEXTS[t], t) for t in _first(text, _TEXTS)), ("hr", "cor"),
            "Section 4.3 asks for keyword matching; negation and hedges are our addition", "text",
        ),
        Choice(
            "top_k", "Top-K", tuple(Level(f"Top-{k}", k) for k in _first(own.top_k, top_k)),
            ("hr", "cor"), "Section 5.4 gives no K", "scores",
        ),
        Choice(
            "share", "least share of a present class",
            tuple(Level(f"present from {100 * s:g} %", s) for s in _first(own.min_share, shares)),
            ("hr", "cor"), "Section 3.2 does not say when a class is present",
        ),
        Choice(
            "hidden", "objects fully occluded",
            (Level("hidden objects count", True), Level("hidden objects do not", False)),
            ("hr", "cor"), "Section 3.3 takes the truth from the clean image; nobody can see "
            "behind an occluder", "hidden",
        ),
        Choice(
            "epsilon", "ε of HR",
            tuple(Level(f"ε = {_power(e)}", e) for e in _first(own.epsilon, epsilons)), ("hr",),
            "Section 3.3 gives no value: a tiny one only prevents 0 / 0, while 1 shrinks the "
            "rate, that of short answers most",
        ),
        Choice(
            "critical", "critical classes",
            tuple(Level(f"critical: {named[s]}", s) for s in sets), ("cor",),
            "Section 3.4 gives examples: pedestrians, cyclists, traffic signs",
        ),
        Choice(
            "images", "images of COR",
            (Level("over all images", False), Level("over critical images", True)), ("cor",),
            "Section 3.4 divides by all N images, though many may have nothing to omit",
        ),
        Choice(
            "safety", "safety rule", _safety_levels(results, thresholds, speeds), ("smr",),
            "Section 3.5 names a reference label and no rule",
        ),
        Choice(
            "ambiguous", "answers that decide nothing",
            (Level("ambiguous is failure", False), Level("ambiguous is dropped", True)), ("smr",),
            "Section 4.3 counts them as failures", "abstention",
        ),
        Choice(
            "quality", "mIoU of a condition",
            tuple(Level(name, key) for key, name in QUALITIES.items()), ("hr", "cor", "smr"),
            "Section 5.3 does not say whether pixels or images are averaged", "quality",
        ),
    )  # fmt: skip


def _first(own: object, others: Iterable[object]) -> list:
    return [own, *(value for value in others if value != own)]


def _names_of_sets(sets: Sequence[frozenset[str]]) -> dict[frozenset[str], str]:
    own = {sets[0]: "the study's list"} if sets[0] not in _SETS else {}
    return _SETS | own


def _safety_levels(
    results: Results, thresholds: Iterable[float], speeds: Iterable[float]
) -> tuple[Level, ...]:
    """The recorded rule, weaker forms of it where geometry is known, and the image rule."""
    image = [Level(f"image rule, {100 * t:g} %", SafetyRule(threshold=t)) for t in thresholds]
    if not has_geometry(results.scenes):
        known = Level(f"image rule, {100 * IMAGE_THRESHOLD:g} %", SafetyRule())
        unsafe = not results.scenes.safe.all()
        own = known if unsafe else Level("as recorded", SafetyRule())
        return (own, *(level for level in image if level.name != own.name))
    stops = [(STOPPING_DISTANCE, STOPPING_TIME)]
    stops += [(stopping_distance(s / 3.6), stopping_time(s / 3.6)) for s in speeds]
    geometry = [
        Level(f"{limit:.1f} m, {words}", SafetyRule(limit, lights, horizon))
        for limit, horizon in stops
        for lights, words in _LIGHTS.items()
    ]
    narrower = [
        Level("no looking ahead", SafetyRule(STOPPING_DISTANCE, horizon=0.0)),
        Level("no STOP signs", SafetyRule(STOPPING_DISTANCE, signs=False)),
        Level("no looking ahead, no STOP signs",
              SafetyRule(STOPPING_DISTANCE, horizon=0.0, signs=False)),
    ]  # fmt: skip
    return (Level(geometry[0].name, SafetyRule()), *geometry[1:], *narrower, *image)


def _power(value: float) -> str:
    """Return a number as text, small powers of ten with a raised exponent.

    >>> _power(1e-6), _power(0.5)
    ('10⁻⁶', '0.5')
    """
    exponent = round(math.log10(value))
    if value >= 0.001 or not math.isclose(value, 10.0**exponent):
        return f"{value:g}"
    return "10" + str(exponent).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
