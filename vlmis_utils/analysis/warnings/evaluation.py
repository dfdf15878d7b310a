"""How well signals predict failures: each alone, and small logistic models of several.

A signal alone is used as it is, with the direction that was decided beforehand. A model judges only
scenes that it was not fitted to. Under ``new corruption`` it was not fitted to any picture of the
corruption it judges either: it must warn of what it has never seen. Intervals come from resampled
scenes, with models as they are (see `statistics.prediction.auc_draws`).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from vlmis_utils.analysis.results import Results
from vlmis_utils.analysis.warnings.signals import SOURCES, Warnings, load_warnings
from vlmis_utils.analysis.warnings.single import single_signals
from vlmis_utils.analysis.warnings.tasks import Task, tasks
from vlmis_utils.statistics.cross_validation import cross_validated, fitted
from vlmis_utils.statistics.intervals import from_draws
from vlmis_utils.statistics.prediction import (
    auc_draws,
    calibration_slope,
    expected_calibration_error,
)
from vlmis_utils.statistics.resampling import sample_and_resamples
from vlmis_utils.statistics.selective import precision_draws

__all__ = ["AGAINST", "FEATURES", "PROTOCOLS", "Evaluation", "evaluate", "model_aucs"]

# Set of features -> the sources of signals in it; those without need what no vehicle knows.
FEATURES: Mapping[str, tuple[str, ...]] = {
    "all signals": SOURCES,
    **{f"{source} signals": (source,) for source in SOURCES},
    "mIoU": (),
    "condition": (),
    "shuffled target": SOURCES,
}
PROTOCOLS: Mapping[str, str] = {
    "new scenes": "all images of scenes it has not seen",
    "known corruption": "the same, compared within a corruption",
    "new corruption": "a corruption it has not seen, on such scenes",
}
# What all signals together are compared with.
AGAINST = ("mIoU", "condition", "image signals", "segmenter signals")

_EMPTY = [
    "vlm", "target", "features", "protocol", "against", "auc", "gain", "low", "high", "p",
    "precision", "precision_low", "precision_high", "slope", "slope_low", "slope_high", "ece",
]  # fmt: skip
_CALIBRATION = ("slope", "slope_low", "slope_high", "ece")


@dataclass(frozen=True)
class Evaluation:
    """What came of it.

    Attributes:
        single: of `single.single_signals`; empty where it was not asked for.
        models: vlm, target, features, protocol; auc with low, high; precision with its _low, _high
            (area under the precision-recall curve); slope with its _low, _high, ece; n, rate.
        gains: vlm, target, against, gain in AUC on new scenes of all signals over another set of
            features, with low, high and p, from the same resamples.
        probabilities: (vlm, target) -> (M,), of the model of all signals on new scenes; NaN where
            there is no such picture.
        left_out: the same, on new corruptions; NaN for clean pictures.
    """

    single: pd.DataFrame
    models: pd.DataFrame
    gains: pd.DataFrame
    probabilities: Mapping[tuple[str, str], np.ndarray]
    left_out: Mapping[tuple[str, str], np.ndarray]


def evaluate(
    warnings: Warnings, resamples: int = 200, features: Iterable[str] = FEATURES,
    ridge: float = 1.0, seed: int = 0,
) -> Evaluation:  # fmt: skip
    """Return how well signals and models of them predict each failure of each VLM.

    Args:
        warnings: of the run.
        resamples: of the scenes, for intervals.
        features: which of `FEATURES`; ``all signals`` must be one. Single signals, and gains, are
            left out where it is the only one.
        ridge: see `statistics.cross_validation.cross_validated`.
        seed: of the shuffled target.
    """
    features = list(features)
    weights = sample_and_resamples(int(warnings.scene.max()) + 1, resamples)
    models, gains = [], []
    probabilities, left_out = {}, {}
    for task in tasks(warnings):
        if task.reason:
            continue
        about, draws = task.about, {}
        for name in features:
            rows, plain, new = _model(warnings, task, name, weights, ridge, seed)
            if len(features) > 1:
                draws[name] = auc_draws(task.outcome, plain, weights, task.fold, task.scene)
            models += [about | {"features": name} | row for row in rows]
            if name == "all signals":
                for kept, own in ((probabilities, plain), (left_out, new)):
                    kept[task.vlm, task.target] = np.full(len(warnings.scene), np.nan)
                    kept[task.vlm, task.target][task.at] = own
        for against in (name for name in AGAINST if name in draws):
            gain = from_draws(draws["all signals"] - draws[against], task.scenes, "raw")
            row = {"against": against, "gain": float(gain.value)} | gain.numbers()
            gains.append(about | row)
    single = single_signals(warnings, resamples) if len(features) > 1 else pd.DataFrame()
    frames = (pd.DataFrame(rows, columns=None if rows else _EMPTY) for rows in (models, gains))
    return Evaluation(single, *frames, probabilities, left_out)


def model_aucs(results: Results, resamples: int = 200) -> pd.DataFrame:
    """Return how well the model of all signals predicts each failure, under each of `PROTOCOLS`.

    Args:
        results: of a run; the segmenter that is watched is its first.
        resamples: of the scenes.

    Returns:
        vlm, target, features (``all signals``), protocol, auc, low, high.
    """
    found = evaluate(load_warnings(results), resamples, ["all signals"]).models
    return found[["vlm", "target", "features", "protocol", "auc", "low", "high"]]


def _model(
    warnings: Warnings, task: Task, features: str, weights: np.ndarray, ridge: float, seed: int
) -> tuple[list[dict[str, object]], np.ndarray, np.ndarray]:
    """Return rows for each protocol, and probabilities on new scenes and on new corruptions."""
    own, outcome = _features(warnings, task, features), task.outcome
    if features == "shuffled target":
        outcome = np.random.default_rng(seed).permutation(outcome)
    plain = cross_validated(own, outcome, task.fold, ridge)
    new = np.full(len(outcome), np.nan)
    families = [family for family in np.unique(task.family) if family]
    if len(families) > 1 and features == "all signals":
        for family, fold in itertools.product(families, np.unique(task.fold)):
            test = (task.family == family) & (task.fold == fold)
            fit = (task.family != family) & (task.fold != fold)
            if test.any() and fit.any():
                new[test] = fitted(own, outcome, fit, test, ridge)
    within = np.unique(np.char.add(task.fold.astype(str), task.family), return_inverse=True)[1]
    degraded = np.isfinite(new)
    rows = [
        _row("new scenes", task, plain, outcome, weights, task.fold, np.ones_like(degraded)),
        _row("known corruption", task, plain, outcome, weights, within, degraded),
        _row("new corruption", task, new, outcome, weights, within, degraded),
    ]
    return [row for row in rows if row], plain, new


def _features(warnings: Warnings, task: Task, features: str) -> np.ndarray:
    if features == "mIoU":
        return warnings.miou[task.at, None]
    if features == "condition":
        names = warnings.pictures.condition.to_numpy(str)
        return (names[task.at, None] == np.unique(names)).astype(float)
    known = warnings.known(FEATURES[features])
    return warnings.signals[task.vlm][known].to_numpy(float)[task.at]


def _row(
    protocol: str, task: Task, score: np.ndarray, outcome: np.ndarray, weights: np.ndarray,
    groups: np.ndarray, kept: np.ndarray,
) -> dict[str, object]:  # fmt: skip
    """Return AUC, precision and calibration of probabilities for the pictures that are kept."""
    kept = kept.astype(bool)
    if not kept.any() or not 0 < outcome[kept].mean() < 1:
        return {}
    y, p, scene = outcome[kept], score[kept], task.scene[kept]
    scenes = len(np.unique(scene))
    auc = from_draws(auc_draws(y, p, weights, groups[kept], scene), scenes, "logit")
    precise = from_draws(precision_draws(y, p, weights[:, scene]), scenes, "logit")
    slope = calibration_slope(y, p, scene)
    calibrated = slope["slope"], slope["low"], slope["high"], expected_calibration_error(y, p)
    row = {"protocol": protocol, "auc": float(auc.value)} | auc.numbers()
    row |= {f"precision_{end}": value for end, value in precise.numbers().items()}
    row |= dict(zip(_CALIBRATION, calibrated, strict=True))
    return row | {"precision": float(precise.value), "share": float(y.mean())}
