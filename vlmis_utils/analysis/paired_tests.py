"""Is it a change? Tests of every change from clean, and of every ladder of severities.

The scene is the unit. A *destructive* flip is a scene that is fine when clean and fails when
degraded; a *corrective* one goes the other way. For HR, which is a share and not a yes or no,
scenes whose share rises or falls take the place of flips.

Holm's correction is taken over a family: all tests of one model that answer one question, as the
cells of one table do (the paper prints one table a VLM). The control arm ``blank`` is left out.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from vlmis_utils.analysis.changes import METRIC_COLUMNS
from vlmis_utils.analysis.results import BLANK, Results
from vlmis_utils.protocol.conditions import CONDITIONS
from vlmis_utils.statistics.multiplicity import holm
from vlmis_utils.statistics.paired import cochran_q, mcnemar, paired_effect
from vlmis_utils.statistics.resampling import bootstrap_interval

__all__ = ["BINARY", "flips", "quality_tests", "severities"]

# Metrics that a scene fails or does not.
BINARY: tuple[str, ...] = ("cor", "smr")


def flips(results: Results) -> pd.DataFrame:
    """Test every change of HR, COR and SMR from clean, within the same scenes.

    Returns:
        One row for each vlm, metric and degraded condition: n (scenes); destructive and corrective
        (scenes); delta, low, high (mean change over scenes, degraded minus clean, with its paired
        bootstrap interval); p, and holm, the same corrected over all rows of the vlm; reason, where
        a number is missing. COR and SMR: exact McNemar, with g, odds, odds_low, odds_high
        (`statistics.mcnemar`). HR: Wilcoxon's signed rank test, with d_z and rank_biserial
        (`statistics.paired_effect`).
    """
    rows = []
    images = results.vlm_per_image()
    for vlm, mine in images[images.condition != BLANK].groupby("vlm", sort=False):
        for metric, column in METRIC_COLUMNS.items():
            table = _table(mine, column)
            intervals = _intervals(table, results.bootstrap)
            for name in _degraded(table):
                pair = table["clean"], table[name]
                test = mcnemar(*pair) if metric in BINARY else _as_flips(paired_effect(*pair))
                row = {"vlm": vlm, "metric": metric, "condition": name}
                rows.append(row | test | intervals[name])
    return _with_holm(pd.DataFrame(rows), ["vlm"]).drop(columns="difference")


def severities(results: Results) -> pd.DataFrame:
    """Test by Cochran's Q whether COR and SMR differ along the severities of one corruption.

    Returns:
        One row for each vlm, metric, corruption (LL, MB, OCC) and span: ``severities``, the
        degraded steps alone, and ``with clean``, the clean step before them. Columns n, k,
        informative, q, dof, p, eta2, reason of `statistics.cochran_q`; rates, a tuple with the
        rate of each step; holm, p corrected over all rows of one vlm and span.
    """
    rows = []
    images = results.vlm_per_image()
    for vlm, mine in images[images.condition != BLANK].groupby("vlm", sort=False):
        for metric in BINARY:
            table = _table(mine, METRIC_COLUMNS[metric])
            steps = _degraded(table)
            for corruption in dict.fromkeys(name.rstrip("123") for name in steps):
                ladder = [name for name in steps if name.rstrip("123") == corruption]
                for span, names in (("severities", ladder), ("with clean", ["clean", *ladder])):
                    row = {"vlm": vlm, "metric": metric, "corruption": corruption, "span": span}
                    row["rates"] = tuple(table[names].mean())
                    rows.append(row | cochran_q(table[names].to_numpy()))
    return _with_holm(pd.DataFrame(rows), ["vlm", "span"])


def quality_tests(results: Results) -> pd.DataFrame:
    """Test every change of a picture's mIoU from clean, by Wilcoxon's signed rank test.

    Returns:
        One row for each segmenter and degraded condition: n; rising and falling (scenes); delta,
        low, high (mean over scenes of the change, degraded minus clean, with its paired bootstrap
        interval); d_z, rank_biserial; p, and holm, corrected over the segmenter's rows; reason.
    """
    rows = []
    for segmenter, mine in results.segmentation_per_image().groupby("segmenter", sort=False):
        table = _table(mine, "miou")
        intervals = _intervals(table, results.bootstrap)
        for name in _degraded(table):
            row = {"segmenter": segmenter, "condition": name}
            rows.append(row | paired_effect(table["clean"], table[name]) | intervals[name])
    return _with_holm(pd.DataFrame(rows), ["segmenter"]).drop(columns="difference")


def _table(images: pd.DataFrame, column: str) -> pd.DataFrame:
    """Return one row a scene, one column a condition, in the order of the paper's tables."""
    wide = images.pivot(index="scene_id", columns="condition", values=column).astype(float)
    return wide[[name for name in CONDITIONS if name in wide]]


def _degraded(table: pd.DataFrame) -> list[str]:
    return [name for name in table if name != "clean"]


def _intervals(table: pd.DataFrame, resamples: int) -> dict[str, dict[str, float]]:
    names = _degraded(table)
    changes = table[names].sub(table["clean"], axis=0).to_numpy()
    found = bootstrap_interval(changes, resamples=resamples)
    columns = zip(names, found.value, found.low, found.high, strict=True)
    return {name: {"delta": v, "low": low, "high": high} for name, v, low, high in columns}


def _as_flips(effect: dict[str, object]) -> dict[str, object]:
    names = {"rising": "destructive", "falling": "corrective"}
    return {names.get(key, key): value for key, value in effect.items()}


def _with_holm(frame: pd.DataFrame, family: list[str]) -> pd.DataFrame:
    """Add ``holm``: p corrected over the rows that agree in the columns of ``family``."""
    frame["holm"] = np.nan
    for _, rows in frame.groupby(family, sort=False):
        frame.loc[rows.index, "holm"] = holm(rows.p)[0]
    return frame
