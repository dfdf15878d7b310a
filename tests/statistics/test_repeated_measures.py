"""Repeated measures against pingouin, and coverage and error rates where the truth is known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pingouin
import pytest
from scipy import stats

from vlmis_utils.core.errors import UserError
from vlmis_utils.statistics.intervals import from_draws
from vlmis_utils.statistics.repeated_measures import (
    clustered_correlation,
    intraclass_correlation,
    partial_correlation,
    rm_interval,
)
from vlmis_utils.statistics.resampled_correlation import correlate_rows, resampled_correlation
from vlmis_utils.statistics.resampling import sample_and_resamples

SCENES, SEVERITY = 100, np.array([0.0, 1, 2, 3, 1, 2, 3, 1, 2, 3])


def long(**tables: np.ndarray) -> pd.DataFrame:
    scenes, conditions = next(iter(tables.values())).shape
    frame = pd.DataFrame({name: table.ravel() for name, table in tables.items()})
    frame["scene"] = np.repeat(np.arange(scenes), conditions)
    return frame.assign(condition=np.tile(np.arange(conditions), scenes))


def made_up(rng: np.random.Generator, scenes: int = SCENES) -> tuple[np.ndarray, np.ndarray]:
    """Scene effects that correlate at 0.6, severity effects, picture effects that do at -0.4."""
    own = rng.multivariate_normal([0, 0], [[1, 0.6], [0.6, 1]], size=(scenes, 1))
    picture = rng.multivariate_normal([0, 0], [[1, -0.4], [-0.4, 1]], size=(scenes, len(SEVERITY)))
    effect = np.stack([-0.4 * SEVERITY, 0.3 * SEVERITY], axis=-1)
    both = own + effect + picture
    return both[..., 0], both[..., 1]


def true_correlations() -> dict[str, float]:
    """Pearson's coefficients of `made_up` for infinitely many scenes, from its variances."""
    spread, rest = SEVERITY.var(), 1 - 1 / len(SEVERITY)
    parts = {"scene": (1, 1, 0.6), "severity": (0.16 * spread, 0.09 * spread, -0.12 * spread)}
    kept = {
        "images": [parts["scene"], parts["severity"], (1, 1, -0.4)],
        "within": [parts["severity"], (rest, rest, -0.4 * rest)],
        "between": [parts["scene"], (1, 1, -0.4)],
    }
    sums = {level: np.sum(rows, axis=0) for level, rows in kept.items()}
    return {level: float(c / np.sqrt(a * b)) for level, (a, b, c) in sums.items()}


# Against other implementations ----------------------------------------------------------------


def test_within_scenes_is_pingouins_repeated_measures_correlation() -> None:
    x, y = made_up(np.random.default_rng(0), scenes=25)
    x[3, 2] = np.nan
    theirs = pingouin.rm_corr(long(x=x, y=y), "x", "y", "scene").iloc[0]
    ours = clustered_correlation(x, y, "within", resamples=50)
    low, high, p = rm_interval(ours["r"], ours["n"], ours["scenes"])
    assert ours["r"] == pytest.approx(theirs.r)
    assert p == pytest.approx(theirs.pval)
    np.testing.assert_allclose(np.round([low, high], 2), theirs.CI95)
    assert ours["n"] == 249 and ours["scenes"] == 25 and theirs["dof"] == 249 - 25 - 1


@pytest.mark.parametrize("method", ["pearson", "spearman"])
def test_over_images_is_scipys(method: str) -> None:
    x, y = made_up(np.random.default_rng(1), scenes=20)
    function = stats.pearsonr if method == "pearson" else stats.spearmanr
    found = clustered_correlation(x, y, "images", method, resamples=50)
    assert found["r"] == pytest.approx(function(x.ravel(), y.ravel())[0])


def test_between_scenes_of_one_condition_is_the_plain_correlation() -> None:
    x, y = (t[:, :1] for t in made_up(np.random.default_rng(2), scenes=30))
    found = clustered_correlation(x, y, "between", resamples=50)
    assert found["r"] == pytest.approx(stats.pearsonr(x[:, 0], y[:, 0])[0])


