"""A reading without a parser: the probabilities that the first token of an answer is yes or no.

A generative model gives every token a probability before it writes one. The records hold those of
"yes" and of "no", in any case, for the presence and the safety prompts. Their larger one is a
decision that no rule of ours has touched; their share, ``p_yes / (p_yes + p_no)``, is a score with
more than the three steps of a text; what is left, ``1 - p_yes - p_no``, is the mass outside: high
where the model would rather begin with something else, so that this reading says little.

Contrastive models have no such probabilities, and not every server of a hosted model tells them:
rows without are left out, and `coverage` counts them. It is a reading of the first token only: a
text that begins with "the answer is" hides its answer from it.
"""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd

from vlmis_utils.analysis.parser_study.accuracy import read_closed, tightened
from vlmis_utils.analysis.parser_study.rereading import EVERY, spoken_answers
from vlmis_utils.analysis.results import Results
from vlmis_utils.protocol.prompts import presence_class
from vlmis_utils.records.store import BLANK
from vlmis_utils.statistics.prediction import auc_draws
from vlmis_utils.statistics.resampling import percentiles, scene_weights

__all__ = ["TASKS", "agreement", "coverage", "discrimination", "disputed", "first_tokens"]

TASKS: tuple[str, ...] = ("presence", "safety")

_STEPS = {"yes": 1.0, "unknown": 0.5, "no": 0.0}
_YES_NO = {"safe": "yes", "unsafe": "no", "abstain": "unknown"}
_WORDS = tuple(_STEPS)


def coverage(results: Results) -> pd.DataFrame:
    """Return vlm, task, answers (texts to closed questions) and told (those with probabilities)."""
    spoken = _closed(spoken_answers(results))
    told = spoken.p_yes.notna() & spoken.p_no.notna()
    grouped = spoken.assign(told=told).groupby(["vlm", "task"], sort=False).told
    return grouped.agg(answers="size", told="sum").reset_index()


def first_tokens(results: Results) -> pd.DataFrame:
    """Return one row for each answer to a closed question whose first token is known.

    Returns:
        Columns vlm, condition, scene_id, task (presence, safety), class ("" for safety), text, said
        (what the text was read as: yes, no, unknown; safe is yes), first (yes where
        p_yes > p_no, else no), score = p_yes / (p_yes + p_no), steps (the score of the text: 1, 0.5
        or 0), outside = 1 - p_yes - p_no, truth (whether the class is in the clean scene, or
        whether the scene is safe). Answers with p_yes = p_no = 0 have no score and are left out.
    """
    rows = _closed(spoken_answers(results)).dropna(subset=["p_yes", "p_no"])
    rows = rows[(rows.p_yes + rows.p_no) > 0]
    asked = rows["class"].isin(results.reading.vocabulary) | (rows.task == "safety")
    truth = results.truth[["scene_id", "condition", "present", "safe"]]
    frame = rows[asked].merge(truth, on=["scene_id", "condition"])
    rows = zip(frame.text, frame.task, frame["class"], strict=True)
    said = [read_closed(text, task, "scoped", asked or None) for text, task, asked in rows]
    frame["said"] = [_YES_NO.get(word, word) for word in said]
    frame["first"] = np.where(frame.p_yes > frame.p_no, "yes", "no")
    frame["score"] = frame.p_yes / (frame.p_yes + frame.p_no)
    frame["steps"] = frame["said"].map(_STEPS).astype(float)
    frame["outside"] = (1 - frame.p_yes - frame.p_no).clip(lower=0.0)
    frame["truth"] = [
        bool(row.safe) if row.task == "safety" else row.asked in row.present
        for row in frame.rename(columns={"class": "asked"}).itertuples()
    ]
    columns = ["vlm", "condition", "scene_id", "task", "class", "text", "said", "first", "score",
               "steps", "outside", "truth"]  # fmt: skip
    return frame[columns]


def agreement(frame: pd.DataFrame, resamples: int = 2000) -> pd.DataFrame:
    """Return how often text and first token say the same, by model, task and condition.

    Cohen's kappa (Educational and Psychological Measurement 20, 1960) is the share above what two
    readings with these habits would agree on by chance, over the share that was left to agree on;
    it is computed by scikit-learn. A text that decides nothing agrees with neither word. Intervals
    are percentile bootstraps over scenes, all answers of a scene together; where all scenes agree
    entirely, see `analysis.parser_study.accuracy.tightened`.

    Args:
        frame: from `first_tokens`.
        resamples: of the bootstrap over scenes.

    Returns:
        Columns vlm, task, condition (`EVERY`: all but the blank one), n (answers), agree, low,
        high, kappa, kappa_low, kappa_high (NaN where both readings are one and the same word
        throughout), undecided (share of texts), outside and outside_max (mean and largest mass).
    """
    rows = []
    for (vlm, task, condition), group in _parts(frame):
        scenes, ids = np.unique(group.scene_id, return_inverse=True)
        table = np.zeros((len(scenes), 3, 3))
        pair = [group[c].map(_WORDS.index) for c in ("said", "first")]
        np.add.at(table, (ids, *pair), 1)
        flat = scene_weights(len(scenes), resamples) @ table.reshape(len(scenes), -1)
        drawn = flat.reshape(-1, 3, 3)
        same = group["said"] == group["first"]
        bounds = percentiles(np.stack([_observed(drawn), _kappa(drawn)], axis=1))
        agree = tightened(float(same.mean()), *(float(b[0]) for b in bounds), len(scenes))
        kappa = _sklearn_kappa(group["said"], group["first"])
        rows.append((vlm, task, condition, len(group), *agree, kappa, *(b[1] for b in bounds),
                     (group["said"] == "unknown").mean(), group.outside.mean(),
                     group.outside.max()))  # fmt: skip
    columns = ["vlm", "task", "condition", "n", "agree", "low", "high", "kappa", "kappa_low",
               "kappa_high", "undecided", "outside", "outside_max"]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)


