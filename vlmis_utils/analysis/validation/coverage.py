"""Do intervals of 95 % hold the truth 95 times in 100? Simulated studies whose truth is known.

Each function repeats a simulated study many times and lets the very functions of this package judge
every repetition. Repetitions stand side by side as columns of one table, so that all of them cost a
few products of matrices; they share the resamples of the bootstrap, as the conditions of a run do.
How often tests err is measured in `analysis.validation.error_rates`.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from vlmis_utils.metrics.miou_intervals import (
    bootstrap_miou,
    bootstrap_miou_change,
    jackknife_miou,
    jackknife_miou_change,
)
from vlmis_utils.metrics.segmentation import miou
from vlmis_utils.statistics.correlation import fisher_interval, spearman_interval
from vlmis_utils.statistics.power import rate_interval
from vlmis_utils.statistics.resampling import bootstrap_interval

__all__ = [
    "NEAR", "coverage", "coverage_miou", "make_confusions", "make_changes", "make_pairs", "pearson",
    "ranks",
]  # fmt: skip

# Between these a coverage counts as 95 %.
NEAR: tuple[float, float] = (0.93, 0.97)

_COLUMNS = ["of", "interval", "n", "truth", "coverage"]
_ROUNDING = 1e-12
_CHUNK = 50


def coverage(
    scenes: int = 100, pairs: int = 10, replicates: int = 4000, resamples: int = 1000, seed: int = 0
) -> pd.DataFrame:
    """Return how often the 95 % intervals of rates, changes and correlations hold the truth.

    Simulated data: rates are independent failures; means like that of HR_i are shares with a
    Beta(0.5, 1.5) distribution, each scene's before and after having a part in common for a change;
    changes of rates are those of independent scenes; correlations are those of bivariate normal
    pairs, for which Spearman's coefficient is 6/π arcsin(r/2).

    Args:
        scenes: N of a simulated study.
        pairs: of the smaller correlations, say the number of conditions. Fewer than 4 pairs have
            no interval and no row.
        replicates: B, studies a row; chance moves a coverage by about sqrt(0.05 0.95 / B).
        resamples: of each bootstrap.
        seed: of data and resampling.

    Returns:
        One row a case: ``of`` (what is estimated), ``interval`` (how), ``n`` (scenes or pairs),
        ``truth``, ``coverage`` in [0, 1], ``studies`` (B).
    """
    rng = np.random.default_rng([seed, 1])
    found = _coverage_of_rates(rng, scenes, replicates, resamples)
    for n in sorted({pairs, scenes} - {0, 1, 2, 3}):
        for r in (0.5, 0.9):
            x, y = make_pairs(rng, r, n, replicates)
            held = _each(pearson(x, y), lambda value, n=n: fisher_interval(value, n), r)
            found.append(("Pearson's r", "Fisher", n, r, held))
            truth, rho = 6 / np.pi * np.arcsin(r / 2), pearson(ranks(x), ranks(y))
            held = _each(rho, lambda value, n=n: fisher_interval(value, n), truth)
            found.append(("Spearman's r", "Fisher", n, truth, held))
            held = _each(rho, lambda value, n=n: spearman_interval(value, n), truth)
            found.append(("Spearman's r", "Bonett and Wright", n, truth, held))
    return pd.DataFrame(found, columns=_COLUMNS).assign(studies=replicates)


def _coverage_of_rates(
    rng: np.random.Generator, scenes: int, replicates: int, resamples: int
) -> list[tuple[str, str, int, float, float]]:
    def bootstrap(values: np.ndarray, truth: float) -> float:
        interval = bootstrap_interval(values, resamples=resamples)
        return _held(interval.low, interval.high, truth)

    found, wilson = [], np.array([rate_interval(k, scenes) for k in range(scenes + 1)])
    for rate in (0.5, 0.2, 0.05, 0.02):
        failed = rng.random((scenes, replicates)) < rate
        found.append(("rate", "bootstrap", scenes, rate, bootstrap(failed, rate)))
        held = _held(*wilson[failed.sum(axis=0)].T, rate)
        found.append(("rate", "Wilson", scenes, rate, held))
    before, after = rng.beta(0.5, 1.5, (2, scenes, replicates))
    found.append(("mean like HR", "bootstrap", scenes, 0.25, bootstrap(before, 0.25)))
    after = np.where(rng.random(before.shape) < 0.5, before, np.sqrt(after))
    truth = 0.5 * (_mean_root_beta(0.5, 1.5) - 0.25)
    change = bootstrap(after - before, truth)
    found.append(("change of a mean like HR", "paired bootstrap", scenes, truth, change))
    for up, down in ((0.2, 0.1), (0.1, 0.1), (0.02, 0.01)):
        change = bootstrap(make_changes(rng, up, down, scenes, replicates), up - down)
        found.append(("change of a rate", "paired bootstrap", scenes, up - down, change))
    return found


def _mean_root_beta(a: float, b: float) -> float:
    """Return the mean of the square root of a Beta(a, b) number."""
    from scipy.special import beta

    return float(beta(a + 0.5, b) / beta(a, b))


def coverage_miou(
    population: np.ndarray,
    scenes: int = 100,
    replicates: int = 1000,
    resamples: int = 1000,
    seed: int = 0,
    name: str = "simulated",
) -> pd.DataFrame:
    """Return how often the intervals of mIoU and of its loss hold the truth of a population.

    A simulated study draws ``scenes`` scenes from the population with replacement, so the truth is
    exactly the mIoU of the population's summed counts. Pass the confusions of a run to learn how
    its own intervals would do if its scenes were all there is.

    Args:
        population: counts (P, 2, K, K): each scene clean and degraded.
        scenes, replicates, resamples, seed: as in `coverage`.
        name: of the population, for the table.

    Returns:
        Four rows, for mIoU of the first condition and for its loss to the second, each by bootstrap
        and by jackknife, with the columns of `coverage`.
    """
    rng = np.random.default_rng([seed, 2])
    counts = np.asarray(population)
    whole = np.asarray(miou(counts.sum(axis=0)))
    truths, held = (float(whole[0]), float(whole[0] - whole[1])), np.zeros((2, 2))
    for start in range(0, replicates, _CHUNK):
        size = min(_CHUNK, replicates - start)
        drawn = counts[rng.integers(0, len(counts), (scenes, size))]
        clean, both = drawn[:, :, 0], drawn.reshape(scenes, 2 * size, *counts.shape[2:])
        reference, options = np.repeat(np.arange(size) * 2, 2), {"resamples": resamples}
        options["seed"] = seed + start
        levels = bootstrap_miou(clean, **options), jackknife_miou(clean)
        losses = (
            bootstrap_miou_change(both, reference, **options),
            jackknife_miou_change(both, reference),
        )
        for how, (level, loss) in enumerate(zip(levels, losses, strict=True)):
            held[how, 0] += size * _held(level.low, level.high, truths[0])
            held[how, 1] += size * _held(loss.low[1::2], loss.high[1::2], truths[1])
    rows = [
        (
            f"{what}, {name}",
            f"{pairing}{how}",
            scenes,
            truths[column],
            held[row, column] / replicates,
        )
        for column, (what, pairing) in enumerate((("mIoU", ""), ("loss of mIoU", "paired ")))
        for row, how in enumerate(("bootstrap", "jackknife"))
    ]
    return pd.DataFrame(rows, columns=_COLUMNS).assign(studies=replicates)


def make_confusions(
    scenes: int = 2000, classes: int = 8, rarest: float = 0.3, seed: int = 0
) -> np.ndarray:
    """Return simulated confusion counts of scenes, clean and degraded.

    A class is in all scenes or, the later in the list, in fewer, down to the share ``rarest``. Its
    pixels are log-normal. The log odds of a right pixel are the sum of a class's, a scene's and a
    free part, and lower by 1 when degraded; wrong pixels of a class go to one other class.

    Returns:
        int64 (scenes, 2, classes, classes).

    >>> make_confusions(3, 4).shape
    (3, 2, 4, 4)
    """
    rng = np.random.default_rng([seed, 3])
    held = rng.random((scenes, classes)) < np.linspace(1.5, rarest, classes)
    pixels = np.rint(held * rng.lognormal(5, 1, held.shape)).astype(np.int64)[:, None]
    odds = rng.normal(1.5, 0.5, classes) + rng.normal(0, 0.5, (scenes, 1, 1))
    odds = odds - np.array([0.0, 1.0])[:, None] + rng.normal(0, 0.7, (scenes, 2, classes))
    hits = np.rint(pixels / (1 + np.exp(-odds))).astype(np.int64)
    taken = (np.arange(classes) + rng.integers(1, classes, hits.shape)) % classes
    scene, condition, truth = np.indices(hits.shape)
    counts = np.zeros((*hits.shape, classes), dtype=np.int64)
    counts[scene, condition, truth, truth] = hits
    counts[scene, condition, truth, taken] = pixels - hits
    return counts


def make_changes(
    rng: np.random.Generator, up: float, down: float, scenes: int, studies: int
) -> np.ndarray:
    """Return changes of a failure, 1, 0 or -1: float64 (scenes, studies), 1 with chance ``up``."""
    luck = rng.random((scenes, studies))
    return (luck < up).astype(np.float64) - (luck > 1 - down)


def make_pairs(
    rng: np.random.Generator, r: float, pairs: int, studies: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return bivariate normal pairs with correlation r: two float64 arrays (pairs, studies)."""
    x, noise = rng.normal(size=(2, pairs, studies))
    return x, r * x + np.sqrt(1 - r * r) * noise


def pearson(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return Pearson's r of each column: (N, B) and (N, B) to (B,)."""
    from scipy.stats import pearsonr

    return pearsonr(x, y, axis=0).statistic


def ranks(x: np.ndarray) -> np.ndarray:
    """Return the rank of each value in its column, ties sharing their mean rank."""
    from scipy.stats import rankdata

    return rankdata(x, axis=0)


def _held(low: np.ndarray, high: np.ndarray, truth: float) -> float:
    return float(np.mean((low <= truth + _ROUNDING) & (truth - _ROUNDING <= high)))


def _each(
    values: np.ndarray, interval: Callable[[float], tuple[float, float]], truth: float
) -> float:
    low, high = np.array([interval(float(value)) for value in values]).T
    return _held(low, high, truth)
