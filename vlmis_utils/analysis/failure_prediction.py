"""Predicting that a VLM fails on an image from Q (Section 1: "limited predictive power").

A logistic model sees some features of a degraded image and gives the probability of a failure; it
is judged on scenes it was not fitted to. What Q is worth shows against features that are there
without any segmenter: which corruption at which severity, and what the VLM did on the clean image
of the same scene. Clean images themselves are left out, so that all feature sets face the same
task. Q needs the true labels, so this is the best case for it: on the road nobody knows mIoU.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from vlmis_utils.analysis.panel import Panel, load_panel
from vlmis_utils.analysis.quality_measures import measures
from vlmis_utils.analysis.results import Results
from vlmis_utils.statistics.cross_validation import cross_validated, grouped_folds
from vlmis_utils.statistics.intervals import from_draws
from vlmis_utils.statistics.paired import holm
from vlmis_utils.statistics.prediction import (
    auc_draws,
    brier_draws,
    calibration_slope,
    expected_calibration_error,
)
from vlmis_utils.statistics.resampling import sample_and_resamples

__all__ = ["FEATURE_SETS", "GAINS", "OUTCOMES", "Prediction", "predict_failures"]

# Metric -> column of ``Results.vlm_per_image``. An omission needs a critical class to omit, so
# pictures without one are left out.
OUTCOMES: dict[str, str] = {"cor": "omitted_conditional", "smr": "smr_i"}

# Feature set -> its parts: the condition (an indicator of each), mIoU, all measures of
# `quality_measures`, and whether the VLM failed on the clean picture of the scene.
FEATURE_SETS: dict[str, tuple[str, ...]] = {
    "condition": ("condition",),
    "mIoU": ("miou",),
    "all measures": ("measures",),
    "mIoU + condition": ("miou", "condition"),
    "all measures + condition": ("measures", "condition"),
    "clean": ("clean",),
    "clean + condition": ("clean", "condition"),
    "clean + condition + mIoU": ("clean", "condition", "miou"),
}

# Which sets are compared: the first minus the second.
GAINS: tuple[tuple[str, str], ...] = (
    ("mIoU", "condition"),
    ("mIoU + condition", "condition"),
    ("all measures + condition", "condition"),
    ("clean", "mIoU"),
    ("clean + condition + mIoU", "clean + condition"),
)
_Q_PARTS = {"miou", "measures"}
_NUMBERS = (
    "auc", "low", "high", "p", "brier", "skill", "skill_low", "skill_high", "slope", "slope_low",
    "slope_high", "intercept", "ece",
)  # fmt: skip


@dataclass(frozen=True)
class Prediction:
    """How well failures of a run are predicted.

    Attributes:
        scores: one row for each metric, vlm, feature set and segmenter (empty where the set needs
            none): n pictures, scenes, rate of failure; auc with low, high, p (of 0.5); brier, and
            skill = 1 - brier / brier of the rate alone, with skill_low, skill_high; slope with
            slope_low, slope_high, intercept; ece; reason: empty, or why numbers are NaN.
        gains: metric, vlm, segmenter, features, against, gain in AUC, low, high, p, and holm over
            the pairs and metrics of one comparison.
        pictures: metric, vlm, segmenter, features, scene_id, condition, outcome, probability of
            each image.
    """

    scores: pd.DataFrame
    gains: pd.DataFrame
    pictures: pd.DataFrame


def predict_failures(
    results: Results,
    outcomes: Mapping[str, str] = OUTCOMES,
    folds: int = 5,
    ridge: float = 1.0,
    seed: int = 0,
) -> Prediction:
    """Return how well each set of features predicts each failure; see `Prediction`.

    Args:
        results: of the run; its ``bootstrap`` is the number of resamples of scenes.
        outcomes: metric -> column of 0 and 1, NaN for pictures that are left out.
        folds, seed: of the cross-validation over scenes.
        ridge: see `statistics.cross_validation.cross_validated`.
    """
    panel = load_panel(results, tuple(outcomes.values()))
    weights = sample_and_resamples(len(panel.scenes), results.bootstrap)
    known = measures(results.reading.critical_classes)
    quality = dict(
        zip(panel.counts, np.stack([panel.quality(m) for m in known], axis=-1), strict=True)
    )
    scores, gains, pictures = [], [], []
    for (metric, column), vlm in itertools.product(outcomes.items(), panel.failures):
        task = _task(panel, panel.failures[vlm][column], folds, seed)
        names, draws = {"metric": metric, "vlm": vlm}, {}
        for (features, parts), segmenter in itertools.product(FEATURE_SETS.items(), quality):
            needed = bool(_Q_PARTS & set(parts))
            if not needed and segmenter != next(iter(quality)):
                continue
            here = names | {"segmenter": segmenter if needed else "", "features": features}
            row, images, drawn = _evaluate(
                task, _features(task, parts, quality[segmenter]), weights, ridge
            )
            draws[features, here["segmenter"]] = drawn
            scores.append(here | row)
            pictures.append(images.assign(**here))
        for features, against in GAINS:
            for segmenter in quality:
                first, second = (
                    draws[f, segmenter if _Q_PARTS & set(FEATURE_SETS[f]) else ""]
                    for f in (features, against)
                )
                found = from_draws(first - second, task.scenes, "raw")
                row = {"segmenter": segmenter, "features": features, "against": against}
                gains.append(names | row | {"gain": float(found.value), "low": float(found.low),
                             "high": float(found.high), "p": float(found.p)})  # fmt: skip
    table = pd.DataFrame(gains)
    family = table.groupby(["features", "against"], sort=False).p
    table["holm"] = family.transform(lambda p: holm(p)[0])
    return Prediction(pd.DataFrame(scores), table, pd.concat(pictures, ignore_index=True))


@dataclass(frozen=True)
class _Task:
    """M degraded images of which a failure is to be predicted; all arrays (M,)."""

    panel: Panel
    scene: np.ndarray
    condition: np.ndarray
    outcome: np.ndarray
    clean: np.ndarray
    folds: np.ndarray

    @property
    def scenes(self) -> int:
        return len(np.unique(self.scene))


def _task(panel: Panel, failed: np.ndarray, folds: int, seed: int) -> _Task:
    degraded = panel.severity > 0
    scene, condition = np.nonzero(np.isfinite(failed) & degraded)
    few = len(np.unique(scene)) < 2
    fold = np.zeros(len(scene), dtype=int) if few else grouped_folds(scene, folds, seed)
    clean = failed[:, panel.conditions.index("clean")]
    return _Task(panel, scene, condition, failed[scene, condition], clean[scene], fold)


def _features(task: _Task, parts: tuple[str, ...], quality: np.ndarray) -> np.ndarray:
    """Return (M, K) features; ``quality`` is (N, C, measures), mIoU first."""
    here = quality[task.scene, task.condition]
    blocks = {
        "condition": np.eye(len(task.panel.conditions))[task.condition],
        "miou": here[:, :1],
        "measures": here,
        "clean": task.clean[:, None],
    }
    return np.concatenate([blocks[p] for p in parts], axis=1)


def _evaluate(
    task: _Task, features: np.ndarray, weights: np.ndarray, ridge: float
) -> tuple[dict[str, object], pd.DataFrame, np.ndarray]:
    """Return a row of scores, the probability of each image, and AUC in each resample."""
    row: dict[str, object] = {"n": len(task.outcome), "scenes": task.scenes, "reason": ""}
    row["rate"] = float(task.outcome.mean()) if len(task.outcome) else np.nan
    if task.scenes < 2 or not 0 < row["rate"] < 1:
        why = "fewer than two scenes" if task.scenes < 2 else "it always or never happens"
        empty = np.full(len(weights), np.nan)
        return row | {"reason": why} | dict.fromkeys(_NUMBERS, np.nan), _images(task, np.nan), empty
    scene, outcome = task.scene, task.outcome
    p = cross_validated(features, outcome, task.folds, ridge)
    plain = cross_validated(features[:, :0], outcome, task.folds)
    draws = auc_draws(outcome, p, weights, task.folds, scene)
    auc = from_draws(draws, task.scenes, "logit")
    brier = brier_draws(outcome, p, scene, weights)
    skill = from_draws(1 - brier / brier_draws(outcome, plain, scene, weights), task.scenes, "raw")
    slope = calibration_slope(outcome, p, scene)
    values = (
        auc.value, auc.low, auc.high, auc.p, brier[0], skill.value, skill.low, skill.high,
        slope["slope"], slope["low"], slope["high"], slope["intercept"],
        expected_calibration_error(outcome, p),
    )  # fmt: skip
    numbers = dict(zip(_NUMBERS, map(float, values), strict=True))
    return row | numbers, _images(task, p), draws


def _images(task: _Task, probability: np.ndarray | float) -> pd.DataFrame:
    names = np.array(task.panel.scenes, dtype=object), np.array(task.panel.conditions, dtype=object)
    return pd.DataFrame(
        {
            "scene_id": names[0][task.scene],
            "condition": names[1][task.condition],
            "outcome": task.outcome,
            "probability": probability,
        }
    )
