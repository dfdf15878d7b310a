"""What a number of scenes, or of pairs, can show: intervals of rates, power, smallest changes.

Power is worked out for effects that are assumed, not for the effect that was found: the latter says
nothing that p has not said (Hoenig and Heisey, The American Statistician 55, 2001).
"""

from __future__ import annotations

import math
import warnings

import numpy as np

from vlmis_utils.core.errors import UserError, closest
from vlmis_utils.statistics.paired import mcnemar_p

__all__ = [
    "RATE_METHODS", "correlation_power", "detectable_change", "detectable_correlation",
    "half_width", "mcnemar_power", "rate_interval", "scenes_needed",
]  # fmt: skip

# Name -> the method of `scipy.stats.binomtest(...).proportion_ci`.
RATE_METHODS: dict[str, str] = {"wilson": "wilson", "clopper-pearson": "exact"}


def rate_interval(
    failures: int, scenes: int, method: str = "wilson", confidence: float = 0.95
) -> tuple[float, float]:
    """Return an interval for a plain rate, from `scipy.stats.binomtest`.

    Assumes independent scenes, each a failure or not. Unlike the percentile bootstrap it has width
    where none or all of the scenes fail.

    Checked against: statsmodels proportion_confint.

    Args:
        failures: in [0, scenes].
        scenes: at least 1.
        method: ``wilson``, the score interval (Wilson, Journal of the American Statistical
            Association 22, 1927), right on average over rates, or ``clopper-pearson`` (Biometrika
            26, 1934), never too short and mostly too wide.
        confidence: in (0, 1).

    Returns:
        (low, high) in [0, 1].

    Raises:
        UserError: an unknown method, or more failures than scenes.

    >>> [round(bound, 3) for bound in rate_interval(0, 100)]
    [0.0, 0.037]
    """
    if method not in RATE_METHODS:
        raise UserError(f"unknown interval {method!r}{closest(method, RATE_METHODS)}")
    if not 0 <= failures <= scenes or scenes < 1:
        raise UserError(f"a rate needs 0 to all failures, got {failures} of {scenes} scenes")
    from scipy.stats import binomtest

    found = binomtest(int(failures), int(scenes)).proportion_ci(confidence, RATE_METHODS[method])
    return float(found.low), float(found.high)


def half_width(rate: float, scenes: int, method: str = "wilson", confidence: float = 0.95) -> float:
    """Return half the width of the interval of a rate that is found to be ``rate``.

    The count of failures is the whole number nearest to rate * scenes; see `rate_interval`.

    Checked against: statsmodels proportion_confint.

    >>> round(half_width(0.5, 50), 2), round(half_width(0.5, 500), 2)
    (0.13, 0.04)
    """
    low, high = rate_interval(round(rate * scenes), scenes, method, confidence)
    return (high - low) / 2


def mcnemar_power(change: float, discordant: float, scenes: int, alpha: float = 0.05) -> float:
    """Return the power of the exact McNemar test, without approximation.

    The number m of discordant scenes is Binomial(scenes, discordant); of these the destructive
    ones are Binomial(m, (discordant + change) / (2 discordant)). The power is the chance that
    `mcnemar_p` is at most alpha, summed over m. Assumes independent scenes of one kind. Connor
    (Biometrics 43, 1987) gives a formula for large samples; see `scenes_needed`.

    Checked against: all outcomes of few scenes counted; simulation; Connor's formula.

    Args:
        change: of the rate, in [-discordant, discordant].
        discordant: expected share of scenes that change, either way (discordant), in (0, 1].
        scenes: N.
        alpha: level of the two-sided test.

    Returns:
        Power in [0, 1].

    Raises:
        UserError: a change larger than the share of discordant scenes, or a share outside (0, 1].

    >>> round(mcnemar_power(0.2, 0.4, 50), 2), round(mcnemar_power(0.2, 0.4, 100), 2)
    (0.55, 0.88)
    """
    if not 0 < discordant <= 1 or abs(change) > discordant * (1 + 1e-12):
        raise UserError(
            f"{discordant:g} of the scenes change, so the rate cannot change by {change:g}: "
            "the share of discordant scenes is in (0, 1] and at least as large as the change"
        )
    return _mcnemar_power(change, discordant, *_discordant_counts(discordant, scenes, alpha))


