"""Whether one measure of segmentation quality is the better proxy throughout, in sentences."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from vlmis_utils.core.formatting import listing
from vlmis_utils.report.text.sentences import NAMES, signs

__all__ = ["best_measure"]


def best_measure(frame: pd.DataFrame, words: Mapping[str, str]) -> str:
    """Return whether some measure is a better proxy than mIoU at every level and for every metric.

    A measure counts as better for a metric at a level if the 95 % interval of its gain over mIoU
    lies above zero in more than half of the pairs of segmenter and VLM.

    Args:
        frame: from `analysis.alternative_measures`, with over, metric, quality, gain, gain_low,
            gain_high.
        words: name -> words of a measure.
    """
    compared = frame.dropna(subset=["gain", "gain_low"])
    if compared.empty:
        return "Nothing can be compared with mIoU in this run."
    sign = signs(compared, "gain_low", "gain_high")
    keys = [compared[key] for key in ("over", "metric", "quality")]
    better, worse = ((sign * way > 0).groupby(keys, sort=False).mean() > 0.5 for way in (1, -1))
    cells = compared.groupby(["over", "metric"]).ngroups
    places = {}
    for over, metric, quality in better[better].index:
        places.setdefault((over, metric), []).append(words.get(quality, quality))
    start = f"Of the {cells} combinations of level and metric, "
    if not places:
        return (
            start + "none has a measure that is the better proxy in more than half of the pairs: "
            "this run does not show other measures of segmentation to be better proxies than mIoU."
        )
    won, lost = (part.groupby(level="quality").sum() for part in (better, worse))
    best = won.idxmax()
    named = listing(f"{NAMES[m]} {NAMES[o]} ({listing(q)})" for (o, m), q in places.items())
    return (
        start + f"{len(places)} have a measure that is the better proxy in more than half of the "
        f"pairs: {named}. Most often it is the {words.get(best, best)}, better in {won[best]} "
        f"combinations and worse in {lost[best]}."
    )
