"""Truth and answers as boolean arrays, and each metric's term of an image under any specification.

C conditions, S scenes, 19 language classes. A specification maps the key of a choice to its value.
The terms are those of `metrics.language`, as in `metrics.per_image.failures`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vlmis_utils.analysis.multiverse.choices import Choice
from vlmis_utils.analysis.multiverse.safety_rules import relabel
from vlmis_utils.analysis.results import Results
from vlmis_utils.metrics import language
from vlmis_utils.metrics.per_image import Reading
from vlmis_utils.protocol.answer import Answer
from vlmis_utils.protocol.classes import LANGUAGE_CLASSES

__all__ = ["TERMS", "Said", "Truth", "read_answers", "read_truth"]

_COLUMN = {name: index for index, name in enumerate(LANGUAGE_CLASSES)}
_DECISIONS = {"safe": 1, "unsafe": 0, "abstain": -1}

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Truth:
    """What is true of scenes.

    Attributes:
        table: the scenes, one row each, in order.
        counts: (S, 19) pixels of each class in the clean scene.
        seen: (C, S, 19), whether a pixel of the class is left unoccluded.
        objects: (19,), the classes that a mention can be of.
    """

    table: pd.DataFrame
    counts: Floats
    seen: Bools
    objects: Bools

    def present(self, share: float) -> Bools:
        """Return which classes reach a share of the image, and at least one pixel: (S, 19)."""
        pixels = (self.table.height * self.table.width).to_numpy(float)
        return self.counts >= np.maximum(1.0, share * pixels)[:, None]

    def hidden(self, share: float) -> Bools:
        """Return which present classes the occluder hides completely: (C, S, 19)."""
        return self.present(share) & ~self.seen


@dataclass(frozen=True)
class Said:
    """What one VLM said.

    Attributes:
        mentions: (choice, value) -> (C, S, 19), for each level of reading texts and of Top-K.
        decided: (C, S), 1 safe, 0 unsafe, -1 nothing.
        described: (C, S), whether there is a description; an image without one has no terms.
        shows: those of text, scores and abstention that occur.
    """

    mentions: Mapping[tuple[str, object], Bools]
    decided: NDArray[np.int8]
    described: Bools
    shows: frozenset[str]

    def mentioned(self, spec: Mapping[str, object]) -> Bools:
        """Return which classes the descriptions mention under a specification: (C, S, 19)."""
        total = np.zeros((*self.described.shape, len(LANGUAGE_CLASSES)), bool)
        for key in ("text", "top_k"):
            total |= self.mentions.get((key, spec[key]), False)
        return total


def read_truth(results: Results, conditions: Sequence[str]) -> Truth:
    """Return the truth of all scenes, sorted by scene_id, under some conditions."""
    scenes = results.scenes.sort_values("scene_id", ignore_index=True)
    left = results.conditions.set_index(["condition", "scene_id"]).visible_counts
    visible = np.array([[left[c, s] for s in scenes.scene_id] for c in conditions])
    counts = np.stack(list(scenes.pixel_counts)).astype(float)
    objects = np.isin(LANGUAGE_CLASSES, results.reading.vocabulary)
    return Truth(scenes, counts, visible >= 1, objects)


def read_answers(
    answers: pd.DataFrame,
    scenes: Sequence[str],
    conditions: Sequence[str],
    reading: Reading,
    every: Sequence[Choice],
) -> Said:
    """Read the answers of one VLM at every level of the choices that decide how they are read.

    Args:
        answers: rows of the records, of these scenes and conditions.
        reading: the study's own way.
        every: choices, text and top_k among them.
    """
    shape = (len(conditions), len(scenes))
    described, decided = np.zeros(shape, bool), np.full(shape, -1, np.int8)
    place = {name: index for index, name in enumerate(scenes)}
    given: dict[str, list[tuple[tuple[int, int], Answer]]] = {"describe": [], "safety": []}
    for row in answers[answers.prompt.isin(list(given))].itertuples():
        text = row.text if isinstance(row.text, str) else None
        at = (conditions.index(row.condition), place[row.scene_id])
        given[row.prompt].append((at, Answer(text, tuple(row.labels), tuple(row.scores))))
    for at, answer in given["safety"]:
        decided[at] = _DECISIONS[reading.decision(answer)]
    shows = set()
    for at, answer in given["describe"]:
        described[at] = True
        shows.add("scores" if answer.labels else "text")
    if ((decided < 0) & described).any():
        shows.add("abstention")
    mentions = {}
    for (key, value), way in _readings(reading, every).items():
        kind = "scores" if key == "top_k" else "text"
        if kind in shows:
            table = mentions[key, value] = np.zeros((*shape, len(LANGUAGE_CLASSES)), bool)
            for at, answer in given["describe"]:
                if bool(answer.labels) == (kind == "scores"):
                    table[at][[_COLUMN[name] for name in way.mentions(answer)]] = True
    return Said(mentions, decided, described, frozenset(shows))


def _readings(reading: Reading, every: Sequence[Choice]) -> dict[tuple[str, object], Reading]:
    levels = {choice.key: choice.levels for choice in every}
    found = {("top_k", k.value): replace(reading, top_k=k.value) for k in levels["top_k"]}
    for level in levels["text"]:
        parser, hedged = level.value
        way = replace(reading, parser=parser, count_hedged=hedged)
        found["text", level.value] = way
    return found


def _hallucinated(truth: Truth, said: Said, spec: Mapping[str, object]) -> Floats:
    """The term of HR; without hidden classes, if they do not count."""
    mentioned = said.mentioned(spec)
    real = truth.present(spec["share"]) & truth.objects
    if not spec["hidden"]:
        gone = truth.hidden(spec["share"])
        mentioned, real = mentioned & ~gone, real & ~gone
    return language.hallucination_terms(mentioned, real, spec["epsilon"])


def _omitted(truth: Truth, said: Said, spec: Mapping[str, object]) -> Floats:
    """The term of COR; an image without a critical class is NaN or, as printed, 0."""
    critical = np.isin(LANGUAGE_CLASSES, list(spec["critical"]))
    must = np.broadcast_to(truth.present(spec["share"]) & critical, truth.seen.shape)
    if not spec["hidden"]:
        must = must & ~truth.hidden(spec["share"])
    terms = language.omission_terms(said.mentioned(spec), must)
    return terms if spec["images"] else np.nan_to_num(terms)


def _misjudged(truth: Truth, said: Said, spec: Mapping[str, object]) -> Floats:
    """The term of SMR; NaN without a decision, if those are dropped."""
    safe = relabel(truth.table, spec["safety"])
    wrong = language.safety_terms(said.decided == 1, said.decided == 0, safe)
    return np.where(said.decided < 0, np.nan, wrong) if spec["ambiguous"] else wrong


# Metric -> (truth, said, specification) -> (C, S).
TERMS: dict[str, Callable[[Truth, Said, Mapping[str, object]], Floats]] = {
    "hr": _hallucinated,
    "cor": _omitted,
    "smr": _misjudged,
}
