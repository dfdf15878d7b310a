"""The solutions of the pages on what could warn run after their page, and show what they say."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.helpers.cells import run_cells, run_solutions
from tests.helpers.synthetic import write_records


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_records(tmp_path_factory.mktemp("warn") / "x" / "records", scenes=12)


def test_another_segmenter_and_one_condition(records: Path) -> None:
    names = run_cells("review-warnings", {"records": str(records), "warning_resamples": 20})
    other, both = run_solutions("review-warnings", names)
    single = names["found"].single.dropna(subset=["auc"])
    assert names["other"].segmenter == "segformer" != names["watched"].segmenter
    lacking = set(both.index) - set(other.index)
    assert not set(other.index) - set(both.index) and lacking
    assert all("mirrored" in words for words in lacking)
    assert not np.allclose(other, both.auc[other.index])
    pd.testing.assert_series_equal(both.auc, single.groupby("words", sort=False).auc.mean())
    assert both.within.dropna().between(0, 1).all()


def test_half_the_risk_costs_more_answers(records: Path) -> None:
    names = run_cells("review-refusals", {"records": str(records), "warning_resamples": 20})
    (refused,) = run_solutions("review-refusals", names)
    assert len(refused) and (refused >= names["promised"].refused - 1e-12).all()


def test_frequent_classes_are_compared_with_random_ones(records: Path) -> None:
    names = run_cells("review-arms", {"records": str(records)})
    (rates,) = run_solutions("review-arms", names)
    by_hand = names["splits"].query("split == 'popular'").groupby("vlm").yes.mean()
    assert np.allclose(rates["popular"].sort_index(), by_hand.sort_index())
