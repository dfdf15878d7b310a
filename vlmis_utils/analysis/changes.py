"""Changes from clean, ΔQ and ΔL (Sections 5.3 and 5.5 of the paper): intervals and paired tests.

The scene is the unit. Intervals are at 95 % and over scenes: whole scenes are drawn, or left out,
with all their conditions, so that a change is taken within the same scenes and the ten images of
one scene are never treated as ten independent ones. mIoU has the jackknife's interval, everything
else a bootstrap.

A *destructive* change is a scene that is fine when clean and fails when degraded, a *corrective*
one goes the other way; McNemar's test compares their numbers. For HR, which is a share and not a
yes or no, scenes whose share rises or falls take their place, and Wilcoxon's test that of
McNemar's. Holm's correction is taken over a family: all tests of one model that answer one
question, as the cells of one table do (the paper prints one table a VLM).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from vlmis_utils.analysis.results import BLANK, Results
from vlmis_utils.metrics.baselines import best_caption
from vlmis_utils.metrics.language import f1_terms, indicators
from vlmis_utils.metrics.miou_intervals import jackknife_miou_change
from vlmis_utils.metrics.per_image import METRIC_COLUMNS
from vlmis_utils.protocol.conditions import CONDITIONS
from vlmis_utils.statistics.paired import cochran_q, holm, mcnemar, paired_effect
from vlmis_utils.statistics.resampling import bootstrap_interval

__all__ = [
    "BINARY", "above_constant", "misalignment_changes", "misalignment_tests", "quality_changes",
    "quality_tests", "severity_tests", "with_holm",
]  # fmt: skip

# Metrics that a scene fails or does not.
BINARY: tuple[str, ...] = ("cor", "smr")
_TEST = ("n", "destructive", "corrective", "p", "delta", "low", "high", "reason")


def quality_changes(results: Results) -> pd.DataFrame:
    """Return segmenter, condition, delta, low, high: ΔmIoU, clean minus degraded, over all scenes.

    mIoU is that of the summed confusion counts; intervals are the jackknife's over scenes.
    """
    rows = []
    for segmenter, group in results.segmentation.groupby("segmenter", sort=False):
        table = group.pivot(index="scene_id", columns="condition", values="confusion")
        names = ["clean", *(c for c in dict.fromkeys(group.condition) if c != "clean")]
        if "clean" not in table:
            continue
        counts = np.stack([np.stack(list(table.dropna()[name])) for name in names], axis=1)
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
        table = _wide(images[images.vlm == vlm], column)
        for name, change in _paired_changes(table, results.bootstrap).items():
            rows.append({"vlm": vlm, "condition": name, "metric": metric} | change)
    return pd.DataFrame(rows, columns=["vlm", "condition", "metric", "delta", "low", "high"])


def above_constant(results: Results, condition: str = "clean") -> pd.DataFrame:
    """Return vlm, measure, delta, low, high: what it is worth to look, under one condition.

    Positive is better. Measure ``f1``: the description's F1 minus that of the best constant
    caption. Measure ``smr``: the SMR of the better of "always safe" and "always unsafe", minus that
    of the answers. Means of paired differences over scenes.
    """
    images = results.vlm_per_image()
    answered = images[images.condition == condition]
    truth = answered.drop_duplicates("scene_id")
    caption = best_caption(list(truth.present), results.reading.vocabulary)
    word = bool(truth.safe.mean() >= 0.5)
    rows = []
    for vlm, mine in answered.groupby("vlm", sort=False):
        constant = f1_terms(*indicators([caption] * len(mine), mine.present))
        gains = {
            "f1": mine.f1.to_numpy(dtype=float) - constant,
            "smr": (mine.safe != word).to_numpy(dtype=float) - mine.smr_i.to_numpy(dtype=float),
        }
        for measure, gain in gains.items():
            found = bootstrap_interval(gain, resamples=results.bootstrap)
            rows.append((vlm, measure, found.value, found.low, found.high))
    return pd.DataFrame(rows, columns=["vlm", "measure", "delta", "low", "high"])


def misalignment_tests(results: Results) -> pd.DataFrame:
    """Test every change of HR, COR and SMR from clean, within the same scenes.

    Returns:
        One row for each vlm, metric and degraded condition, without the control arm: n (scenes);
        destructive and corrective (scenes); delta, low, high (mean change over scenes, degraded
        minus clean, with its paired bootstrap interval); p, and holm, the same corrected over all
        rows of the vlm; reason, where a number is missing. COR and SMR: exact McNemar, with g,
        odds, odds_low, odds_high (`statistics.mcnemar`). HR: Wilcoxon's signed rank test, with d_z
        and rank_biserial (`statistics.paired_effect`).
    """
    rows = []
    for vlm, metric, table in _tables(results, tuple(METRIC_COLUMNS)):
        for name, change in _paired_changes(table, results.bootstrap).items():
            pair = table["clean"], table[name]
            test = mcnemar(*pair) if metric in BINARY else _as_mcnemar(paired_effect(*pair))
            rows.append({"vlm": vlm, "metric": metric, "condition": name} | test | change)
    return _tested(rows, ["vlm"], ("vlm", "metric", "condition", *_TEST))


def severity_tests(results: Results) -> pd.DataFrame:
    """Test by Cochran's Q whether COR and SMR differ along the severities of one corruption.

    Returns:
        One row for each vlm, metric, corruption (LL, MB, OCC) and span: ``severities``, the
        degraded conditions alone, and ``with clean``, clean before them. Columns n, k,
        informative, q, dof, p, eta2, reason of `statistics.cochran_q`; rates, a tuple with the
        rate of each condition; holm, p corrected over all rows of one vlm and span.
    """
    rows = []
    for vlm, metric, table in _tables(results, BINARY):
        degraded = [name for name in table if name != "clean"]
        for corruption in dict.fromkeys(name.rstrip("123") for name in degraded):
            series = [name for name in degraded if name.rstrip("123") == corruption]
            for span, names in (("severities", series), ("with clean", ["clean", *series])):
                row = {"vlm": vlm, "metric": metric, "corruption": corruption, "span": span}
                row["rates"] = tuple(table[names].mean())
                rows.append(row | cochran_q(table[names].to_numpy()))
    columns = ("vlm", "metric", "corruption", "span", "rates", "n", "k", "informative", "q", "dof",
               "p", "eta2", "reason")  # fmt: skip
    return _tested(rows, ["vlm", "span"], columns)


def quality_tests(results: Results) -> pd.DataFrame:
    """Test every change of an image's mIoU from clean, by Wilcoxon's signed rank test.

    Returns:
        One row for each segmenter and degraded condition: n; rising and falling (scenes); delta,
        low, high (mean over scenes of the change, degraded minus clean, with its paired bootstrap
        interval); d_z, rank_biserial; p, and holm, corrected over the segmenter's rows; reason.
    """
    rows = []
    for segmenter, mine in results.segmentation_per_image().groupby("segmenter", sort=False):
        table = _wide(mine, "miou")
        for name, change in _paired_changes(table, results.bootstrap).items():
            row = {"segmenter": segmenter, "condition": name}
            rows.append(row | paired_effect(table["clean"], table[name]) | change)
    return _tested(rows, ["segmenter"], ("segmenter", "condition", "rising", "falling", *_TEST))


def with_holm(frame: pd.DataFrame, family: Sequence[str]) -> pd.DataFrame:
    """Return rows with ``holm``: p after Holm's correction within each group of ``family``."""
    frame = frame.reset_index(drop=True)
    frame["holm"] = np.nan
    for _, rows in frame.groupby(list(family), sort=False):
        frame.loc[rows.index, "holm"] = holm(rows.p)[0]
    return frame


