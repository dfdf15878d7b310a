"""Sentences follow the numbers, whatever they are."""

from __future__ import annotations

import pandas as pd
import pytest

from vlmis_utils.analysis.parser_study.rereading import EVERY, READINGS
from vlmis_utils.report.text import parser_study

NAN = float("nan")
LABELS = {"m": "Model M"}


def _gains(*bounds: tuple[str, float, float]) -> pd.DataFrame:
    rows = [
        ("safety", name, "substring", "accuracy", (low + high) / 2, low, high)
        for name, low, high in bounds
    ]
    columns = ["task", "phenomenon", "plain", "measure", "value", "low", "high"]
    return pd.DataFrame(rows, columns=columns)


def test_a_gain_counts_only_beyond_its_interval() -> None:
    (line,) = parser_study.reading_findings(
        _gains(("plain", 0.1, 0.2), ("hedge", -0.3, -0.1), ("field", -0.1, 0.1), ("all", 0.5, 0.6))
    )
    assert "significantly better on plain, significantly worse on hedge" in line
    assert "not significantly different on field." in line
    (line,) = parser_study.reading_findings(_gains(("plain", -0.2, 0.2)))
    assert line.endswith("is not significantly different on plain.")


def test_alarms_name_the_commonest_mistake() -> None:
    words, counts = ("safe", "unsafe", "abstain"), iter((5, 0, 0, 2, 7, 1, 4, 0, 9))
    table = pd.DataFrame(
        [("safety", "substring", s, r, next(counts)) for s in words for r in words],
        columns=["task", "rule", "said", "read", "count"],
    )
    (line,) = parser_study.alarm_findings(table)
    assert "2 of the 10 answers that say unsafe as safe, and drops 1" in line
    assert "“abstain” read as “safe”, 4 times" in line
    table["count"] = [int(s == r) for s, r in zip(table.said, table.read, strict=True)]
    assert "It makes no mistake." in parser_study.alarm_findings(table)[0]


def _contents(**counts: object) -> pd.DataFrame:
    row = {"vlm": "m", "described": 10, "distinct_described": 3, "negated": 0, "hedged": 0,
           "keyword": 0, "judged": 10, "distinct_judged": 2, "abstained": 0, "first word": 0,
           "substring": 0, "example": ""}  # fmt: skip
    return pd.DataFrame([row | counts])


def _effects(**changed: int) -> pd.DataFrame:
    rows = [
        ("m", EVERY, reading, metric, 10, n, 0.1, 0.1 + n / 10, n / 10, n / 20, n / 5)
        for reading, metrics in READINGS.items() for metric in metrics
        for n in [changed.get(reading.split()[0], 0)]
    ]  # fmt: skip
    columns = ["vlm", "condition", "reading", "metric", "answers", "changed", "base", "other",
               "delta", "low", "high"]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)


def test_a_speaker_without_denials_is_untouched_and_the_sentence_says_so() -> None:
    (line,) = parser_study.run_findings(_contents(), _effects(), LABELS)
    assert "**Model M**" in line and "the same numbers whichever rule" in line
    assert "instead" not in line and "most frequent text" not in line


def test_a_speaker_who_denies_is_touched_and_the_sentence_says_how_far() -> None:
    contents = _contents(negated=2, keyword=2, substring=4, example="No, it is not safe.")
    (line,) = parser_study.run_findings(contents, _effects(keyword=2, substring=4), LABELS)
    assert "whichever rule" not in line
    assert (
        "*keyword* instead, 2 answers change, and with them HR by +0.200 [+0.100, +0.400]" in line
    )
    assert "SMR by +0.400" in line and line.endswith("“No, it is not safe.”")


def test_a_mute_study_is_called_that() -> None:
    assert "No model" in parser_study.run_findings(_contents().iloc[:0], _effects(), LABELS)[0]
    empty = pd.DataFrame(columns=["vlm", "task", "answers", "told"])
    frame = pd.DataFrame(columns=["vlm", "task", "condition", "measure", "text", "said", "first"])
    assert "No model" in parser_study.token_findings(empty, frame, frame, LABELS)[0]
    assert "no first token" in parser_study.calibration_findings(frame, LABELS)[0]


@pytest.mark.parametrize(
    ("gain", "words"),
    [
        ((0.1, 0.05, 0.2), "tells more than"), ((-0.1, -0.2, -0.05), "tells less than"),
        ((0.0, -0.1, 0.1), "do not differ significantly"), ((NAN, NAN, NAN), None),
    ],
)  # fmt: skip
def test_first_tokens_in_words(gain: tuple[float, float, float], words: str | None) -> None:
    coverage = pd.DataFrame({"vlm": ["m", "m"], "task": ["presence", "safety"],
                             "answers": [20, 10], "told": [15, 0]})  # fmt: skip
    same = pd.DataFrame([{"vlm": "m", "task": "presence", "condition": EVERY, "n": 15, "agree": 0.8,
                          "kappa": NAN, "outside": 0.01, "outside_max": 0.2}])  # fmt: skip
    rows = [("m", "presence", EVERY, name, *(gain if name == "gain" else (0.6, 0.5, 0.7)))
            for name in ("score", "text", "gain")]  # fmt: skip
    auc = pd.DataFrame(
        rows, columns=["vlm", "task", "condition", "measure", "value", "low", "high"]
    )
    told, untold = parser_study.token_findings(coverage, same, auc, LABELS)
    assert "agree in 12 of 15 answers (15 of 20 answers have one)" in told and "κ" not in told
    assert "1.00 % of the probability lies outside" in told
    assert (words in told) if words else ("AUC" not in told)
    assert "no probabilities were recorded" in untold


def test_sureness_in_words() -> None:
    row = {"vlm": "m", "task": "safety", "sure": 0.9, "right": 0.7, "gap": 0.2, "gap_low": 0.1,
           "gap_high": 0.3, "brier": 0.3, "brier_share": 0.2, "gain": -0.1, "gain_low": -0.2,
           "gain_high": -0.05}  # fmt: skip
    frame = pd.DataFrame([row | {"pictures": "clean"},
                          row | {"pictures": "degraded", "gap_low": NAN, "gain_low": NAN,
                                 "gap_high": NAN, "gain_high": NAN}])  # fmt: skip
    (line,) = parser_study.calibration_findings(frame, LABELS)
    clean, degraded = line.split("; ")
    assert "too sure" in clean and "worse than the constant's 0.20" in clean
    assert "no significant gap (gap +0.20)" in degraded
    assert "not significantly different from" in degraded


def test_disputes_are_counted_and_quoted() -> None:
    frame = pd.DataFrame({"text": ["Hm."], "said": ["unknown"], "first": ["no"], "count": [3]})
    line = parser_study.disputed_finding(frame, 40)
    assert "part in 3 of 40" in line and "“Hm.” (n = 3, text unknown, first token no)." in line
    assert parser_study.disputed_finding(frame.iloc[:0], 40).endswith("blank image included.")
