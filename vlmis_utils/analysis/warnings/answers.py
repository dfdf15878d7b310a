"""Signals of what VLMs say, alone, together, and against a segmenter."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.special import entr, softmax

from vlmis_utils.analysis.results import Results
from vlmis_utils.protocol.classes import LANGUAGE_CLASSES, LANGUAGE_NAMES
from vlmis_utils.protocol.safety_label import ROAD_USERS

__all__ = ["contradictions", "distances", "of_answers", "of_others"]

KEYS = ["scene_id", "condition"]
_LEAST = 5  # clean pictures that a covariance needs


def of_answers(
    results: Results, vlm: str, index: pd.MultiIndex, fold: np.ndarray, clean: np.ndarray
) -> pd.DataFrame:
    """Return what one VLM's answers tell of each picture, doubt upward.

    A contrastive model's margins are gaps of scores and its entropy is that of the softmax over the
    classes it compares; a generative model's are those of the first token.

    Args:
        results: of the run.
        vlm: which.
        index: (scene_id, condition) of M pictures.
        fold: (M,), of each picture's scene.
        clean: bool (M,).
    """
    own = results.answers[results.answers.vlm == vlm]
    found = pd.DataFrame(index=index)
    safety = own[own.prompt == "safety"].set_index(KEYS).reindex(index)
    found["safety_margin"] = -_gaps(safety.scores, safety.first_margin)
    asked = own[own.prompt.str.startswith("presence/")]
    asked = asked.assign(gap=_gaps(asked.scores, (asked.p_yes - asked.p_no).abs()))
    found["presence_margin"] = -asked.groupby(KEYS).gap.mean().reindex(index)
    described = own[own.prompt == "describe"].set_index(KEYS).reindex(index)
    found["describe_entropy"] = _entropies(described.scores, described.first_entropy)
    if described.embedding.notna().all():
        found["distance"] = distances(np.stack(list(described.embedding)), fold, clean)
    words = results.presence_answers()
    words = words[(words.vlm == vlm) & (words.word != "unknown")]
    judged = results.vlm_per_image()
    mentioned = judged[judged.vlm == vlm].set_index(KEYS).mentioned
    said = [c in m for c, m in zip(words["class"], mentioned.reindex(words[KEYS]), strict=True)]
    differs = ((words.word == "yes") != np.array(said, dtype=bool)).groupby(
        [words[k] for k in KEYS]
    )
    found["inconsistent"] = differs.mean().reindex(index)
    return found


def distances(vectors: np.ndarray, fold: np.ndarray, clean: np.ndarray) -> np.ndarray:
    """Return Mahalanobis distances to the clean pictures of other folds.

    The covariance is shrunk as Ledoit and Wolf do (Journal of Multivariate Analysis 88, 2004), for
    there are fewer pictures than dimensions.

    Args:
        vectors: (M, D).
        fold: (M,).
        clean: bool (M,), the pictures of which mean and covariance are taken.

    Returns:
        (M,); NaN where fewer than 5 clean pictures are left.
    """
    from sklearn.covariance import LedoitWolf

    found = np.full(len(vectors), np.nan)
    for one in np.unique(fold):
        others = clean & (fold != one)
        if others.sum() >= _LEAST:
            fitted = LedoitWolf().fit(vectors[others])
            found[fold == one] = np.sqrt(fitted.mahalanobis(vectors[fold == one]))
    return found


def of_others(judged: pd.DataFrame, vlm: str, index: pd.MultiIndex) -> pd.DataFrame:
    """Return how far the other VLMs mention other classes and decide otherwise, means over them.

    Classes by the Jaccard distance of what the two mention, 0 where neither mentions any.

    Args:
        judged: ``Results.vlm_per_image()``.
        vlm: which is compared with all others.
        index: (scene_id, condition) of M pictures.
    """
    tables = {
        name: group.set_index(KEYS).reindex(index)
        for name, group in judged.groupby("vlm", sort=False)
    }
    own = tables.pop(vlm)
    if not tables:
        return pd.DataFrame(index=index)
    classes, words = [], []
    for other in tables.values():
        pairs = zip(own.mentioned, other.mentioned, strict=True)
        classes.append([1 - len(a & b) / len(a | b) if a | b else 0.0 for a, b in pairs])
        words.append((own.decision != other.decision).to_numpy(float))
    means = {"others_mention": np.mean(classes, axis=0), "others_decide": np.mean(words, axis=0)}
    return pd.DataFrame(means, index=index)


def contradictions(results: Results, judged: pd.DataFrame, segmenter: str) -> pd.DataFrame:
    """Return where a VLM and a segmenter contradict each other, doubt upward.

    ``omits_seen``: share of the picture that is predicted as critical classes and not mentioned.
    ``invents``: classes mentioned of which no pixel is predicted. ``safe_but_occupied``: share of
    the corridor that is predicted as road users, negative where the call is unsafe, 0 where there
    is none.

    Args:
        results: of the run; records without counts of what was predicted give no columns.
        judged: rows of ``Results.vlm_per_image()`` of one VLM, by (scene_id, condition).
        segmenter: whose predictions.
    """
    table = results.segmentation[results.segmentation.segmenter == segmenter]
    rows = table.set_index(KEYS).reindex(judged.index)
    if rows.predicted.isna().any():
        return pd.DataFrame(index=judged.index)
    whole, ahead = (
        np.stack(list(rows[c])).astype(float) for c in ("predicted", "corridor_predicted")
    )
    shares = whole / whole.sum(axis=1, keepdims=True)
    said = np.array([[c in m for c in LANGUAGE_CLASSES] for m in judged.mentioned], dtype=bool)
    critical = np.isin(LANGUAGE_CLASSES, results.reading.critical_classes)
    objects = np.isin(LANGUAGE_CLASSES, results.reading.vocabulary)
    users = np.isin(LANGUAGE_CLASSES, [LANGUAGE_NAMES[name] for name in ROAD_USERS])
    sign = judged.decision.map({"safe": 1.0, "unsafe": -1.0}).fillna(0.0).to_numpy()
    occupied = ahead[:, users].sum(axis=1) / np.maximum(1, ahead.sum(axis=1))
    columns = {
        "omits_seen": (shares * (critical & ~said)).sum(axis=1),
        "invents": (said & objects & (whole == 0)).sum(axis=1),
        "safe_but_occupied": sign * occupied,
    }
    return pd.DataFrame(columns, index=judged.index)


def _gaps(scores: pd.Series, others: pd.Series) -> np.ndarray:
    """Return how sure answers are: the gap of two scores, of a generative model the other number.

    An older record of a generative model has no such number: NaN.
    """
    pairs = zip(scores, others, strict=True)
    return np.array([abs(s[0] - s[1]) if len(s) == 2 else other for s, other in pairs], float)


def _entropies(scores: pd.Series, others: pd.Series) -> np.ndarray:
    """Return the entropy of scores by the log of their number, or the other number; NaN if none."""
    pairs = zip(scores, others, strict=True)
    shares = (entr(softmax(s)).sum() / np.log(len(s)) if len(s) else o for s, o in pairs)
    return np.array(list(shares), float)