def _tested(rows: list[dict], family: list[str], columns: Sequence[str]) -> pd.DataFrame:
    """Return a frame of tests with `with_holm`; without a row, its columns."""
    frame = pd.DataFrame(rows) if rows else pd.DataFrame(columns=list(columns))
    return with_holm(frame, family).drop(columns="difference", errors="ignore")


def _tables(results: Results, metrics: Sequence[str]) -> Iterator[tuple[str, str, pd.DataFrame]]:
    """Yield VLM, metric, and its term by scene and condition, without the control arm."""
    images = results.vlm_per_image()
    for vlm, mine in images[images.condition != BLANK].groupby("vlm", sort=False):
        for metric in metrics:
            yield vlm, metric, _wide(mine, METRIC_COLUMNS[metric])


def _wide(images: pd.DataFrame, column: str) -> pd.DataFrame:
    """Return one row a scene, one column a condition, in the order of the paper's tables.

    Without the clean condition there is nothing to compare with: then no column.
    """
    wide = images.pivot(index="scene_id", columns="condition", values=column).astype(float)
    wide = wide[[name for name in (*CONDITIONS, BLANK) if name in wide]]
    return wide if "clean" in wide else wide[[]]


def _paired_changes(table: pd.DataFrame, resamples: int) -> dict[str, dict[str, float]]:
    """Return condition -> delta, low, high: mean change from clean with its bootstrap interval."""
    names = [name for name in table if name != "clean"]
    if not names:
        return {}
    changes = table[names].sub(table["clean"], axis=0).to_numpy()
    found = bootstrap_interval(changes, resamples=resamples)
    columns = zip(names, found.value, found.low, found.high, strict=True)
    return {name: {"delta": v, "low": low, "high": high} for name, v, low, high in columns}


def _as_mcnemar(effect: dict[str, object]) -> dict[str, object]:
    names = {"rising": "destructive", "falling": "corrective"}
    return {names.get(key, key): value for key, value in effect.items()}
