"""Averages over scenes, and what answers score that never look at the image."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import pandas as pd

from vlmis_utils.metrics import per_image
from vlmis_utils.metrics.per_image import Reading
from vlmis_utils.statistics.resampling import bootstrap_interval

__all__ = ["baselines", "best_caption", "summary"]

# Averages of a group of answers, and the per-image column that each is the mean of.
MEANS: dict[str, str] = {
    "hr": "hr_i",
    "cor": "omitted",
    "smr": "smr_i",
    "parse_success": "parsed",
    "mentions": "n_mentions",
    "coverage": "coverage",
    "f1": "f1",
    "cor_conditional": "omitted_conditional",
    "false_safe": "false_safe",
    "false_alarm": "false_alarm",
    "abstained": "abstained",
    "declined": "declined",
    "hr_visible": "hr_visible_i",
    "cor_visible": "omitted_visible",
}
_LANGUAGE = ("hr", "cor", "mentions", "coverage", "f1", "cor_conditional")
_SAFETY = ("smr", "false_safe", "false_alarm", "abstained", "safety_balanced_accuracy")


def summary(group: pd.DataFrame, resamples: int) -> dict[str, float]:
    """Return the averages of one model's answers under one condition.

    Args:
        group: rows of `outcomes.per_image`.
        resamples: of the bootstrap over scenes.

    Returns:
        n; each of `MEANS` with _low and _high; n_critical; safety_balanced_accuracy, the mean of
        the shares judged rightly among safe and among unsafe scenes.
    """
    group = group.sort_values("scene_id")
    drawn = bootstrap_interval(group[list(MEANS.values())].to_numpy(float), resamples=resamples)
    row: dict[str, float] = {"n": len(group)}
    for index, name in enumerate(MEANS):
        row[name] = float(drawn.value[index])
        row[f"{name}_low"], row[f"{name}_high"] = drawn.low[index], drawn.high[index]
    row["n_critical"] = int(group.omitted_conditional.notna().sum())
    right = 1.0 - group.smr_i
    halves = [right[group.safe].mean(), right[~group.safe].mean()]
    row["safety_balanced_accuracy"] = float(np.mean(halves))
    return row


def baselines(truth: pd.DataFrame, reading: Reading, resamples: int = 2000) -> pd.DataFrame:
    """Return what constant answers score on given scenes.

    Args:
        truth: rows of `outcomes.scene_truth`, one a scene.
        reading: gives epsilon and the vocabulary.
        resamples: of the bootstrap over scenes.

    Returns:
        One row each for the best constant caption (see `best_caption`), the caption that names
        every object class, the silent one, and always "safe" and always "unsafe". Columns
        baseline, caption (classes named), n, and those of `summary` that apply, NaN elsewhere.
        Always "yes" and always "no" have balanced accuracy 0.5 and need no row.
    """
    captions = {
        "best constant caption": best_caption(list(truth.present), reading.vocabulary),
        "names every class": frozenset(reading.vocabulary),
        "says nothing": frozenset(),
    }
    rows = []
    for name, caption in captions.items():
        scores = _constant(truth, caption, "abstain", reading, resamples)
        named = ", ".join(c for c in reading.vocabulary if c in caption)
        rows.append({"baseline": name, "caption": named} | _part(scores, _LANGUAGE))
    for word in ("safe", "unsafe"):
        scores = _constant(truth, frozenset(), word, reading, resamples)
        rows.append({"baseline": f"always {word}", "caption": ""} | _part(scores, _SAFETY))
    return pd.DataFrame(rows)


def best_caption(present: Sequence[frozenset[str]], vocabulary: Sequence[str]) -> frozenset[str]:
    """Return the set of classes with the highest mean F1 against the given sets.

    All sets are tried; a shorter one wins a tie. It knows the statistics of the very scenes it is
    scored on, so it is an upper bound for captions that ignore the image.

    >>> sorted(best_caption([frozenset({"car"}), frozenset({"car", "bus"})], ["bus", "car"]))
    ['car']
    """
    real = np.array([[c in p for c in vocabulary] for p in present], dtype=float)
    sets = np.array(list(itertools.product((0.0, 1.0), repeat=len(vocabulary))))
    sets = sets[np.argsort(sets.sum(axis=1), kind="stable")]
    sizes = sets.sum(axis=1)[:, None] + real.sum(axis=1)[None]
    scores = np.divide(2 * sets @ real.T, sizes, out=np.ones_like(sizes), where=sizes > 0)
    best = sets[int(np.argmax(scores.mean(axis=1)))]
    return frozenset(c for c, chosen in zip(vocabulary, best, strict=True) if chosen)


def _constant(
    truth: pd.DataFrame, caption: frozenset[str], word: str, reading: Reading, resamples: int
) -> dict[str, float]:
    frame = truth.assign(mentioned=[caption] * len(truth), decision=word)
    return summary(per_image.failures(frame, reading.epsilon), resamples)


def _part(scores: dict[str, float], names: tuple[str, ...]) -> dict[str, float]:
    wanted = {f"{name}{end}" for name in names for end in ("", "_low", "_high")}
    return {"n": scores["n"]} | {k: v for k, v in scores.items() if k in wanted}
