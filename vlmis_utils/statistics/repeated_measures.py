"""Correlation where every scene is seen under several conditions: pooled, within, between scenes.

Quality x and misalignment y of scene i under condition j give different coefficients, because each
takes something away first:

- ``images``: nothing. r of all pairs (x_ij, y_ij).
- ``within``: what is particular to the scene. Both are deviations from the scene's mean over its
  conditions, r = Σ dx dy / √(Σ dx² Σ dy²). For Pearson this is the repeated-measures correlation of
  Bakdash and Marusich (Frontiers in Psychology 8:456, 2017), `pingouin.rm_corr`.
- ``between``: what is particular to the condition. Deviations from the condition's mean over
  scenes, in the same formula.

Spearman's coefficient puts ranks in place of the numbers, taken where the comparison is made: among
all images, within the scene, or within the condition; ties share their mean rank.

Scenes are the sampling unit: a resample draws whole scenes with all their conditions, so nothing is
assumed about how the images of one scene depend on each other. The conditions are taken as given.
"""

from __future__ import annotations

import math
import warnings

import numpy as np
import pandas as pd

from vlmis_utils.core.errors import UserError
from vlmis_utils.statistics.correlation import correlation, fisher_interval
from vlmis_utils.statistics.intervals import from_draws
from vlmis_utils.statistics.resampled_correlation import resampled_correlation
from vlmis_utils.statistics.resampling import sample_and_resamples

__all__ = ["clustered_correlation", "intraclass_correlation", "partial_correlation", "rm_interval"]


def clustered_correlation(
    x: np.ndarray,
    y: np.ndarray,
    level: str = "images",
    method: str = "pearson",
    *,
    covariates: np.ndarray | None = None,
    resamples: int = 2000,
    confidence: float = 0.95,
    seed: int = 0,
) -> dict[str, object]:
    """Correlate two tables of scenes by conditions, with an interval over scenes.

    Checked against: pingouin.rm_corr; scipy.stats; simulated coverage.

    Args:
        x, y: (N, C), one row a scene, one column a condition; NaN where there is no value.
        level: images, within or between; see the module.
        method: pearson or spearman.
        covariates: (K, C), see `statistics.resampled_correlation.resampled_correlation`.
        resamples, confidence, seed: of the bootstrap, see `statistics.intervals`.

    Returns:
        ``level``, ``method``; ``n`` pairs and ``scenes`` that have one; ``r``, ``low``, ``high``,
        ``p``; ``reason``: empty, or why numbers are NaN.

    Raises:
        UserError: unequal shapes, an unknown level or method.

    >>> scene = np.repeat([[0.0], [5.0], [9.0], [2.0]], 3, axis=1)
    >>> quality = scene + [[0, 1, 2], [0, 2, 1], [0, 1, 2], [1, 0, 2]]
    >>> failure = scene - [[0, 1, 2], [0, 1, 2], [1, 0, 2], [0, 1, 2]]
    >>> for level in ("images", "within"):
    ...     print(level, round(clustered_correlation(quality, failure, level)["r"], 3))
    images 0.911
    within -0.625
    """
    x, y = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    if x.shape != y.shape or x.ndim != 2:
        raise UserError(f"needs two tables of scenes by conditions, got {x.shape} and {y.shape}")
    both = np.isfinite(x) & np.isfinite(y)
    scenes = int(both.any(axis=1).sum())
    weights = sample_and_resamples(len(x), resamples, seed)
    draws = resampled_correlation(x[None], y[None], weights, level, method, covariates)
    found = from_draws(draws[:, 0, 0], scenes, confidence=confidence)
    numbers = {"r": float(found.value)} | found.numbers()
    reason = "one of the two does not vary, or pairs are too few" if math.isnan(found.value) else ""
    reason = reason or ("too few scenes for an interval" if math.isnan(found.low) else "")
    n = int(both.sum())
    return {"level": level, "method": method, "n": n, "scenes": scenes, **numbers, "reason": reason}


