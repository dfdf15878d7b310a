"""Correlations of printed numbers against scipy and statsmodels; bands and intervals by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

from tests.helpers.printed_tables import write_tables
from vlmis_utils.analysis import paper
from vlmis_utils.analysis.paper import tables

SCIPY = {"pearson": stats.pearsonr, "spearman": stats.spearmanr}


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    return paper.printed_correlations()


def test_every_pair_is_there_and_is_scipys(frame: pd.DataFrame) -> None:
    assert len(frame) == 3 * 3 * 3 * 2 and set(frame.n) == {10}
    pairs = tables.pairs()
    for row in frame.itertuples():
        part = pairs[(pairs.vlm == row.vlm) & (pairs.segmenter == row.segmenter)]
        found = SCIPY[row.method](part.miou, part[row.metric])
        assert row.r == pytest.approx(found.statistic, abs=1e-9)
        assert row.p == pytest.approx(found.pvalue, abs=1e-9)
        assert row.distinct == len(set(part[row.metric]))
        if row.method == "pearson":
            bounds = found.confidence_interval(0.95)
            assert (row.low, row.high) == pytest.approx((bounds.low, bounds.high), abs=1e-9)


def test_holm_is_statsmodels_over_one_method(frame: pd.DataFrame) -> None:
    for _, rows in frame.groupby("method"):
        assert rows.p_holm.to_numpy() == pytest.approx(multipletests(rows.p, method="holm")[1])


def test_interval_against_band_is_told_from_the_bounds(frame: pd.DataFrame) -> None:
    for row in frame.itertuples():
        claim = paper.BANDS[row.metric]
        assert row.in_band == (claim.low <= row.r < claim.high)
        assert (row.interval == "inside") == (row.low >= claim.low and row.high <= claim.high)
        assert (row.interval == "outside") == (row.high < claim.low or row.low >= claim.high)


def test_bands_count_what_the_pairs_show(frame: pd.DataFrame) -> None:
    for row in paper.band_counts().itertuples():
        part = frame[(frame.metric == row.metric) & (frame.method == row.method)]
        assert row.pairs == 9 == row.negative + row.positive + (part.r == 0).sum()
        assert row.excluding_negative == (part.high < 0).sum()
        assert row.excluding_positive == (part.low > 0).sum()
        assert row.significant == (part.p_holm < 0.05).sum()
        assert (row.lowest, row.highest) == (part.r.min(), part.r.max())
        assert row.shortest == pytest.approx((part.high - part.low).min())


def test_a_constant_column_has_no_coefficient_and_is_not_counted(tmp_path: Path) -> None:
    conditions = tables.load_table3().condition.unique()
    folder = write_tables(tmp_path, rates={("qwen2-vl", c, "smr"): "1.0" for c in conditions})
    frame = paper.printed_correlations(folder)
    dead = frame[(frame.metric == "smr") & (frame.vlm == "qwen2-vl")]
    assert dead.r.isna().all() and not dead.in_band.any() and set(dead.interval) == {"across"}
    assert set(dead.distinct) == {1}
    assert set(paper.band_counts(folder).query("metric == 'smr'").pairs) == {6}


def test_a_perfect_proxy_is_called_negative(tmp_path: Path) -> None:
    miou = tables.load_table3().set_index(["segmenter", "condition"]).miou
    cells = {
        ("clip", c, "cor"): round(1 - miou["segformer", c], 2) for c in miou["segformer"].index
    }
    frame = paper.printed_correlations(write_tables(tmp_path, rates=cells))
    row = frame[(frame.vlm == "clip") & (frame.segmenter == "segformer") & (frame.metric == "cor")]
    assert row.r.to_numpy() == pytest.approx([-1, -1]) and not row.in_band.any()


def test_rounding_holds_the_printed_coefficient_and_vanishes_with_its_width() -> None:
    drawn = paper.rounding(draws=300)
    assert (drawn.low <= drawn.r).all() and (drawn.r <= drawn.high).all()
    still = paper.rounding(draws=3, half=0.0)
    assert still.low.to_numpy() == pytest.approx(still.r.to_numpy(), abs=1e-9)
    assert still.high.to_numpy() == pytest.approx(still.r.to_numpy(), abs=1e-9)
    assert drawn.equals(paper.rounding(draws=300)) and not drawn.equals(paper.rounding(300, seed=1))
    wide = paper.rounding(draws=300, half=0.01)
    assert ((wide.high - wide.low) > (drawn.high - drawn.low)).all()


def test_readings_agree_with_direct_computation() -> None:
    found = paper.readings().set_index(["reading", "metric", "method"])
    pairs = tables.pairs()
    row = found.loc["all pairs pooled", "cor", "spearman"]
    assert row.n == 90 and row.lowest == row.highest
    assert row.lowest == pytest.approx(stats.spearmanr(pairs.miou, pairs.cor).statistic)
    each = [stats.pearsonr(part.miou, part.smr).statistic for _, part in pairs.groupby("segmenter")]
    row = found.loc["each segmenter, VLMs pooled", "smr", "pearson"]
    assert (row.lowest, row.highest) == pytest.approx((min(each), max(each)))


def test_changes_from_clean_correlate_as_the_degraded_conditions_do() -> None:
    pairs = tables.pairs()
    part = pairs[(pairs.vlm == "clip") & (pairs.segmenter == "mask2former")].set_index("condition")
    delta_q = part.miou["clean"] - part.miou.drop("clean")
    delta_l = part.hr.drop("clean") - part.hr["clean"]
    minus = stats.pearsonr(delta_q, delta_l).statistic
    direct = stats.pearsonr(part.miou.drop("clean"), part.hr.drop("clean")).statistic
    assert direct == pytest.approx(-minus)
    row = paper.readings().query("reading == 'the same, changes from clean' and metric == 'hr'")
    assert set(row.n) == {9} and (row.lowest <= direct).any() and (direct <= row.highest).any()


def test_claims_are_bands() -> None:
    assert set(paper.BANDS) == {"hr", "cor", "smr"}
    for claim in paper.BANDS.values():
        assert -1 <= claim.low < claim.high <= 1
        assert claim.holds(claim.low) and not claim.holds(claim.high)
        assert not claim.holds(float("nan"))
        assert claim.holds(np.nextafter(claim.high, -1))
