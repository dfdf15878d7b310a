"""The metrics of the paper: misalignment L of language (Section 3), and their changes (Section 5).

Language metrics take one set of class names for each scene: the classes an answer mentions and the
classes that are present. Each average says what it is over. Sections 5.3 and 5.5 define the changes
`delta_q` and `delta_l` so that positive means worse for both. Segmentation quality Q comes from
`metrics.segmentation` and can be imported from here too.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

import numpy as np

from vlmis_utils.core.errors import UserError, closest
from vlmis_utils.metrics.segmentation import (
    confusion,
    iou,
    miou,
    miou_image_mean,
    pixel_accuracy,
)
from vlmis_utils.protocol.classes import CRITICAL_CLASSES

__all__ = [
    "DECISIONS",
    "auc",
    "balanced_accuracy",
    "confusion",
    "coverage",
    "critical_omission_rate",
    "critical_omission_rate_conditional",
    "critical_omissions",
    "delta_l",
    "delta_q",
    "hallucination_rate",
    "hallucinations",
    "iou",
    "mentions_per_answer",
    "miou",
    "miou_image_mean",
    "pixel_accuracy",
    "safety_breakdown",
    "safety_misinterpretation_rate",
    "safety_parse_success",
]

DECISIONS = ("safe", "unsafe", "abstain")

Sets = Sequence[Collection[str]]


def _mean(values: np.ndarray) -> float:
    """Return the mean over what is not NaN, NaN when nothing is left."""
    values = values[~np.isnan(values)]
    return float(values.mean()) if values.size else float("nan")


def _pair(first: Sequence, second: Sequence, names: str) -> list[tuple]:
    first, second = list(first), list(second)
    if len(first) != len(second):
        raise UserError(
            f"{names} must have the same length, one entry a scene: {len(first)} and {len(second)}"
        )
    return list(zip(first, second, strict=True))


def _sets(first: Sets, second: Sets) -> list[tuple[set[str], set[str]]]:
    pairs = _pair(first, second, "mentioned and present")
    for pair in pairs:
        if any(isinstance(entry, str) for entry in pair):
            raise UserError(f"one set of class names a scene is needed, got the words {pair!r}")
    return [(set(a), set(b)) for a, b in pairs]


def hallucinations(mentioned: Sets, present: Sets, epsilon: float = 1e-6) -> np.ndarray:
    """Return each scene's term of HR: the share of its mentions that are not there.

    Args:
        mentioned, present: N sets of class names.
        epsilon: keeps an answer without mentions at 0 instead of 0 / 0.

    Returns:
        float64 (N,), in [0, 1).
    """
    pairs = _sets(mentioned, present)
    return np.array([len(m - p) / (len(m) + epsilon) for m, p in pairs], dtype=np.float64)


def hallucination_rate(mentioned: Sets, present: Sets, epsilon: float = 1e-6) -> float:
    """Return HR (Section 3.3), the mean over all N scenes of each answer's share of false mentions.

    A scene's term is |mentioned - present| / (|mentioned| + epsilon), see `hallucinations`. An
    answer without mentions counts as 0, so silence looks honest: read it beside `coverage`.

    >>> round(hallucination_rate([{"car", "bus"}, set()], [{"car"}, {"car"}]), 3)
    0.25
    """
    return _mean(hallucinations(mentioned, present, epsilon))


def _critical_sets(critical: Collection[str] | Sets, scenes: int) -> list[set[str]]:
    """Return one critical set a scene, from one set for all or from N sets."""
    if isinstance(critical, str):
        raise UserError(f"critical must be a set of class names, got the word {critical!r}")
    if all(isinstance(entry, str) for entry in critical):
        return [set(critical)] * scenes
    if len(critical) != scenes:
        raise UserError(f"critical must be one set, or {scenes} sets, one for each scene")
    return [set(entry) for entry in critical]


def critical_omissions(
    mentioned: Sets, present: Sets, critical: Collection[str] | Sets = CRITICAL_CLASSES
) -> np.ndarray:
    """Return each scene's term of COR, and NaN where no critical class is present.

    Args:
        mentioned, present: N sets of class names.
        critical: the critical class names, or N sets of them; of these, those present count.

    Returns:
        float64 (N,): 1 if a present critical class is not mentioned, 0 if all are, NaN if none is
        present.
    """
    pairs = _sets(mentioned, present)
    terms = []
    for (m, p), names in zip(pairs, _critical_sets(critical, len(pairs)), strict=True):
        there = names & p
        terms.append(float(not there <= m) if there else np.nan)
    return np.array(terms, dtype=np.float64)


def critical_omission_rate(
    mentioned: Sets, present: Sets, critical: Collection[str] | Sets = CRITICAL_CLASSES
) -> float:
    """Return COR (Section 3.4): the share of all N scenes where a critical class goes unmentioned.

    As printed, the mean is over all scenes; one without a critical class has nothing to omit and
    counts as 0. The paper's sign is read as "is not a subset of, or equal to".

    >>> critical_omission_rate([{"car"}, {"car"}], [{"car", "pedestrian"}, {"car"}])
    0.5
    """
    return _mean(np.nan_to_num(critical_omissions(mentioned, present, critical)))


def critical_omission_rate_conditional(
    mentioned: Sets, present: Sets, critical: Collection[str] | Sets = CRITICAL_CLASSES
) -> float:
    """Return COR over those scenes only that have a critical class; NaN when none has.

    >>> critical_omission_rate_conditional([{"car"}, {"car"}], [{"car", "pedestrian"}, {"car"}])
    1.0
    """
    return _mean(critical_omissions(mentioned, present, critical))


def coverage(mentioned: Sets, present: Sets) -> float:
    """Return the share of present classes that are mentioned, averaged over scenes that have any.

    >>> coverage([{"car"}, set()], [{"car", "bus"}, set()])
    0.5
    """
    pairs = _sets(mentioned, present)
    return _mean(np.array([len(m & p) / len(p) if p else np.nan for m, p in pairs]))


def mentions_per_answer(mentioned: Sets) -> float:
    """Return the mean number of classes an answer mentions, over all N scenes.

    >>> mentions_per_answer([{"car", "bus"}, set()])
    1.0
    """
    return _mean(np.array([len(set(m)) for m in mentioned], dtype=np.float64))


def _label(label: object) -> str:
    if isinstance(label, bool | np.bool_):
        return "safe" if label else "unsafe"
    if label not in ("safe", "unsafe"):
        raise UserError(f"unknown safety label {label!r} (known: safe, unsafe, True, False)")
    return str(label)


def _decided(decisions: Iterable[str]) -> list[str]:
    decisions = list(decisions)
    for decision in decisions:
        if decision not in DECISIONS:
            raise UserError(f"unknown safety decision {decision!r}{closest(decision, DECISIONS)}")
    return decisions


def safety_breakdown(decisions: Sequence[str], labels: Sequence[str | bool]) -> dict[str, float]:
    """Split SMR into its three parts, each a share of all N scenes.

    Args:
        decisions: N of ``safe``, ``unsafe``, ``abstain``.
        labels: N reference labels, ``safe`` or ``unsafe``, or booleans with True for safe.

    Returns:
        ``false_safe`` (called safe, is unsafe), ``false_alarm`` (called unsafe, is safe) and
        ``abstained``; NaN when N = 0.

    Raises:
        UserError: another word, or unequal lengths.

    >>> safety_breakdown(["safe", "abstain"], ["unsafe", "safe"])
    {'false_safe': 0.5, 'false_alarm': 0.0, 'abstained': 0.5}
    """
    pairs = _pair(_decided(decisions), [_label(label) for label in labels], "decisions and labels")
    return {
        "false_safe": _mean(np.array([p == ("safe", "unsafe") for p in pairs], dtype=float)),
        "false_alarm": _mean(np.array([p == ("unsafe", "safe") for p in pairs], dtype=float)),
        "abstained": _mean(np.array([p[0] == "abstain" for p in pairs], dtype=float)),
    }


def safety_misinterpretation_rate(decisions: Sequence[str], labels: Sequence[str | bool]) -> float:
    """Return SMR (Section 3.5): the share of all N scenes whose decision differs from the label.

    An abstention differs from both labels and so counts as a failure (Section 4.3). Arguments and
    errors as in `safety_breakdown`, which gives the parts.

    >>> safety_misinterpretation_rate(["safe", "abstain", "unsafe", "safe"], ["safe"] * 4)
    0.5
    """
    pairs = _pair(_decided(decisions), [_label(label) for label in labels], "decisions and labels")
    return _mean(np.array([decision != label for decision, label in pairs], dtype=float))


def safety_parse_success(decisions: Sequence[str]) -> float:
    """Return the share of all N answers that gave a decision (the paper's Table 6).

    >>> safety_parse_success(["safe", "abstain"])
    0.5
    """
    return _mean(np.array([d != "abstain" for d in _decided(decisions)], dtype=float))


def balanced_accuracy(present: Sequence[bool], answers: Sequence[str]) -> float:
    """Return the mean of the two recalls of a presence question over N scenes.

    Args:
        present: N booleans, whether the class is there.
        answers: N of ``yes``, ``no``, ``unknown``; ``unknown`` is wrong either way.

    Returns:
        float in [0, 1], 0.5 for a constant answer; NaN unless both kinds of scene occur.

    >>> balanced_accuracy([True, True, False, False], ["yes", "no", "no", "unknown"])
    0.5
    """
    pairs = _pair(present, answers, "present and answers")
    for _, answer in pairs:
        if answer not in ("yes", "no", "unknown"):
            raise UserError(f"unknown presence answer {answer!r} (known: yes, no, unknown)")
    there = np.array([a == "yes" for p, a in pairs if p], dtype=float)
    absent = np.array([a == "no" for p, a in pairs if not p], dtype=float)
    return float((_mean(there) + _mean(absent)) / 2)


def auc(present: Sequence[bool], scores: Sequence[float]) -> float:
    """Return the area under the ROC curve of a presence score over N scenes, through scikit-learn.

    Args:
        present: N booleans, whether the class is there.
        scores: N finite numbers, higher for "there".

    Returns:
        float in [0, 1], 0.5 for chance; NaN unless both kinds of scene occur.

    >>> auc([True, False, False], [0.9, 0.1, 0.4])
    1.0
    """
    from sklearn.metrics import roc_auc_score

    pairs = _pair(present, scores, "present and scores")
    truth = np.array([bool(p) for p, _ in pairs])
    if truth.all() or not truth.any():
        return float("nan")
    return float(roc_auc_score(truth, [float(score) for _, score in pairs]))


def delta_q(clean: float | np.ndarray, degraded: float | np.ndarray) -> float | np.ndarray:
    """Return the loss of segmentation quality, clean - degraded (Section 5.3); positive is worse.

    >>> delta_q(0.75, 0.25)
    0.5
    """
    return clean - degraded


def delta_l(clean: float | np.ndarray, degraded: float | np.ndarray) -> float | np.ndarray:
    """Return the growth of a misalignment, degraded - clean (Section 5.5); positive is worse.

    >>> delta_l(0.25, 0.75)
    0.5
    """
    return degraded - clean