def test_between_scenes_lies_near_the_mean_over_conditions() -> None:
    x, y = made_up(np.random.default_rng(3), scenes=200)
    each = [stats.pearsonr(x[:, c], y[:, c])[0] for c in range(x.shape[1])]
    found = clustered_correlation(x, y, "between", resamples=10)
    assert found["r"] == pytest.approx(np.tanh(np.arctanh(each).mean()), abs=0.01)


@pytest.mark.parametrize("method", ["pearson", "spearman"])
def test_partial_correlation_is_pingouins(method: str) -> None:
    rng = np.random.default_rng(4)
    x, y = rng.normal(size=10) - SEVERITY, rng.normal(size=10) + SEVERITY
    given = np.array([SEVERITY, SEVERITY == 3, np.ones(10)])
    frame = pd.DataFrame({"x": x, "y": y, "a": given[0], "b": given[1]})
    theirs = pingouin.partial_corr(frame, "x", "y", ["a", "b"], method=method).iloc[0]
    ours = partial_correlation(x, y, given, method)
    assert (ours["r"], ours["p"]) == pytest.approx((theirs.r, theirs.p_val))
    np.testing.assert_allclose(np.round([ours["low"], ours["high"]], 2), theirs.CI95, atol=0.011)


def test_partial_correlation_says_why_not() -> None:
    x = np.array([1.0, 2, 4, 3, 5])
    y = np.array([2.0, 1, 3, 5, 4])
    assert "too few" in partial_correlation(x, y, np.random.default_rng(0).random((3, 5)))["reason"]
    assert "leave nothing" in partial_correlation(x, y, 2 * x[None] + 1)["reason"]
    assert partial_correlation(x, y, np.ones((1, 5)))["r"] == pytest.approx(stats.pearsonr(x, y)[0])


def test_scene_share_is_pingouins_intraclass_correlation() -> None:
    x, _ = made_up(np.random.default_rng(5), scenes=15)
    frame = long(x=x)
    theirs = pingouin.intraclass_corr(frame, "scene", "condition", "x").set_index("Type").ICC
    name = next(n for n in ("ICC(C,1)", "ICC3") if n in theirs.index)
    assert intraclass_correlation(x) == pytest.approx(theirs[name], abs=1e-6)
    assert np.isnan(intraclass_correlation(np.ones((4, 3)))) and np.isnan(
        intraclass_correlation(x[:1])
    )


def test_reasons_and_refusals() -> None:
    rng = np.random.default_rng(6)
    constant = clustered_correlation(np.ones((5, 3)), rng.random((5, 3)), resamples=20)
    assert "does not vary" in constant["reason"] and np.isnan(constant["r"])
    few = clustered_correlation(rng.random((2, 4)), rng.random((2, 4)), resamples=20)
    assert "too few scenes" in few["reason"] and np.isfinite(few["r"]) and np.isnan(few["low"])
    with pytest.raises(UserError, match="two tables"):
        clustered_correlation(np.ones((5, 3)), np.ones((3, 5)))
    assert all(np.isnan(rm_interval(0.5, 4, 2))) and all(np.isnan(rm_interval(np.nan, 50, 5)))


# Where the truth is known ---------------------------------------------------------------------


@pytest.mark.parametrize("level", ["images", "within", "between"])
def test_intervals_cover_the_truth(level: str) -> None:
    rng, weights = np.random.default_rng(7), sample_and_resamples(SCENES, 300)
    truth, held, runs = true_correlations()[level], 0, 600
    for _ in range(runs):
        x, y = made_up(rng)
        draws = resampled_correlation(x[None], y[None], weights, level)[:, 0, 0]
        found = from_draws(draws, SCENES)
        held += found.low <= truth <= found.high
    assert 0.93 <= held / runs <= 0.97