def rm_interval(
    r: float, n: int, scenes: int, confidence: float = 0.95
) -> tuple[float, float, float]:
    """Return the parametric interval and p of a repeated-measures correlation.

    With n - N - 1 = d degrees of freedom: Fisher's interval with SE = 1 / √(d - 1), and p of
    t = r √(d / (1 - r²)) (Bakdash and Marusich 2017), as `pingouin.rm_corr`. Assumes the same slope
    in every scene and independent residuals of equal variance; the bootstrap over scenes assumes
    neither.

    Checked against: pingouin.rm_corr.

    Args:
        r: coefficient in [-1, 1].
        n: pairs.
        scenes: N.
        confidence: in (0, 1).

    Returns:
        low, high, p; NaN where d < 2.

    >>> [round(v, 3) for v in rm_interval(-0.50677, 47, 8)]
    [-0.707, -0.232, 0.001]
    """
    dof = n - scenes - 1
    if math.isnan(r) or dof < 2:
        return math.nan, math.nan, math.nan
    from scipy.stats import t as student

    low, high = fisher_interval(r, dof + 2, confidence)
    p = 0.0 if abs(r) >= 1 else 2 * student.sf(abs(r) * math.sqrt(dof / (1 - r * r)), dof)
    return low, high, float(p)


def partial_correlation(
    x: np.ndarray, y: np.ndarray, covariates: np.ndarray, method: str = "pearson"
) -> dict[str, object]:
    """Correlate what is left of x and y after least squares on covariates.

    Through `pingouin.partial_corr`; Spearman's version ranks the covariates too. For independent
    pairs, such as conditions.

    Checked against: pingouin.partial_corr.

    Args:
        x, y: (N,).
        covariates: (K, N); constant ones are left out.
        method: pearson or spearman.

    Returns:
        As `statistics.correlation`; the interval is Fisher's with SE
        1 / √(n - K - 3), p has n - K - 2 degrees of freedom.

    >>> found = partial_correlation([1, 2, 3, 4, 5], [2, 1, 4, 3, 6], [[0, 0, 1, 1, 1]])
    >>> found["n"], round(found["r"], 3)
    (5, 0.417)
    """
    x, y = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    both = np.isfinite(x) & np.isfinite(y)
    given = [row for row in np.asarray(covariates, float)[:, both] if np.ptp(row) > 0]
    plain = correlation(x, y, method)
    if plain["reason"] or not given:
        return plain
    n, nan = int(both.sum()), math.nan
    found = {**plain, "r": nan, "low": nan, "high": nan, "p": nan}
    if n - len(given) < 3:
        return {**found, "reason": f"{n} pairs are too few for {len(given)} covariates"}
    import pingouin

    frame = pd.DataFrame({"x": x[both], "y": y[both]})
    names = [f"z{index}" for index in range(len(given))]
    frame[names] = np.transpose(given)
    left = _residual_share(frame, names, method)
    if left < 1e-9:
        return {**found, "reason": "the covariates leave nothing to correlate"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        row = pingouin.partial_corr(frame, "x", "y", names, method=method).iloc[0]
    low, high = fisher_interval(float(row["r"]), n - len(given))
    return {**found, "r": float(row["r"]), "low": low, "high": high, "p": float(row["p_val"])}


def _residual_share(frame: pd.DataFrame, names: list[str], method: str) -> float:
    """Return the smaller share of the variance of x or y that the covariates leave."""
    table = (frame.rank() if method == "spearman" else frame).to_numpy(float)
    table = (table - table.mean(axis=0)) / table.std(axis=0)
    fit = np.linalg.lstsq(table[:, 2:], table[:, :2], rcond=None)[0]
    return float(((table[:, :2] - table[:, 2:] @ fit) ** 2).mean(axis=0).min())


def intraclass_correlation(values: np.ndarray) -> float:
    """Return the scene's share of the variance, once the means of conditions are taken away.

    The intraclass correlation ICC(C, 1) of McGraw and Wong (Psychological Methods 1, 1996):
    (MS_scene - MS_rest) / (MS_scene + (C - 1) MS_rest) of a two-way analysis of variance, as in
    `pingouin.intraclass_corr`. Where it is large for Q and for L, pooled pictures are worth far
    fewer independent ones.

    Checked against: pingouin.intraclass_corr.

    Args:
        values: (N, C), one row a scene, one column a condition; scenes with a missing value are
            left out.

    Returns:
        At most 1, and not far below 0; NaN below 2 scenes or conditions, or without variance.

    >>> round(intraclass_correlation([[1, 2, 3], [4, 5, 6], [2, 4, 3]]), 2)
    0.87
    """
    table = np.asarray(values, dtype=np.float64)
    table = table[np.isfinite(table).all(axis=1)]
    n, conditions = table.shape
    if n < 2 or conditions < 2:
        return math.nan
    table = table - table.mean(axis=0)
    own = table.mean(axis=1)
    between = conditions * (own**2).sum() / (n - 1)
    rest = ((table - own[:, None]) ** 2).sum() / ((n - 1) * (conditions - 1))
    total = between + (conditions - 1) * rest
    return float((between - rest) / total) if total > 1e-15 else math.nan
