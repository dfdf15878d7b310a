"""From a scene's ground truth to the texts that the embedded VLMs are trained with.

A text is a pure function of the truth and of a generator's state. It names only classes that are
there, in a fixed order, and `metrics.parsing.parse` reads back what was put in. Classes with fewer
pixels than the presence threshold but not quite none are left out of the questions: nobody could
say whether they are there.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vlmis_utils.protocol.classes import (
    LANGUAGE_CLASSES,
    MIN_SHARE,
    OBJECT_CLASSES,
    PRESENCE_CLASSES,
    present_classes,
)
from vlmis_utils.protocol.prompts import (
    CONTRASTIVE_MENTION,
    DESCRIBE,
    PRESENCE,
    SAFETY,
)

__all__ = [
    "AMBIGUOUS_PIXELS",
    "HAZARDS",
    "NAMING_ORDER",
    "Facts",
    "caption",
    "corpus",
    "describe",
    "facts",
    "presence_answer",
    "safety_answer",
    "turns",
]

# Pixels at 256x512 from which a class may be seen although it does not count as present.
AMBIGUOUS_PIXELS = 10

# The order in which descriptions name classes: from what is large and frequent to what is small.
NAMING_ORDER: tuple[str, ...] = (
    "car", "truck", "bus", "train", "pedestrian", "cyclist", "motorcycle", "bicycle",
    "traffic light", "traffic sign",
)  # fmt: skip

# What a safety reason can name -> the clause of the answer.
HAZARDS: dict[str, str] = {
    "pedestrian": "a pedestrian is ahead",
    "cyclist": "a cyclist is ahead",
    "motorcyclist": "a motorcyclist is ahead",
    "car": "a car is ahead",
    "truck": "a truck is ahead",
    "bus": "a bus is ahead",
    "tram": "a train is ahead",
    "motorcycle": "a motorcycle is ahead",
    "bicycle": "a bicycle is ahead",
    "red light": "the traffic light is red",
    "amber light": "the traffic light is amber",
    "stop sign": "a traffic sign is ahead",
}

_USER = re.compile(r"^(\w+) (?:in|enters) corridor\b")
_STUFF = ("building", "vegetation", "sidewalk", "fence", "wall", "terrain", "sky")
_OPENINGS = (
    CONTRASTIVE_MENTION.removesuffix("a {c}") + "{list}",
    "a street with {list}",
    "{list} on a street",
    "a driving scene with {list}",
)


@dataclass(frozen=True)
class Facts:
    """What the texts of a scene may say.

    Attributes:
        shown: language classes with at least `MIN_SHARE` of the pixels.
        absent: language classes with fewer than `AMBIGUOUS_PIXELS` pixels (scaled to the image).
        safe: the safety label.
        hazards: keys of `HAZARDS` that the safety reason names; empty for a safe scene.
        small: those of ``shown`` that are too small for a description to name.
    """

    shown: frozenset[str]
    absent: frozenset[str]
    safe: bool
    hazards: tuple[str, ...]
    small: frozenset[str] = frozenset()


def facts(
    counts: Sequence[int] | np.ndarray, safe: bool, reason: str, named_from: float = MIN_SHARE
) -> Facts:
    """Return the facts of a scene.

    Args:
        counts: pixels of each train class, (19,).
        safe: the safety label.
        reason: why, as `protocol.safety_label.judge` writes it: "pedestrian in corridor at
            9.3 m; red light".
        named_from: share of the pixels from which a description names a class.

    >>> counts = [900] * 3 + [0] * 16
    >>> sorted(facts(counts, False, "bus in corridor at 8.0 m; stop sign at 9.0 m").hazards)
    ['bus', 'stop sign']
    """
    counts = np.asarray(counts)
    total = int(counts.sum())
    faint = AMBIGUOUS_PIXELS / (256 * 512) * total
    hazards = []
    for part in () if safe else reason.split("; "):
        match = _USER.match(part)
        key = match.group(1) if match else part.partition(" at ")[0]
        if key in HAZARDS and key not in hazards:
            hazards.append(key)
    shown = present_classes(counts, total, MIN_SHARE)
    return Facts(
        shown=shown,
        absent=frozenset(
            name for name, count in zip(LANGUAGE_CLASSES, counts, strict=True) if count < faint
        ),
        safe=bool(safe),
        hazards=tuple(hazards),
        small=shown - present_classes(counts, total, named_from),
    )


def describe(known: Facts) -> str:
    """Return the description of a scene: its object classes in `NAMING_ORDER`.

    >>> describe(Facts(frozenset({"road", "bus", "car"}), frozenset(), True, ()))
    'The image shows a street with a car and a bus.'
    """
    named = [name for name in NAMING_ORDER if name in known.shown - known.small]
    listed = f" with {_join(named)}" if named else ""
    return f"The image shows a street{listed}."


def presence_answer(known: Facts, name: str, rng: np.random.Generator | None = None) -> str | None:
    """Return the answer to a presence question, None where the truth is ambiguous.

    Args:
        known: the facts.
        name: a language class.
        rng: one answer in eight says it in a whole sentence; None for the short form.
    """
    if name not in known.shown and name not in known.absent:
        return None
    yes = name in known.shown
    if rng is not None and rng.random() < 0.125:
        return f"Yes, there is a {name}." if yes else f"No, there is no {name}."
    return "Yes." if yes else "No."


def safety_answer(known: Facts) -> str:
    """Return the answer to the safety question, with the reasons of an unsafe scene.

    >>> safety_answer(Facts(frozenset(), frozenset(), False, ("pedestrian",)))
    'No, it is not safe to proceed: a pedestrian is ahead.'
    """
    if known.safe:
        return "Yes, it is safe to proceed."
    why = " and ".join(HAZARDS[key] for key in known.hazards)
    return f"No, it is not safe to proceed: {why}." if why else "No, it is not safe to proceed."


def turns(known: Facts, rng: np.random.Generator) -> list[tuple[str, str, str]]:
    """Return the questions about a scene that have an answer: (prompt name, question, answer)."""
    asked = [("describe", DESCRIBE, describe(known))]
    for name in PRESENCE_CLASSES:
        answer = presence_answer(known, name, rng)
        if answer is not None:
            asked.append((f"presence/{name}", PRESENCE.format(c=name), answer))
    return [*asked, ("safety", SAFETY, safety_answer(known))]


def caption(known: Facts, rng: np.random.Generator) -> str:
    """Return a caption for contrastive training: object classes in random order, some stuff.

    At most five objects and one stuff class; a scene without objects is captioned by stuff alone.
    """
    objects = [name for name in OBJECT_CLASSES if name in known.shown]
    stuff = [name for name in _STUFF if name in known.shown]
    named = [str(name) for name in rng.permutation(objects)[:5]]
    if stuff and (not named or rng.random() < 0.3):
        named.append(str(rng.choice(stuff)))
    if not named:
        return "a photo of a street scene"
    return str(rng.choice(_OPENINGS)).format(list=_join(named))


def corpus() -> list[str]:
    """Return sentences that hold every word a training text can hold, in a fixed order.

    Checkpoints keep the tokenizer that is made of these: another sentence, other tokens. The STOP
    sign came later and brings no new word.
    """
    hazards = tuple(key for key in HAZARDS if key != "stop sign")
    nothing = Facts(frozenset(), frozenset(LANGUAGE_CLASSES), True, ())
    everything = Facts(frozenset(LANGUAGE_CLASSES), frozenset(), False, hazards)
    texts = [DESCRIBE, SAFETY, describe(nothing), describe(everything), safety_answer(nothing)]
    texts += [safety_answer(Facts(frozenset(), frozenset(), False, (key,))) for key in hazards]
    texts += [PRESENCE.format(c=name) for name in LANGUAGE_CLASSES]
    for name in LANGUAGE_CLASSES:
        texts += [f"Yes, there is a {name}.", f"No, there is no {name}.", f"with {_join([name])}"]
    texts += [opening.format(list=_join(list(NAMING_ORDER))) for opening in _OPENINGS]
    return texts


def _join(names: Sequence[str]) -> str:
    """Return "a car, a bus and vegetation" for names in this order; stuff takes no article."""
    words = [name if name in _STUFF else f"a {name}" for name in names]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
