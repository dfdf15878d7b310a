"""How well the parser reads hand-labelled answers."""

from __future__ import annotations

import pytest

from vlmis_utils.metrics.parsing.gold import (
    PHENOMENA,
    SPLITS,
    load_labelled,
    misread,
    parser_quality,
)
from vlmis_utils.protocol.classes import OBJECT_CLASSES


def figure(split: str, task: str, state: str = "answer", rule: str = "scoped"):
    frame = parser_quality(split)
    chosen = frame[(frame.task == task) & (frame.state == state) & (frame.rule == rule)]
    (row,) = chosen.itertuples()
    return row


def test_there_are_enough_answers_in_many_styles() -> None:
    frame = load_labelled()
    assert (frame.task == "mentions").sum() >= 180
    assert frame[frame.task == "mentions"]["style"].nunique() >= 8
    assert not frame.duplicated(["task", "text"]).any()
    assert set(frame.split) == set(SPLITS)


def test_labels_are_known_words_and_disjoint() -> None:
    frame = load_labelled()
    for row in frame.itertuples():
        named = [*row.asserted, *row.negated, *row.hedged]
        assert set(named) <= set(OBJECT_CLASSES) and len(set(named)) == len(named)
    closed = frame[frame.task != "mentions"]
    assert set(closed[closed.task == "presence"].answer) == {"yes", "no", "unknown"}
    assert set(closed[closed.task == "safety"].answer) == {"safe", "unsafe", "abstain"}
    assert (frame[frame.task == "mentions"].answer == "").all()


def test_every_row_has_known_phenomena_and_plain_stands_alone() -> None:
    for row in load_labelled().itertuples():
        assert row.phenomenon and set(row.phenomenon) <= set(PHENOMENA)
        assert list(row.phenomenon) == sorted(row.phenomenon, key=list(PHENOMENA).index)
        assert row.phenomenon == ("plain",) or "plain" not in row.phenomenon


def test_each_phenomenon_has_twenty_unseen_answers_in_each_task() -> None:
    frame = load_labelled().explode("phenomenon")
    counts = frame[frame.split != "development"].groupby(["task", "phenomenon"]).size()
    assert len(counts) == 3 * len(PHENOMENA)
    assert counts.min() >= 20


def test_labels_fit_their_phenomenon() -> None:
    frame = load_labelled()
    has = {name: frame[[name in row for row in frame.phenomenon]] for name in PHENOMENA}
    plain = has["plain"]
    assert not plain.negated.map(bool).any() and not plain.hedged.map(bool).any()
    assert not has["refusal"].asserted.map(bool).any()
    assert not has["refusal"].answer.isin(["yes", "no", "safe", "unsafe"]).any()
    hedged = has["hedge"][has["hedge"].task == "mentions"]
    assert hedged.hedged.map(bool).mean() > 0.8


@pytest.mark.parametrize(
    ("split", "state", "precision", "recall"),
    [
        ("development", "asserted", 0.95, 0.96),
        ("development", "negated", 0.97, 0.96),
        ("development", "hedged", 0.95, 0.93),
        ("held-out", "asserted", 0.88, 0.94),
        ("held-out", "negated", 0.92, 0.88),
        ("held-out", "hedged", 0.75, 0.75),
        ("challenge", "asserted", 0.58, 0.88),
        ("challenge", "negated", 0.85, 0.30),
        ("challenge", "hedged", 0.90, 0.40),
    ],
)
def test_mention_floors(split: str, state: str, precision: float, recall: float) -> None:
    row = figure(split, "mentions", state)
    assert row.precision >= precision
    assert row.recall >= recall


@pytest.mark.parametrize("task", ["presence", "safety"])
def test_closed_floors(task: str) -> None:
    assert figure("development", task).exact >= 0.92
    assert figure("held-out", task).exact >= 0.90
    assert figure("challenge", task).exact >= 0.72


def test_the_keyword_rule_invents_more_and_misses_little() -> None:
    for split in SPLITS:
        scoped = figure(split, "mentions", "asserted")
        plain = figure(split, "mentions", "asserted", rule="keyword")
        assert plain.precision < scoped.precision - 0.1
        assert plain.recall > 0.85


def test_the_misread_answers_are_the_rest() -> None:
    wrong, frame = misread(), load_labelled()
    for split, most in zip(SPLITS, (0.10, 0.20, 0.45), strict=True):
        assert 0 < (wrong.split == split).sum() < most * (frame.split == split).sum()
    assert (wrong.label != wrong.read).all()
    for task in ("presence", "safety"):
        asked = (frame.task == task).sum()
        exact = parser_quality().query("task == @task").exact.item()
        assert (wrong.task == task).sum() == asked - round(exact * asked)
