"""What a page found, in one plain sentence for its beginning."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from vlmis_utils.analysis.results import BLANK
from vlmis_utils.core.formatting import listing, number, value_range
from vlmis_utils.report.text.sentences import NAMES
from vlmis_utils.report.words import condition_words

__all__ = ["correlations", "predictions", "worst_conditions"]


def worst_conditions(frame: pd.DataFrame, worst: Mapping[str, str]) -> str:
    """Return how far each measure goes from clean to its worst condition, mean over models.

    Args:
        frame: one row for each model and condition.
        worst: measure, a column, to ``min`` or ``max``, which is worse.

    >>> rows = pd.DataFrame({"condition": ["clean", "LL3"], "miou": [0.7, 0.2]})
    >>> worst_conditions(rows, {"miou": "min"})
    'averaged over the models, mIoU goes from 0.70 on clean images to 0.20 with strong low light...'
    """
    means = frame[frame.condition != BLANK].groupby("condition")[list(worst)].mean()
    degraded = means.drop(index="clean", errors="ignore")
    if degraded.empty or "clean" not in means.index:
        return "no clean image stands beside a degraded one"
    parts = []
    for measure, way in worst.items():
        values = degraded[measure].dropna()
        if values.empty:
            continue
        name = values.idxmin() if way == "min" else values.idxmax()
        clean = f"{number(means.loc['clean', measure])}{'' if parts else ' on clean images'}"
        parts.append(
            f"{NAMES[measure]} goes from {clean} to {number(values[name])} with "
            f"{condition_words(name)}"
        )
    return f"averaged over the models, {listing(parts)}"


def correlations(
    found: pd.DataFrame, levels: Sequence[str] = ("conditions", "images", "within", "between")
) -> str:
    """Return the range of the rank correlations of mIoU with the rates at each level.

    Args:
        found: from `analysis.correlation.correlations`.
        levels: of its column ``over``, in this order.
    """
    rows = found[(found.method == "spearman") & found.r.notna()]
    parts = [
        f"{value_range(rows.r[rows.over == level])} {NAMES[level]}"
        for level in levels
        if (rows.over == level).any()
    ]
    if not parts:
        return "no correlation of mIoU with a rate can be computed"
    return f"the rank correlation of mIoU with a rate is {listing(parts)}"


def predictions(scores: pd.DataFrame, failures: Mapping[str, str]) -> str:
    """Return how well mIoU predicts each failure, beside the condition alone: mean AUC over models.

    Args:
        scores: ``Prediction.scores`` of `analysis.failure_prediction`.
        failures: metric -> what fails, in words.
    """
    means = scores.dropna(subset=["auc"]).groupby(["metric", "features"]).auc.mean()
    parts = [
        f"{words} with an AUC of {number(means[metric, 'mIoU'])} (the condition alone: "
        f"{number(means[metric, 'condition'])})"
        for metric, words in failures.items()
        if {(metric, "mIoU"), (metric, "condition")} <= set(means.index)
    ]
    if not parts:
        return "no failure can be predicted, as all images or none have it"
    return f"averaged over the models, the mIoU of an image predicts {listing(parts)}"
