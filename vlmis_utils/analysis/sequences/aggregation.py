"""Does looking longer help? The last frames read together against the newest alone."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from vlmis_utils.analysis.sequences.results import Sequences, table_of
from vlmis_utils.metrics.per_image import failures
from vlmis_utils.metrics.temporal.aggregation import hysteresis, majority, running_mean, vote
from vlmis_utils.statistics.resampling import percentiles, sample_and_resamples, weighted_mean

__all__ = [
    "METRICS", "NEWEST", "RULES", "aggregated", "by_rule", "gains", "parted", "quality_gains",
    "verdict",
]  # fmt: skip

# Rule -> words. None costs another answer: they read the last k ones again.
RULES: dict[str, str] = {
    "majority": "majority vote", "hysteresis": "hysteresis", "probabilities": "mean probabilities",
}  # fmt: skip
NEWEST = "newest alone"
# Column of `Sequences.language_by_drive` of each metric.
METRICS: dict[str, str] = {"hr": "hr", "cor": "omitted", "smr": "smr"}


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


def by_rule(found: Sequences, k: int) -> pd.DataFrame:
    """Return the measures of each drive, of the newest answer alone and under each rule.

    Args:
        found: the study.
        k: answers that are read together.

    Returns:
        rule (`NEWEST` or one of `RULES`) and the columns of `Sequences.language_by_drive`.
    """
    frames = {NEWEST: None} | {rule: aggregated(found, rule, k) for rule in RULES}
    return pd.concat(
        [found.language_by_drive(table).assign(rule=rule) for rule, table in frames.items()],
        ignore_index=True,
    )


def parted(rows: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return what was kept of a study (``book/measured/drives-*.csv``) as it would be computed.

    Returns:
        `by_rule`, and `Sequences.segmentation_by_drive`.
    """
    of_pixels = rows.rule.isna()
    return (
        rows[~of_pixels].rename(columns={"model": "vlm"}),
        rows[of_pixels].rename(columns={"model": "segmenter"}),
    )


def _better(spoken: pd.DataFrame, rule: str) -> pd.DataFrame:
    """The rates of the newest answer alone less those of a rule, by vlm, condition, sequence."""
    rates = spoken.set_index(["vlm", "condition", "sequence"])[["rule", *METRICS.values()]]
    plain, ruled = (
        rates[rates.rule == name].drop(columns="rule").sort_index() for name in (NEWEST, rule)
    )
    return (plain - ruled).rename(columns={column: name for name, column in METRICS.items()})


def gains(spoken: pd.DataFrame, resamples: int) -> pd.DataFrame:
    """Return what each rule gains in each metric, for every VLM and condition.

    Args:
        spoken: from `by_rule`.
        resamples: of the drives.

    Returns:
        vlm, condition, rule, metric, gain (newest answer alone minus the rule, so that more is
        better), low, high: the mean over drives of paired differences, resampled by drive.
    """
    weights = sample_and_resamples(spoken.sequence.nunique(), resamples)
    rows = []
    for rule in RULES:
        better = _better(spoken, rule)
        for (vlm, condition), group in better.groupby(level=["vlm", "condition"], sort=False):
            for metric in METRICS:
                if rule == "probabilities" and metric != "smr":
                    continue
                rows.append({"vlm": vlm, "condition": condition, "rule": rule, "metric": metric}
                            | _interval(weights, group[metric].to_numpy()))  # fmt: skip
    return pd.DataFrame(rows)


def quality_gains(pixels: pd.DataFrame, resamples: int) -> pd.DataFrame:
    """Return what the running mean of scores gains in mIoU: segmenter, condition, gain, low, high.

    Segmenters that give labels alone have none and are left out.

    Args:
        pixels: from `Sequences.segmentation_by_drive`.
        resamples: of the drives.
    """
    drives = pixels.sort_values("sequence")
    weights = sample_and_resamples(drives.sequence.nunique(), resamples)
    drives = drives.assign(gain=drives.miou_smoothed - drives.miou).dropna(subset=["gain"])
    rows = [
        dict(zip(("segmenter", "condition"), key, strict=True))
        | _interval(weights, group.gain.to_numpy())
        for key, group in drives.groupby(["segmenter", "condition"], sort=False)
    ]
    return pd.DataFrame(rows, columns=["segmenter", "condition", "gain", "low", "high"])


def verdict(
    spoken: pd.DataFrame, pixels: pd.DataFrame, resamples: int, rule: str = "majority"
) -> pd.DataFrame:
    """Return the gain of quality, that of language, and their difference, over all conditions.

    The gain of language is the mean over VLMs, conditions and the three metrics; that of quality
    the mean over segmenters and conditions. A resample draws the same drives for both.

    Args:
        spoken: from `by_rule`.
        pixels: from `Sequences.segmentation_by_drive`.
        resamples: of the drives.
        rule: of the answers.

    Returns:
        of (pixels, language, difference), gain, low, high; empty without scores of segmenters.
    """
    gained = (pixels.miou_smoothed - pixels.miou).groupby(pixels.sequence).mean()
    if gained.isna().any():
        return pd.DataFrame(columns=["of", "gain", "low", "high"])
    said = _better(spoken, rule).mean(axis=1).groupby(level="sequence").mean()
    weights = sample_and_resamples(len(gained), resamples)
    parts = {"pixels": gained, "language": said, "difference": said - gained}
    return pd.DataFrame(
        [{"of": name} | _interval(weights, part.sort_index().to_numpy())
         for name, part in parts.items()]
    )  # fmt: skip


def _interval(weights: np.ndarray, values: np.ndarray) -> dict[str, float]:
    drawn = weighted_mean(weights, values)
    low, high = percentiles(drawn[1:, None], scenes=len(values)) if len(values) > 1 else (
        np.array([np.nan]), np.array([np.nan]))  # fmt: skip
    return {"gain": float(drawn[0]), "low": float(low[0]), "high": float(high[0])}
