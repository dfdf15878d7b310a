"""How well a vision-language model does on held-out scenes: sees, names, judges.

Answers are read as in the study (`metrics.per_image.Reading`), with its K.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from scipy.special import expit

from vlmis_utils.metrics.language import f1_terms, indicators
from vlmis_utils.metrics.per_image import Reading
from vlmis_utils.models.vlm.loading import Vlm
from vlmis_utils.protocol.answer import Answer
from vlmis_utils.protocol.classes import OBJECT_CLASSES, PRESENCE_CLASSES, present_classes
from vlmis_utils.protocol.prompts import PROMPTS
from vlmis_utils.statistics.intervals import Interval
from vlmis_utils.statistics.power import rate_interval
from vlmis_utils.training.data import TrainingData
from vlmis_utils.training.evaluation import intervals

__all__ = [
    "MEASURES", "Said", "Truth", "ask", "draws", "failures", "interval", "listen", "measures",
    "prevalence", "truth_of",
]  # fmt: skip

# Averages over scenes, and over classes where there are several.
MEASURES: tuple[str, ...] = (
    "presence AUC", "presence balanced accuracy", "mention F1", "mention precision",
    "mention recall", "safety AUC", "safety balanced accuracy",
)  # fmt: skip
_WORD = {"yes": 1.0, "no": 0.0, "safe": 1.0, "unsafe": 0.0}


@dataclass(frozen=True, eq=False)
class Truth:
    """What is true of N scenes.

    Attributes:
        present: object classes in each scene.
        shown: bool (N, 9), whether each of `PRESENCE_CLASSES` is there.
        safe: bool (N,).
    """

    present: list[frozenset[str]]
    shown: np.ndarray
    safe: np.ndarray


@dataclass(frozen=True, eq=False)
class Said:
    """What was answered about N scenes, by a model or by a baseline.

    Attributes:
        mentioned: object classes named in each scene.
        presence: float (N, 9), 1 yes, 0 no, NaN neither.
        score: float (N, 9), higher for yes.
        safe: float (N,), 1 safe, 0 unsafe, NaN neither.
        safe_score: float (N,), higher for safe.
    """

    mentioned: list[frozenset[str]]
    presence: np.ndarray
    score: np.ndarray
    safe: np.ndarray
    safe_score: np.ndarray

    def repeated(self, scenes: int) -> Said:
        """Return what was said about one scene as if said about each of ``scenes``."""
        arrays = (self.presence, self.score, self.safe, self.safe_score)
        return Said(self.mentioned * scenes, *(np.repeat(a, scenes, axis=0) for a in arrays))


def truth_of(data: TrainingData) -> Truth:
    """Return what the study holds to be true of the scenes: present from `MIN_SHARE` on."""
    size = data.labels[0].size
    present = [present_classes(c, size) & frozenset(OBJECT_CLASSES) for c in data.counts]
    shown = np.array([[c in p for c in PRESENCE_CLASSES] for p in present])
    return Truth(present, shown, np.asarray(data.safe, dtype=bool))


def ask(vlm: Vlm, images: np.ndarray, batch: int = 8) -> list[list[Answer]]:
    """Return the answers to `PROMPTS` about images uint8 (N, H, W, 3)."""
    answers: list[list[Answer]] = []
    for start in range(0, len(images), batch):
        part = torch.from_numpy(np.array(images[start : start + batch])).permute(0, 3, 1, 2)
        answers += vlm.answer(part, PROMPTS)
    return answers


def listen(answers: Sequence[Sequence[Answer]], reading: Reading | None = None) -> Said:
    """Read answers to `PROMPTS`.

    A score is the logit of yes (or safe) minus that of no for sentences that were compared, and the
    logarithm of the odds of the first words yes and no for text.

    Args:
        answers: of `ask`.
        reading: of the study by default.
    """
    reading = reading or Reading()
    place = {p.name: index for index, p in enumerate(PROMPTS)}
    columns = [place[f"presence/{c}"] for c in PRESENCE_CLASSES]
    asked = list(zip(PRESENCE_CLASSES, columns, strict=True))
    words = [[reading.presence(row[c], name)[0] for name, c in asked] for row in answers]
    judged = [reading.decision(row[place["safety"]]) for row in answers]
    return Said(
        mentioned=[reading.mentions(row[place["describe"]]) for row in answers],
        presence=np.array([[_WORD.get(w, np.nan) for w in row] for row in words]),
        score=np.array([[_score(row[c]) for c in columns] for row in answers]),
        safe=np.array([_WORD.get(word, np.nan) for word in judged]),
        safe_score=np.array([_score(row[place["safety"]]) for row in answers]),
    )


def _score(answer: Answer) -> float:
    if answer.labels:
        return answer.scores[0] - answer.scores[1]
    least = 1e-12
    return float(np.log(max(answer.p_yes or 0, least)) - np.log(max(answer.p_no or 0, least)))


def draws(truth: Truth, said: Said, weights: np.ndarray) -> dict[str, np.ndarray]:
    """Return each of `MEASURES` in each resample, (R, C); one column but for presence.

    Precision and recall are pooled: right mentions among all mentions, and among all classes that
    are there. F1 is the mean over scenes, as in the study. Safety's positive is "safe".

    Args:
        truth, said: of the same scenes.
        weights: (R, N), of `intervals.resampled`.
    """
    pairs = list(zip(said.mentioned, truth.present, strict=True))
    right = np.array([[len(m & p)] for m, p in pairs])
    named, there = (np.array([[len(pair[k])] for pair in pairs]) for k in (0, 1))
    scores = f1_terms(*indicators(said.mentioned, truth.present))[:, None]
    safe = truth.safe[:, None]
    return {
        "presence AUC": intervals.auc_draws(truth.shown, said.score, weights),
        "presence balanced accuracy": intervals.balanced_draws(truth.shown, said.presence, weights),
        "mention F1": intervals.ratio_draws(scores, np.ones_like(scores), weights),
        "mention precision": intervals.ratio_draws(right, named, weights),
        "mention recall": intervals.ratio_draws(right, there, weights),
        "safety AUC": intervals.auc_draws(safe, said.safe_score[:, None], weights),
        "safety balanced accuracy": intervals.balanced_draws(safe, said.safe[:, None], weights),
    }


def interval(measure: str, drawn: np.ndarray, scenes: int) -> Interval:
    """Return a measure with its interval, from draws (1 + R,)."""
    make = intervals.from_auc if measure.endswith("AUC") else intervals.from_ratio
    return make(drawn, scenes)


def measures(truth: Truth, said: Said, weights: np.ndarray) -> list[dict[str, object]]:
    """Return measure, class ("" for all), value, low and high of a model."""
    rows, scenes = [], len(truth.present)
    for name, drawn in draws(truth, said, weights).items():
        parts = {"": intervals.mean_draws(drawn)}
        if drawn.shape[1] > 1:
            parts |= {c: drawn[:, i] for i, c in enumerate(PRESENCE_CLASSES)}
        for what, each in parts.items():
            found = interval(name, each, scenes)
            rows.append(
                {"measure": name, "class": what, "value": found.value, "low": found.low,
                 "high": found.high}
            )  # fmt: skip
    parsed = int(np.isfinite(said.safe).sum())
    low, high = rate_interval(parsed, scenes)
    rows.append({"measure": "parse success", "class": "", "value": parsed / scenes, "low": low,
                 "high": high})  # fmt: skip
    return rows


def prevalence(truth: Truth) -> list[dict[str, object]]:
    """Return how many scenes show each of `PRESENCE_CLASSES`, and how many do not, as measures."""
    rows = []
    for index, name in enumerate(PRESENCE_CLASSES):
        shown = int(truth.shown[:, index].sum())
        for measure, value in (("with", shown), ("without", len(truth.shown) - shown)):
            rows.append({"measure": f"scenes {measure}", "class": name, "value": float(value)})
    safe = int(truth.safe.sum())
    for measure, value in (("with", safe), ("without", len(truth.safe) - safe)):
        rows.append({"measure": f"scenes {measure}", "class": "safe", "value": float(value)})
    return rows


def failures(truth: Truth, said: Said, data: TrainingData) -> list[dict[str, object]]:
    """Return two failures: the scene whose mentions have the least F1, and the surest wrong answer.

    Among scenes of equal F1 the one with the most classes counts. How sure an answer to a presence
    or safety question is, is the probability of the answer given, against the other.

    Returns:
        rule, scene, scene_id, about (a class, "safety" or ""), score.
    """
    scores = f1_terms(*indicators(said.mentioned, truth.present))
    order = [(float(f1), -len(p)) for f1, p in zip(scores, truth.present, strict=True)]
    worst = min(range(len(order)), key=order.__getitem__)
    rows = [("worst scene", worst, "", order[worst][0])]
    shown = np.concatenate([truth.shown, truth.safe[:, None]], axis=1)
    score = np.concatenate([said.score, said.safe_score[:, None]], axis=1)
    given = np.concatenate([said.presence, said.safe[:, None]], axis=1)
    sure = expit(np.where(given == 1, score, -score))
    sure = np.where((given != shown) & np.isfinite(given), sure, -1.0)
    sure[worst] = -1.0  # another scene than the first
    scene, column = np.unravel_index(int(sure.argmax()), sure.shape)
    if sure[scene, column] >= 0:
        about = (*PRESENCE_CLASSES, "safety")[column]
        rows.append(("surest error", int(scene), about, float(sure[scene, column])))
    return [
        {"rule": rule, "scene": scene, "scene_id": data.scene_ids[scene], "about": about,
         "score": value}
        for rule, scene, about, value in rows
    ]  # fmt: skip
