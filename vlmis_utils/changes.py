"""ΔQ, ΔL and their correlation (Sections 5.3, 5.5, 3.6), with intervals that respect the pairing.

Every interval is at 95 % and over scenes, a bootstrap but for mIoU, where the jackknife keeps its
level better: whole scenes are drawn, or left out, with all their conditions, so that a change from
clean is taken within the same scenes and the ten images of one scene are never treated as ten
independent ones.
"""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd

from vlmis_utils.controls import best_caption
from vlmis_utils.outcomes import f1
from vlmis_utils.results import BLANK, Results
from vlmis_utils.statistics import (
    METHODS,
    bootstrap_interval,
    correlation,
    jackknife_miou_change,
    scene_weights,
)

__all__ = [
    "METRIC_COLUMNS",
    "above_constant",
    "correlations",
    "misalignment_changes",
    "quality_changes",
]

# Metric -> its column in ``Results.vlm_per_image``.
METRIC_COLUMNS: dict[str, str] = {"hr": "hr_i", "cor": "omitted", "smr": "smr_i"}
_FOUND = ("n", "r", "low", "high", "p")


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


def correlations(results: Results) -> pd.DataFrame:
    """Return the correlation of mIoU with each metric, for each segmenter, VLM and method.

    Columns over, segmenter, vlm, metric, method, n, r, low, high, p. Over ``conditions``: n
    conditions, one pair each, interval by Fisher's transform. Over ``images``: n pairs of one image
    under one condition; interval from resampled scenes; p is left NaN, as the pairs of one scene
    depend on each other.
    """
    rows = []
    by_condition = results.pairs()
    by_condition = by_condition[by_condition.condition != BLANK]
    per_image = results.pairs_per_image()
    for keys, group in by_condition.groupby(["segmenter", "vlm"], sort=False):
        images = per_image[(per_image.segmenter == keys[0]) & (per_image.vlm == keys[1])]
        for metric, column in METRIC_COLUMNS.items():
            for method in METHODS:
                name = (*keys, metric, method)
                found = correlation(group.miou, group[metric], method)
                rows.append(("conditions", *name, *(found[k] for k in _FOUND)))
                found = _clustered(images, column, method, results.bootstrap)
                rows.append(("images", *name, *found))
    columns = ["over", "segmenter", "vlm", "metric", "method", *_FOUND]
    return pd.DataFrame(rows, columns=columns)


def _clustered(
    images: pd.DataFrame, column: str, method: str, resamples: int
) -> tuple[int, float, float, float, float]:
    """Correlate over images, with an interval from resampled scenes: n, r, low, high, NaN."""
    images = images.dropna(subset=["miou", column])
    found = correlation(images.miou, images[column], method)
    if np.isnan(found["r"]):
        return (found["n"], *[np.nan] * 4)
    x, y = images.miou.to_numpy(), images[column].to_numpy(dtype=float)
    if method == "spearman":
        x, y = pd.Series(x).rank().to_numpy(), pd.Series(y).rank().to_numpy()
    x, y = x - x.mean(), y - y.mean()
    scene = pd.factorize(images.scene_id)[0]
    moments = np.stack([np.ones_like(x), x, y, x * x, y * y, x * y], axis=1)
    sums = np.zeros((scene.max() + 1, moments.shape[1]))
    np.add.at(sums, scene, moments)
    n, sx, sy, sxx, syy, sxy = (scene_weights(len(sums), resamples) @ sums).T
    with np.errstate(divide="ignore", invalid="ignore"):
        r = (n * sxy - sx * sy) / np.sqrt((n * sxx - sx**2) * (n * syy - sy**2))
    low, high = np.nanquantile(r, [0.025, 0.975])
    return found["n"], found["r"], float(low), float(high), np.nan
