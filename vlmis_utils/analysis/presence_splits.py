"""Which absent classes a model is asked about: any, the frequent ones, or those that would fit.

As in POPE (Li et al., EMNLP 2023): a model that guesses from what streets usually hold says yes to
a class that is often there, or often there together with what it sees, more than to any other.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from vlmis_utils.analysis.results import BLANK, Results
from vlmis_utils.statistics.resampling import bootstrap_interval

__all__ = ["SPLITS", "presence_splits"]

SPLITS: Mapping[str, str] = {
    "random": "any (random)",
    "popular": "the most frequent (popular)",
    "adversarial": "those that fit the scene (adversarial)",
}


def presence_splits(results: Results) -> pd.DataFrame:
    """Return how often absent classes are called present, for each choice of them.

    ``popular`` takes the half of a scene's absent classes that most other scenes hold,
    ``adversarial`` the half that most often stands beside the scene's own classes in other scenes;
    ``random`` all absent ones, which is what a random choice gives on average. (POPE takes three of
    the many classes of its photographs; here nine are asked about, and scenes hold most of them.)

    Returns:
        vlm, condition, split, yes with low and high: mean over scenes of the share of the chosen
        classes that get a yes, with the bootstrap's interval; scenes.
    """
    asked = results.presence_answers()
    asked = asked[asked.condition != BLANK]
    truth = asked.drop_duplicates(["scene_id", "class"])
    held = truth.pivot(index="scene_id", columns="class", values="truth").astype(float)
    chosen = _chosen(held)
    rows = []
    for (vlm, condition), group in asked.groupby(["vlm", "condition"], sort=False):
        yes = group.assign(yes=(group.word == "yes").astype(float))
        yes = yes.pivot(index="scene_id", columns="class", values="yes").reindex_like(held)
        for split, mask in chosen.items():
            picked = yes.where(mask)
            share = picked.mean(axis=1).to_numpy()
            found = bootstrap_interval(share, resamples=results.bootstrap)
            rows.append(
                {"vlm": vlm, "condition": condition, "split": split, "yes": found.value,
                 "low": found.low, "high": found.high, "scenes": int(np.isfinite(share).sum())}
            )  # fmt: skip
    columns = ["vlm", "condition", "split", "yes", "low", "high", "scenes"]
    return pd.DataFrame(rows, columns=columns)


def _chosen(held: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return, for each split, which classes (columns) of which scenes (rows) are asked about."""
    own = held.to_numpy()
    often = own.sum(axis=0) - own  # in other scenes
    together = own.T @ own
    fitting = own @ (together * (1 - np.eye(len(together))))
    absent = own == 0
    picked = {
        "random": absent,
        "popular": _top(often, absent),
        "adversarial": _top(fitting, absent),
    }
    return {name: pd.DataFrame(m, held.index, held.columns) for name, m in picked.items()}


def _top(score: np.ndarray, absent: np.ndarray) -> np.ndarray:
    """Return the half of each row's absent classes with the highest scores, ties in their order."""
    order = np.argsort(-np.where(absent, score, -np.inf), axis=1, kind="stable")
    rank = np.argsort(order, axis=1)
    return absent & (2 * rank < absent.sum(axis=1, keepdims=True))
