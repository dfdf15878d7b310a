"""The ledger as a whole: printed verdicts by hand, and a made-up run whose truth is known."""

from __future__ import annotations

import pytest

from tests.helpers.synthetic import write_records
from vlmis_utils.analysis.claims import CLAIMS, QUANTIFIERS, VERDICTS
from vlmis_utils.analysis.results import Results
from vlmis_utils.report.tables.claims import ledger, load_cells, load_ledger, tally

LABELS = {"clip": "CLIP", "siglip": "SigLIP", "qwen2-vl": "Qwen2-VL", "deeplabv3plus": "DeepLabV3+"}


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    return Results(write_records(tmp_path_factory.mktemp("records"), scenes=40), bootstrap=200)


@pytest.fixture(scope="module")
def entries(results: Results):
    return ledger(results, LABELS).assign(clause=[c.clause for c in CLAIMS])


def test_every_claim_has_two_verdicts(entries) -> None:
    assert 15 <= len(entries) <= 30
    assert set(entries.printed) | set(entries.run) <= set(VERDICTS)
    assert {c.quantifier for c in CLAIMS} <= set(QUANTIFIERS)
    assert all(len(c.clause.split()) <= 14 for c in CLAIMS)


def test_printed_verdicts_that_a_reader_can_check_by_eye(entries) -> None:
    said = entries.set_index("clause").printed
    # SegFormer prints 0.66 clean and 0.67 under LL2.
    assert said["mIoU decreases monotonically with corruption severity"] == "contradicted"
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


def test_a_made_up_run_is_judged_by_its_making(entries) -> None:
    said = entries.set_index("clause").run
    assert said["mIoU decreases monotonically with corruption severity"] == "supported"
    assert said["omission of safety-critical entities"] == "supported"
    assert said["SMR approaches saturation across nearly all conditions"] == "contradicted"


def test_a_study_without_the_papers_models_decides_less(results: Results) -> None:
    other = ledger(results, {})
    about_clip = other[[" CLIP" in claim.test for claim in other.claim]]
    assert len(about_clip) >= 3 and set(about_clip.run) == {"not decidable"}


def test_the_table_is_text_that_a_reader_can_follow(entries) -> None:
    shown = load_ledger(entries, LABELS)
    assert len(shown) == len(CLAIMS) and not shown.isna().any().any()
    assert shown.run.str.contains("for|against|open|no number").all()
    assert shown.printed.str.startswith("[").all()
    cells = load_cells(entries, LABELS)
    assert set(cells.source) == {"printed", "run"} and not cells.isna().any().any()
    assert "claims supported" in " ".join(tally(entries))
