"""Does looking longer help? The last frames read together against the newest alone."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from vlmis_utils.analysis.sequences.results import Sequences, table_of
from vlmis_utils.metrics.per_image import failures
from vlmis_utils.metrics.temporal.aggregation import hysteresis, majority, running_mean, vote
from vlmis_utils.statistics.resampling import percentiles, sample_and_resamples, weighted_mean

__all__ = ["METRICS", "RULES", "aggregated", "gains", "quality_gains", "verdict"]

# Rule -> words. None costs another answer: they read the last k ones again.
RULES: dict[str, str] = {
    "majority": "majority vote", "hysteresis": "hysteresis", "probabilities": "mean probabilities",
}  # fmt: skip
# Column of `Sequences.frames` of each metric.
METRICS: dict[str, str] = {"hr": "hr_i", "cor": "omitted", "smr": "smr_i"}


def aggregated(found: Sequences, rule: str, k: int) -> pd.DataFrame:
    """Return the frames of a study with answers read from the last k ones by a rule.

    ``majority`` mentions what more than half of the last k descriptions mention, and takes the
    commonest decision; ``hysteresis`` changes a mention or decision once k answers agree on
    another; ``probabilities`` averages those that a text begins with yes or no, or a contrastive
    model's scores, over the safety answers: descriptions stay as they are.

    Args:
        found: the study.
        rule: one of `RULES`.
        k: answers, the newest among them.

    Returns:
        in the form of `Sequences.frames`, failures counted anew.
    """
    frames = found.frames.reset_index(drop=True)
    keys = ["vlm", "condition", "sequence"]
    if rule == "probabilities":
        leaning = _leaning(found, frames)
        groups = frames.groupby(keys, sort=False).indices.values()
        words = frames.decision.to_numpy(object).copy()
        for rows in groups:
            if np.isfinite(leaning[rows]).all():
                mean = running_mean(leaning[rows], k)
                words[rows] = np.where(mean >= 0, "safe", "unsafe")
        return failures(frames.assign(decision=words), found.results.reading.epsilon)
    vocabulary = found.results.reading.vocabulary
    of_words: Callable = vote if rule == "majority" else hysteresis
    of_sets: Callable = majority if rule == "majority" else hysteresis
    words = frames.decision.to_numpy(object).copy()
    said: list[frozenset[str]] = list(frames.mentioned)
    for rows in frames.groupby(keys, sort=False).indices.values():
        words[rows] = of_words(words[rows], k)
        table = of_sets(table_of(frames.mentioned.iloc[rows], vocabulary), k)
        for row, line in zip(rows, table, strict=True):
            said[row] = frozenset(np.array(vocabulary, object)[line])
    changed = frames.assign(decision=words, mentioned=said)
    return failures(changed, found.results.reading.epsilon)


def _leaning(found: Sequences, frames: pd.DataFrame) -> np.ndarray:
    """How far each safety answer leans to safe, above or below 0; NaN where it is not known."""
    answers = found.results.answers
    asked = answers[answers.prompt == "safety"]
    lean = []
    for row in asked.itertuples():
        scores = dict(zip(row.labels, row.scores, strict=True))
        if scores:
            odds = np.exp([scores["safe"], scores["unsafe"]] - max(scores.values()))
            lean.append(float((odds[0] - odds[1]) / odds.sum()))
        else:
            lean.append(np.nan if row.p_yes is None else row.p_yes - row.p_no)
    table = asked[["vlm", "condition", "scene_id"]].assign(lean=lean)
    return frames.merge(table, "left", ["vlm", "condition", "scene_id"]).lean.to_numpy(float)


def _by_drive(frames: pd.DataFrame) -> pd.DataFrame:
    grouped = frames.groupby(["vlm", "condition", "sequence"], sort=True)
    return (
        grouped[list(METRICS.values())]
        .mean()
        .rename(columns={column: name for name, column in METRICS.items()})
    )


def gains(found: Sequences, k: int) -> pd.DataFrame:
    """Return what each rule gains in each metric, for every VLM and condition.

    Returns:
        vlm, condition, rule, metric, gain (newest answer alone minus the rule, so that more is
        better), low, high: the mean over drives of paired differences, resampled by drive.
    """
    plain = _by_drive(found.frames)
    weights = sample_and_resamples(len(found.drives), found.results.bootstrap)
    rows = []
    for rule in RULES:
        better = plain - _by_drive(aggregated(found, rule, k))
        for (vlm, condition), group in better.groupby(level=["vlm", "condition"], sort=False):
            for metric in METRICS:
                if rule == "probabilities" and metric != "smr":
                    continue
                rows.append({"vlm": vlm, "condition": condition, "rule": rule, "metric": metric}
                            | _interval(weights, group[metric].to_numpy()))  # fmt: skip
    return pd.DataFrame(rows)


def quality_gains(found: Sequences) -> pd.DataFrame:
    """Return what the running mean of scores gains in mIoU: segmenter, condition, gain, low, high.

    Segmenters that give labels alone have none and are left out.
    """
    drives = found.segmentation_by_drive().sort_values("sequence")
    drives = drives.assign(gain=drives.miou_smoothed - drives.miou).dropna(subset=["gain"])
    weights = sample_and_resamples(len(found.drives), found.results.bootstrap)
    rows = [
        dict(zip(("segmenter", "condition"), key, strict=True))
        | _interval(weights, group.gain.to_numpy())
        for key, group in drives.groupby(["segmenter", "condition"], sort=False)
    ]
    return pd.DataFrame(rows, columns=["segmenter", "condition", "gain", "low", "high"])


def verdict(found: Sequences, k: int, rule: str = "majority") -> pd.DataFrame:
    """Return the gain of quality, that of language, and their difference, over all conditions.

    The gain of language is the mean over VLMs, conditions and the three metrics; that of quality
    the mean over segmenters and conditions. A resample draws the same drives for both.

    Returns:
        of (pixels, language, difference), gain, low, high; empty without scores of segmenters.
    """
    pixels = found.segmentation_by_drive()
    pixels = (pixels.miou_smoothed - pixels.miou).groupby(pixels.sequence).mean()
    if pixels.isna().any():
        return pd.DataFrame(columns=["of", "gain", "low", "high"])
    better = _by_drive(found.frames) - _by_drive(aggregated(found, rule, k))
    spoken = better.mean(axis=1).groupby(level="sequence").mean()
    weights = sample_and_resamples(len(found.drives), found.results.bootstrap)
    parts = {"pixels": pixels, "language": spoken, "difference": spoken - pixels}
    return pd.DataFrame(
        [{"of": name} | _interval(weights, part.sort_index().to_numpy())
         for name, part in parts.items()]
    )  # fmt: skip


def _interval(weights: np.ndarray, values: np.ndarray) -> dict[str, float]:
    drawn = weighted_mean(weights, values)
    low, high = percentiles(drawn[1:, None], scenes=len(values)) if len(values) > 1 else (
        np.array([np.nan]), np.array([np.nan]))  # fmt: skip
    return {"gain": float(drawn[0]), "low": float(low[0]), "high": float(high[0])}
