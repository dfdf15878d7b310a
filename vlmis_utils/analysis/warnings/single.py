"""How well each signal alone predicts failures, for one run and for several worlds.

A signal is used as it is, with the direction that was decided beforehand: nothing is fitted, so
nothing has to be left out. What it knows of an image, beyond the condition, shows where images of
one condition are compared.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from vlmis_utils.analysis.results import Results
from vlmis_utils.analysis.warnings.signals import SIGNALS, Warnings, load_warnings
from vlmis_utils.analysis.warnings.tasks import Task, tasks
from vlmis_utils.statistics.intervals import from_draws, interval_sign
from vlmis_utils.statistics.prediction import auc_draws
from vlmis_utils.statistics.resampling import sample_and_resamples
from vlmis_utils.statistics.selective import precision_draws

__all__ = ["MEAN", "alone", "signal_aucs", "single_signals"]

MEAN = "mean"  # over the VLMs, in place of the name of one
TRUTH = ("low mIoU (needs the truth)", "truth")

_TEXT, _NUMBERS = ["vlm", "target", "signal"], ["auc", "low", "high", "sign", "rate"]
_NOTHING = {
    name: np.nan
    for name in ("auc", "low", "high", "within", "precision", "precision_low", "precision_high")
} | {"signal": "", "words": "", "source": ""}


def alone(warnings: Warnings, task: Task) -> dict[str, np.ndarray]:
    """Return each signal, and ``miou`` turned round, on the pictures (m,) of a task.

    A picture without a value gets the mean; a signal without any is left out.
    """
    table = warnings.signals[task.vlm].iloc[task.at]
    values = {name: table[name].to_numpy() for name in warnings.known()}
    values["miou"] = -warnings.miou[task.at]
    known = {name: own for name, own in values.items() if np.isfinite(own).any()}
    return {n: np.where(np.isfinite(v), v, np.nanmean(v)) for n, v in known.items()}


def _scored(
    warnings: Warnings, resamples: int
) -> Iterator[tuple[Task, str, np.ndarray, np.ndarray, np.ndarray]]:
    """Yield task, signal, its values (m,), weights (R, m) and AUC (R,) in every resample."""
    weights = sample_and_resamples(int(warnings.scene.max()) + 1, resamples)
    for task in (task for task in tasks(warnings) if not task.reason):
        drawn = weights[:, task.scene]
        for name, own in alone(warnings, task).items():
            yield task, name, own, drawn, auc_draws(task.outcome, own, weights, scene=task.scene)


def single_signals(warnings: Warnings, resamples: int) -> pd.DataFrame:
    """Return how well each signal alone predicts each failure of each VLM.

    Args:
        warnings: of the run.
        resamples: of the scenes.

    Returns:
        vlm, target, signal, words, source; auc with low, high; within, the same where only
        images of one condition are compared; precision (area under the precision-recall curve)
        with its _low, _high; n, the images, and rate, the share that fails; reason, why a failure
        cannot be predicted, in a single row without a signal.
    """
    condition = warnings.pictures.condition.to_numpy(str)
    rows = [task.about | _NOTHING for task in tasks(warnings) if task.reason]
    for task, name, own, drawn, aucs in _scored(warnings, resamples):
        signal = SIGNALS.get(name)
        words = (signal.words, signal.source) if signal else TRUTH
        auc = from_draws(aucs, task.scenes, "logit")
        area = from_draws(precision_draws(task.outcome, own, drawn), task.scenes, "logit")
        row = {"signal": name, "words": words[0], "source": words[1], "auc": float(auc.value)}
        row |= auc.numbers() | {"precision": float(area.value)}
        row |= {f"precision_{end}": value for end, value in area.numbers().items()}
        one = np.ones((1, int(task.scene.max()) + 1))
        within = auc_draws(task.outcome, own, one, condition[task.at], task.scene)
        row["within"] = float(within[0])
        rows.append(task.about | row)
    return pd.DataFrame(rows)


def signal_aucs(results: Results, resamples: int = 200) -> pd.DataFrame:
    """Return the AUC of each signal alone, for each VLM and as the mean over VLMs.

    Args:
        results: of a run; the segmenter that is watched is its first.
        resamples: of the scenes, the same for all VLMs, so that a mean has an interval too.

    Returns:
        vlm (`MEAN` for the mean over those of which the failure can be predicted), target, signal,
        auc with low and high; sign: 1 where the interval lies above 0.5, -1 below, 0 for open;
        rate, the share of images that fail.
    """
    warnings = load_warnings(results)
    draws: dict[tuple[str, str], dict[str, np.ndarray]] = {}
    rates: dict[tuple[str, str], list[float]] = {}
    for task, name, _, _, aucs in _scored(warnings, resamples):
        draws.setdefault((task.target, name), {})[task.vlm] = aucs
        rates.setdefault((task.target, name), []).append(float(task.outcome.mean()))
    rows = []
    for (target, name), each in draws.items():
        own = rates[target, name]
        shares = [*own, float(np.mean(own))]
        with_mean = each | {MEAN: np.mean(list(each.values()), axis=0)}
        for (vlm, aucs), rate in zip(with_mean.items(), shares, strict=True):
            auc = from_draws(aucs, int(warnings.scene.max()) + 1, "logit")
            ends = float(auc.low), float(auc.high)
            sign = int(interval_sign(ends[0] - 0.5, ends[1] - 0.5))
            rows.append((vlm, target, name, float(auc.value), *ends, sign, rate))
    frame = pd.DataFrame(rows, columns=[*_TEXT, *_NUMBERS])
    return frame.astype(dict.fromkeys(_NUMBERS, float))
