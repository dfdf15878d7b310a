"""Many correlations in many resamples of scenes at once: the arithmetic behind `repeated_measures`.

A resample is a row of weights, how often it draws each scene, as in
`statistics.resampling`. Pearson's coefficient needs sums of squares and products, so all
resamples are one product of matrices. Spearman's needs ranks, and these depend on what is drawn:
they are taken anew in every resample, from one sorting of the sample.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from vlmis_utils.core.errors import UserError, closest
from vlmis_utils.statistics.correlation import METHODS

__all__ = ["LEVELS", "correlate_rows", "resampled_correlation", "weighted_ranks"]

LEVELS = ("images", "within", "between")
_BLOCK = 60_000  # ranks of one variable held at once: a processor keeps them near


def weighted_ranks(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the mean ranks that values have in each resample.

    Checked against: scipy.stats.rankdata of copied scenes.

    Args:
        values: (M,), without NaN.
        weights: (M, R), how often each resample draws each value.

    Returns:
        float64 (M, R), from 1 to the resample's size; what a resample does not draw gets the rank
        between its neighbours.

    >>> weighted_ranks(np.array([0.1, 0.5, 0.5]), np.array([[1.0, 2], [1, 0], [1, 1]])).T.tolist()
    [[1.0, 2.5, 2.5], [1.5, 3.0, 3.0]]
    """
    _, group = np.unique(values, return_inverse=True)
    order = np.argsort(group, kind="stable")
    starts = np.flatnonzero(np.diff(group[order], prepend=-1))
    drawn = np.add.reduceat(weights[order], starts, axis=0)
    ranks = np.cumsum(drawn, axis=0)
    ranks -= (drawn - 1) / 2
    return ranks[group]


def correlate_rows(
    x: np.ndarray, y: np.ndarray, method: str = "pearson", covariates: np.ndarray | None = None
) -> np.ndarray:
    """Return the correlation of every x with every y over the last axis, say over conditions.

    Checked against: scipy.stats, row by row.

    Args:
        x: (..., X, C), NaN where there is no value.
        y: (..., Y, C).
        method: pearson or spearman.
        covariates: (K, C); then partial correlations, as in `resampled_correlation`.

    Returns:
        float64 (..., X, Y); NaN where either is constant, or a value is missing.

    >>> found = correlate_rows(np.array([[1.0, 2, 4]]), np.array([[1.0, 3, 4], [5, 5, 5]]))
    >>> found.round(3).tolist()
    [[0.929, nan]]
    """
    given = np.ones((1, x.shape[-1]))
    if covariates is not None:
        given = np.vstack([given, _ranked(covariates) if method == "spearman" else covariates])
    basis = np.linalg.qr(given.T)[0]
    tables = []
    for values in (x, y):
        values = _ranked(values) if method == "spearman" else values
        size = np.sqrt((values**2).sum(axis=-1, keepdims=True))
        values = values - (values @ basis) @ basis.T
        length = np.sqrt((values**2).sum(axis=-1, keepdims=True))
        tables.append(values / np.where(length > 1e-9 * size, length, np.nan))
    return np.clip(tables[0] @ np.swapaxes(tables[1], -1, -2), -1.0, 1.0)


def _ranked(values: np.ndarray) -> np.ndarray:
    from scipy.stats import rankdata

    return rankdata(values, axis=-1, nan_policy="propagate")


def resampled_correlation(
    x: np.ndarray,
    y: np.ndarray,
    weights: np.ndarray,
    level: str = "images",
    method: str = "pearson",
    covariates: np.ndarray | None = None,
) -> np.ndarray:
    """Return the correlation of every x with every y in every resample of scenes.

    Checked against: a loop that copies, ranks and correlates; pingouin.partial_corr.

    Args:
        x: (X, N, C), X variables of N scenes under C conditions; NaN where there is no value. A
            pair takes part where both have one.
        y: (Y, N, C).
        weights: (R, N), from `statistics.resampling`.
        level: images, within or between; see `statistics.repeated_measures`.
        method: pearson or spearman.
        covariates: (K, C), numbers that belong to a condition, such as its severity. Then partial
            correlations: of what is left of x and y after least squares on the covariates, in the
            deviations of the level. With Spearman covariates are ranked too, as in
            `pingouin.partial_corr`.

    Returns:
        float64 (R, X, Y); NaN where either is constant or too few pairs are left.

    Raises:
        UserError: an unknown level or method.
    """
    if level not in LEVELS:
        raise UserError(f"unknown level {level!r}{closest(level, LEVELS)}")
    if method not in METHODS:
        raise UserError(f"unknown correlation {method!r}{closest(method, METHODS)}")
    x, y = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    scenes, conditions = x.shape[1:]
    given = np.zeros((0, conditions)) if covariates is None else np.asarray(covariates, float)
    given = np.repeat(given[:, None], scenes, axis=1)
    result = np.full((len(weights), len(x), len(y)), np.nan)
    for rows, columns, mask in _masks(x, y):
        if mask.sum() < 3:
            continue
        stack = np.concatenate([given, x[rows], y[columns]])
        size = np.abs(stack[:, mask]).max(axis=1)
        ranked, strata = method == "spearman", [mask]
        if level == "within":
            stack, ranked = _within(stack, mask, ranked), False
        elif level == "between":
            strata = [mask & (np.arange(conditions) == c) for c in range(conditions)]
        strata = [stratum for stratum in strata if stratum.any()]
        stack, scale = _standard(stack, mask, size), mask.sum() / len(strata)
        grams = [_grams(stack, stratum, weights, ranked, scale) for stratum in strata]
        moments, drawn = sum(map(_about_mean, grams)), sum(gram[:, :1, 0] for gram in grams)
        result[:, rows[:, None], columns] = _partial(moments, drawn, len(given), len(rows))
    return result


