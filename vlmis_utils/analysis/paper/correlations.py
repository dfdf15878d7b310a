"""The correlations that follow from the printed tables (Section 6.3 of the paper prints none).

Ten conditions give ten points for each pair of segmenter and VLM. What the paper says in words is
translated into a band of coefficients, `analysis.paper.bounds.BANDS`, and each pair is held against
it twice: does the coefficient lie in the band, and does its interval lie inside it or outside it?
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from vlmis_utils.analysis.paper import tables
from vlmis_utils.analysis.paper.bounds import BANDS, Band
from vlmis_utils.analysis.paper.tables import PUBLISHED
from vlmis_utils.statistics import correlation
from vlmis_utils.statistics.correlation import METHODS
from vlmis_utils.statistics.intervals import interval_sign
from vlmis_utils.statistics.paired import holm

__all__ = ["band_counts", "printed_correlations", "readings", "rounding"]


def printed_correlations(folder: str | Path = PUBLISHED) -> pd.DataFrame:
    """Correlate printed mIoU with printed HR, COR and SMR over the conditions, for every pair.

    Args:
        folder: of the printed tables.

    Returns:
        metric, vlm, segmenter, method; n (conditions); distinct (different values of the metric
        among them); r, low, high (Fisher, 95 %), p; p_holm, corrected over all pairs and metrics of
        one method; in_band: does r lie in the band of `BANDS`; interval: "inside", "outside" or
        "across" that band. A constant column gives NaN and in_band False, "across".
    """
    pairs = tables.pairs(folder)
    rows = []
    for metric, band in BANDS.items():
        for (vlm, segmenter), part in pairs.groupby(["vlm", "segmenter"], sort=False):
            for method in METHODS:
                found = correlation(part.miou, part[metric], method)
                rows.append(
                    {"metric": metric, "vlm": vlm, "segmenter": segmenter, "method": method}
                    | {"n": found["n"], "distinct": part[metric].nunique()}
                    | {key: found[key] for key in ("r", "low", "high", "p")}
                    | {"in_band": band.holds(found["r"])}
                    | {"interval": _place(found["low"], found["high"], band)}
                )
    frame = pd.DataFrame(rows)
    corrected = frame.groupby("method", sort=False).p.transform(lambda p: holm(p)[0])
    frame.insert(list(frame).index("in_band"), "p_holm", corrected)
    return frame


def _place(low: float, high: float, band: Band) -> str:
    """Return where an interval lies against a band."""
    if low >= band.low and high <= band.high:
        return "inside"
    return "outside" if high < band.low or low >= band.high else "across"


def rounding(
    draws: int = 2000, half: float = 0.005, seed: int = 0, folder: str | Path = PUBLISHED
) -> pd.DataFrame:
    """Return how far rounding alone can move Pearson's coefficients, by simulation.

    Every printed number is replaced by one drawn evenly from those in [0, 1] within ± ``half`` of
    it, and the coefficient is computed again. Ranks of equal printed values would fall as chance
    has it, so Spearman's is left out.

    Args:
        draws: how often.
        half: half a unit of the last printed digit.
        seed: of the draws.
        folder: of the printed tables.

    Returns:
        metric, vlm, segmenter, r (as printed), low, high: the lowest and highest of all draws.
    """
    rng = np.random.default_rng(seed)
    pairs = tables.pairs(folder)
    rows = []
    for metric in BANDS:
        for (vlm, segmenter), part in pairs.groupby(["vlm", "segmenter"], sort=False):
            q, l = (part[c].to_numpy() for c in ("miou", metric))  # noqa: E741
            bounds = [(np.clip(v - half, 0, 1), np.clip(v + half, 0, 1)) for v in (q, l)]
            x, y = (rng.uniform(a, b, (draws, a.size)) for a, b in bounds)
            x, y = (v - v.mean(axis=1, keepdims=True) for v in (x, y))
            r = (x * y).sum(1) / np.sqrt((x**2).sum(1) * (y**2).sum(1))
            printed = part.miou.corr(part[metric])
            rows.append((metric, vlm, segmenter, printed, r.min(), r.max()))
    columns = ["metric", "vlm", "segmenter", "r", "low", "high"]
    return pd.DataFrame(rows, columns=columns)


def band_counts(folder: str | Path = PUBLISHED) -> pd.DataFrame:
    """Hold the paper's words against all pairs.

    Returns:
        metric, words, method; pairs (with a coefficient); in_band; negative, positive (sign of r);
        excluding_negative, excluding_positive (95 % interval excludes zero); significant (after
        Holm's correction);
        inside, outside (interval against the band); lowest, highest (coefficients); shortest
        (length of the shortest interval).
    """
    frame = printed_correlations(folder).dropna(subset=["r"])
    rows = []
    for (metric, method), part in frame.groupby(["metric", "method"], sort=False):
        signs = interval_sign(part.low, part.high)
        rows.append(
            {
                "metric": metric, "words": BANDS[metric].words, "method": method,
                "pairs": len(part), "in_band": int(part.in_band.sum()),
                "negative": int((part.r < 0).sum()), "positive": int((part.r > 0).sum()),
                "excluding_negative": int((signs == -1).sum()),
                "excluding_positive": int((signs == 1).sum()),
                "significant": int((part.p_holm < 0.05).sum()),
                "inside": int((part.interval == "inside").sum()),
                "outside": int((part.interval == "outside").sum()),
                "lowest": part.r.min(), "highest": part.r.max(),
                "shortest": (part.high - part.low).min(),
            }
        )  # fmt: skip
    return pd.DataFrame(rows)


def readings(folder: str | Path = PUBLISHED) -> pd.DataFrame:
    """Correlate under other readings of the text: which points could the paper have used?

    The paper names neither the segmenter of its Figure 3 nor whether models were pooled. Pooled
    points repeat the same conditions, so they have no valid interval and only r is given.

    Returns:
        reading, vlms (apart, or together: pooled or averaged), pairs (coefficients it makes), n
        (points of each), metric, method, lowest and highest r, in_band (how many lie in the band of
        `BANDS`).
    """
    rows = []
    for reading, vlms, groups in _groupings(tables.pairs(folder)):
        for metric, band in BANDS.items():
            for method in METHODS:
                found = [g.miou.corr(g[metric], method=method) for g in groups]
                held = sum(band.holds(r) for r in found)
                rows.append(
                    (reading, vlms, len(groups), len(groups[0]), metric, method)
                    + (np.nanmin(found), np.nanmax(found), held)
                )
    columns = ["reading", "vlms", "pairs", "n", "metric", "method", "lowest", "highest", "in_band"]
    return pd.DataFrame(rows, columns=columns)


def _groupings(pairs: pd.DataFrame) -> Iterator[tuple[str, str, list[pd.DataFrame]]]:
    """Yield each reading, whether VLMs are apart or together, and the points that it correlates."""
    metrics = ["miou", *BANDS]

    def parts(frame: pd.DataFrame, *keys: str) -> list[pd.DataFrame]:
        return [part for _, part in frame.groupby(list(keys), sort=False)]

    yield "each segmenter with each VLM", "apart", parts(pairs, "segmenter", "vlm")
    # ΔQ = −(Q − Q_clean) and ΔL = L − L_clean: over the degraded conditions their correlation is
    # minus that of Q and L, so the coefficients stand here with the sign of Q and L.
    degraded = pairs[pairs.condition != "clean"]
    yield "the same, changes from clean", "apart", parts(degraded, "segmenter", "vlm")
    yield "each segmenter, VLMs pooled", "together", parts(pairs, "segmenter")
    # Rounded, so that equal means tie whatever the order of their sums.
    mean = pairs.groupby(["vlm", "condition"], sort=False)[metrics].mean().round(9).reset_index()
    yield "mean of segmenters, each VLM", "apart", parts(mean, "vlm")
    yield "all pairs pooled", "together", [pairs]
    both = pairs.groupby("condition", sort=False)[metrics].mean().round(9)
    yield "means of segmenters and of VLMs", "together", [both]
