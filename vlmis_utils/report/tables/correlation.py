"""Tables of correlations at four levels, alternative measures of Q, and predicted failures.

Each ``load_`` takes a frame of `analysis.correlation`, `confounding`, `alternative_measures` or
`failure_prediction` and returns finished cells.
"""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from vlmis_utils.analysis.correlation import LEVELS
from vlmis_utils.core.formatting import number, p_value, value_range
from vlmis_utils.report.tables.markdown import Column, beside, cells, crossed, span
from vlmis_utils.report.words import LEVEL_WORDS, METRICS
from vlmis_utils.statistics.paired import ALPHA

__all__ = [
    "load_auc", "load_false_alarms", "load_prediction_gains", "load_given", "load_intervals",
    "load_levels", "load_measures", "load_richness", "load_measure_gains", "load_tests",
]  # fmt: skip

_OVER_SCENES = Column("", "r", interval=("scene_low", "scene_high"))


def load_tests(frame: pd.DataFrame) -> pd.DataFrame:
    """Return for each level: what a point is, how many, and how many p are small.

    Args:
        frame: from `analysis.correlation.correlations`.
    """
    lines = []
    for level, rows in frame.groupby("over", sort=False):
        low, high = rows.n.min(), rows.n.max()
        line = {"level": LEVEL_WORDS[level], "a point is": LEVELS[level]}
        line["points"] = str(low) if low == high else f"{low} to {high}"
        for method, group in rows.groupby("method", sort=False):
            tests, small = group.p.notna().sum(), (group.p < ALPHA).sum()
            line[method.capitalize()] = f"{small} of {tests}"
            line[f"{method.capitalize()}, Holm"] = str((group.holm < ALPHA).sum())
        lines.append(line)
    return pd.DataFrame(lines)


def load_levels(
    frame: pd.DataFrame, labels: Mapping[str, str], method: str = "spearman"
) -> pd.DataFrame:
    """Return the coefficients of every pair at every level, with the interval over scenes.

    Args:
        frame: from `analysis.correlation.correlations`.
    """
    rows = frame[frame.method == method]
    return crossed(rows, _pair(labels), "over", _OVER_SCENES, words=LEVEL_WORDS)


def load_given(
    frame: pd.DataFrame, labels: Mapping[str, str], level: str, method: str = "spearman"
) -> pd.DataFrame:
    """Return the partial correlations of every pair at one level.

    Args:
        frame: from `analysis.confounding.partial_correlations`.
    """
    rows = frame[(frame.method == method) & (frame.over == level)]
    words = {name: f"given {name}" for name in rows.given.unique()}
    return crossed(rows, _pair(labels), "given", _OVER_SCENES, words=words)


def load_intervals(
    frame: pd.DataFrame, labels: Mapping[str, str], method: str = "spearman"
) -> pd.DataFrame:
    """Return the coefficients over conditions with both intervals and both p.

    Args:
        frame: from `analysis.correlation.correlations`.
    """
    rows = frame[(frame.over == "conditions") & (frame.method == method)]
    columns = [*_pair(labels), Column("r", "r")]
    for kind, words in (("fisher", "Fisher"), ("scene", "scenes")):
        ends = rows[[f"{kind}_low", f"{kind}_high"]].to_numpy()
        rows = rows.assign(**{kind: ["–" if low != low else f"{number(low)} to {number(high)}"
                                     for low, high in ends]})  # fmt: skip
        columns += [Column(words, kind), Column(f"{words}, p", f"{kind}_p", form=p_value)]
    return cells(rows, *columns)


def load_richness(frame: pd.DataFrame, labels: Mapping[str, str]) -> pd.DataFrame:
    """Return how the number of object classes in a scene goes with quality and failures.

    Args:
        frame: from `analysis.confounding.scene_richness`.
    """
    words = {"miou": "mIoU"} | METRICS
    table = crossed(frame, [Column("model", "model", words=labels)], "quantity",
                    Column("", "r", interval=("low", "high")), words=words, missing="")  # fmt: skip
    return table.reindex(columns=["model", *words.values()], fill_value="")


