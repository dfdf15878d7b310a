"""Tests of a change within the same scenes: exact McNemar, Cochran's Q, Wilcoxon, Holm.

A scene fails or does not, before and after. McNemar's test looks at the discordant scenes alone:
*destructive* ones (fine before, failing after) and *corrective* ones (failing before, fine after).
A rate can stand still while many scenes change both ways, so both counts are always given.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence

import numpy as np
import pandas as pd

from vlmis_utils.core.errors import UserError

__all__ = ["ALPHA", "cochran_q", "holm", "mcnemar", "mcnemar_p", "paired_effect"]

_NAN = math.nan

# Level of every test of the study, two-sided.
ALPHA = 0.05


def mcnemar_p(destructive: np.ndarray, corrective: np.ndarray) -> np.ndarray:
    """Return the two-sided exact p of McNemar's test, for many tables at once.

    If a change is as likely one way as the other, then of d + c discordant scenes d is
    Binomial(d + c, 1/2), so p = min(1, 2 P(X <= min(d, c))) (McNemar, Psychometrika 12, 1947). It
    is exact and therefore conservative: it rejects a true hypothesis less often than it may.
    Assumes that scenes are independent.

    Checked against: every one of the equally likely outcomes counted; scipy.stats.binomtest.

    Args:
        destructive, corrective: discordant scenes, any shapes that broadcast.

    Returns:
        float64 in (0, 1]; 1 where no scene is discordant.

    >>> mcnemar_p([6, 3, 0], [0, 3, 0]).tolist()
    [0.03125, 1.0, 1.0]
    """
    from scipy.stats import binom

    ups, downs = np.asarray(destructive), np.asarray(corrective)
    return np.minimum(1.0, 2 * binom.cdf(np.minimum(ups, downs), ups + downs, 0.5))


def mcnemar(
    before: np.ndarray, after: np.ndarray, confidence: float = 0.95
) -> dict[str, int | float | str]:
    """Test whether as many scenes turn to failure as turn from it; see `mcnemar_p`.

    Checked against: statsmodels mcnemar and proportion_confint; pingouin.chi2_mcnemar.

    Args:
        before, after: (N,), 1 where the scene fails and 0 where it does not; a scene where either
            is missing is left out.
        confidence: of the interval of the odds.

    Returns:
        ``n`` scenes; ``destructive`` and ``corrective`` ones; ``p``; and three effect sizes:
        ``difference`` = (destructive - corrective) / n, the change of the rate, in [-1, 1];
        ``g`` = destructive / discordant - 1/2, Cohen's g in [-0.5, 0.5] (Cohen, Statistical Power
        Analysis, 1988, calls 0.05 small, 0.15 medium, 0.25 large); ``odds`` = destructive /
        corrective with ``odds_low``, ``odds_high``, from the exact interval of Clopper and Pearson
        (Biometrika 26, 1934) of the destructive share, infinite where that share may be
        1. ``reason``: empty, or why numbers are NaN. Where no scene is discordant, p is 1.

    Raises:
        UserError: unequal lengths, or values other than 0 and 1.

    >>> found = mcnemar([0, 0, 0, 0, 1, 1], [1, 1, 1, 0, 0, 1])
    >>> found["destructive"], found["corrective"], found["p"], found["odds"]
    (3, 1, 0.625, 3.0)
    """
    x, y = _pairs(before, after)
    _check_binary(x, y)
    up, down = int(np.sum(y > x)), int(np.sum(y < x))
    found = {"n": int(x.size), "destructive": up, "corrective": down}
    if not x.size:
        missing = dict.fromkeys(("p", "difference", "g", "odds", "odds_low", "odds_high"), _NAN)
        return {**found, **missing, "reason": "no scene has both values"}
    found["p"], found["difference"] = 1.0, (up - down) / x.size
    if not up + down:
        missing = dict.fromkeys(("g", "odds", "odds_low", "odds_high"), _NAN)
        return {**found, **missing, "reason": "no scene is discordant"}
    from scipy.stats import binomtest

    test = binomtest(up, up + down)
    share = test.proportion_ci(confidence, method="exact")
    found |= {"p": float(test.pvalue), "g": up / (up + down) - 0.5}
    found |= {"odds": up / down if down else math.inf}
    return {**found, "odds_low": _odds(share.low), "odds_high": _odds(share.high), "reason": ""}


def cochran_q(values: np.ndarray) -> dict[str, int | float | str]:
    """Test whether a failure is equally likely under k conditions, through `pingouin.cochran`.

    Q = (k - 1) (k Σ_j C_j² - T²) / (k T - Σ_i R_i²), with column sums C, row sums R and total T
    (Cochran, Biometrika 37, 1950); p is that of chi-square with k - 1 degrees of freedom, an
    approximation for many scenes: Tate and Brown (Journal of the American Statistical Association
    65, 1970) ask for k times the scenes that differ at all to be at least 24. With k = 2 it is
    McNemar's test without continuity correction. Assumes that scenes are independent.

    Checked against: statsmodels cochrans_q; scipy.stats.friedmanchisquare; permutations within
    scenes.

    Args:
        values: (N, k), 1 where the scene fails under the condition and 0 where it does not; a
            scene with a missing value is left out.

    Returns:
        ``n`` scenes and ``k`` conditions; ``informative``: scenes that fail under some conditions
        but not under all, which alone matter; ``q``, ``dof``, ``p``; ``eta2`` = Q / (n (k - 1)),
        in [0, 1], the share of the largest possible Q (Serlin, Carr and Marascuilo, Psychological
        Bulletin 92, 1982); ``reason``: empty, or why p is doubtful, NaN or 1 by definition.

    Raises:
        UserError: not a table, or values other than 0 and 1.

    >>> found = cochran_q([[0, 0, 1]] * 9 + [[0, 1, 1]] * 3 + [[1, 1, 0]])
    >>> found["informative"], round(found["q"], 2), round(found["p"], 4)
    (13, 14.92, 0.0006)
    """
    table = np.asarray(values, dtype=np.float64)
    if table.ndim != 2:
        raise UserError(f"Cochran's Q needs scenes x conditions, got an array {table.shape}")
    table = table[np.isfinite(table).all(axis=1)]
    _check_binary(table)
    scenes, conditions = table.shape
    sums = table.sum(axis=1)
    informative = int(np.sum((sums > 0) & (sums < conditions)))
    found = {"n": scenes, "k": conditions, "informative": informative, "q": _NAN,
             "dof": conditions - 1, "p": _NAN, "eta2": _NAN}  # fmt: skip
    if scenes < 3 or conditions < 2:
        few = f"{scenes} scenes and {conditions} conditions, at least 3 and 2 are needed"
        return {**found, "reason": few}
    if not informative:
        return {**found, "p": 1.0, "reason": "no scene differs between the conditions"}
    import pingouin

    row = pingouin.cochran(pd.DataFrame(table)).iloc[0]
    found |= {"q": float(row["Q"]), "p": float(row["p_unc"])}
    found["eta2"] = found["q"] / (scenes * (conditions - 1))
    few = "few scenes differ, p is rough" if informative * conditions < 24 else ""
    return {**found, "reason": few}


def paired_effect(before: np.ndarray, after: np.ndarray) -> dict[str, int | float | str]:
    """Return how large a paired change of a continuous number is, and Wilcoxon's test of it.

    Checked against: pingouin.ttest; scipy.stats.wilcoxon; signs flipped at random.

    Args:
        before, after: (N,) numbers; a scene where either is missing is left out.

    Returns:
        ``n`` scenes; ``rising`` and ``falling``: how many changed which way; ``difference``, the
        mean change; ``d_z`` = mean / standard deviation of the changes (Cohen 1988; 0.2 small, 0.5
        medium, 0.8 large); ``rank_biserial`` in [-1, 1], the rank sum of the rises minus that of
        the falls over all ranks (Kerby, Comprehensive Psychology 3, 2014), and ``p`` of the signed
        rank test, both from `pingouin.wilcoxon`, which ranks the changes other than 0 and assumes,
        for p, that without an effect rises and falls of one size are equally likely; p is from the
        normal distribution where changes are 0 or tie, or scenes are more than 50. ``reason``:
        empty, or why numbers are NaN. Where no scene changes, p is 1.

    Raises:
        UserError: unequal lengths.

    >>> found = paired_effect([0.1, 0.2, 0.3, 0.4, 0.5], [0.2, 0.4, 0.6, 0.3, 0.5])
    >>> found["rising"], found["falling"], round(found["d_z"], 2), round(found["rank_biserial"], 2)
    (3, 1, 0.63, 0.7)
    """
    x, y = _pairs(before, after)
    change = np.round(y - x, 10)
    found = {"n": int(x.size), "rising": int(np.sum(change > 0))}
    found["falling"] = int(np.sum(change < 0))
    found |= dict.fromkeys(("difference", "d_z", "rank_biserial", "p"), _NAN)
    if x.size < 2:
        return {**found, "reason": f"{x.size} scenes have both values, at least 2 are needed"}
    found["difference"] = float(change.mean())
    if not change.any():
        return {**found, "p": 1.0, "reason": "no scene changes"}
    spread = float(change.std(ddof=1))
    found["d_z"] = found["difference"] / spread if spread > 1e-12 else _NAN
    distinct = len(np.unique(np.abs(change[change != 0]))) == len(change)
    method = "auto" if distinct else "asymptotic"
    import pingouin

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        row = pingouin.wilcoxon(change, method=method).iloc[0]
    found |= {"rank_biserial": float(row["RBC"]), "p": float(row["p_val"])}
    return {**found, "reason": "" if spread > 1e-12 else "all scenes change alike"}


def holm(p: Sequence[float], alpha: float = 0.05) -> tuple[np.ndarray, np.ndarray]:
    """Correct p values for multiple tests by Holm's step-down, through `pingouin.multicomp`.

    With p sorted upwards, the i-th of m becomes the largest of (m - j + 1) p_j over j <= i, at most
    1. The chance that any true hypothesis of the family is rejected is then at most alpha, however
    the tests depend on each other (Holm, Scandinavian Journal of Statistics 6, 1979).

    Checked against: statsmodels multipletests; simulated family-wise error.

    Args:
        p: p values in [0, 1]; NaN entries are no tests and stay NaN.
        alpha: family-wise error rate.

    Returns:
        (adjusted, reject): float64 and bool arrays of p's length.

    >>> adjusted, reject = holm([0.01, 0.04, 0.03])
    >>> adjusted.round(3).tolist(), reject.tolist()
    ([0.03, 0.06, 0.06], [True, False, False])
    """
    values = np.asarray(p, dtype=np.float64).ravel()
    adjusted, reject = np.full(values.shape, np.nan), np.zeros(values.shape, dtype=bool)
    known = np.isfinite(values)
    if known.any():
        import pingouin

        reject[known], adjusted[known] = pingouin.multicomp(
            values[known], alpha=alpha, method="holm"
        )
    return adjusted, reject


def _pairs(before: np.ndarray, after: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    x, y = (np.asarray(v, dtype=np.float64).ravel() for v in (before, after))
    if x.shape != y.shape:
        raise UserError(f"a paired test needs pairs, got {x.size} and {y.size} values")
    both = np.isfinite(x) & np.isfinite(y)
    return x[both], y[both]


def _check_binary(*arrays: np.ndarray) -> None:
    for values in arrays:
        odd = values[(values != 0) & (values != 1)]
        if odd.size:
            raise UserError(f"a failure is 1 or 0, got {odd[0]:g}")


def _odds(share: float) -> float:
    return float(share / (1 - share)) if share < 1 else math.inf
