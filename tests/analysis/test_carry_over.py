"""What carries over: a world agrees with itself, signs are those of the intervals and tables."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from tests.helpers.studies import write_edge
from vlmis_utils.analysis import carry_over, changes
from vlmis_utils.analysis.claims import judge_claims
from vlmis_utils.analysis.open_results import open_results
from vlmis_utils.analysis.paper import tables
from vlmis_utils.analysis.worlds import World
from vlmis_utils.report.tables import carry_over as cells


@pytest.fixture(scope="module")
def worlds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, World]:
    records = write_edge(
        Path(tmp_path_factory.mktemp("x")) / "x", "a class never present, all answers abstain"
    )
    return {name: World(name, open_results(records)) for name in ("first", "second")}


@pytest.fixture(scope="module")
def found(worlds: dict[str, World]) -> pd.DataFrame:
    return carry_over.findings(worlds)


def test_a_world_agrees_with_itself(found: pd.DataFrame) -> None:
    agreed = carry_over.agreement(found).query("first == 'first' and second == 'second'")
    assert (agreed.opposite == 0).all() and (agreed.half == 0).all()
    assert (agreed.same + agreed.neither == agreed.n).all() and agreed.n.sum() > 0
    ranked = carry_over.rankings(found).query("first == 'first' and second == 'second'")
    assert ranked.r.dropna().eq(1).all()


def test_signs_are_those_of_the_intervals(worlds: dict[str, World], found: pd.DataFrame) -> None:
    lost = changes.quality_changes(worlds["first"].results)
    mine = found[(found.world == "first") & (found.finding == "miou")].set_index("key")
    for row in lost.itertuples():
        sign = 1 if row.low > 0 else -1 if row.high < 0 else 0
        assert mine.sign[f"{row.segmenter} {row.condition}"] == sign
    tallied = carry_over.tallies(found)
    assert (tallied.up + tallied.down + tallied.open == tallied.n).all()


def test_printed_changes_count_by_their_sign(found: pd.DataFrame) -> None:
    printed = found[found.world == carry_over.PRINTED].set_index(["finding", "over", "key"])
    rates = tables.load_tables456().set_index(["vlm", "condition"])
    for (vlm, condition), row in rates.iterrows():
        for metric in ("hr", "cor", "smr"):
            if condition != "clean":
                change = round(row[metric] - rates.loc[vlm, "clean"][metric], 9)
                assert printed.sign[metric, "", f"{vlm} {condition}"] == np.sign(change)
    assert (printed.index.get_level_values(0) == "miou").sum() == 27


def test_agreement_counts_every_comparison_once() -> None:
    signs = {"a": [1, -1, 1, 0, 0, 1], "b": [1, 1, 0, 1, 0, -1]}
    frame = pd.concat(
        pd.DataFrame({"finding": "hr", "over": "", "key": list("uvwxyz"), "world": w, "sign": s})
        for w, s in signs.items()
    )
    (row,) = carry_over.agreement(frame).itertuples()
    assert (row.n, row.same, row.opposite, row.half, row.neither) == (6, 1, 2, 2, 1)
    assert row.differ == ("v", "z")


def test_rankings_are_spearmans_coefficient() -> None:
    rng = np.random.default_rng(0)
    values = {w: rng.normal(size=9) for w in "ab"}
    frame = pd.concat(
        pd.DataFrame(
            {"finding": "hr", "over": "", "key": [f"m c{i}" for i in range(9)], "world": w,
             "value": v, "sign": 0}
        )
        for w, v in values.items()
    )  # fmt: skip
    (row,) = carry_over.rankings(frame).itertuples()
    assert row.r == pytest.approx(stats.spearmanr(values["a"], values["b"]).statistic)


def test_claims_get_the_same_verdict_in_equal_worlds(worlds: dict[str, World]) -> None:
    judged = carry_over.claims_by_world(worlds, {})
    assert (judged["first"] == judged["second"]).all()
    names = [carry_over.PRINTED, *worlds]
    shown = cells.load_claims_by_world(judged, names, {})
    assert list(shown)[-3:] == names and len(shown) == len(judged)
    signs = carry_over.agreement(carry_over.as_signs(judged, names))
    assert (signs[signs["first"] == "first"].opposite == 0).all()


def test_verdicts_from_cells_are_those_of_the_registry(worlds: dict[str, World]) -> None:
    judged = carry_over.claims_by_world(worlds, {})
    theirs = judge_claims(worlds["first"].results, {})
    assert judged["first"].tolist() == theirs.run.tolist()
    assert judged[carry_over.PRINTED].tolist() == theirs.printed.tolist()
