"""ΔQ and ΔL (Sections 5.3 and 5.5 of the paper), with intervals that respect the pairing.

Every interval is at 95 % and over scenes, a bootstrap but for mIoU, where the jackknife keeps its
level better: whole scenes are drawn, or left out, with all their conditions, so that a change from
clean is taken within the same scenes and the ten images of one scene are never treated as ten
independent ones.
"""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd

from vlmis_utils.analysis.results import Results
from vlmis_utils.metrics.baselines import best_caption
from vlmis_utils.metrics.per_image import f1
from vlmis_utils.statistics.jackknife import jackknife_miou_change
from vlmis_utils.statistics.resampling import bootstrap_interval

__all__ = [
    "METRIC_COLUMNS",
    "above_constant",
    "misalignment_changes",
    "quality_changes",
]

# Metric -> its column in ``Results.vlm_per_image``.
METRIC_COLUMNS: dict[str, str] = {"hr": "hr_i", "cor": "omitted", "smr": "smr_i"}


def quality_changes(results: Results) -> pd.DataFrame:
    """Return segmenter, condition, delta, low, high: ΔmIoU, clean minus degraded, over all scenes.

    mIoU is that of the summed confusion counts; intervals are the jackknife's over scenes.
    """
    rows = []
    for segmenter, group in results.segmentation.groupby("segmenter", sort=False):
        table = group.pivot(index="scene_id", columns="condition", values="confusion").dropna()
        names = ["clean", *(c for c in dict.fromkeys(group.condition) if c != "clean")]
        counts = np.stack([np.stack(list(table[name])) for name in names], axis=1)
        found = jackknife_miou_change(counts)
        columns = (found.value[1:], found.low[1:], found.high[1:])
        rows += [(segmenter, *row) for row in zip(names[1:], *columns, strict=True)]
    return pd.DataFrame(rows, columns=["segmenter", "condition", "delta", "low", "high"])


def misalignment_changes(results: Results) -> pd.DataFrame:
    """Return vlm, condition, metric, delta, low, high: degraded minus clean, mean over scenes.

    Metrics are hr, cor, smr, and f1 of the description. The control arm is among the conditions,
    as ``blank``.
    """
    rows = []
    images = results.vlm_per_image()
    metrics = METRIC_COLUMNS | {"f1": "f1"}
    for vlm, (metric, column) in itertools.product(images.vlm.unique(), metrics.items()):
        mine = images[images.vlm == vlm]
        table = mine.pivot(index="scene_id", columns="condition", values=column).astype(float)
        names = [c for c in table.columns if c != "clean"]
        found = bootstrap_interval(
            (table[names].sub(table["clean"], axis=0)).to_numpy(), resamples=results.bootstrap
        )
        rows += [
            (vlm, name, metric, *values)
            for name, *values in zip(names, found.value, found.low, found.high, strict=True)
        ]
    return pd.DataFrame(rows, columns=["vlm", "condition", "metric", "delta", "low", "high"])


def above_constant(results: Results) -> pd.DataFrame:
    """Return vlm, measure, delta, low, high: what it is worth to look at clean images.

    Positive is better. Measure ``f1``: the description's F1 minus that of the best constant
    caption. Measure ``smr``: the SMR of the better of "always safe" and "always unsafe", minus that
    of the answers. Means of paired differences over scenes.
    """
    images = results.vlm_per_image()
    clean = images[images.condition == "clean"]
    truth = clean.drop_duplicates("scene_id")
    caption = best_caption(list(truth.present), results.reading.vocabulary)
    word = bool(truth.safe.mean() >= 0.5)
    rows = []
    for vlm, mine in clean.groupby("vlm", sort=False):
        constant = np.array([f1(caption, present) for present in mine.present])
        gains = {
            "f1": mine.f1.to_numpy(dtype=float) - constant,
            "smr": (mine.safe != word).to_numpy(dtype=float) - mine.smr_i.to_numpy(dtype=float),
        }
        for measure, gain in gains.items():
            found = bootstrap_interval(gain, resamples=results.bootstrap)
            rows.append((vlm, measure, found.value, found.low, found.high))
    return pd.DataFrame(rows, columns=["vlm", "measure", "delta", "low", "high"])
