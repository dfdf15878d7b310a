"""What the explorer knows of a run: an index of all pictures, and the words about each scene.

Scenes are counted from 0 in the order of the run, conditions as in the paper's tables. A picture is
a scene under a condition, and its place in every list of the index is ``scene * C + condition``. A
set of classes is an integer: bit i is class i of ``classes``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import product

import numpy as np
import pandas as pd

from vlmis_utils.analysis.quality_measures import measures, quality_measures
from vlmis_utils.analysis.results import BLANK, Results
from vlmis_utils.protocol.classes import LANGUAGE_CLASSES, PALETTE
from vlmis_utils.protocol.conditions import ordered
from vlmis_utils.protocol.prompts import DESCRIBE, PRESENCE, SAFETY
from vlmis_utils.protocol.signals import FLIPS, PICTURE_SIGNALS, SEGMENTER_SIGNALS
from vlmis_utils.report.style import colour

__all__ = ["index", "places", "scene_answers"]

_DECISIONS = {"safe": "s", "unsafe": "u", "abstain": "a"}
_WORDS = {"yes": "y", "no": "n", "unknown": "a"}

# Columns of ``Results.vlm_per_image`` by which pictures can be sorted, in words.
_OF_ANSWERS: dict[str, str] = {
    "hr_i": "HR term", "omitted": "COR term", "smr_i": "SMR term", 
    "n_mentions": "classes mentioned",
    "coverage": "share of the present classes mentioned",
}  # fmt: skip


def places(results: Results) -> tuple[list[str], list[str]]:
    """Return the scenes of a run in its order, and its conditions without the control image."""
    return list(results.scenes.scene_id), [c for c in ordered(results.conditions.condition)
                                           if c != BLANK]  # fmt: skip


def index(results: Results, labels: Mapping[str, str], full: Mapping[str, str]) -> dict:
    """Return what the page needs of all pictures at once, as JSON can hold it.

    Args:
        results: of the run.
        labels, full: model -> short and full name.

    Returns:
        scenes, conditions, classes, critical (a set), colours of the label maps, prompts, vlms
        and segmenters with their values by picture, and ``signals`` to sort by: key, model, words
        and a value for each picture, None where there is none.
    """
    names, conditions = places(results)
    pictures = pd.MultiIndex.from_tuples(list(product(names, conditions)))
    judged, quality = results.vlm_per_image(), quality_measures(results)
    bits = _Bits(results.reading.vocabulary)
    truth = _by_picture(results.truth, pictures)
    seen = _by_picture(results.conditions, pictures)
    signals = [_signal("psnr", "", "PSNR against the clean image, dB", seen.psnr, 1)]
    signals += [
        _signal(name, "", name.replace("_", " "), seen[name], 4) for name in PICTURE_SIGNALS
    ]
    vlms, segmenters = [], []
    for vlm, rows in judged.groupby("vlm", sort=False):
        mine = _by_picture(rows, pictures)
        vlms.append(
            {
                "name": vlm, "label": labels.get(vlm, vlm), "full": full.get(vlm, vlm),
                "colour": colour(vlm),
                "decisions": "".join(mine.decision.map(_DECISIONS)),
                "mentioned": bits.of(mine.mentioned),
                "hr": _numbers(mine.hr_i), "cor": _numbers(mine.omitted_conditional),
                "smr": _numbers(mine.smr_i),
            }
        )  # fmt: skip
        signals += [
            _signal(f"{key}:{vlm}", labels.get(vlm, vlm), words, mine[key])
            for key, words in _OF_ANSWERS.items()
        ]
    for segmenter, rows in quality.groupby("segmenter", sort=False):
        mine = _by_picture(rows, pictures)
        label = labels.get(segmenter, segmenter)
        first = np.repeat(mine.miou.to_numpy()[:: len(conditions)], len(conditions))
        lost = pd.Series(first, mine.index) - mine.miou
        segmenters.append(
            {
                "name": segmenter, "label": label, "full": full.get(segmenter, segmenter),
                "miou": _numbers(mine.miou), "lost": _numbers(lost),
            }
        )  # fmt: skip
        signals.append(_signal(f"lost:{segmenter}", label, "mIoU lost from clean", lost))
        signals += [
            _signal(f"{m.name}:{segmenter}", label, m.words, mine[m.name])
            for m in measures(results.reading.critical_classes)
        ]
        scores = results.segmentation[results.segmentation.segmenter == segmenter]
        scores = _by_picture(scores, pictures)
        signals += [
            _signal(f"{name}:{segmenter}", label, name.replace("_", " "), scores[name])
            for name in (*SEGMENTER_SIGNALS, *FLIPS)
        ]
    clean = truth.iloc[:: len(conditions)]
    return {
        "scenes": [
            {"id": row.scene_id, "safe": bool(row.safe), "why": row.safety_reason,
             "present": present}
            for row, present in zip(
                results.scenes.itertuples(), bits.of(clean.present), strict=True
            )
        ],
        "hidden": bits.of(truth.hidden),
        "conditions": conditions,
        "classes": list(bits.classes),
        "critical": bits.of([frozenset(results.reading.critical_classes)])[0],
        "colours": [[name, f"#{bytes(shade).hex()}"]
                    for name, shade in zip(LANGUAGE_CLASSES, PALETTE, strict=True)],
        "prompts": {"describe": DESCRIBE, "presence": PRESENCE.format(c="…"), "safety": SAFETY},
        "vlms": vlms, "segmenters": segmenters,
        "signals": [signal for signal in signals if any(v is not None for v in signal["values"])],
    }  # fmt: skip


def scene_answers(results: Results) -> Iterator[list[list[list[object]]]]:
    """Yield, for each scene, what was said: by condition, by VLM, [description, presence, safety].

    Description and safety are the text, the compared labels with their scores (highest first), or
    None where there is no answer; presence is a list of [class, y | n | a, whether it is there].
    """
    names, conditions = places(results)
    vlms = list(dict.fromkeys(results.vlm_per_image().vlm))
    bits = _Bits(results.reading.vocabulary)
    said: dict[tuple, dict] = {}
    asked = results.answers[results.answers.prompt.isin(("describe", "safety"))]
    for row in asked.itertuples():
        key = (row.scene_id, row.condition, row.vlm)
        said.setdefault(key, {})[row.prompt] = _spoken(row)
    found: dict[tuple, list] = {}
    presence = results.presence_answers()
    columns = (presence.scene_id, presence.condition, presence.vlm, presence["class"],
               presence.word, presence.truth)  # fmt: skip
    for scene, condition, vlm, name, word, real in zip(*columns, strict=True):
        asked_for = [bits.classes.index(name), _WORDS[word], int(real)]
        found.setdefault((scene, condition, vlm), []).append(asked_for)
    for scene in names:
        yield [
            [
                [
                    said.get((scene, condition, vlm), {}).get("describe"),
                    found.get((scene, condition, vlm), []),
                    said.get((scene, condition, vlm), {}).get("safety"),
                ]
                for vlm in vlms
            ]
            for condition in conditions
        ]


class _Bits:
    """Sets of classes as integers; a class that is none of those is left out."""

    def __init__(self, classes: Iterable[str]) -> None:
        self.classes = tuple(classes)
        self._bit = {name: 1 << i for i, name in enumerate(self.classes)}

    def of(self, sets: Iterable[Iterable[str]]) -> list[int]:
        return [sum(self._bit.get(name, 0) for name in names) for names in sets]


def _by_picture(frame: pd.DataFrame, pictures: pd.MultiIndex) -> pd.DataFrame:
    return frame.set_index(["scene_id", "condition"]).loc[pictures]


def _spoken(row: object) -> object:
    if len(row.labels):
        pairs = sorted(zip(row.labels, row.scores, strict=True), key=lambda pair: -pair[1])
        return [[label, *_numbers([score], 2)] for label, score in pairs]
    return row.text if isinstance(row.text, str) else None


def _numbers(values: Iterable[float], digits: int = 3) -> list[float | None]:
    return [round(float(v), digits) if np.isfinite(v) else None for v in values]


def _signal(key: str, model: str, words: str, values: pd.Series, digits: int = 3) -> dict:
    values = pd.to_numeric(values)  # what older records lack is None
    return {"key": key, "model": model, "words": words, "values": _numbers(values, digits)}
