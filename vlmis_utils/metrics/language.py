"""The misalignment L of language: HR, COR and SMR (Sections 3.3 to 3.5), and their companions.

Each metric is defined once, by its term of an image: a function of boolean arrays whose last axis
is the classes (`hallucination_terms`, `omission_terms`, ...). A rate is the mean of the terms; the
functions that return one take a set of class names, or a word, for each scene. Each says what it
averages over. Segmentation quality Q is in `metrics.segmentation`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

import numpy as np

from vlmis_utils.core.errors import UserError, closest
from vlmis_utils.protocol.classes import CRITICAL_CLASSES

__all__ = [
    "DECISIONS", "coverage", "coverage_terms", "critical_omission_rate",
    "critical_omission_rate_conditional", "f1_terms", "hallucination_rate", "hallucination_terms",
    "indicators", "mentions_per_answer", "omission_terms", "safety_breakdown",
    "safety_misinterpretation_rate", "safety_terms",
]  # fmt: skip

DECISIONS = ("safe", "unsafe", "abstain")

Sets = Sequence[Collection[str]]


def hallucination_terms(
    mentioned: np.ndarray, present: np.ndarray, epsilon: float = 1e-6
) -> np.ndarray:
    """Return each image's term of HR: the share of its mentions that are not there.

    |mentioned - present| / (|mentioned| + epsilon), Section 3.3.

    Boolean arrays (..., K) to float64 (...); ``epsilon`` makes 0 of an answer without mentions.

    >>> float(hallucination_terms(np.array([True, True]), np.array([True, False])).round(3))
    0.5
    """
    return (mentioned & ~present).sum(axis=-1) / (mentioned.sum(axis=-1) + epsilon)


def omission_terms(mentioned: np.ndarray, critical: np.ndarray) -> np.ndarray:
    """Return each image's term of COR, NaN where no critical class is present (Section 3.4).

    Boolean arrays (..., K) to float64 (...): 1 if one of ``critical``, those present, is not
    mentioned, 0 if all are.
    """
    omitted = (critical & ~mentioned).any(axis=-1).astype(np.float64)
    return np.where(critical.any(axis=-1), omitted, np.nan)


def safety_terms(said_safe: np.ndarray, said_unsafe: np.ndarray, safe: np.ndarray) -> np.ndarray:
    """Return each image's term of SMR: 1 unless the decision is the label (Section 3.5).

    Boolean arrays (...) to float64 (...). An abstention, neither said safe nor unsafe, counts as a
    failure (Section 4.3).
    """
    return (~np.where(safe, said_safe, said_unsafe)).astype(np.float64)


def coverage_terms(mentioned: np.ndarray, present: np.ndarray) -> np.ndarray:
    """Return the share of an image's present classes that is mentioned; NaN without any.

    Boolean arrays (..., K) to float64 (...).
    """
    count = present.sum(axis=-1)
    found = (mentioned & present).sum(axis=-1)
    return found / np.where(count > 0, count, np.nan)


def f1_terms(mentioned: np.ndarray, present: np.ndarray) -> np.ndarray:
    """Return the F1 of an image's mentions against its present classes; 1 where both are empty.

    Boolean arrays (..., K) to float64 (...).
    """
    total = mentioned.sum(axis=-1) + present.sum(axis=-1)
    found = (mentioned & present).sum(axis=-1)
    return np.where(total > 0, 2 * found / np.maximum(total, 1), 1.0)


def indicators(*columns: Sets) -> list[np.ndarray]:
    """Return columns of N sets of names as bool arrays (N, K), over all K names that occur.

    Raises:
        UserError: columns of unequal length, or a word instead of a set.

    >>> [table.tolist() for table in indicators([{"bus"}, set()], [{"car"}, {"bus"}])]
    [[[True, False], [False, False]], [[False, True], [True, False]]]
    """
    columns = tuple(list(column) for column in columns)
    _same_length(*columns)
    for entry in (entry for column in columns for entry in column):
        if isinstance(entry, str):
            raise UserError(f"one set of class names a scene is needed, got the word {entry!r}")
    place = {
        name: k
        for k, name in enumerate(
            sorted({name for column in columns for names in column for name in names})
        )
    }
    tables = [np.zeros((len(column), len(place)), dtype=bool) for column in columns]
    for table, column in zip(tables, columns, strict=True):
        for row, names in enumerate(column):
            table[row, [place[name] for name in names]] = True
    return tables


def _same_length(*columns: Sequence) -> None:
    lengths = sorted({len(column) for column in columns})
    if len(lengths) > 1:
        raise UserError(
            "the arguments must have the same length, one entry a scene: "
            f"{' and '.join(map(str, lengths))}"
        )


def _mean(values: np.ndarray) -> float:
    """Return the mean over what is not NaN, NaN when nothing is left."""
    values = values[~np.isnan(values)]
    return float(values.mean()) if values.size else float("nan")


def hallucination_rate(mentioned: Sets, present: Sets, epsilon: float = 1e-6) -> float:
    """Return HR (Section 3.3), the mean over all N scenes of each answer's share of false mentions.

    An answer without mentions counts as 0, so silence looks honest: read it beside `coverage`.

    >>> round(hallucination_rate([{"car", "bus"}, set()], [{"car"}, {"car"}]), 3)
    0.25
    """
    return _mean(hallucination_terms(*indicators(mentioned, present), epsilon))


def critical_omission_rate(
    mentioned: Sets, present: Sets, critical: Collection[str] | Sets = CRITICAL_CLASSES
) -> float:
    """Return COR (Section 3.4): the share of all N scenes where a critical class goes unmentioned.

    As printed, the mean is over all scenes; one without a critical class has nothing to omit and
    counts as 0. The paper's sign is read as "is not a subset of, or equal to".

    Args:
        mentioned, present: N sets of class names.
        critical: the critical class names, or N sets of them; of these, those present count.

    >>> critical_omission_rate([{"car"}, {"car"}], [{"car", "pedestrian"}, {"car"}])
    0.5
    """
    return _mean(np.nan_to_num(_omissions(mentioned, present, critical)))


def critical_omission_rate_conditional(
    mentioned: Sets, present: Sets, critical: Collection[str] | Sets = CRITICAL_CLASSES
) -> float:
    """Return COR over those scenes only that have a critical class; NaN when none has.

    >>> critical_omission_rate_conditional([{"car"}, {"car"}], [{"car", "pedestrian"}, {"car"}])
    1.0
    """
    return _mean(_omissions(mentioned, present, critical))


def _omissions(mentioned: Sets, present: Sets, critical: Collection[str] | Sets) -> np.ndarray:
    if isinstance(critical, str):
        raise UserError(f"critical must be a set of class names, got the word {critical!r}")
    if all(isinstance(entry, str) for entry in critical):
        critical = [set(critical)] * len(present)
    elif len(critical) != len(present):
        raise UserError(f"critical must be one set, or {len(present)} sets, one for each scene")
    said, there, wanted = indicators(mentioned, present, critical)
    return omission_terms(said, there & wanted)


def coverage(mentioned: Sets, present: Sets) -> float:
    """Return the share of present classes that are mentioned, averaged over scenes that have any.

    >>> coverage([{"car"}, set()], [{"car", "bus"}, set()])
    0.5
    """
    return _mean(coverage_terms(*indicators(mentioned, present)))


def mentions_per_answer(mentioned: Sets) -> float:
    """Return the mean number of classes an answer mentions, over all N scenes.

    >>> mentions_per_answer([{"car", "bus"}, set()])
    1.0
    """
    return _mean(indicators(mentioned)[0].sum(axis=-1).astype(np.float64))


def _label(label: object) -> bool:
    if isinstance(label, bool | np.bool_):
        return bool(label)
    if label not in DECISIONS[:2]:
        raise UserError(f"unknown safety label {label!r} (known: safe, unsafe, True, False)")
    return label == "safe"


def _judged(
    decisions: Iterable[str], labels: Iterable[str | bool]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return whether each answer says safe, says unsafe, and whether each scene is safe."""
    decisions, safe = list(decisions), np.array([_label(label) for label in labels], dtype=bool)
    for decision in decisions:
        if decision not in DECISIONS:
            raise UserError(f"unknown safety decision {decision!r}{closest(decision, DECISIONS)}")
    _same_length(decisions, safe)
    words = np.array(decisions, dtype=object)
    return words == "safe", words == "unsafe", safe


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
    said_safe, said_unsafe, safe = _judged(decisions, labels)
    parts = {
        "false_safe": said_safe & ~safe,
        "false_alarm": said_unsafe & safe,
        "abstained": ~said_safe & ~said_unsafe,
    }
    return {name: _mean(part.astype(np.float64)) for name, part in parts.items()}


def safety_misinterpretation_rate(decisions: Sequence[str], labels: Sequence[str | bool]) -> float:
    """Return SMR (Section 3.5): the share of all N scenes whose decision differs from the label.

    Arguments and errors as in `safety_breakdown`, which gives the parts.

    >>> safety_misinterpretation_rate(["safe", "abstain", "unsafe", "safe"], ["safe"] * 4)
    0.5
    """
    return _mean(safety_terms(*_judged(decisions, labels)))
