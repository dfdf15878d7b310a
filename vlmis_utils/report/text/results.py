"""What a run found, in the few sentences of the conclusion."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from vlmis_utils.core.formatting import estimate, listing
from vlmis_utils.report.text.sentences import NAMES

__all__ = ["above_constant", "worst_change"]


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
