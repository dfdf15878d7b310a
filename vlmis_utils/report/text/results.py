"""What a run found, in the few sentences of the conclusion."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from vlmis_utils.core.formatting import estimate, listing, value_range
from vlmis_utils.report.text.sentences import NAMES, sentences

__all__ = ["above_constant", "four_answers", "worst_change"]


def worst_change(changes: pd.DataFrame, model: str, key: str) -> str:
    """Return the change for the worse whose interval lies farthest from zero, or that none does.

    Args:
        changes: rows with ``key``, condition, delta, low, high, positive meaning worse, and
            metric where there are several.
        model: name in the column ``key``.
    """
    rows = changes[(changes[key] == model) & (changes.condition != "blank") & (changes.low > 0)]
    if rows.empty:
        return "no change for the worse whose 95 % interval excludes zero"
    row = rows.loc[rows.low.idxmax()]
    metric = row.get("metric", "mIoU loss")
    size = estimate(row.delta, row.low, row.high, sign=True)
    return f"{NAMES.get(metric, metric)} {size} under {row.condition}"


def above_constant(above: pd.DataFrame, labels: Mapping[str, str]) -> str:
    """Return how many VLMs do better on clean images than constant answers, as half a sentence.

    Args:
        above: from `analysis.changes.above_constant`.
    """
    vlms = list(dict.fromkeys(above.vlm))
    better = {
        measure: [labels.get(r.vlm, r.vlm) for r in rows.itertuples() if r.low > 0]
        for measure, rows in above.groupby("measure")
    }
    described, judged = (better.get(measure, []) for measure in ("f1", "smr"))
    return (
        f"{len(described)} of {len(vlms)} VLMs describe better than the best constant caption "
        f"({listing(described)}), and {len(judged)} of {len(vlms)} judge safety better than the "
        f"better constant answer ({listing(judged)})"
    )


def four_answers(
    quality: pd.DataFrame,
    quality_changes: pd.DataFrame,
    language_changes: pd.DataFrame,
    correlations: pd.DataFrame,
    above: pd.DataFrame,
    labels: Mapping[str, str],
) -> list[str]:
    """Return what the run found, a sentence or two for each of its four questions.

    Args:
        quality: ``Results.segmentation_by_condition()``.
        quality_changes, language_changes, above: from `analysis.changes`.
        correlations: from `analysis.correlation.correlations`.
        labels: model -> name.
    """
    clean = quality[quality.condition == "clean"].miou
    degraded = language_changes.query("condition != 'blank' and metric != 'f1'")
    over = correlations[(correlations.over == "conditions") & (correlations.method == "spearman")]
    down, low, high = (-quality_changes[key] for key in ("delta", "high", "low"))
    (seen,) = sentences(
        quality_changes.assign(delta=down, low=low, high=high),
        "it falls in {down} of {n} pairs of segmenter and degraded condition, most for "
        "{largest.segmenter} under {largest.condition} ({largest_value})", names=labels,
    )  # fmt: skip
    (said,) = sentences(
        degraded, "{part} rises in {up} and falls in {down} of {n} pairs of VLM and condition",
        parts="metric",
    )  # fmt: skip
    (proxy,) = sentences(
        over, "{part} in {down} of {n} pairs of segmenter and VLM", parts="metric", value="r"
    )
    return [
        f"**Perception.** Clean mIoU is {value_range(clean)}; {seen}",
        f"**Language.** {said}",
        "**Is mIoU a proxy?** Then its rank correlation with each metric over conditions is "
        f"negative. Its 95 % interval lies below zero for {proxy}",
        f"**Do the models look?** On clean images {above_constant(above, labels)}.",
    ]
