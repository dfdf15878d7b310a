"""What the embedded checkpoints were to reach on clean, held-out scenes, set before training."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from vlmis_utils.training.weights import SEGMENTERS

__all__ = ["CRITICAL", "GOALS", "PHOTOGRAPH_GOALS", "VERDICTS", "Goal", "judge", "verdict"]

# The small classes that safety turns on.
CRITICAL: tuple[str, ...] = ("person", "rider", "traffic sign", "traffic light")
VERDICTS: tuple[str, ...] = ("reached", "floor", "missed")
_CONTRASTIVE, _GENERATIVE = ("clip", "siglip"), ("qwen2-vl",)


@dataclass(frozen=True)
class Goal:
    """A goal and the floor below it.

    Attributes:
        models: whose it is.
        measure: as in ``clean.csv``.
        goal, floor: in [0, 1].
        classes: the worst of these counts; empty for the measure as a whole; ("each",) for every
            class that the measure has.
    """

    models: tuple[str, ...]
    measure: str
    goal: float
    floor: float
    classes: tuple[str, ...] = ()


GOALS: tuple[Goal, ...] = (
    Goal(SEGMENTERS, "mIoU", 0.70, 0.60),
    Goal(SEGMENTERS, "IoU", 0.45, 0.30, CRITICAL),
    Goal(_CONTRASTIVE, "presence AUC", 0.90, 0.82),
    Goal(_CONTRASTIVE, "presence AUC", 0.80, 0.70, ("each",)),
    Goal(_CONTRASTIVE, "mention F1", 0.70, 0.60),
    Goal(_CONTRASTIVE, "safety AUC", 0.80, 0.70),
    Goal(_GENERATIVE, "presence balanced accuracy", 0.90, 0.80),
    Goal(_GENERATIVE, "presence balanced accuracy", 0.80, 0.70, ("each",)),
    Goal(_GENERATIVE, "mention precision", 0.90, 0.85),
    Goal(_GENERATIVE, "mention recall", 0.75, 0.60),
    Goal(_GENERATIVE, "safety balanced accuracy", 0.85, 0.75),
    Goal(_GENERATIVE, "parse success", 0.98, 0.95),
)


# On Cityscapes: 0.52 is past the public DeepLab-EdgeTPU's 0.51 on such frames.
PHOTOGRAPH_GOALS: tuple[Goal, ...] = (
    Goal(SEGMENTERS, "mIoU", 0.52, 0.42),
    Goal(SEGMENTERS, "IoU", 0.93, 0.93, ("road",)),
    Goal(SEGMENTERS, "IoU", 0.80, 0.80, ("car",)),
    Goal(SEGMENTERS, "IoU", 0.42, 0.42, ("person",)),
    Goal(_CONTRASTIVE, "presence AUC", 0.88, 0.78),
    Goal(_CONTRASTIVE, "presence AUC", 0.80, 0.65, ("each",)),
    Goal(_CONTRASTIVE, "mention F1", 0.70, 0.60),
    Goal(_GENERATIVE, "presence balanced accuracy", 0.80, 0.68),
    Goal(_GENERATIVE, "mention precision", 0.85, 0.75),
    Goal(_GENERATIVE, "mention recall", 0.75, 0.60),
    Goal(_GENERATIVE, "safety balanced accuracy", 0.75, 0.62),
    Goal(_GENERATIVE, "parse success", 0.98, 0.95),
)
# Scenes with and scenes without a class that it takes to judge the model by it alone.
_ENOUGH = 20


def verdict(value: float, goal: float, floor: float) -> str:
    """Return what a value came to, one of `VERDICTS`; NaN has missed.

    >>> verdict(0.7, 0.7, 0.6), verdict(0.65, 0.7, 0.6), verdict(0.59, 0.7, 0.6)
    ('reached', 'floor', 'missed')
    """
    return VERDICTS[0] if value >= goal else VERDICTS[1] if value >= floor else VERDICTS[2]


def judge(clean: pd.DataFrame, goals: tuple[Goal, ...] = GOALS) -> pd.DataFrame:
    """Hold the measures of ``clean.csv`` against goals, by the estimate.

    Args:
        clean: columns model, measure, class, value, low, high. Where it has the measures
            "scenes with" and "scenes without", "each" leaves out classes with fewer than 20.
        goals: to hold them against.

    Returns:
        One row for each model and goal that was measured: model, measure, class (the worst of
        several, "" for the whole), several (whether it stands for several), value, low, high,
        goal, floor, verdict.
    """
    rows = []
    for model in dict.fromkeys(clean.model):
        own = clean[clean.model == model]
        counts = own[own.measure.isin(("scenes with", "scenes without"))]
        few = set(counts[counts.value < _ENOUGH]["class"])
        for goal in (g for g in goals if model in g.models):
            part = own[own.measure == goal.measure]
            several = bool(goal.classes)
            if goal.classes == ("each",):
                part = part[(part["class"] != "") & ~part["class"].isin(few)]
            else:
                part = part[part["class"].isin(goal.classes if several else ("",))]
            part = part.dropna(subset=["value"])
            if part.empty:
                continue
            worst = part.loc[part.value.idxmin()]
            rows.append(
                {
                    "model": model, "measure": goal.measure, "class": worst["class"],
                    "several": several, "value": worst.value, "low": worst.low,
                    "high": worst.high, "goal": goal.goal, "floor": goal.floor,
                    "verdict": verdict(worst.value, goal.goal, goal.floor),
                }
            )  # fmt: skip
    return pd.DataFrame(rows)
