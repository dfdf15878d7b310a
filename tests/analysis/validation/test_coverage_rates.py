"""At the run's number of scenes intervals hold the truth in 93 to 97 of 100 studies.

Where a method is known to miss that, its row must say so and the alternative must not miss it.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from vlmis_utils.analysis.validation import coverage, error_rates

SCENES, PAIRS = 100, 10


@pytest.fixture(scope="module")
def covered() -> pd.DataFrame:
    return coverage.coverage(SCENES, PAIRS, replicates=6000)


def short(rows: pd.DataFrame) -> pd.Series:
    """Whether a row is one of those that `simulation` warns of."""
    few_failures = (rows.of == "rate") & (rows.interval == "bootstrap") & (rows.truth < 0.05)
    few_flips = (rows.of == "change of a rate") & np.isclose(rows.truth, 0.01)
    strong_ranks = (rows.of == "Spearman's r") & (rows.interval == "Fisher") & (rows.truth > 0.8)
    return few_failures | few_flips | strong_ranks


def test_intervals_hold_the_truth_as_often_as_they_say(covered: pd.DataFrame) -> None:
    low, high = coverage.NEAR
    sound = covered[~short(covered)]
    assert len(sound) == len(covered) - 4
    assert sound.coverage.between(low, high).all(), sound.to_string()


def test_where_a_method_falls_short_the_alternative_does_not(covered: pd.DataFrame) -> None:
    missed = covered[short(covered)]
    assert (missed.coverage < coverage.NEAR[0]).all()
    wilson = covered[(covered.interval == "Wilson") & (covered.truth == 0.02)]
    bonett = covered[(covered.interval == "Bonett and Wright") & (covered.truth > 0.8)]
    assert pd.concat([wilson, bonett]).coverage.between(*coverage.NEAR).all()


def test_intervals_of_miou_hold_the_truth() -> None:
    found = coverage.coverage_miou(coverage.make_confusions(), SCENES, replicates=2000)
    assert found.coverage.between(*coverage.NEAR).all(), found.to_string()


def test_tests_err_about_as_often_as_they_say() -> None:
    found = error_rates.errors(SCENES, PAIRS, replicates=8000)
    about = found[~found.exact & ~found.test.str.contains("uncorrected")]
    assert about.rejected.between(0.04, 0.06).all(), found.to_string()
    assert (found[found.exact].rejected <= 0.05).all(), found.to_string()
    rates = found.set_index("test").rejected
    assert rates["any of a family, uncorrected"] > 0.15 > 0.05 > rates["any of a family, Holm"]


def test_power_is_what_the_formulas_promise() -> None:
    found = error_rates.powers(SCENES, PAIRS, replicates=20_000)
    assert found.found.to_numpy() == pytest.approx(found.promised.to_numpy(), abs=0.015)


def test_a_pooled_p_has_false_positives_and_one_over_scenes_has_not() -> None:
    alike = error_rates.pooling_errors(
        SCENES, 10, intraclass_correlation=0.6, runs=400, resamples=300
    )
    assert alike["pooled"] > 0.25 and 0.03 <= alike["clustered"] <= 0.075
    apart = error_rates.pooling_errors(
        SCENES, 10, intraclass_correlation=0.0, runs=400, resamples=300
    )
    assert 0.03 <= apart["pooled"] <= 0.075 and 0.03 <= apart["clustered"] <= 0.075
