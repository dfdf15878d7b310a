"""Claims on the printed tables, on a run, and with other bounds."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from tests.helpers.printed_tables import write_tables
from tests.helpers.synthetic import write_records
from vlmis_utils.analysis import paper
from vlmis_utils.analysis.claims import (
    CLAIMS,
    QUANTIFIERS,
    VERDICTS,
    judge_claims,
    judge_tables,
    other_bounds,
)
from vlmis_utils.analysis.paper import tables as published
from vlmis_utils.analysis.paper.bounds import BOUNDS
from vlmis_utils.analysis.results import Results

LABELS = {"clip": "CLIP", "siglip": "SigLIP", "qwen2-vl": "Qwen2-VL", "deeplabv3plus": "DeepLabV3+"}
MONOTONE = "mIoU decreases monotonically with corruption severity"


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    return Results(write_records(tmp_path_factory.mktemp("records"), scenes=40), bootstrap=200)


@pytest.fixture(scope="module")
def judged(results: Results) -> pd.DataFrame:
    found = judge_claims(results, LABELS)
    return found.assign(clause=[claim.clause for claim in found.claim])


def held(folder: Path | None = None) -> pd.DataFrame:
    return (judge_tables() if folder is None else judge_tables(folder)).set_index("clause")


def test_every_claim_has_two_verdicts(judged: pd.DataFrame) -> None:
    assert len(judged) == sum(not claim.tables_only for claim in CLAIMS)
    assert set(judged.printed) | set(judged.run) <= set(VERDICTS)
    assert {c.quantifier for c in CLAIMS} <= set(QUANTIFIERS)
    assert all(len(c.clause.split()) <= 14 and "{" not in c.rule for c in CLAIMS)
    assert not pd.Series([(c.place, c.clause) for c in CLAIMS]).duplicated().any()


def test_printed_verdicts_that_a_reader_can_check_by_eye(judged: pd.DataFrame) -> None:
    said = judged.set_index("clause").printed
    # SegFormer prints 0.66 clean and 0.67 under LL2.
    assert said[MONOTONE] == "contradicted"
    # DeepLabV3+ falls from 0.77 to 0.26.
    assert said["only moderate drops in conventional segmentation metrics"] == "contradicted"
    # 0.77 against 0.66 and 0.64.
    assert said["DeepLabV3+ achieves the highest mIoU"] == "supported"
    # Mask2Former prints 0.49 under LL3 and 0.42 under MB3.
    assert said["low-light corruption is particularly harmful"] == "contradicted"
    # Under LL3 the rider prints 1 %; no other critical class is below 14 % there or under OCC3.
    assert said["several of these classes approach near-zero IoU"] == "contradicted"
    # Qwen2-VL prints SMR 0.98 to 1.00, of which 0.78 to 0.98 is abstention.
    assert said["largely driven by … ambiguous or uncertain safety responses"] == "supported"
    assert said["SMR approaches saturation across nearly all conditions"] == "supported"


def test_a_simulated_run_is_judged_by_its_making(judged: pd.DataFrame) -> None:
    said = judged.set_index("clause").run
    assert said[MONOTONE] == "supported"
    assert said["omission of safety-critical entities"] == "supported"
    assert said["SMR approaches saturation across nearly all conditions"] == "contradicted"


def test_a_study_without_the_papers_models_decides_less(results: Results) -> None:
    other = judge_claims(results, {})
    about_clip = other[[" CLIP" in claim.test for claim in other.claim]]
    assert len(about_clip) >= 3 and set(about_clip.run) == {"not decidable"}


def test_a_printed_tables_verdict_follows_from_its_cells() -> None:
    frame = held()
    assert ((frame.holds >= 0) & (frame.holds <= frame.cases) & (frame.cases > 0)).all()
    every = frame[frame.quantifier == "every"]
    assert ((every.verdict == "supported") == (every.holds == every.cases)).all()
    assert (frame.lowest <= frame.highest).all()


def test_a_table_without_rises_is_monotone(tmp_path: Path) -> None:
    series = {"clean": 0.66, "1": 0.60, "2": 0.50, "3": 0.40}
    cells = {
        (c, "segformer"): series[c if c == "clean" else c[-1]]
        for c in published.load_table3().condition.unique()
    }
    row = held(write_tables(tmp_path, miou=cells)).loc[MONOTONE]
    assert row.verdict == "supported" and row.holds == row.cases == 27


def test_monotone_counts_the_falls_of_the_steps() -> None:
    row = held().loc[MONOTONE]
    change = paper.steps().query("table == 3").change
    assert row.holds == (change < 0).sum() and row.cases == len(change)


@pytest.mark.parametrize("value", ["0.70", "0.71"])
def test_exceeding_is_strict(tmp_path: Path, value: str) -> None:
    folder = write_tables(tmp_path, rates={("siglip", "LL3", "smr"): value})
    row = held(folder).loc["SMR consistently exceeds 0.7"]
    assert (row.verdict == "supported") == (value == "0.71")


def test_quoted_numbers_follow_the_cells(tmp_path: Path) -> None:
    clause = "mIoU on clean images, and under LL3, as quoted"
    assert held().verdict[clause] == "supported"
    row = held(write_tables(tmp_path, miou={("LL3", "segformer"): "0.27"})).loc[clause]
    assert row.verdict == "contradicted" and row.holds == 4


def test_small_and_large_by_brute_force() -> None:
    pairs = published.pairs().set_index(["segmenter", "vlm", "condition"])
    holds = 0
    for (segmenter, vlm, condition), row in pairs.iterrows():
        clean = pairs.loc[segmenter, vlm, "clean"]
        if condition != "clean" and round(clean.miou - row.miou, 6) < 0.05:
            holds += sum(round(row[m] - clean[m], 6) > 0.10 for m in ("hr", "cor", "smr"))
    found = held().loc["small changes in mIoU accompanied by large increases in HR, COR, or SMR"]
    assert found.holds == holds


def test_near_zero_counts_critical_classes_at_the_highest_severity(tmp_path: Path) -> None:
    clause = "several of these classes approach near-zero IoU"
    before = held().loc[clause]
    folder = write_tables(tmp_path, classes={("OCC3", "rider"): 4, ("OCC3", "road"): 1})
    after = held(folder).loc[clause]
    assert after.holds == before.holds + 1 and after.cases == before.cases == 10


def test_other_bounds_move_verdicts_one_way(results: Results) -> None:
    frame = other_bounds(results, LABELS)
    assert len(frame) == sum(bool(claim.bounds) for claim in CLAIMS)
    own = judge_claims(results, LABELS)
    own = own[[bool(claim.bounds) for claim in own.claim]]
    assert frame.printed.tolist() == own.printed.tolist()
    assert frame.run.tolist() == own.run.tolist()
    rank = {"contradicted": 0, "not decidable": 1, "supported": 2}
    for claim, first, second in zip(frame.claim, frame.run, frame.run_other, strict=True):
        if claim.bounds[0] in ("high", "saturated", "coherent", "weak", "minimal", "moderate"):
            assert rank[second] <= rank[first], claim.clause  # the other bound asks for more
    assert "run" not in other_bounds() and all(bound.why for bound in BOUNDS.values())
