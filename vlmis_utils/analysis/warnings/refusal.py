"""What refusing the doubtful answers would avoid, and what a promise about it is worth.

Answers are refused by the probability of a failure that the model of all signals gives, on scenes
it was not fitted to. A refusal threshold with a promise comes from conformal risk control on clean
and mild pictures; under stronger degradations the premise of the promise, pictures of one kind,
does not hold.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from vlmis_utils.analysis.warnings.evaluation import Evaluation
from vlmis_utils.analysis.warnings.signals import Warnings
from vlmis_utils.analysis.warnings.tasks import Task, tasks
from vlmis_utils.statistics.intervals import from_draws
from vlmis_utils.statistics.resampling import sample_and_resamples
from vlmis_utils.statistics.selective import (
    area_draws,
    avoided_draws,
    conformal_threshold,
    risk_draws,
)

__all__ = ["SCORES", "conformal", "curves", "refusals"]

# What answers are refused by, and the words of it.
SCORES = {
    "all signals": "all signals",
    "new corruption": "all signals, corruption never seen",
    "mIoU": "low mIoU (needs the truth)",
    "order": "nothing (at random)",
    "truth": "the failure itself (the best)",
}
COVERAGE = np.linspace(0.05, 1, 39)


def _scores(
    warnings: Warnings, found: Evaluation, task: Task
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return, for each of `SCORES` that there is, which pictures it ranks and the score of each."""
    key = (task.vlm, task.target)
    own, new = found.probabilities[key][task.at], found.left_out[key][task.at]
    everything = np.ones(len(own), dtype=bool)
    rng = np.random.default_rng(0)
    known = np.isfinite(new)
    scores = {
        "all signals": (everything, own),
        "mIoU": (everything, -warnings.miou[task.at]),
        "order": (everything, rng.random(len(own))),
        "truth": (everything, task.outcome),
    }
    return scores | ({"new corruption": (known, new[known])} if known.any() else {})


def refusals(
    warnings: Warnings, found: Evaluation, refused: Sequence[float] = (0.05, 0.2),
    coverage: float = 0.8, resamples: int = 400,
) -> pd.DataFrame:  # fmt: skip
    """Return what each score is worth for refusing, a row for each VLM, target and score.

    ``new corruption`` ranks degraded pictures only, so its risk without refusal is another one.

    Args:
        warnings, found: of the run, from `evaluation.evaluate`.
        refused: shares of refused answers.
        coverage: share of answers kept, for the risk.
        resamples: of the scenes.

    Returns:
        vlm, target, score; rate (risk without refusal); aurc, risk (at that coverage) and
        avoided_<share> (of the failures), each with _low and _high.
    """
    weights = sample_and_resamples(int(warnings.scene.max()) + 1, resamples)
    rows = []
    for task in tasks(warnings):
        if task.reason:
            continue
        for name, (kept, score) in _scores(warnings, found, task).items():
            outcome, scene = task.outcome[kept], task.scene[kept]
            drawn = weights[:, scene]
            row = {"vlm": task.vlm, "target": task.target, "score": name, "n": len(outcome)}
            row["rate"] = float(outcome.mean())
            draws = {
                "aurc": area_draws(outcome, score, drawn),
                "risk": risk_draws(outcome, score, drawn, coverage),
                **{f"avoided_{r:g}": avoided_draws(outcome, score, drawn, r) for r in refused},
            }
            for what, values in draws.items():
                value = from_draws(values, len(np.unique(scene)), "percentile")
                row |= {what: float(value.value), f"{what}_low": float(value.low)}
                row[f"{what}_high"] = float(value.high)
            rows.append(row)
    return pd.DataFrame(rows)


def curves(warnings: Warnings, found: Evaluation, target: str) -> pd.DataFrame:
    """Return the risk-coverage curve of each VLM and score: vlm, score, coverage, risk.

    Refusing at random has, on average, the same risk at every coverage.
    """
    parts = []
    for task in tasks(warnings):
        if task.reason or task.target != target:
            continue
        for name, (kept, score) in _scores(warnings, found, task).items():
            if name == "new corruption":
                continue
            risk = risk_draws(task.outcome[kept], score, np.ones((1, kept.sum())), COVERAGE)[0]
            risk = np.full_like(risk, task.outcome.mean()) if name == "order" else risk
            part = {"vlm": task.vlm, "score": name, "coverage": COVERAGE, "risk": risk}
            parts.append(pd.DataFrame(part))
    columns = ["vlm", "score", "coverage", "risk"]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)


def conformal(
    warnings: Warnings, found: Evaluation, target: str, limit: float, rounds: int = 100,
    seed: int = 0,
) -> pd.DataFrame:  # fmt: skip
    """Return the risk behind a threshold that was set on clean and mild pictures.

    In each round half of the scenes set the threshold, by `conformal_threshold` on their clean and
    mild pictures, and the other half are tested. An answer that is kept and fails costs 1, any
    other 0, so the risk is a share of all answers.

    Args:
        warnings, found: of the run.
        target: which failure.
        limit: the risk promised.
        rounds: of random halves.
        seed: of the halves.

    Returns:
        vlm, where (``clean and mild`` first, or a family at severity 2 or 3), plain (risk without
        refusal), risk with low and high (95 % of the rounds), refused (share of answers).
    """
    rng = np.random.default_rng(seed)
    pictures = warnings.pictures
    where = np.where(
        pictures.severity < 2, "clean and mild", pictures.family + pictures.severity.astype(str)
    )
    scenes = int(warnings.scene.max()) + 1
    rows = []
    for task in tasks(warnings):
        if task.target != target or task.reason:
            continue
        score = found.probabilities[task.vlm, target][task.at]
        places = where[task.at]
        mild = places == "clean and mild"
        known, scores, losses = _by_scene(task, score, mild)
        groups = {place: places == place for place in np.unique(places)}
        tests: dict[str, list[tuple[float, float, float]]] = {}
        for _ in range(rounds):
            half = rng.permutation(scenes) < scenes // 2
            own = half[known]
            kept = score <= conformal_threshold(scores[own], losses[own], limit)
            other = ~half[task.scene]
            for place, group in groups.items():
                at = group & other
                if at.any():
                    cost, left = task.outcome[at], kept[at]
                    found_here = cost.mean(), (cost * left).mean(), 1 - left.mean()
                    tests.setdefault(place, []).append(found_here)
        for place, values in sorted(tests.items(), key=lambda test: test[0] != "clean and mild"):
            plain, risk, refused = np.transpose(values)
            low, high = np.quantile(risk, [0.025, 0.975])
            rows.append(
                {"vlm": task.vlm, "where": place, "plain": plain.mean(), "risk": risk.mean(),
                 "low": low, "high": high, "refused": refused.mean(), "limit": limit}
            )  # fmt: skip
    columns = ["vlm", "where", "plain", "risk", "low", "high", "refused", "limit"]
    return pd.DataFrame(rows, columns=columns)


def _by_scene(
    task: Task, score: np.ndarray, kept: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the scenes (n,) of the pictures kept, and score and outcome of each (n, pictures).

    NaN fills up a scene that has fewer pictures than another.
    """
    frame = pd.DataFrame({"scene": task.scene[kept], "score": score[kept]})
    frame["loss"] = task.outcome[kept]
    frame["place"] = frame.groupby("scene").cumcount()
    wide = frame.pivot(index="scene", columns="place")
    return wide.index.to_numpy(), *(wide[v].to_numpy(float) for v in ("score", "loss"))
