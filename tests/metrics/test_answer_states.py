from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from vlmis_utils.metrics.answer_states import (
    STATES,
    answer_states,
    count_states,
    states_in_words,
)

# text, labels, finish_reason, and the states that hold
CASES = [
    ("A car.", [], "stop", set()),
    ("A car.", [], None, set()),
    ("A ca", [], "length", {"cut"}),
    ("", [], "stop", {"empty"}),
    ("  \n", [], "length", {"empty", "cut"}),
    ("<think>A bus? No", [], "length", {"empty", "cut"}),
    ("<think>No.</think>A bus", [], "length", {"cut"}),
    ("[content filter]", [], "filtered", {"filtered"}),
    ("[content filter] A", [], None, {"filtered"}),
    ("[refusal] I cannot", [], "stop", {"declined"}),
    ("", [], "refused", {"declined"}),
    ("I'm sorry, I cannot help with identifying people.", [], "stop", {"declined"}),
    ("I cannot see any cars.", [], "stop", set()),
    (None, ["yes", "no"], None, set()),
    (None, [], "not finite", {"not_finite"}),
    ("", [], "not finite", {"not_finite"}),
    (None, [], None, {"empty"}),
    ("", [], "no choices", {"empty"}),
]  # fmt: skip


def table(cases: list) -> pd.DataFrame:
    text, labels, reason, _ = zip(*cases, strict=True)
    tokens = [3] * len(cases)
    return pd.DataFrame({"vlm": "m", "text": text, "labels": labels, "finish_reason": reason,
                         "completion_tokens": tokens, "reasoning_tokens": None})  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_each_answer_is_in_its_states(case: tuple) -> None:
    (row,) = answer_states(table([case])).to_dict("records")
    assert {name for name, holds in row.items() if holds} == case[3]


def test_counts_are_sums_over_groups() -> None:
    both = pd.concat([table(CASES), table(CASES[:3]).assign(vlm="other")], ignore_index=True)
    counted = count_states(both).set_index("vlm")
    assert counted.answers.to_dict() == {"m": len(CASES), "other": 3}
    for state in STATES:
        assert counted[state].m == sum(state in case[3] for case in CASES)
    assert counted.cut.other == 1 and counted.completion_tokens.m == 3
    assert math.isnan(counted.reasoning_tokens.m)


def test_order_of_rows_changes_no_count() -> None:
    rows = table(CASES)
    shuffled = rows.iloc[np.random.default_rng(0).permutation(len(rows))]
    pd.testing.assert_frame_equal(count_states(rows), count_states(shuffled))


def test_no_answer_at_all() -> None:
    assert count_states(table(CASES).iloc[:0]).empty


def test_words() -> None:
    nothing = dict.fromkeys(STATES, 0) | {"answers": 4}
    assert states_in_words(nothing) == ""
    assert states_in_words(nothing | {"filtered": 1}) == "1 of 4 answers is filtered by the host"
    told = states_in_words(nothing | {"cut": 2, "declined": 3})
    assert told == "2 of 4 answers are cut at the limit of tokens, 3 declined by the model"