def discrimination(frame: pd.DataFrame, resamples: int = 2000) -> pd.DataFrame:
    """Return how well score and text tell yes from no, as AUC, by model, task and condition.

    Presence: the unweighted mean of the AUC of each class asked about that some scenes hold and
    some do not, as in `analysis.results.Results.presence_by_condition`; classes are not pooled,
    as a guess by class would then look like sight. `EVERY` is the mean over the conditions but the
    blank one. Intervals are percentile bootstraps over scenes, paired for ``gain``.

    Args:
        frame: from `first_tokens`.
        resamples: of the bootstrap over scenes.

    Returns:
        Columns vlm, task, condition, measure (score: of p_yes / (p_yes + p_no); text: of its three
        steps; gain: score minus text), value, low, high; NaN where no class varies.
    """
    rows = []
    for (vlm, task), mine in frame.groupby(["vlm", "task"], sort=False):
        scenes = sorted(mine.scene_id.unique())
        ones = np.ones((1, len(scenes)))
        weights = np.vstack([ones, scene_weights(len(scenes), resamples)])
        found: dict[str, np.ndarray] = {}
        for condition, part in mine.groupby("condition", sort=False):
            found[condition] = np.stack([_mean_auc(part, c, scenes, weights)
                                         for c in ("score", "steps")])  # fmt: skip
        seen = [samples for condition, samples in found.items() if condition != BLANK]
        if seen:
            found[EVERY] = _nanmean(np.stack(seen), axis=0)
        for condition, (score, text) in found.items():
            for measure, drawn in (("score", score), ("text", text), ("gain", score - text)):
                low, high = percentiles(drawn[1:, None]) if len(scenes) > 1 else ([np.nan],) * 2
                rows.append((vlm, task, condition, measure, drawn[0], low[0], high[0]))
    columns = ["vlm", "task", "condition", "measure", "value", "low", "high"]
    return pd.DataFrame(rows, columns=columns)


def disputed(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the texts that are read one way and begin the other, the most frequent first.

    Args:
        frame: from `first_tokens`.

    Returns:
        Columns vlm, task, text, said, first, count (answers under all conditions).
    """
    apart = frame[frame["said"] != frame["first"]]
    keys = ["vlm", "task", "text", "said", "first"]
    counts = apart.groupby(keys, sort=False).size().rename("count").reset_index()
    return counts.sort_values("count", ascending=False, kind="stable", ignore_index=True)


def _closed(answers: pd.DataFrame) -> pd.DataFrame:
    """Return the answers to presence and safety prompts, with task and class."""
    asked = answers.prompt.str.startswith("presence/") | (answers.prompt == "safety")
    frame = answers[asked].copy()
    frame["class"] = [presence_class(prompt) or "" for prompt in frame.prompt]
    frame["task"] = np.where(frame["class"] == "", "safety", "presence")
    return frame


def _parts(frame: pd.DataFrame) -> list[tuple[tuple[str, str, str], pd.DataFrame]]:
    """Return the groups by model, task and condition, and by model and task for `EVERY`."""
    found = list(frame.groupby(["vlm", "task", "condition"], sort=False))
    seen = frame[frame.condition != BLANK]
    return found + [((*k, EVERY), group) for k, group in seen.groupby(["vlm", "task"], sort=False)]


def _observed(tables: np.ndarray) -> np.ndarray:
    return np.trace(tables, axis1=-2, axis2=-1) / tables.sum(axis=(-2, -1))


def _kappa(tables: np.ndarray) -> np.ndarray:
    """Return Cohen's kappa of tables (R, K, K); NaN where chance alone agrees always."""
    total = tables.sum(axis=(-2, -1))
    chance = (tables.sum(-1) * tables.sum(-2)).sum(-1) / total**2
    seen = _observed(tables)
    return np.divide(seen - chance, 1 - chance, out=np.full_like(seen, np.nan), where=chance < 1)


def _sklearn_kappa(first: pd.Series, second: pd.Series) -> float:
    from sklearn.metrics import cohen_kappa_score

    if first.nunique() == 1 and set(first) == set(second):
        return float("nan")
    return float(cohen_kappa_score(first, second))


def _mean_auc(
    part: pd.DataFrame, column: str, scenes: list[str], weights: np.ndarray
) -> np.ndarray:
    """Return the AUC (R,) of each resample, the mean over the classes that vary; [0] is of all."""
    place = {scene: at for at, scene in enumerate(scenes)}
    drawn = []
    for _, group in part.groupby("class", sort=False):
        real = group.truth.to_numpy(dtype=bool)
        if real.all() or not real.any():
            continue
        scene = group.scene_id.map(place).to_numpy()
        score = group[column].to_numpy(dtype=float)
        drawn.append(auc_draws(real, score, weights, scene=scene))
    return _nanmean(np.stack(drawn), axis=0) if drawn else np.full(len(weights), np.nan)


def _nanmean(values: np.ndarray, axis: int) -> np.ndarray:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return np.nanmean(values, axis=axis)
