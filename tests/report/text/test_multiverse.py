"""Sentences and cells say what the frames hold, whatever they hold."""

from __future__ import annotations

import pandas as pd
import pytest

from vlmis_utils.analysis import multiverse
from vlmis_utils.analysis.multiverse import Choice
from vlmis_utils.report.tables import multiverse as tables
from vlmis_utils.report.text import multiverse as words

LABELS = {"clip": "CLIP", "segformer": "SegFormer"}


def conclusion(**changed: object) -> dict[str, object]:
    return {
        "kind": "rise", "vlm": "clip", "metric": "cor", "condition": "LL3", "segmenter": "",
        "method": "", "specifications": 10, "estimate": 0.2, "low": 0.1, "high": 0.3,
        "verdict": "up", "agreeing": 1.0, "up": 1.0, "same": 0.0, "down": 0.0, "lowest": 0.1,
        "median": 0.2, "highest": 0.4, "outcome": "robust", "alone": (), "deciding": "",
    } | changed  # fmt: skip


def test_choices_fill_a_table(every: tuple[Choice, ...]) -> None:
    table = tables.load_choices(every)
    assert len(table) == len(every) and (table != "").all(axis=None)
    row = table[table.choice == "Top-K"].iloc[0]
    assert row["the study's own"] == "Top-4" and row["other levels"] == "Top-3; Top-5"


def test_outcomes_are_counted_by_metric() -> None:
    found = pd.DataFrame([
        conclusion(), conclusion(verdict="same"), conclusion(outcome="changes sign"),
        conclusion(metric="smr"),
    ])  # fmt: skip
    assert words.outcome_findings(found) == [
        "Under every combination of choices 3 of 4 conclusions stay the same; 1 changes sign under "
        "some.",
        "**COR**, 3 conclusions: 2 robust (1 of them as unclear) and 1 changing sign.",
        "**SMR**, 1 conclusion: 1 robust.",
    ]


def test_turning_points_name_the_choice_and_put_turns_first(
    every: tuple[Choice, ...],
) -> None:
    found = pd.DataFrame([
        conclusion(
            outcome="loses significance", agreeing=0.2, alone=(), deciding="share", metric="hr"
        ),
        conclusion(outcome="changes sign", agreeing=0.997, alone=("top_k",), deciding="top_k"),
        conclusion(
            outcome="loses significance", agreeing=0.9, alone=("top_k", "share"), deciding="top_k"
        ),
        conclusion(),
    ])  # fmt: skip
    lines = words.turning_points(found, every, LABELS, most=2)
    assert lines[0].startswith(
        "**COR of CLIP under LL3** changes sign: the study has +0.20 [+0.10, +0.30]"
    )
    assert (
        "over 99 % of them agree" in lines[0] and "It depends on *Top-K*, which alone" in lines[0]
    )
    assert "no choice alone changes" in lines[1] and lines[2] == "And 1 more, in the table."
    last = words.turning_points(found, every, LABELS)[2]
    assert "each of *Top-K* and *least share of a present class* alone changes it" in last
    assert words.turning_points(found[3:], every, LABELS) == [
        "No conclusion here changes its verdict under any specification."
    ]


@pytest.mark.parametrize(
    ("changed", "name"),
    [
        ({}, "COR of CLIP under LL3"),
        ({"kind": "correlation", "segmenter": "segformer", "method": "pearson"},
         "COR of CLIP with mIoU (SegFormer, Pearson)"),
        ({"kind": "image correlation", "vlm": "new"}, "COR of new with mIoU over images"),
    ],
)  # fmt: skip
def test_conclusions_have_names(changed: dict[str, object], name: str) -> None:
    assert words.conclusion_name(pd.Series(conclusion(**changed)), LABELS) == name


def test_cells_show_verdict_outcome_and_range() -> None:
    found = pd.DataFrame([
        conclusion(),
        conclusion(metric="hr", outcome="loses significance", agreeing=0.5, verdict="down"),
    ])  # fmt: skip
    table = tables.load_robustness(found, LABELS, {"vlm": "VLM", "condition": "condition"})
    assert table.iloc[0].to_dict() == {
        "VLM": "CLIP", "condition": "LL3",
        "HR": "falls, loses significance, 50 % agree [+0.10 to +0.40]{.interval}",
        "COR": "rises, robust [+0.10 to +0.40]{.interval}", "SMR": "–",
    }  # fmt: skip


def test_tables_and_sentences_of_a_whole_study(
    every: tuple[Choice, ...], correlations: pd.DataFrame
) -> None:
    curve = correlations
    over = ("segmenter", "method")
    effects = multiverse.effects(curve, over)
    table = tables.load_effects(effects, every)
    assert table.choice.tolist()[:2] == ["segmenter", "coefficient"]
    assert table.conclusions.astype(int).max() == 9
    assert len(words.effect_findings(effects, every)) == 3
    single = tables.load_robustness(
        multiverse.robustness(curve), LABELS,
        {"vlm": "VLM", "segmenter": "segmenter", "method": "coefficient"},
    )  # fmt: skip
    assert len(single) == 18 and set(single.coefficient) == {"Spearman", "Pearson"}


def test_joint_medians_have_cells() -> None:
    joint = pd.DataFrame({
        "vlm": "clip", "metric": ["hr", "cor", "smr"], "condition": "LL3", "specifications": 4,
        "median": [0.2, -0.1, 0.0], "p": [0.0001, 0.01, 1.0], "p_holm": [0.0003, 0.02, 1.0],
    })  # fmt: skip
    cells = tables.load_joint(joint, LABELS).iloc[0]
    assert cells.HR == "+0.20 [p < 0.001]{.interval}"
    assert cells.COR == "−0.10 [p = 0.020]{.interval}" and cells.VLM == "CLIP"


def test_nothing_varies_is_said() -> None:
    effects = pd.DataFrame({"metric": ["hr"], "choice": ["top_k"], "levels": [3], "alone": [False],
                            "sway": [0.0], "eta2": [0.0]})  # fmt: skip
    assert words.effect_findings(effects, ()) == [
        "**HR**: the estimates do not vary, and no choice decides a verdict."
    ]
