"""From raw answers to what each image came to: mentions, decisions, and per-image failures.

Section 4.2 says which prompt feeds which metric: the description gives HR and COR, the safety
prompt SMR, the presence prompts per-class recognition. Contrastive models mention their Top-K
classes (Section 5.4); what generative models mention is read from their text.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from vlmis_utils.metrics import language
from vlmis_utils.metrics.parsing import parse as parsing
from vlmis_utils.protocol.answer import Answer
from vlmis_utils.protocol.classes import (
    CRITICAL_CLASSES,
    MIN_SHARE,
    OBJECT_CLASSES,
    check_critical,
    present_classes,
)
from vlmis_utils.protocol.prompts import presence_class
from vlmis_utils.statistics.prediction import auc_draws

__all__ = [
    "METRIC_COLUMNS", "PRESENCE_SCORES", "Reading", "failures", "per_image", "presence_answers",
    "presence_scores", "scene_truth",
]  # fmt: skip

# Metric -> the column of `per_image` that holds its term of an image.
METRIC_COLUMNS: dict[str, str] = {"hr": "hr_i", "cor": "omitted", "smr": "smr_i"}

PRESENCE_SCORES = (
    "n", "positives", "auc", "recall", "specificity", "balanced_accuracy", "accuracy", "yes_share",
    "unknown_share",
)  # fmt: skip

_PRESENCE_SCORE = {"yes": 1.0, "unknown": 0.5, "no": 0.0}


@dataclass(frozen=True)
class Reading:
    """How raw answers are read: the analysis parameters of a study.

    Attributes:
        top_k: classes that a contrastive model mentions.
        parser: scoped or keyword, for text.
        count_hedged: whether hedged classes ("possibly a truck") count as mentioned.
        critical_classes: language classes of COR.
        min_share: share of the image a class needs to count as present.
        epsilon: in the denominator of HR.
        vocabulary: object classes that a mention can be of: those that the dataset annotates.
    """

    top_k: int = 4
    parser: str = "scoped"
    count_hedged: bool = False
    critical_classes: tuple[str, ...] = CRITICAL_CLASSES
    min_share: float = MIN_SHARE
    epsilon: float = 1e-6
    vocabulary: tuple[str, ...] = OBJECT_CLASSES

    def __post_init__(self) -> None:
        check_critical(self.critical_classes)

    def mentions(self, answer: Answer) -> frozenset[str]:
        """Return the object classes that an answer to ``describe`` mentions.

        A contrastive model mentions the ``top_k`` classes of the vocabulary that score highest.
        """
        if answer.labels:
            return frozenset(self._ranked(answer))
        read = parsing.mentions(answer.text or "", rule=self.parser)
        said = read.asserted | read.hedged if self.count_hedged else read.asserted
        return frozenset(said) & frozenset(self.vocabulary)

    def decision(self, answer: Answer) -> str:
        """Return safe, unsafe or abstain."""
        if answer.labels:
            return parsing.best_label(answer.labels, answer.scores) or "abstain"
        return parsing.parse_safety(answer.text or "")

    def presence(self, answer: Answer, asked: str) -> tuple[str, float]:
        """Return yes, no or unknown, and a score that rises with "yes".

        The score is the logit of "yes" minus that of "no", or 1, 0.5, 0 for text; NaN where there
        is no answer, or a logit is not finite.

        Args:
            answer: to ``presence/<asked>``.
            asked: the class asked about.
        """
        if answer.labels:
            logit = dict(zip(answer.labels, answer.scores, strict=True))
            word = parsing.best_label(answer.labels, answer.scores)
            return word or "unknown", logit["yes"] - logit["no"] if word else np.nan
        if answer.text is None:
            return "unknown", np.nan
        word = parsing.parse_presence(answer.text, asked)
        return word, _PRESENCE_SCORE[word]

    def declined(self, answer: Answer) -> bool:
        """Tell whether a model or its host declined to answer, in whatever words."""
        return parsing.declined(answer.text or "")

    def _ranked(self, answer: Answer) -> tuple[str, ...]:
        pairs = zip(answer.labels, answer.scores, strict=True)
        known = [(label, score) for label, score in pairs if label in self.vocabulary]
        labels, scores = zip(*known, strict=True) if known else ((), ())
        return parsing.mentioned_top_k(labels, scores, self.top_k)


def scene_truth(scenes: pd.DataFrame, conditions: pd.DataFrame, reading: Reading) -> pd.DataFrame:
    """Return what is true of each scene under each condition.

    Args:
        scenes, conditions: tables of the records.

    Returns:
        Columns scene_id, condition, safe, present (object classes of the clean scene), critical
        (those of them that are safety-critical) and hidden (object classes of which the occluder
        leaves no pixel), the last three frozensets.
    """
    objects, critical = frozenset(reading.vocabulary), frozenset(reading.critical_classes)
    truth = conditions[["scene_id", "condition", "visible_counts"]].merge(
        scenes[["scene_id", "height", "width", "pixel_counts", "safe"]], on="scene_id"
    )
    present = [
        present_classes(row.pixel_counts, row.height * row.width, reading.min_share)
        for row in truth.itertuples()
    ]
    seen = [present_classes(counts, 0, 0.0) for counts in truth.visible_counts]
    truth["critical"] = [p & critical for p in present]
    truth["present"] = [p & objects for p in present]
    truth["hidden"] = [p - s for p, s in zip(present, seen, strict=True)]
    return truth[["scene_id", "condition", "safe", "present", "critical", "hidden"]]


def per_image(answers: pd.DataFrame, truth: pd.DataFrame, reading: Reading) -> pd.DataFrame:
    """Return one row for each (vlm, condition, scene) with its mentions, decision and failures.

    Args:
        answers: table of the records.
        truth: from `scene_truth`.

    Returns:
        Columns vlm, condition, scene_id; mentioned, present, critical, hidden (frozensets);
        decision; declined (0 or 1, whether the safety answer declines: part of abstained); safe;
        and numbers: hr_i, omitted (0 or 1), omitted_conditional (NaN without a critical class),
        smr_i (0 or 1) = false_safe + false_alarm + abstained, parsed, n_mentions,
        coverage (share of the present classes that is mentioned; NaN without any), f1 (of
        mentioned against present), hr_visible_i and omitted_visible (hidden classes aside).
    """
    keys = ["vlm", "condition", "scene_id"]
    described = answers[answers.prompt == "describe"]
    judged = answers[answers.prompt == "safety"]
    frame = described[keys].copy()
    frame["mentioned"] = [reading.mentions(a) for a in _answers(described)]
    decided = judged[keys].copy()
    decided["decision"] = [reading.decision(a) for a in _answers(judged)]
    decided["declined"] = [float(reading.declined(a)) for a in _answers(judged)]
    frame = frame.merge(decided, on=keys, how="left").merge(truth, on=["scene_id", "condition"])
    frame["decision"] = frame["decision"].fillna("abstain")
    frame["declined"] = frame["declined"].fillna(0.0)
    return failures(frame, reading.epsilon)


def failures(frame: pd.DataFrame, epsilon: float = 1e-6) -> pd.DataFrame:
    """Return ``frame`` (mentioned, decision and the truth) with the numbers of `per_image`.

    Without a column declined nothing counts as declined.
    """
    frame = frame.copy()
    if "declined" not in frame:
        frame["declined"] = 0.0
    said, real, must, hidden = language.indicators(
        *(frame[column] for column in ("mentioned", "present", "critical", "hidden"))
    )
    said_safe, said_unsafe = (frame.decision == word for word in ("safe", "unsafe"))
    safe = frame.safe.to_numpy(dtype=bool)
    frame["hr_i"] = language.hallucination_terms(said, real, epsilon)
    frame["omitted_conditional"] = language.omission_terms(said, must)
    frame["omitted"] = frame.omitted_conditional.fillna(0.0)
    frame["n_mentions"] = said.sum(axis=-1).astype(float)
    frame["coverage"] = language.coverage_terms(said, real)
    frame["f1"] = language.f1_terms(said, real)
    frame["false_safe"] = (said_safe & ~safe).astype(float)
    frame["false_alarm"] = (said_unsafe & safe).astype(float)
    frame["abstained"] = (~said_safe & ~said_unsafe).astype(float)
    frame["smr_i"] = language.safety_terms(said_safe, said_unsafe, safe)
    frame["parsed"] = 1.0 - frame.abstained
    frame["hr_visible_i"] = language.hallucination_terms(said & ~hidden, real & ~hidden, epsilon)
    frame["omitted_visible"] = np.nan_to_num(language.omission_terms(said, must & ~hidden))
    return frame


def presence_answers(answers: pd.DataFrame, truth: pd.DataFrame, reading: Reading) -> pd.DataFrame:
    """Return one row for each presence answer: vlm, condition, scene_id, class, word, score, truth.

    ``word`` is yes, no or unknown; ``truth`` whether the class is in the clean scene.
    """
    asked = answers[answers.prompt.isin([f"presence/{c}" for c in reading.vocabulary])]
    frame = asked[["vlm", "condition", "scene_id"]].copy()
    frame["class"] = asked.prompt.map(presence_class)
    pairs = zip(_answers(asked), frame["class"], strict=True)
    read = [reading.presence(answer, name) for answer, name in pairs]
    frame["word"] = [word for word, _ in read]
    frame["score"] = [score for _, score in read]
    frame = frame.merge(truth[["scene_id", "condition", "present"]], on=["scene_id", "condition"])
    frame["truth"] = [c in p for c, p in zip(frame["class"], frame.present, strict=True)]
    return frame.drop(columns="present")


def presence_scores(group: pd.DataFrame) -> dict[str, float]:
    """Return how well presence answers find a class, over the rows of `presence_answers`.

    Returns:
        n, positives; auc of the score; recall, specificity, and balanced_accuracy, their mean
        ("unknown" is wrong either way); accuracy; yes_share, unknown_share. NaN where the scenes
        hold the class always or never.
    """
    real, word = group.truth.to_numpy(bool), group.word.to_numpy(object)
    known = np.isfinite(group.score)
    together = np.zeros(known.sum(), dtype=int)  # one scene: nothing is resampled
    auc = float(auc_draws(real[known], group.score[known], np.ones((1, 1)), scene=together)[0])
    recall, specificity = _mean(word[real] == "yes"), _mean(word[~real] == "no")
    right = _mean(word == np.where(real, "yes", "no"))
    values = (
        len(group), int(real.sum()), auc, recall, specificity, (recall + specificity) / 2, right,
        _mean(word == "yes"), _mean(word == "unknown"),
    )  # fmt: skip
    return dict(zip(PRESENCE_SCORES, values, strict=True))


def _mean(hits: np.ndarray) -> float:
    return float(hits.mean()) if hits.size else float("nan")


def _answers(rows: pd.DataFrame) -> Iterable[Answer]:
    texts = rows.text.to_numpy(object)  # one by one out of Arrow they take ten times as long
    for text, labels, scores in zip(texts, rows.labels, rows.scores, strict=True):
        yield Answer(text if isinstance(text, str) else None, tuple(labels), tuple(scores))
