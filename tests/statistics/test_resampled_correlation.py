"""Correlations of resampled scenes against loops that draw, rank and correlate one by one."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pingouin
import pytest
from scipy import stats

from vlmis_utils.core.errors import UserError
from vlmis_utils.statistics.resampled_correlation import (
    LEVELS,
    correlate_rows,
    resampled_correlation,
    weighted_ranks,
)
from vlmis_utils.statistics.resampling import sample_and_resamples

SCENES, CONDITIONS = 12, 4


@pytest.fixture(scope="module")
def tables() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    scene = rng.normal(size=(SCENES, 1))
    x = np.stack([scene + rng.normal(size=(SCENES, CONDITIONS)) for _ in range(2)])
    y = np.stack([rng.integers(0, 4, (SCENES, CONDITIONS)), rng.random((SCENES, CONDITIONS)) < 0.4])
    return x, y.astype(float)


def brute(x: np.ndarray, y: np.ndarray, weights: np.ndarray, level: str, method: str) -> float:
    """One resample, one pair: copy the drawn scenes, take deviations, correlate."""
    drawn = np.repeat(np.arange(len(x)), weights.astype(int))
    both = np.isfinite(x[drawn]) & np.isfinite(y[drawn])
    frames = [np.where(both, table[drawn], np.nan) for table in (x, y)]
    axis = {"images": None, "within": 1, "between": 0}[level]
    if method == "spearman":
        frames = [stats.rankdata(f, axis=axis, nan_policy="omit") for f in frames]
        frames = [f.reshape(both.shape) for f in frames]
    if axis is not None:
        count = np.maximum(both.sum(axis=axis, keepdims=True), 1)
        frames = [f - np.nansum(f, axis=axis, keepdims=True) / count for f in frames]
    a, b = (f[both] for f in frames)
    return stats.pearsonr(a, b)[0]


def test_weighted_ranks_are_ranks_of_the_copies() -> None:
    rng = np.random.default_rng(0)
    values, weights = rng.integers(0, 6, 30).astype(float), rng.integers(0, 3, (30, 5))
    ranks = weighted_ranks(values, weights.astype(float))
    for column in range(5):
        copies = np.repeat(values, weights[:, column])
        expected = stats.rankdata(copies)
        found = np.repeat(ranks[:, column], weights[:, column])
        np.testing.assert_allclose(found, expected)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("method", ["pearson", "spearman"])
@pytest.mark.parametrize("missing", [False, True])
def test_every_resample_is_that_of_copied_scenes(
    tables: tuple[np.ndarray, np.ndarray], level: str, method: str, missing: bool
) -> None:
    x, y = (t.copy() for t in tables)
    if missing:
        x[1, ::3] = np.nan
        x[0, 2, 1] = y[0, 4, 3] = np.nan
    weights = sample_and_resamples(SCENES, 6, seed=3)
    found = resampled_correlation(x, y, weights, level, method)
    for r in range(len(weights)):
        for i in range(2):
            for j in range(2):
                expected = brute(x[i], y[j], weights[r], level, method)
                assert found[r, i, j] == pytest.approx(expected, abs=1e-10)


def long(x: np.ndarray, y: np.ndarray, covariates: np.ndarray) -> pd.DataFrame:
    columns = {f"z{k}": np.tile(z, len(x)) for k, z in enumerate(covariates)}
    scene = np.repeat(np.arange(len(x)), x.shape[1])
    return pd.DataFrame({"scene": scene, "x": x.ravel(), "y": y.ravel(), **columns})


@pytest.mark.parametrize("method", ["pearson", "spearman"])
def test_partial_correlation_over_images_is_pingouins(
    tables: tuple[np.ndarray, np.ndarray], method: str
) -> None:
    x, y = tables
    given = np.array([[0.0, 1, 2, 3], [0, 0, 1, 0]])
    weights = sample_and_resamples(SCENES, 3, seed=5)
    found = resampled_correlation(x, y, weights, "images", method, given)
    for r, row in enumerate(weights):
        drawn = np.repeat(np.arange(SCENES), row.astype(int))
        frame = long(x[0][drawn], y[0][drawn], given)
        expected = pingouin.partial_corr(frame, "x", "y", ["z0", "z1"], method=method).r.iloc[0]
        assert found[r, 0, 0] == pytest.approx(expected, abs=1e-6)


def test_partial_correlation_within_is_that_of_residuals(
    tables: tuple[np.ndarray, np.ndarray],
) -> None:
    x, y = tables
    given = np.array([[0.0, 1, 2, 3]])
    found = resampled_correlation(x, y, np.ones((1, SCENES)), "within", "pearson", given)
    left = []
    for table in (x[1], y[0]):
        dummies = np.repeat(np.eye(SCENES), CONDITIONS, axis=0)
        design = np.column_stack([dummies, np.tile(given[0], SCENES)])
        fit = np.linalg.lstsq(design, table.ravel(), rcond=None)[0]
        left.append(table.ravel() - design @ fit)
    assert found[0, 1, 0] == pytest.approx(stats.pearsonr(*left)[0])


def test_what_the_covariates_explain_fully_has_no_correlation() -> None:
    x = np.tile(np.arange(4.0), (1, 6, 1))
    y = np.random.default_rng(0).normal(size=(1, 6, 4))
    found = resampled_correlation(x, y, np.ones((1, 6)), "images", "pearson", np.arange(4.0)[None])
    assert np.isnan(found).all()


def test_constants_and_empty_masks_give_nan(tables: tuple[np.ndarray, np.ndarray]) -> None:
    x = tables[0].copy()
    x[0], x[1] = 0.3, np.nan
    for level in LEVELS:
        for method in ("pearson", "spearman"):
            found = resampled_correlation(x, tables[1], np.ones((1, SCENES)), level, method)
            assert np.isnan(found).all()


@pytest.mark.parametrize("method", ["pearson", "spearman"])
def test_rows_are_correlated_over_the_last_axis(method: str) -> None:
    rng = np.random.default_rng(2)
    x, y = rng.normal(size=(5, 2, 8)), rng.integers(0, 3, (5, 3, 8)).astype(float)
    found = correlate_rows(x, y, method)
    function = stats.pearsonr if method == "pearson" else stats.spearmanr
    assert found.shape == (5, 2, 3)
    assert found[3, 1, 2] == pytest.approx(function(x[3, 1], y[3, 2])[0])
    given = np.array([np.arange(8.0), rng.normal(size=8)])
    frame = pd.DataFrame({"x": x[0, 0], "y": y[0, 0], "a": given[0], "b": given[1]})
    expected = pingouin.partial_corr(frame, "x", "y", ["a", "b"], method=method).r.iloc[0]
    assert correlate_rows(x, y, method, given)[0, 0, 0] == pytest.approx(expected, abs=1e-6)


def test_rows_that_are_constant_or_incomplete_give_nan() -> None:
    x = np.array([[1.0, 1, 1, 1], [1, np.nan, 2, 3], [1, 2, 3, 5]])
    for method in ("pearson", "spearman"):
        found = correlate_rows(x, np.array([[2.0, 1, 4, 3]]), method)
        assert np.isnan(found[:2]).all() and np.isfinite(found[2])


def test_unknown_names_are_refused(tables: tuple[np.ndarray, np.ndarray]) -> None:
    with pytest.raises(UserError, match="did you mean 'within'"):
        resampled_correlation(*tables, np.ones((1, SCENES)), "withn")
    with pytest.raises(UserError, match="did you mean 'spearman'"):
        resampled_correlation(*tables, np.ones((1, SCENES)), "within", "spearmann")
