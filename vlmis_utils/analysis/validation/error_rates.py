"""How often do tests reject what is true, and find what is not? By simulated studies.

A test at the 5 % level should reject a true hypothesis in 5 of 100 studies. A test that is exact on
counts cannot hit 5 % precisely and stays below. The power that the formulas of
`statistics.power` promise is compared with how often the tests do reject.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from vlmis_utils.analysis.validation.coverage import make_changes, make_pairs, ranks
from vlmis_utils.statistics.intervals import from_draws
from vlmis_utils.statistics.paired import ALPHA, holm, mcnemar_p
from vlmis_utils.statistics.power import correlation_power, mcnemar_power
from vlmis_utils.statistics.repeated_measures import rm_interval
from vlmis_utils.statistics.resampled_correlation import resampled_correlation
from vlmis_utils.statistics.resampling import sample_and_resamples

__all__ = ["ALPHA", "FAMILY", "errors", "pooling_errors", "powers"]

# Tests in the simulated family: two metrics under nine degraded conditions.
FAMILY = 18


def errors(
    scenes: int = 100, pairs: int = 10, replicates: int = 4000, seed: int = 0
) -> pd.DataFrame:
    """Return how often each test rejects at 5 % although nothing is there to find.

    Simulated data: changes either way are equally likely (McNemar); a scene fails under each of 3
    severities with its own, equal chance (Cochran's Q); before and after are two draws from one
    distribution of shares (Wilcoxon); pairs are independent normal numbers (correlations); `FAMILY`
    conditions are compared with one clean condition, all with a scene's own chance of failing
    (family of McNemar tests).

    Args:
        scenes, pairs, replicates, seed: as in `analysis.validation.coverage.coverage`.

    Returns:
        One row a case: ``test``, ``data``, ``n`` (scenes or pairs), ``rejected`` (share of the
        studies; of a family, those with any rejection) and ``exact``, whether the test promises
        at most 5 % rather than about 5 %.
    """
    rng, found = np.random.default_rng([seed, 4]), []
    for discordant in (0.4, 0.2, 0.1):
        p = _mcnemar(make_changes(rng, discordant / 2, discordant / 2, scenes, replicates))
        found.append(("exact McNemar", f"{discordant:.0%} of scenes change", scenes, p, True))
    for rate in (0.5, 0.1):
        failed = rng.random((3, scenes, replicates)) < _chances(rng, rate, scenes, replicates)
        found.append(("Cochran's Q", f"rate {rate}", scenes, _cochran(failed), False))
    before, after = rng.beta(0.5, 1.5, (2, scenes, replicates))
    found.append(("Wilcoxon", "shares", scenes, _wilcoxon(after - before), False))
    for n in (pairs, scenes):
        x, y = make_pairs(rng, 0.0, n, replicates)
        found.append(("Pearson's r", "normal pairs", n, _pearson(x, y), False))
        found.append(("Spearman's r", "normal pairs", n, _pearson(ranks(x), ranks(y)), False))
    family = _family(rng, scenes, replicates)
    words = f"{FAMILY} tests, one clean condition"
    found.append(("any of a family, uncorrected", words, scenes, family.min(axis=1), False))
    corrected = np.array([holm(row)[0].min() for row in family])
    found.append(("any of a family, Holm", words, scenes, corrected, True))
    rows = [(test, data, n, float(np.mean(p <= ALPHA)), exact) for test, data, n, p, exact in found]
    return pd.DataFrame(rows, columns=["test", "data", "n", "rejected", "exact"])


def powers(
    scenes: int = 100, pairs: int = 10, replicates: int = 4000, seed: int = 0
) -> pd.DataFrame:
    """Return how often tests find an effect of known size, beside what the formula promises.

    Returns:
        One row a case: ``test``, ``effect`` in words, ``n``, ``promised`` and ``found`` in [0, 1].
    """
    rng, rows = np.random.default_rng([seed, 5]), []
    for change, discordant in ((0.1, 0.2), (0.15, 0.3), (0.2, 0.3)):
        up, down = (discordant + change) / 2, (discordant - change) / 2
        p = _mcnemar(make_changes(rng, up, down, scenes, replicates))
        words = f"change {change:.2f}, {discordant:.0%} of scenes change"
        promised = mcnemar_power(change, discordant, scenes)
        rows.append(("exact McNemar", words, scenes, promised, np.mean(p <= ALPHA)))
    for r, n in ((0.8, pairs), (0.3, scenes)):
        p = _pearson(*make_pairs(rng, r, n, replicates))
        promised = correlation_power(r, n)
        rows.append(("Pearson's r", f"r = {r}", n, promised, np.mean(p <= ALPHA)))
    return pd.DataFrame(rows, columns=["test", "effect", "n", "promised", "found"])


def pooling_errors(
    scenes: int,
    conditions: int,
    intraclass_correlation: float,
    runs: int = 300,
    resamples: int = 500,
    seed: int = 0,
) -> dict[str, float]:
    """Return the false positive rate of a correlation's pooled p, and of that over scenes.

    In every simulated study x and y are normal and independent of each other, each with
    ``intraclass_correlation`` of its variance from the scene, which all conditions share. A test at
    the 5 % level should call 5 % of the studies correlated.

    Args:
        scenes, conditions: N and C of a study.
        intraclass_correlation: in [0, 1].
        runs: simulated studies.
        resamples: of the bootstrap over scenes, in every study.
        seed: of the numbers.

    Returns:
        ``pooled``, the share of studies with p < 0.05 when N C images count as independent;
        ``clustered``, the share with p < 0.05 from resampled scenes.
    """
    rng = np.random.default_rng(seed)
    weights = sample_and_resamples(scenes, resamples)
    called = np.zeros(2)
    parts = np.sqrt([intraclass_correlation, 1 - intraclass_correlation])
    for _ in range(runs):
        own, image = rng.normal(size=(2, scenes, 1)), rng.normal(size=(2, scenes, conditions))
        x, y = parts[0] * own + parts[1] * image
        draws = resampled_correlation(x[None], y[None], weights)[:, 0, 0]
        pooled = rm_interval(float(draws[0]), x.size, 1)[2]
        called += (pooled < ALPHA, float(from_draws(draws, scenes).p) < ALPHA)
    return {"pooled": float(called[0] / runs), "clustered": float(called[1] / runs)}


def _mcnemar(changes: np.ndarray) -> np.ndarray:
    return mcnemar_p((changes > 0).sum(axis=0), (changes < 0).sum(axis=0))


def _cochran(failed: np.ndarray) -> np.ndarray:
    """Return p for failures (k, N, B) as Friedman's test of them, which on 0 and 1 is Cochran's."""
    from scipy.stats import friedmanchisquare

    return friedmanchisquare(*failed.astype(np.float64), axis=0).pvalue


def _wilcoxon(changes: np.ndarray) -> np.ndarray:
    from scipy.stats import wilcoxon

    return wilcoxon(changes, axis=0, correction=True).pvalue


def _pearson(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    from scipy.stats import pearsonr

    return pearsonr(x, y, axis=0).pvalue


def _chances(rng: np.random.Generator, rate: float, scenes: int, replicates: int) -> np.ndarray:
    """Return each scene's own chance of failing, beta distributed with mean ``rate``."""
    return rng.beta(2 * rate, 2 * (1 - rate), (scenes, replicates))


def _family(rng: np.random.Generator, scenes: int, replicates: int) -> np.ndarray:
    """Return p (replicates, FAMILY) of conditions against one clean one, none of them different."""
    chances = _chances(rng, 0.4, scenes, replicates)
    clean = rng.random(chances.shape) < chances
    p = []
    for _ in range(FAMILY):
        failed = rng.random(chances.shape) < chances
        p.append(mcnemar_p((failed & ~clean).sum(axis=0), (clean & ~failed).sum(axis=0)))
    return np.stack(p, axis=1)
