import pandas as pd

from vlmis_utils.report.text.safety_label import smr_words


def test_smr_with_misses_is_told_for_clean_frames_and_for_its_largest_rise() -> None:
    values = {"clean": (0.2, 0.3), "LL3": (0.8, 0.6), "MB1": (0.3, 0.9), "blank": (1.0, 1.0)}
    rows = pd.DataFrame(
        [("a", condition, *pair) for condition, pair in values.items()],
        columns=["vlm", "condition", "smr", "with_misses"],
    )
    share = (0.25, 0.2, 0.3)
    said = smr_words(rows, share, {"a": "CLIP"}).splitlines()
    assert "25 % [20 %, 30 %]" in said[0]
    assert said[2] == (
        "- CLIP: SMR of clean frames would be 0.30 instead of 0.20, and its largest rise (LL3) "
        "+0.30 instead of +0.60."
    )
    alone = smr_words(rows[rows.condition == "clean"], share, {})
    assert alone.endswith("- a: SMR of clean frames would be 0.30 instead of 0.20.")
    assert len(smr_words(rows[rows.condition == "LL3"], share, {}).splitlines()) == 1