@pytest.mark.parametrize("level", ["images", "within", "between"])
def test_intervals_of_ranks_of_failures_cover_the_truth(level: str) -> None:
    """Spearman's coefficient with a failure that happens or does not; truth from many scenes."""

    def study(rng: np.random.Generator, scenes: int, resampled: np.ndarray) -> np.ndarray:
        x, y = (table[:, :4] for table in made_up(rng, scenes))
        fails = (y > 1.2).astype(float)
        return resampled_correlation(x[None], fails[None], resampled, level, "spearman")[:, 0, 0]

    truth = study(np.random.default_rng(8), 30000, np.ones((1, 30000)))[0]
    rng, weights, runs = np.random.default_rng(9), sample_and_resamples(SCENES, 150), 800
    found = [from_draws(study(rng, SCENES, weights), SCENES) for _ in range(runs)]
    assert 0.93 <= np.mean([f.low <= truth <= f.high for f in found]) <= 0.97


def test_differences_of_correlations_cover_the_truth() -> None:
    """Two measures of one quantity, the second noisier: the gain of the first, same resamples."""
    rng, weights, held, runs = np.random.default_rng(10), sample_and_resamples(SCENES, 300), 0, 600
    truth = true_correlations()["between"] * (1 - np.sqrt(2 / 3))
    for _ in range(runs):
        x, y = made_up(rng)
        noisy = x + rng.normal(size=x.shape)
        draws = resampled_correlation(np.stack([x, noisy]), y[None], weights, "between")[..., 0]
        found = from_draws(draws[:, 0] - draws[:, 1], SCENES, "raw")
        held += found.low <= truth <= found.high
    assert 0.93 <= held / runs <= 0.97


@pytest.mark.parametrize("slope", [0.06, 0.0])
def test_percentiles_over_conditions_cover_what_studies_of_this_size_find(slope: float) -> None:
    """True rates scatter around a line on severity, or are all the same: then p is 0.05 too."""
    weights, scatter = (
        sample_and_resamples(SCENES, 300),
        np.random.default_rng(5).normal(size=(2, 10)),
    )
    quality = 0.6 - 0.12 * SEVERITY + 0.05 * scatter[0]
    rates = 0.4 + slope * (SEVERITY + scatter[1])

    def study(rng: np.random.Generator, resampled: np.ndarray) -> np.ndarray:
        noise = rng.normal(size=(2, SCENES, 1)) + rng.normal(size=(2, SCENES, 10))
        x, y = quality + 0.1 * noise[0], stats.norm.cdf(noise[1] / np.sqrt(2)) < rates
        means = [(resampled @ t / SCENES)[:, None] for t in (x, y)]
        return correlate_rows(*means)[:, 0, 0]

    rng = np.random.default_rng(11)
    usual = np.mean([study(rng, weights[:1])[0] for _ in range(1500)])
    found = [from_draws(study(rng, weights), SCENES, "percentile") for _ in range(700)]
    held = np.mean([f.low <= usual <= f.high for f in found])
    assert 0.93 <= held <= 0.97
    if not slope:
        assert 0.03 <= np.mean([f.p < 0.05 for f in found]) <= 0.075


def test_slopes_that_differ_fool_the_parametric_test_within_scenes_only() -> None:
    """Each scene has its own slope, zero on average: nothing in common to be found."""
    rng, weights, called, runs = (
        np.random.default_rng(13),
        sample_and_resamples(SCENES, 300),
        np.zeros(2),
        700,
    )
    for _ in range(runs):
        x = rng.normal(size=(SCENES, 10))
        y = rng.normal(size=(SCENES, 1)) * x + 0.5 * rng.normal(size=(SCENES, 10))
        draws = resampled_correlation(x[None], y[None], weights, "within")[:, 0, 0]
        parametric = rm_interval(float(draws[0]), x.size, SCENES)[2]
        called += (parametric < 0.05, float(from_draws(draws, SCENES).p) < 0.05)
    assert called[0] / runs > 0.2
    assert 0.03 <= called[1] / runs <= 0.07
