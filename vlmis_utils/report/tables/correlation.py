"""Tables of correlations at four levels, of rival measures of Q, and of foretold failures.

Each ``load_`` takes a frame of `analysis.correlation`, `confounding`,
`alternative_measures` or `failure_prediction`
and returns finished cells.
"""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from vlmis_utils.analysis.correlation import LEVELS
from vlmis_utils.core.formatting import number
from vlmis_utils.report.tables.markdown import beside, span
from vlmis_utils.report.text.correlation import ALPHA, LEVEL_WORDS, METRIC_NAMES, told

__all__ = [
    "load_auc", "load_false_alarms", "load_prediction_gains", "load_given", "load_intervals",
    "load_levels", "load_measures", "load_richness", "load_rival_gains", "load_tests",
]  # fmt: skip


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
    return _pairs(frame[frame.method == method], labels, "over", LEVEL_WORDS, "scene_")


def load_given(
    frame: pd.DataFrame, labels: Mapping[str, str], level: str, method: str = "spearman"
) -> pd.DataFrame:
    """Return the partial correlations of every pair at one level.

    Args:
        frame: from `analysis.confounding.partial_correlations`.
    """
    rows = frame[(frame.method == method) & (frame.over == level)]
    words = {name: f"given {name}" for name in rows.given.unique()}
    return _pairs(rows, labels, "given", words, "scene_")


def load_intervals(
    frame: pd.DataFrame, labels: Mapping[str, str], method: str = "spearman"
) -> pd.DataFrame:
    """Return the coefficients over conditions with both intervals and both p.

    Args:
        frame: from `analysis.correlation.correlations`.
    """
    rows = frame[(frame.over == "conditions") & (frame.method == method)]
    table = {
        "metric": [METRIC_NAMES[m] for m in rows.metric],
        "VLM": [labels.get(v, v) for v in rows.vlm],
        "segmenter": [labels.get(s, s) for s in rows.segmenter],
        "r": [number(r) for r in rows.r],
    }
    for kind, words in (("fisher", "Fisher"), ("scene", "scenes")):
        table[words] = [_bounds(*pair) for pair in rows[[f"{kind}_low", f"{kind}_high"]].to_numpy()]
        table[f"{words}, p"] = [_p(p) for p in rows[f"{kind}_p"]]
    return pd.DataFrame(table)


def load_richness(frame: pd.DataFrame, labels: Mapping[str, str]) -> pd.DataFrame:
    """Return how the number of object classes in a scene goes with quality and failures.

    Args:
        frame: from `analysis.confounding.scene_richness`.
    """
    words = {"miou": "mIoU"} | METRIC_NAMES
    lines = [
        {"model": labels.get(model, model)}
        | {words[r.quantity]: beside(r.r, r.low, r.high) for r in rows.itertuples()}
        for model, rows in frame.groupby("model", sort=False)
    ]
    return pd.DataFrame(lines, columns=["model", *words.values()]).fillna("")


def load_false_alarms(rates: Mapping[float, Mapping[str, float]]) -> pd.DataFrame:
    """Return how often unrelated numbers are called correlated, by the scene's share of variance.

    Args:
        rates: share -> `analysis.validation.error_rates.pooling_errors`.
    """
    lines = [(number(s), number(r["pooled"]), number(r["clustered"])) for s, r in rates.items()]
    return pd.DataFrame(
        lines, columns=["share of the scene", "pictures as independent", "scenes resampled"]
    )


def load_measures(
    frame: pd.DataFrame, words: Mapping[str, str], labels: Mapping[str, str]
) -> pd.DataFrame:
    """Return each measure of Q on clean pictures, one column a segmenter.

    Args:
        frame: from `analysis.quality_measures.quality_measures_by_condition`.
        words: name -> words of a measure.
    """
    clean = frame[frame.condition == "clean"].set_index("segmenter")
    table = {"measure": list(words.values())}
    for segmenter, row in clean.iterrows():
        table[labels.get(segmenter, segmenter)] = [number(row[name]) for name in words]
    return pd.DataFrame(table)


