"""What the warning pages say, on rows made for each case."""

from __future__ import annotations

import pandas as pd

from vlmis_utils.report.tables.warnings import load_engineer
from vlmis_utils.report.text import warnings as said


def _single(lows: dict[str, float]) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {"vlm": vlm, "target": target, "signal": "noise", "words": "noise",
             "source": "picture", "auc": low + 0.1, "low": low, "high": low + 0.2, "reason": ""}
            for target, low in lows.items() for vlm in ("a", "b", "c")
        ]
    )  # fmt: skip


def test_a_signal_catches_what_its_intervals_leave_no_doubt_of() -> None:
    measured = pd.DataFrame({"what": ["picture"], "ms": [4.2]})
    (row,) = load_engineer(_single({"omission": 0.6, "wrong call": 0.45}), measured).to_dict(
        "records"
    )
    assert row["signal"] == "noise" and row["cost"] == "4.2 ms"
    assert row["catches"] == "critical omission (0.70 to 0.70)"
    assert row["misses"] == "wrong safety call (0.55 to 0.55)"
    (bare,) = load_engineer(_single({"omission": 0.1}), None).to_dict("records")
    assert bare["cost"] == "none" and bare["catches"] == "nothing"


def test_the_best_signal_of_each_model_is_named() -> None:
    rows = pd.concat([_single({"omission": 0.6}), _single({"omission": 0.3}).assign(words="other")])
    (line,) = said.best_signals(rows, {"a": "A"})
    assert line.startswith("**Critical omission**: A by “noise”, AUC 0.70")


def test_promises_are_counted_on_both_kinds_of_pictures() -> None:
    rows = pd.DataFrame(
        {"vlm": "a", "where": ["clean and mild", "LL3", "MB3"], "risk": [0.08, 0.3, 0.05],
         "limit": 0.1}
    )  # fmt: skip
    strong, mild = sorted(said.kept_promises(rows), key=lambda line: "mild" in line)
    assert "above the promise in 0 of 1" in mild
    assert "above the promise in 1 of 2" in strong and "3.0 times" in strong and "LL3" in strong
    assert said.kept_promises(rows[:0]) == []


def test_the_control_says_whether_a_coin_is_inside() -> None:
    rows = pd.DataFrame(
        {"features": "shuffled target", "protocol": "new scenes", "auc": [0.5, 0.6],
         "low": [0.4, 0.55], "high": [0.6, 0.65]}
    )  # fmt: skip
    assert "mean AUC is 0.55, and 1 of 2 95 % intervals hold 0.5" in said.control(rows)
    assert "no control" in said.control(rows[:0])


def test_what_is_left_within_a_condition_is_said_of_signals_that_warn() -> None:
    rows = pd.concat([_single({"omission": 0.6}), _single({"omission": 0.3})])
    line = said.within(rows.assign(within=[0.55] * 3 + [0.9] * 3))
    assert "3 of 6 comparisons" in line and "of those is 0.70" in line and "it is 0.55" in line
    assert "What is lost" in line
    assert "What is lost" not in said.within(rows.assign(within=0.9))
    assert said.within(rows.assign(within=float("nan"))).endswith("above 0.5.")
    assert said.within(rows[:0]) == ""
