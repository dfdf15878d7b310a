"""Does a stable embedding mean a stable decision? What moves between a picture and the clean one.

Embeddings are compared by cosine distance. The margin is that of the safety decision: the gap of a
contrastive model's two scores, or of a generative model's probabilities of yes and no; its drift is
counted in standard deviations of the clean margins.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from vlmis_utils.analysis.results import BLANK, Results
from vlmis_utils.statistics.correlation import spearman_interval
from vlmis_utils.statistics.intervals import from_draws
from vlmis_utils.statistics.prediction import auc_draws
from vlmis_utils.statistics.resampling import sample_and_resamples

__all__ = ["drift", "drift_by_corruption"]

_KEYS = ["vlm", "scene_id", "condition"]


def drift(results: Results) -> pd.DataFrame:
    """Return what moves on each degraded picture: vlm, scene_id, condition, family, embedding
    (cosine distance to clean), margin (absolute change), flipped (0 or 1: another decision).

    Without recorded embeddings, or margins, there are no rows of a model.
    """
    answers = results.answers[results.answers.condition != BLANK]
    seen = answers[answers.prompt == "describe"].set_index(_KEYS).embedding
    safety = answers[answers.prompt == "safety"].set_index(_KEYS)
    margin = pd.Series([_margin(row) for row in safety.itertuples()], safety.index, dtype=float)
    judged = results.vlm_per_image()
    decision = judged[judged.condition != BLANK].set_index(_KEYS).decision
    frame = pd.DataFrame({"vector": seen, "margin": margin, "decision": decision}).dropna()
    frame = frame.reset_index()
    clean = frame[frame.condition == "clean"].drop(columns="condition")
    both = frame[frame.condition != "clean"].merge(clean, on=_KEYS[:2], suffixes=("", "_clean"))
    if both.empty:
        return pd.DataFrame(columns=[*_KEYS, "family", "embedding", "margin", "flipped"])
    pairs = zip(both.vector, both.vector_clean, strict=True)
    both["embedding"] = [1 - _cosine(np.asarray(a), np.asarray(b)) for a, b in pairs]
    spread = clean.groupby("vlm").margin.std()
    both["margin"] = (both.margin - both.margin_clean).abs() / both.vlm.map(spread)
    both["flipped"] = (both.decision != both.decision_clean).astype(float)
    both["family"] = both.condition.str.rstrip("0123456789")
    return both[[*_KEYS, "family", "embedding", "margin", "flipped"]]


def drift_by_corruption(results: Results) -> pd.DataFrame:
    """Return, for each VLM and corruption, how drift of embedding and of decision go together.

    Returns:
        vlm, family; means of embedding, margin and flips; stable_flips, the share that changes
        among the half with the less embedding drift; rho, Spearman's correlation of the two drifts,
        with rho_low and rho_high (pictures taken as independent); auc, of embedding drift for a
        changed decision, with low and high over resampled scenes.
    """
    rows = []
    for (vlm, family), group in drift(results).groupby(["vlm", "family"], sort=False):
        scene = pd.factorize(group.scene_id)[0]
        weights = sample_and_resamples(scene.max() + 1, results.bootstrap)
        draws = auc_draws(group.flipped, group.embedding, weights, scene=scene)
        auc = from_draws(draws, scene.max() + 1, "logit")
        rho = group.embedding.corr(group.margin, method="spearman")
        low, high = spearman_interval(rho, len(group)) if len(group) > 3 else (np.nan, np.nan)
        stable = group[group.embedding <= group.embedding.median()]
        rows.append(
            {"vlm": vlm, "family": family, "embedding": group.embedding.mean(),
             "margin": group.margin.mean(), "flips": group.flipped.mean(),
             "stable_flips": stable.flipped.mean(), "rho": rho, "rho_low": low, "rho_high": high,
             "auc": float(auc.value), "low": float(auc.low), "high": float(auc.high)}
        )  # fmt: skip
    return pd.DataFrame(rows)


def _margin(row: object) -> float:
    if len(row.scores) == 2:
        return row.scores[0] - row.scores[1]
    known = row.p_yes is not None and row.p_no is not None
    return row.p_yes - row.p_no if known else np.nan


def _cosine(one: np.ndarray, other: np.ndarray) -> float:
    return float(one @ other / (np.linalg.norm(one) * np.linalg.norm(other)))