def load_rival_gains(frame: pd.DataFrame, words: Mapping[str, str], level: str) -> pd.DataFrame:
    """Return for each measure and metric the mean gain over mIoU, and how many pairs are told.

    Args:
        frame: from `analysis.alternative_measures.measure_correlations`.
        words: name -> words of a measure.
    """
    rows = frame[(frame.over == level)].dropna(subset=["gain"])
    lines = []
    for quality, mine in rows.groupby("quality", sort=False):
        line = {"measure": words.get(quality, quality)}
        for metric, group in mine.groupby("metric", sort=False):
            way = told(group, "gain_low", "gain_high")
            tally = f"{(way > 0).sum()} better, {(way < 0).sum()} worse of {len(group)}"
            line[METRIC_NAMES[metric]] = (
                f"{number(group.gain.mean(), sign=True)} {span(tally, 'interval')}"
            )
        lines.append(line)
    return pd.DataFrame(lines).fillna("–")


def load_auc(scores: pd.DataFrame, labels: Mapping[str, str], metric: str) -> pd.DataFrame:
    """Return the AUC of each feature set and VLM; the range over segmenters where it has Q.

    Args:
        scores: ``scores`` of `analysis.failure_prediction.Prediction`.
    """
    rows = scores[scores.metric == metric]
    lines = []
    for features, mine in rows.groupby("features", sort=False):
        line = {"features": features}
        for vlm, group in mine.groupby("vlm", sort=False):
            low, high = group.auc.min(), group.auc.max()
            cell = beside(*group[["auc", "low", "high"]].iloc[0])
            several = " to ".join(dict.fromkeys((number(low), number(high))))
            line[labels.get(vlm, vlm)] = cell if len(group) == 1 else several
        lines.append(line)
    return pd.DataFrame(lines)


def load_prediction_gains(gains: pd.DataFrame) -> pd.DataFrame:
    """Return for each comparison and failure the range of gains in AUC, and how many are told.

    Args:
        gains: ``gains`` of `analysis.failure_prediction.Prediction`.
    """
    lines = []
    for (features, against), mine in gains.groupby(["features", "against"], sort=False):
        line = {"features": features, "against": against}
        for metric, group in mine.groupby("metric", sort=False):
            known = group.dropna(subset=["gain", "low"])
            way, kept = told(known), (known.holm < ALPHA).sum()
            tally = f"{(way > 0).sum()} more, {(way < 0).sum()} less of {len(known)}; Holm {kept}"
            ends = (number(v, sign=True) for v in (known.gain.min(), known.gain.max()))
            line[METRIC_NAMES[metric]] = (
                f"{' to '.join(dict.fromkeys(ends))} {span(tally, 'interval')}"
            )
        lines.append(line)
    return pd.DataFrame(lines)


def _pairs(
    frame: pd.DataFrame,
    labels: Mapping[str, str],
    column: str,
    words: Mapping[str, str],
    prefix: str,
) -> pd.DataFrame:
    lines = []
    for (metric, vlm, segmenter), rows in frame.groupby(["metric", "vlm", "segmenter"], sort=False):
        line = {
            "metric": METRIC_NAMES[metric],
            "VLM": labels.get(vlm, vlm),
            "segmenter": labels.get(segmenter, segmenter),
        }
        for _, row in rows.iterrows():
            cell = beside(row.r, row[f"{prefix}low"], row[f"{prefix}high"])
            line[words.get(row[column], row[column])] = cell
        lines.append(line)
    return pd.DataFrame(lines)


def _bounds(low: float, high: float) -> str:
    return "–" if low != low else f"{number(low)} to {number(high)}"


def _p(p: float) -> str:
    return "< 0.001" if p < 0.001 else number(p, 3)
