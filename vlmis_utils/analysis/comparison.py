"""Two studies side by side: parameters that differ, and findings that differ.

Where both hold the same picture, by its recorded digest, models of one name are compared in pairs
within scenes; elsewhere only their means stand beside each other, untested.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd

from vlmis_utils.analysis.changes import BINARY, with_holm
from vlmis_utils.analysis.results import BLANK, Results
from vlmis_utils.metrics.per_image import METRIC_COLUMNS
from vlmis_utils.protocol.conditions import ordered
from vlmis_utils.protocol.study import Study, flat
from vlmis_utils.statistics.paired import mcnemar, paired_effect
from vlmis_utils.statistics.resampling import bootstrap_interval

__all__ = ["compared_findings", "differing_parameters", "shared_pictures"]

_COLUMNS = ["kind", "model", "metric", "condition", "n", "first", "second", "delta", "low", "high",
            "p", "holm"]  # fmt: skip


def differing_parameters(
    first: Study, second: Study, runs: tuple[Mapping, Mapping] = ({}, {})
) -> pd.DataFrame:
    """Return key, first, second: what two studies ran with and does not agree, as text.

    Args:
        first, second: the studies.
        runs: ``run.json`` of both; a model whose digest differs has a row of its own.
    """
    one, other = flat(first), flat(second)
    rows = [(key, one.get(key), other.get(key))
            for key in dict.fromkeys((*one, *other)) if one.get(key) != other.get(key)]  # fmt: skip
    known = [run.get("models", {}) for run in runs]
    for model in known[0]:
        digests = [of.get(model, {}).get("digest") for of in known]
        if digests[1] is not None and digests[0] != digests[1]:
            rows.append((f"checkpoint of {model}", *digests))
    shown = [(key, *(_shown(value) for value in values)) for key, *values in rows]
    return pd.DataFrame(shown, columns=["key", "first", "second"])


def shared_pictures(first: Results, second: Results) -> pd.DataFrame:
    """Return scene_id and condition of the pictures that both studies hold, bit for bit."""
    keys = ["scene_id", "condition", "image_sha256"]
    both = first.conditions[keys].merge(second.conditions[keys], on=keys)
    return both.loc[both.condition != BLANK, keys[:2]].reset_index(drop=True)


def compared_findings(first: Results, second: Results) -> pd.DataFrame:
    """Return the means of models and conditions that both studies have, and tests of them.

    Returns:
        One row for each model, metric and condition: kind (segmenter or vlm), model, metric (miou,
        hr, cor, smr), condition; first and second, means over the n shared pictures, and delta,
        second minus first, with low, high (paired bootstrap over scenes), p (McNemar's exact test
        for COR and SMR, else Wilcoxon's) and holm, corrected over all rows of the model. Where no
        picture of a condition is shared, n is 0, the means are over all pictures of each study, and
        the rest is NaN. mIoU is the mean of that of single images.
    """
    shared = shared_pictures(first, second)
    resamples = min(first.bootstrap, second.bootstrap)
    rows = []
    for kind, model, metric, one, other in _paired_frames(first, second):
        for condition in ordered(set(one.condition) & set(other.condition) - {BLANK}):
            scenes = shared.scene_id[shared.condition == condition]
            x, y = (f[f.condition == condition].set_index("scene_id").value for f in (one, other))
            row = {"kind": kind, "model": model, "metric": metric, "condition": condition}
            rows.append(row | _compared(x, y, scenes, metric, resamples))
    if not rows:
        return pd.DataFrame(columns=_COLUMNS)
    return with_holm(pd.DataFrame(rows), ["kind", "model"])[_COLUMNS]


def _compared(
    x: pd.Series, y: pd.Series, scenes: pd.Series, metric: str, resamples: int
) -> dict[str, float]:
    names = [scene for scene in scenes if scene in x.index and scene in y.index]
    if not names:
        missing = dict.fromkeys(("delta", "low", "high", "p"), np.nan)
        return {"n": 0, "first": float(x.mean()), "second": float(y.mean())} | missing
    before, after = x.loc[names].to_numpy(float), y.loc[names].to_numpy(float)
    known = np.isfinite(before) & np.isfinite(after)
    before, after = before[known], after[known]
    test = mcnemar(before, after) if metric in BINARY else paired_effect(before, after)
    found = bootstrap_interval(after - before, resamples=resamples)
    return {
        "n": len(before), "first": float(before.mean()), "second": float(after.mean()),
        "delta": found.value, "low": found.low, "high": found.high, "p": test["p"],
    }  # fmt: skip


def _paired_frames(
    first: Results, second: Results
) -> Iterator[tuple[str, str, str, pd.DataFrame, pd.DataFrame]]:
    """Yield kind, model, metric, and the values of both studies: condition, scene_id, value."""
    keys = ["condition", "scene_id"]
    quality = [r.segmentation_per_image() for r in (first, second)]
    answers = [r.vlm_per_image() for r in (first, second)]
    measured = [("segmenter", quality, {"miou": "miou"}), ("vlm", answers, METRIC_COLUMNS)]
    for kind, frames, metrics in measured:
        names = [list(dict.fromkeys(frame[kind])) for frame in frames]
        for model in (name for name in names[0] if name in names[1]):
            parts = [frame[frame[kind] == model] for frame in frames]
            for metric, column in metrics.items():
                yield (kind, model, metric,
                       *(part[[*keys, column]].rename(columns={column: "value"})
                         for part in parts))  # fmt: skip


def _shown(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