def _masks(x: np.ndarray, y: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Yield indices of x and of y that have values in the same pairs, and the mask of these."""
    for known_x, rows in _patterns(np.isfinite(x)):
        for known_y, columns in _patterns(np.isfinite(y)):
            yield rows, columns, known_x & known_y


def _patterns(known: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    groups: dict[bytes, list[int]] = {}
    for index, pattern in enumerate(known):
        groups.setdefault(pattern.tobytes(), []).append(index)
    return [(known[rows[0]], np.array(rows)) for rows in groups.values()]


def _within(stack: np.ndarray, mask: np.ndarray, ranked: bool) -> np.ndarray:
    """Return deviations from the scene's mean, of ranks within the scene if ``ranked``."""
    values = np.where(mask, stack, np.nan)
    if ranked:
        from scipy.stats import rankdata

        values = rankdata(values, axis=-1, nan_policy="omit")
    counts = np.maximum(mask.sum(axis=-1, keepdims=True), 1)
    return values - np.nansum(values, axis=-1, keepdims=True) / counts


def _standard(stack: np.ndarray, mask: np.ndarray, size: np.ndarray) -> np.ndarray:
    """Return variables with mean 0 and standard deviation 1 over the mask; constants become 0.

    What varies by less than rounding at ``size``, the largest number, is constant.
    """
    values = stack[:, mask]
    values = values - values.mean(axis=1, keepdims=True)
    spread = values.std(axis=1)
    spread = np.where(spread > 1e-12 * size, spread, np.inf)
    scaled = np.zeros(stack.shape)
    scaled[:, mask] = values / spread[:, None]
    return scaled


def _grams(
    stack: np.ndarray, stratum: np.ndarray, weights: np.ndarray, ranked: bool, scale: float
) -> np.ndarray:
    """Return sums of products (R, 1 + V, 1 + V) of 1 and the variables over the drawn entries.

    Ranks are divided by ``scale``, the same for all strata.
    """
    scene = np.nonzero(stratum)[0]
    values = stack[:, stratum]
    size = values.shape[1]
    if not ranked:
        values = np.vstack([np.ones(size), values])
        sums = np.zeros((stack.shape[1], len(values), len(values)))
        np.add.at(sums, scene, np.einsum("vm,wm->mvw", values, values))
        return (weights @ sums.reshape(len(sums), -1)).reshape(-1, *sums.shape[1:])
    two = [len(np.unique(v)) <= 2 for v in values]
    found = []
    block = max(8, _BLOCK // size)
    for start in range(0, len(weights), block):
        drawn = np.ascontiguousarray(weights[start : start + block].T)[scene]
        total = drawn.sum(axis=0)[:, None]
        ranks = np.ones((drawn.shape[1], 1 + len(values), size))
        for index, (value, binary) in enumerate(zip(values, two, strict=True), start=1):
            # Of two values the ranks are half the resample's size apart, whichever it drew.
            rank = (value == value.max()) * total / 2 if binary else weighted_ranks(value, drawn).T
            ranks[:, index] = rank / scale
        found.append((ranks * drawn.T[:, None]) @ ranks.transpose(0, 2, 1))
    return np.concatenate(found)


def _about_mean(gram: np.ndarray) -> np.ndarray:
    """Return sums of products (R, V, V) about the mean, from those of 1 and the variables."""
    with np.errstate(divide="ignore", invalid="ignore"):
        shift = gram[:, 1:, :1] * gram[:, :1, 1:] / gram[:, :1, :1]
    return gram[:, 1:, 1:] - np.nan_to_num(shift)


def _partial(moments: np.ndarray, drawn: np.ndarray, covariates: int, first: int) -> np.ndarray:
    """Return r (R, X, Y) of variables in the order covariates, x, y, given the covariates.

    Args:
        moments: (R, V, V), about the mean.
        drawn: (R, 1), entries that each resample draws.
        covariates, first: how many covariates and how many x there are.
    """
    whole = np.diagonal(moments, axis1=1, axis2=2)[:, covariates:]
    if covariates:
        both = moments[:, :covariates, covariates:]
        inverse = np.linalg.pinv(moments[:, :covariates, :covariates], hermitian=True)
        moments = moments[:, covariates:, covariates:] - both.transpose(0, 2, 1) @ inverse @ both
    left = np.diagonal(moments, axis1=1, axis2=2)
    varies = (left > 1e-9 * whole) & (whole > 1e-10 * drawn)
    length = np.sqrt(np.where(varies, left, np.nan))
    r = moments[:, :first, first:] / (length[:, :first, None] * length[:, None, first:])
    return np.clip(r, -1.0, 1.0)