def detectable_change(
    scenes: int, discordant: float, power: float = 0.8, alpha: float = 0.05
) -> float:
    """Return the smallest change of a rate that exact McNemar finds with the given power.

    Solves `mcnemar_power` for the change, with the share of discordant scenes held fixed.

    Checked against: `mcnemar_power` put back in.

    Args:
        scenes, discordant, alpha: as in `mcnemar_power`.
        power: in (alpha, 1).

    Returns:
        Change in (0, discordant]; NaN where even changes in one direction only are found too
        seldom.

    >>> round(detectable_change(50, 0.3), 2), round(detectable_change(100, 0.3), 2)
    (0.22, 0.16)
    """
    counts = _discordant_counts(discordant, scenes, alpha)
    from scipy.optimize import brentq

    def lacking(change: float) -> float:
        return _mcnemar_power(change, discordant, *counts) - power

    return (
        float(brentq(lacking, 0.0, discordant, xtol=1e-5)) if lacking(discordant) >= 0 else math.nan
    )


def scenes_needed(change: float, discordant: float, power: float = 0.8, alpha: float = 0.05) -> int:
    """Return the fewest scenes with which exact McNemar finds a change with the given power.

    Counts up from just below Connor's number, n = (z_α √ψ + z_β √(ψ - δ²))² / δ² with change
    δ, share of discordant scenes ψ and the normal quantiles of 1 - alpha / 2 and of the power
    (Biometrics 43, 1987); that number is for the test without continuity correction, and the exact
    one needs more.

    Checked against: every smaller number tried; Connor's formula.

    Args:
        change, discordant, alpha: as in `mcnemar_power`; the change is not 0.
        power: in (alpha, 1).

    Raises:
        UserError: no change, or a change larger than the share of discordant scenes.

    >>> scenes_needed(0.1, 0.2), scenes_needed(0.2, 0.2)
    (168, 39)
    """
    if not change:
        raise UserError("no number of scenes finds a change of 0")
    from scipy.special import ndtri

    reach = ndtri(1 - alpha / 2) * math.sqrt(discordant)
    reach += ndtri(power) * math.sqrt(max(discordant - change**2, 0))
    scenes = max(1, int((reach / change) ** 2) - 5)
    while mcnemar_power(change, discordant, scenes, alpha) < power:
        scenes += 1
    return scenes


def _discordant_counts(
    discordant: float, scenes: int, alpha: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the numbers of discordant scenes, how likely each is, and its critical value.

    The critical value is the most scenes of the rarer kind with which the test still rejects; -1
    where it never does.
    """
    from scipy.stats import binom

    m = np.arange(scenes + 1)
    chance = binom.pmf(m, scenes, discordant)
    m, chance = m[chance > 1e-12], chance[chance > 1e-12]
    most = np.maximum(binom.ppf(alpha / 2, m, 0.5), 0)
    return m, chance, most - (mcnemar_p(most, m - most) > alpha)


def _mcnemar_power(
    change: float, discordant: float, m: np.ndarray, chance: np.ndarray, most: np.ndarray
) -> float:
    from scipy.stats import binom

    up = min(1.0, (discordant + change) / (2 * discordant))
    return float(chance @ (binom.cdf(most, m, up) + binom.cdf(most, m, 1 - up)))


def correlation_power(r: float, pairs: int, alpha: float = 0.05) -> float:
    """Return the power of the two-sided test of a Pearson correlation, by `pingouin.power_corr`.

    Assumes independent pairs from a bivariate normal distribution; the approximation is Fisher's z
    with a correction for bias. For Spearman's coefficient it is somewhat too high.

    Checked against: simulation.

    Args:
        r: true correlation in (-1, 1).
        pairs: number of pairs.
        alpha: level of the test.

    Returns:
        Power in [0, 1]; NaN for 4 pairs or fewer.

    >>> round(correlation_power(0.5, 10), 2), round(correlation_power(0.5, 100), 2)
    (0.33, 1.0)
    """
    return _power_corr(r=r, n=pairs, alpha=alpha)


def detectable_correlation(pairs: int, power: float = 0.8, alpha: float = 0.05) -> float:
    """Return the smallest |r| that the test of a correlation finds with the given power.

    Solves `correlation_power` for r.

    Checked against: `correlation_power` put back in; published sample sizes.

    Returns:
        |r| in (0, 1); NaN for 4 pairs or fewer.

    >>> round(detectable_correlation(10), 2), round(detectable_correlation(100), 2)
    (0.77, 0.28)
    """
    return _power_corr(n=pairs, power=power, alpha=alpha)


def _power_corr(**known: float) -> float:
    import pingouin

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return float(pingouin.power_corr(**known))
