"""What a run found, in the few sentences of the conclusion."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from vlmis_utils.core.formatting import estimate, listing, number, value_range
from vlmis_utils.protocol.conditions import BLANK
from vlmis_utils.report.text.sentences import NAMES
from vlmis_utils.report.words import METRICS, condition_words

__all__ = ["above_constant", "conclusions", "worst_change"]

_FAILURES: dict[str, str] = {
    "hr": "invent objects", "cor": "leave out safety-critical objects", "smr": "misjudge safety",
}  # fmt: skip


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


def conclusions(
    quality: pd.DataFrame,
    quality_changes: pd.DataFrame,
    language: pd.DataFrame,
    language_changes: pd.DataFrame,
    correlations: pd.DataFrame,
    above: pd.DataFrame,
    labels: Mapping[str, str],
) -> list[str]:
    """Return what the run found on its four questions: a plain sentence, numbers, a caveat.

    Args:
        quality: ``Results.segmentation_by_condition()``.
        language: ``Results.vlm_by_condition()``.
        quality_changes, language_changes, above: from `analysis.changes`.
        correlations: from `analysis.correlation.correlations`.
        labels: model -> name.
    """
    degraded = language_changes[
        (language_changes.condition != BLANK) & language_changes.metric.isin(METRICS)
    ].dropna(subset=["delta"])
    over = correlations[(correlations.over == "conditions") & (correlations.method == "spearman")]
    return [
        _segmentation(quality, quality_changes.dropna(subset=["delta"]), labels),
        _language(language, degraded, labels),
        _proxy(over.dropna(subset=["r"])),
        _looking(above, labels),
    ]


def _segmentation(quality: pd.DataFrame, lost: pd.DataFrame, labels: Mapping[str, str]) -> str:
    if lost.empty:
        return "**How much segmentation loses cannot be said**: no image of this run is degraded."
    down, worst = int((lost.low > 0).sum()), lost.loc[lost.delta.idxmax()]
    start = "Degraded images are segmented worse, whatever the model and the degradation"
    if down < len(lost):
        start = "Most degradations make segmentation worse"
    if down <= len(lost) / 2:
        start = "Few degradations make segmentation clearly worse" if down else (
            "No degradation makes segmentation clearly worse")  # fmt: skip
    levels = quality[quality.segmenter == worst.segmenter].set_index("condition").miou
    return (
        f"**{start}.** The largest loss is that of {labels.get(worst.segmenter, worst.segmenter)} "
        f"with {condition_words(worst.condition)}: its mIoU goes from {number(levels['clean'])} to "
        f"{number(levels[worst.condition])}, a loss of "
        f"{estimate(worst.delta, worst.low, worst.high)}. The 95 % interval of the loss lies above "
        f"zero for {down} of {len(lost)} pairs of a segmenter and a degraded condition."
    )


def _language(language: pd.DataFrame, moved: pd.DataFrame, labels: Mapping[str, str]) -> str:
    if moved.empty:
        return "**How much language loses cannot be said**: no image of this run is degraded."
    worse, parts, falls = [], [], 0
    for metric, rows in moved.groupby("metric", sort=False):
        up, down = int((rows.low > 0).sum()), int((rows.high < 0).sum())
        falls += down
        worse += [_FAILURES[metric]] if up > down else []
        far = rows.loc[rows.delta.abs().idxmax()]
        levels = language[language.vlm == far.vlm].set_index("condition")[metric]
        parts.append(
            f"{METRICS[metric]} of {labels.get(far.vlm, far.vlm)} goes from "
            f"{number(levels['clean'])} to {number(levels[far.condition])} with "
            f"{condition_words(far.condition)} "
            f"({estimate(far.delta, far.low, far.high, sign=True)})"
        )
    start = f"On degraded images the models more often {listing(worse)}"
    if not worse:
        start = "On degraded images the models do not clearly go wrong more often"
    fall = (
        f"Yet a rate can also fall, as {falls} of {len(moved)} do significantly: a model that says "
        "less invents less."
    )
    if not falls:
        fall = f"None of the {len(moved)} rates falls significantly."
    return f"**{start}.** The largest change of each rate: {'; '.join(parts)}. {fall}"


def _proxy(over: pd.DataFrame) -> str:
    if over.empty:
        return "**Whether mIoU warns of it cannot be said**: this run has too few conditions."
    below, parts = [], []
    for metric, rows in over.groupby("metric", sort=False):
        negative = int((rows.high < 0).sum())
        below += [METRICS[metric]] if negative > len(rows) / 2 else []
        parts.append(
            f"with {METRICS[metric]} it is {value_range(rows.r)}, significantly negative for "
            f"{negative} of {len(rows)} pairs of a segmenter and a VLM"
        )
    rates = "all three rates" if len(below) == len(METRICS) else listing(below)
    start = f"Conditions with a lower mIoU have a higher {rates}, for most models"
    if len(below) == len(METRICS):
        start = "Conditions with a lower mIoU have higher failure rates, for most models"
    if not below:
        start = "mIoU does not tell under which conditions language fails"
    return (
        f"**{start}.** If mIoU were a perfect warning, its rank correlation with a rate would be "
        f"−1; over the conditions, {'; '.join(parts)}. The conditions are few, so an interval that "
        "holds zero neither shows nor excludes a correlation, and averages say nothing about the "
        "single image ({ref}`review-levels`)."
    )


def _looking(above: pd.DataFrame, labels: Mapping[str, str]) -> str:
    better = int((above.low > 0).sum())
    start = "Not every model does better than an answer that never looks at the image"
    if better == len(above):
        start = "Every model does better than an answer that never looks at the image"
    if not better:
        start = "No model does clearly better than an answer that never looks at the image"
    return (
        f"**{start}.** On clean images, {above_constant(above, labels)}. A model that does not "
        "look has nothing to lose when the image gets worse, so its rates say little about "
        "degradation."
    )