def load_false_alarms(rates: Mapping[float, Mapping[str, float]]) -> pd.DataFrame:
    """Return how often unrelated numbers are called correlated, by the scene's share of variance.

    Args:
        rates: share -> `analysis.validation.error_rates.pooling_errors`.
    """
    lines = [(number(s), number(r["pooled"]), number(r["clustered"])) for s, r in rates.items()]
    return pd.DataFrame(
        lines, columns=["share of the scene", "images as independent", "scenes resampled"]
    )


def load_measures(
    frame: pd.DataFrame, words: Mapping[str, str], labels: Mapping[str, str]
) -> pd.DataFrame:
    """Return each measure of Q on clean pictures, one column a segmenter.

    Args:
        frame: from `analysis.quality_measures.quality_measures_by_condition`.
        words: name -> words of a measure.
    """
    clean = frame[frame.condition == "clean"].melt("segmenter", list(words), "measure", "value")
    return crossed(clean, [Column("measure", "measure", words=words)], "segmenter",
                   Column("", "value"), words=labels)  # fmt: skip


def load_measure_gains(frame: pd.DataFrame, words: Mapping[str, str], level: str) -> pd.DataFrame:
    """Return for each measure and metric the mean gain over mIoU, and how many exclude zero.

    Args:
        frame: from `analysis.alternative_measures.measure_correlations`.
        words: name -> words of a measure.
    """
    rows = frame[(frame.over == level)].dropna(subset=["gain"])
    lines = []
    for quality, mine in rows.groupby("quality", sort=False):
        line = {"measure": words.get(quality, quality)}
        for metric, group in mine.groupby("metric", sort=False):
            better, worse = (group.gain_low > 0).sum(), (group.gain_high < 0).sum()
            tally = f"{better} better, {worse} worse of {len(group)}"
            line[METRICS[metric]] = (
                f"{number(group.gain.mean(), sign=True)} {span(tally, 'interval')}"
            )
        lines.append(line)
    return pd.DataFrame(lines).fillna("–")


def load_auc(scores: pd.DataFrame, labels: Mapping[str, str], metric: str) -> pd.DataFrame:
    """Return the AUC of each feature set and VLM; the range over segmenters where it has Q.

    Args:
        scores: ``scores`` of `analysis.failure_prediction.Prediction`.
    """
    lines = []
    for key, group in scores[scores.metric == metric].groupby(["features", "vlm"], sort=False):
        one = beside(*group[["auc", "low", "high"]].iloc[0])
        lines.append((*key, one if len(group) == 1 else value_range(group.auc)))
    rows = pd.DataFrame(lines, columns=["features", "vlm", "auc"])
    return crossed(rows, [Column("features", "features")], "vlm", Column("", "auc"), words=labels)


def load_prediction_gains(gains: pd.DataFrame) -> pd.DataFrame:
    """Return for each comparison and failure the range of gains in AUC, and how many exclude zero.

    Args:
        gains: ``gains`` of `analysis.failure_prediction.Prediction`.
    """
    lines = []
    for (features, against), mine in gains.groupby(["features", "against"], sort=False):
        line = {"features": features, "against": against}
        for metric, group in mine.groupby("metric", sort=False):
            known = group.dropna(subset=["gain", "low"])
            more, less = (known.low > 0).sum(), (known.high < 0).sum()
            tally = f"{more} more, {less} less of {len(known)}; Holm {(known.holm < ALPHA).sum()}"
            gained = value_range(known.gain, sign=True)
            line[METRICS[metric]] = f"{gained} {span(tally, 'interval')}"
        lines.append(line)
    return pd.DataFrame(lines)


def _pair(labels: Mapping[str, str]) -> list[Column]:
    return [
        Column("metric", "metric", words=METRICS), Column("VLM", "vlm", words=labels),
        Column("segmenter", "segmenter", words=labels),
    ]  # fmt: skip
