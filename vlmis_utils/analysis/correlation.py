"""Correlation of segmentation quality Q with misalignment L at four levels (Section 3.6).

One word, four questions. Over ``conditions``: do conditions with lower Q have higher rates? That is
the paper's question, and n is the number of conditions. Over ``images``: do worse segmented
pictures fail more often, all pooled? ``within`` scenes: does a scene fail more often under those
conditions that lower its Q? ``between`` scenes: do the scenes that are worse segmented than others
under the same condition fail more often? `statistics.repeated_measures` has the formulas.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from vlmis_utils.analysis.changes import with_holm
from vlmis_utils.analysis.panel import Panel, load_panel
from vlmis_utils.analysis.quality_measures import Measure, measures
from vlmis_utils.analysis.results import Results
from vlmis_utils.metrics.per_image import METRIC_COLUMNS
from vlmis_utils.statistics import correlation
from vlmis_utils.statistics.correlation import METHODS
from vlmis_utils.statistics.intervals import from_draws
from vlmis_utils.statistics.repeated_measures import partial_correlation, rm_interval
from vlmis_utils.statistics.resampled_correlation import correlate_rows, resampled_correlation
from vlmis_utils.statistics.resampling import sample_and_resamples

__all__ = ["LEVELS", "correlations", "level_draws", "level_frame"]

# Level -> what one point of the correlation is.
LEVELS: dict[str, str] = {
    "conditions": "a condition, averaged over scenes",
    "images": "an image",
    "within": "an image, less the mean of its scene",
    "between": "an image, less the mean of its condition",
}
_NAN = float("nan")


def correlations(
    results: Results,
    levels: Sequence[str] = tuple(LEVELS),
    columns: Mapping[str, str] = METRIC_COLUMNS,
    methods: Sequence[str] = METHODS,
) -> pd.DataFrame:
    """Return the correlation of mIoU with each metric at each level of `LEVELS`, or at some.

    ``columns`` are metrics and their columns in `Results.vlm_per_image`.

    One row for each level (column ``over``), method, metric, segmenter and VLM:

    - n pairs and the scenes they come from; r.
    - scene_low, scene_high, scene_p: from resampled scenes, with the conditions as given: what
      another sample of scenes could have brought. Over conditions every resample averages anew.
    - fisher_low, fisher_high, fisher_p: Fisher's, where its assumptions can be argued for. Over
      conditions it takes them for independent draws from all the conditions that there could be;
      within scenes it is that of the repeated-measures correlation (Pearson). NaN elsewhere, as
      pooled pictures are not independent.
    - low, high, p: Fisher's over conditions, as in the paper's analysis, else those over scenes.
    - holm: p after Holm's correction for all rows of its level and method.
    - reason: empty, or why numbers are NaN.
    """
    panel = load_panel(results, tuple(columns.values()))
    weights = sample_and_resamples(len(panel.scenes), results.bootstrap)
    miou = measures(results.reading.critical_classes)[0]
    frames = [level_frame(panel, level, miou, weights, columns, methods) for level in levels]
    return with_holm(pd.concat(frames), ["over", "method"])


def level_draws(
    panel: Panel,
    level: str,
    measure: Measure,
    columns: Sequence[str],
    weights: np.ndarray,
    method: str = "spearman",
    given: np.ndarray | None = None,
) -> np.ndarray:
    """Return coefficients in every resample of scenes.

    Args:
        panel: of the run.
        level: one of `LEVELS`.
        measure: of Q.
        columns: F columns of L, such as ``hr_i``.
        weights: (R, N), from `statistics.resampling.sample_and_resamples`.
        method: pearson or spearman.
        given: covariates (K, C), see `analysis.panel.covariates`; None for none.

    Returns:
        float64 (R, S, F, V) for S segmenters and V VLMs.
    """
    given = None if given is None or not len(given) else given
    if level == "conditions":
        q = panel.quality_means(measure, weights)
        failed = np.concatenate([panel.failure_means(c, weights) for c in columns], axis=1)
        r = correlate_rows(q, failed, method, given)
    else:
        failed = np.concatenate([panel.failure(c) for c in columns])
        r = resampled_correlation(panel.quality(measure), failed, weights, level, method, given)
    return r.reshape(*r.shape[:2], len(columns), -1)


def level_frame(
    panel: Panel,
    level: str,
    measure: Measure,
    weights: np.ndarray,
    columns: Mapping[str, str] = METRIC_COLUMNS,
    methods: Sequence[str] = METHODS,
    given: np.ndarray | None = None,
) -> pd.DataFrame:
    """Return one level of `correlations`, without holm, for a measure of Q; see `level_draws`.

    Args:
        columns: metric -> column of L.
    """
    given = None if given is None or not len(given) else given
    q, (q_means,) = panel.quality(measure), panel.quality_means(measure, weights[:1])
    rows = []
    for method in methods:
        draws = level_draws(panel, level, measure, tuple(columns.values()), weights, method, given)
        for (f, (metric, column)), (j, vlm), (i, segmenter) in itertools.product(
            enumerate(columns.items()), enumerate(panel.failures), enumerate(panel.counts)
        ):
            failed = panel.failures[vlm][column]
            both = np.isfinite(q[i]) & np.isfinite(failed)
            row = {"over": level, "segmenter": segmenter, "vlm": vlm, "metric": metric,
                   "method": method, "n": int(both.sum()),
                   "scenes": int(both.any(axis=1).sum())}  # fmt: skip
            scale = "percentile" if level == "conditions" else "z"
            found = from_draws(draws[:, i, f, j], row["scenes"], scale)
            row |= {"r": float(found.value), "reason": ""}
            fisher = {"low": _NAN, "high": _NAN, "p": _NAN}
            if level == "conditions":
                means = panel.failure_means(column, weights[:1])[0, j]
                fisher = _over_conditions(q_means[i], means, method, given)
                row |= {k: fisher[k] for k in ("n", "r", "reason")}
            elif len(panel.conditions) == 1:
                fisher = correlation(q[i], failed, method)
            elif level == "within" and method == "pearson" and given is None:
                bounds = rm_interval(row["r"], row["n"], row["scenes"])
                fisher = dict(zip(fisher, bounds, strict=True))
            scene = {k: float(getattr(found, k)) for k in ("low", "high", "p")}
            if np.isnan(row["r"]):
                scene = dict.fromkeys(scene, _NAN)
                row["reason"] = row["reason"] or "Q or L does not vary, or pairs are too few"
            first = fisher if level == "conditions" else scene
            row |= {k: first[k] for k in scene}
            row |= {f"fisher_{k}": fisher[k] for k in scene}
            rows.append(row | {f"scene_{k}": v for k, v in scene.items()})
    return pd.DataFrame(rows)


def _over_conditions(
    q: np.ndarray, failed: np.ndarray, method: str, given: np.ndarray | None
) -> dict[str, object]:
    if given is None:
        return correlation(q, failed, method)
    return partial_correlation(q, failed, given, method)
