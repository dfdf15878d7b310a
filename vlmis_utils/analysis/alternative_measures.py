"""Correlations of L with other measures of segmentation quality than mIoU, and their gain.

The paper argues that mIoU hides local, safety-critical errors (Section 6.3). If that is why it
correlates so little with misalignment, a measure that looks at the critical classes, or at the road
ahead, should correlate more. A proxy goes down where failures go up, so it is the better the nearer
its correlation is to -1: the gain of a measure over mIoU is r(mIoU, L) - r(measure, L), both of the
same images and resamples.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from vlmis_utils.analysis.correlation import LEVELS
from vlmis_utils.analysis.panel import Panel, load_panel
from vlmis_utils.analysis.quality_measures import Measure, measures
from vlmis_utils.analysis.results import Results
from vlmis_utils.metrics.per_image import METRIC_COLUMNS
from vlmis_utils.statistics.intervals import Interval, from_draws
from vlmis_utils.statistics.paired import holm
from vlmis_utils.statistics.resampled_correlation import correlate_rows, resampled_correlation
from vlmis_utils.statistics.resampling import sample_and_resamples

__all__ = ["measure_words", "measure_correlations"]


def measure_words(results: Results) -> dict[str, str]:
    """Return name -> words of the measures of a run, mIoU first."""
    return {m.name: m.words for m in measures(results.reading.critical_classes)}


def measure_correlations(
    results: Results,
    levels: Sequence[str] = tuple(LEVELS),
    method: str = "spearman",
    columns: Mapping[str, str] = METRIC_COLUMNS,
) -> pd.DataFrame:
    """Return the correlation of each measure of Q with each metric, and its gain over mIoU.

    Args:
        results: of the run.
        levels: of `analysis.correlation.LEVELS`.
        method: pearson or spearman.
        columns: metric -> column of ``Results.vlm_per_image``.

    Returns:
        One row for each over, quality, metric, vlm and segmenter: n pairs and scenes, over images
        those where the measure is defined; r, low, high, p from resampled scenes, over conditions
        too; miou_r, the coefficient of mIoU in the same pairs; gain = miou_r - r with gain_low,
        gain_high, gain_p, and gain_holm within the level; size_gain = abs(r) - abs(miou_r), with
        its interval, which also counts what goes the wrong way. Gains of mIoU over itself are NaN.
    """
    panel = load_panel(results, tuple(columns.values()))
    weights = sample_and_resamples(len(panel.scenes), results.bootstrap)
    known = measures(results.reading.critical_classes)
    frames = [_level(panel, level, known, columns, weights, method) for level in levels]
    frame = pd.concat(frames, ignore_index=True)
    frame["gain_holm"] = frame.groupby("over", sort=False).gain_p.transform(lambda p: holm(p)[0])
    return frame


def _level(
    panel: Panel,
    level: str,
    known: Sequence[Measure],
    columns: Mapping[str, str],
    weights: np.ndarray,
    method: str,
) -> pd.DataFrame:
    pairs_of_q = list(itertools.product((m.name for m in known), panel.counts))
    pairs_of_l = list(itertools.product(columns, panel.failures))
    q = np.concatenate([panel.quality(m) for m in known])
    failed = np.concatenate([panel.failure(c) for c in columns.values()])
    pairs = np.isfinite(q)[:, None] & np.isfinite(failed)
    scenes, n = pairs.any(axis=-1).sum(axis=-1), pairs.sum(axis=(-1, -2))
    if level == "conditions":
        means = np.concatenate([panel.quality_means(m, weights) for m in known], axis=1)
        rates = np.concatenate([panel.failure_means(c, weights) for c in columns.values()], axis=1)
        draws = correlate_rows(means, rates, method)
        base = np.tile(draws[:, : len(panel.counts)], (1, len(known), 1))
        n = np.full(n.shape, len(panel.conditions))
    else:
        miou = np.tile(q[: len(panel.counts)], (len(known), 1, 1))
        gaps = (np.isfinite(miou) & ~np.isfinite(q)).any(axis=(1, 2))
        same = np.where(np.isfinite(q), miou, np.nan)[gaps]
        found = resampled_correlation(np.concatenate([q, same]), failed, weights, level, method)
        draws = found[:, : len(q)]
        base = np.tile(draws[:, : len(panel.counts)], (1, len(known), 1))
        base[:, gaps] = found[:, len(q) :]
    parts = {
        "": from_draws(draws, scenes, "percentile" if level == "conditions" else "z"),
        "gain": from_draws(base - draws, scenes, "raw"),
        "size_gain": from_draws(np.abs(draws) - np.abs(base), scenes, "raw"),
    }
    rows = []
    for (i, (name, segmenter)), (j, (metric, vlm)) in itertools.product(
        enumerate(pairs_of_q), enumerate(pairs_of_l)
    ):
        row = {"over": level, "quality": name, "metric": metric, "vlm": vlm,
               "segmenter": segmenter, "method": method, "n": int(n[i, j]),
               "scenes": int(scenes[i, j]), "miou_r": float(base[0, i, j])}  # fmt: skip
        for prefix, part in parts.items():
            row |= _columns(prefix, part, i, j, own=prefix != "" and name == known[0].name)
        rows.append(row)
    return pd.DataFrame(rows)


def _columns(prefix: str, part: Interval, i: int, j: int, own: bool) -> dict[str, float]:
    """Return value, bounds and p under their names; NaN where mIoU meets itself."""
    names = [prefix or "r", *(f"{prefix}_{k}".lstrip("_") for k in ("low", "high", "p"))]
    values = (part.value, part.low, part.high, part.p)
    return {k: np.nan if own else float(v[i, j]) for k, v in zip(names, values, strict=True)}
