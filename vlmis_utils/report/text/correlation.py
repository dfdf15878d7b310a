"""What the correlations at four levels show together: sentences chosen from the numbers.

Frames come from `analysis.correlation`. A coefficient counts as negative or positive where its 95 %
interval excludes zero.
"""

from __future__ import annotations

import pandas as pd

from vlmis_utils.core.formatting import listing, number
from vlmis_utils.report.text.sentences import NAMES, signs
from vlmis_utils.report.words import LEVEL_WORDS

__all__ = ["given_finding", "interval_finding", "opposition_finding"]


def opposition_finding(frame: pd.DataFrame, method: str = "spearman") -> str:
    """Return whether within and between scenes have opposite signs, and what pooling makes of it.

    Args:
        frame: from `analysis.correlation.correlations`.
    """
    rows = frame[frame.method == method].copy()
    rows["sign"] = signs(rows)
    table = rows.pivot(index=["metric", "vlm", "segmenter"], columns="over", values="sign")
    table = table.reindex(columns=list(LEVEL_WORDS)).dropna(subset=["within", "between"])
    against = table[table.within * table.between < 0]
    total = f"{len(table)} combinations of metric, VLM and segmenter"
    if against.empty:
        return (
            f"In none of the {total} do the intervals within and between scenes both exclude zero "
            "on opposite sides."
        )
    metrics = [NAMES[m] for m in dict.fromkeys(against.index.get_level_values("metric"))]
    down, hidden = int((against.within < 0).sum()), int((against.images == 0).sum())
    kinds = {
        "negative within and positive between": down,
        "positive within and negative between": len(against) - down,
    }
    turned = listing(f"{kind} in {n}" for kind, n in kinds.items() if n)
    end = (
        f"Pooled over images, the intervals of {hidden} of these {len(against)} hold zero: two "
        "relations cancel, and the mixture looks like no relation."
        if hidden
        else "The pooled coefficient is a mixture of the two."
    )
    return (
        f"In {len(against)} of the {total} the intervals within and between scenes exclude zero on "
        f"opposite sides ({turned}; {listing(metrics)}). {end}"
    )


def interval_finding(frame: pd.DataFrame, method: str = "spearman") -> str:
    """Return how the two intervals over conditions compare.

    Args:
        frame: from `analysis.correlation.correlations`.
    """
    rows = frame[(frame.over == "conditions") & (frame.method == method)]
    rows = rows.dropna(subset=["fisher_low", "scene_low"])
    if rows.empty:
        return "Over conditions no interval can be computed: at least four conditions are needed."
    kinds = ("fisher", "scene")
    analytic, scene = (signs(rows, f"{k}_low", f"{k}_high").ne(0).sum() for k in kinds)
    widths = [number((rows[f"{k}_high"] - rows[f"{k}_low"]).median()) for k in kinds]
    return (
        f"Of {len(rows)} coefficients over conditions, the interval of Bonett and Wright excludes "
        f"zero in {analytic}, the interval over scenes in {scene}; their median widths are "
        f"{widths[0]} and {widths[1]}."
    )


def given_finding(frame: pd.DataFrame, method: str = "spearman") -> str:
    """Return how strong the correlations stay once severity and corruption are taken away.

    Args:
        frame: from `analysis.confounding.partial_correlations`.
    """
    rows = frame[frame.method == method].dropna(subset=["r"])
    sizes = rows.r.abs().groupby([rows.over, rows.given], sort=False).median().unstack()
    ends = ["nothing", "severity and corruption"]
    sizes = sizes.reindex(columns=ends).dropna()
    if sizes.empty:
        return "This run has too few conditions for a partial correlation."
    parts = [f"from {number(a)} to {number(b)} {NAMES[over]}" for over, a, b in sizes.itertuples()]
    return (
        "Once severity and corruption are taken away, the size of the correlation (median over "
        f"metrics and models) goes {listing(parts)}."
    )
