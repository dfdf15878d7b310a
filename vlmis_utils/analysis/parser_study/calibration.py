"""Does the first token mean its probability? Reliability of the score p_yes / (p_yes + p_no).

A score is calibrated if, of the answers with score 0.8, eight in ten are about something that is
there. Degraded pictures are the test: a model that sees less should be less sure.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from vlmis_utils.analysis.parser_study.accuracy import tightened
from vlmis_utils.records.store import BLANK
from vlmis_utils.statistics.resampling import percentiles, scene_weights

__all__ = ["CLEAN", "DEGRADED", "confidence", "reliability"]

CLEAN, DEGRADED = "clean", "degraded"


def reliability(frame: pd.DataFrame, bins: int = 5, resamples: int = 2000) -> pd.DataFrame:
    """Return how often the answer yes is true, by bin of the score.

    Bins are of equal width on [0, 1]; a score of 1 falls into the last. Presence pools the classes
    asked about, degraded pools the conditions but the blank one.

    Args:
        frame: from `analysis.parser_study.first_token.first_tokens`.
        bins: number of bins.
        resamples: of the bootstrap over scenes.

    Returns:
        Columns vlm, task, pictures (`CLEAN` or `DEGRADED`), bin (from 0), answers, scenes, score
        (mean), true (share), low, high; empty bins have no row. Intervals are percentile bootstraps
        over the scenes that have an answer in the bin; see
        `analysis.parser_study.accuracy.tightened` for shares of 0 and 1.
    """
    rows = []
    for keys, group in _parts(frame):
        place = np.minimum((group.score * bins).astype(int), bins - 1)
        for at, part in group.groupby(place.to_numpy()):
            per_scene = part.groupby("scene_id").truth.agg(["sum", "size"]).to_numpy(dtype=float)
            drawn = scene_weights(len(per_scene), resamples) @ per_scene
            low, high = percentiles((drawn[:, 0] / drawn[:, 1])[:, None])
            bounds = tightened(float(part.truth.mean()), low[0], high[0], len(per_scene))
            rows.append((*keys, int(at), len(part), len(per_scene), part.score.mean(), *bounds))
    columns = ["vlm", "task", "pictures", "bin", "answers", "scenes", "score", "true", "low",
               "high"]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)


def confidence(frame: pd.DataFrame, resamples: int = 2000) -> pd.DataFrame:
    """Return how sure the model is of its first token, how often it is right, and the gap.

    Sureness is the mean of max(score, 1 - score), right the share of answers whose first token is
    true; a gap above 0 is overconfidence. The Brier score (Monthly Weather Review 78, 1950) is the
    mean of (score - truth)², and ``brier_share`` that of the constant which knows how often each
    class is there (each condition's share of the true): a score with a higher one would better not
    have looked. The gain is the constant's minus the score's, its interval for constants as found.

    Args:
        frame: from `analysis.parser_study.first_token.first_tokens`.
        resamples: of the bootstrap over scenes.

    Returns:
        Columns vlm, task, pictures, answers, sure, right, gap, gap_low, gap_high, brier,
        brier_share, gain, gain_low, gain_high; intervals are percentile bootstraps over scenes,
        NaN for one scene alone.
    """
    rows = []
    for keys, group in _parts(frame):
        sure = np.maximum(group.score, 1 - group.score)
        right = (group["first"] == "yes") == group.truth
        share = group.groupby(["class", "condition"]).truth.transform("mean")
        brier, constant = (group.score - group.truth) ** 2, (share - group.truth) ** 2
        terms = pd.DataFrame({"gap": sure - right, "gain": constant - brier, "size": 1.0})
        summed = terms.groupby(group.scene_id).sum().to_numpy()
        drawn = scene_weights(len(summed), resamples) @ summed
        low, high = percentiles(drawn[:, :2] / drawn[:, 2:])
        if len(summed) < 2:
            low, high = np.full((2, 2), np.nan)
        rows.append(
            (*keys, len(group), sure.mean(), right.mean(), terms.gap.mean(), low[0], high[0],
             brier.mean(), constant.mean(), terms.gain.mean(), low[1], high[1])
        )  # fmt: skip
    columns = ["vlm", "task", "pictures", "answers", "sure", "right", "gap", "gap_low", "gap_high",
               "brier", "brier_share", "gain", "gain_low", "gain_high"]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)


def _parts(frame: pd.DataFrame) -> list[tuple[tuple[str, str, str], pd.DataFrame]]:
    """Return the groups by model, task and pictures; the blank arm is in none."""
    seen = frame[frame.condition != BLANK]
    pictures = np.where(seen.condition == "clean", CLEAN, DEGRADED)
    return list(seen.assign(pictures=pictures).groupby(["vlm", "task", "pictures"], sort=False))
