"""Quality by phenomenon against scikit-learn on flattened pairs, and what must hold."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest
from sklearn.metrics import accuracy_score, confusion_matrix, precision_score, recall_score

from vlmis_utils.analysis.parser_study import accuracy
from vlmis_utils.analysis.parser_study.accuracy import (
    ALL,
    CLOSED_RULES,
    read_closed,
    tightened,
)
from vlmis_utils.core.errors import UserError
from vlmis_utils.metrics.parsing.gold import PHENOMENA, load_labelled, parser_quality
from vlmis_utils.metrics.parsing.parse import RULES, mentions
from vlmis_utils.protocol.classes import OBJECT_CLASSES

SOME = 200  # resamples


@pytest.fixture(scope="module")
def quality() -> pd.DataFrame:
    return accuracy.mention_quality(resamples=SOME)


@pytest.fixture(scope="module")
def closed() -> pd.DataFrame:
    return accuracy.closed_quality()


@pytest.fixture(scope="module")
def gains() -> pd.DataFrame:
    return accuracy.gains(resamples=SOME)


def rows(task: str, phenomenon: str) -> pd.DataFrame:
    frame = load_labelled()
    frame = frame[(frame.task == task) & (frame.split != "development")]
    return frame[[phenomenon in (ALL, *row) for row in frame.phenomenon]]


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("phenomenon", [*PHENOMENA, ALL])
def test_precision_and_recall_are_scikit_learns_on_flattened_pairs(
    quality: pd.DataFrame, rule: str, phenomenon: str
) -> None:
    frame = rows("mentions", phenomenon)
    truth = [[c in names for c in OBJECT_CLASSES] for names in frame.asserted]
    read = [mentions(text, rule=rule).asserted for text in frame.text]
    guess = [[c in names for c in OBJECT_CLASSES] for names in read]
    found = quality[(quality.rule == rule) & (quality.phenomenon == phenomenon)]
    found = found.set_index("measure").value
    options = {"average": "micro", "zero_division": np.nan}
    flat = np.array(truth), np.array(guess)
    for measure, score in (("precision", precision_score), ("recall", recall_score)):
        assert found[measure] == pytest.approx(score(*flat, **options), nan_ok=True)
    assert found["exact"] == pytest.approx(accuracy_score(*flat))


def test_all_is_the_known_quality() -> None:
    quality = accuracy.mention_quality("held-out", SOME)
    known = parser_quality("held-out")
    for rule in RULES:
        row = known[(known.rule == rule) & (known.state == "asserted")].iloc[0]
        found = quality[(quality.phenomenon == ALL) & (quality.rule == rule)]
        found = found.set_index("measure").value
        for measure in ("precision", "recall", "exact"):
            assert found[measure] == pytest.approx(row[measure])


def test_intervals_hold_their_value_and_have_width(quality: pd.DataFrame) -> None:
    known = quality.dropna(subset=["value"])
    assert (known.low <= known.value).all() and (known.value <= known.high).all()
    assert (known.high > known.low).all() and known.low.min() >= 0 and known.high.max() <= 1
    assert quality[quality.value.isna()].low.isna().all()


def test_the_keyword_rule_loses_precision_where_it_cannot_hear(quality: pd.DataFrame) -> None:
    plain = quality[(quality.rule == "keyword") & (quality.measure == "precision")]
    value = plain.set_index("phenomenon").value
    for phenomenon in ("negation", "hedge", "compound", "field"):
        assert value[phenomenon] < value["plain"] - 0.3


def test_the_keyword_rule_hears_every_hedged_class_as_said(quality: pd.DataFrame) -> None:
    hedged = rows("mentions", "hedge")
    assert all(
        row.hedged <= mentions(row.text, rule="keyword").asserted for row in hedged.itertuples()
    )


@pytest.mark.parametrize("task", list(CLOSED_RULES))
def test_closed_accuracy_and_its_interval(closed: pd.DataFrame, task: str) -> None:
    for phenomenon in (*PHENOMENA, ALL):
        frame = rows(task, phenomenon)
        for rule in CLOSED_RULES[task]:
            pairs = zip(frame.text, frame.asked, strict=True)
            read = [read_closed(text, task, rule, asked or None) for text, asked in pairs]
            row = closed[
                (closed.task == task) & (closed.rule == rule) & (closed.phenomenon == phenomenon)
            ].iloc[0]
            assert row.value == pytest.approx(accuracy_score(frame.answer, read))
            exact = binomtest(row.right, row.answers).proportion_ci(0.95, "exact")
            assert (row.low, row.high) == pytest.approx((exact.low, exact.high))


def test_confusions_are_scikit_learns() -> None:
    found = accuracy.confusions()
    for (task, rule), group in found.groupby(["task", "rule"]):
        frame = rows(task, ALL)
        words = list(dict.fromkeys(group.said))
        pairs = zip(frame.text, frame.asked, strict=True)
        read = [read_closed(text, task, rule, asked or None) for text, asked in pairs]
        table = group.pivot(index="said", columns="read", values="count").loc[words, words]
        assert (table.to_numpy() == confusion_matrix(frame.answer, read, labels=words)).all()


def test_gains_are_differences_of_the_qualities(
    quality: pd.DataFrame, closed: pd.DataFrame, gains: pd.DataFrame
) -> None:
    table = quality.set_index(["phenomenon", "rule", "measure"]).value
    for row in gains[gains.task == "mentions"].itertuples():
        scoped, plain = (table[row.phenomenon, rule, row.measure] for rule in RULES)
        assert row.value == pytest.approx(scoped - plain, nan_ok=True)
    table = closed.set_index(["task", "phenomenon", "rule"]).value
    for row in gains[gains.task != "mentions"].itertuples():
        scoped, plain = (table[row.task, row.phenomenon, rule] for rule in ("scoped", row.plain))
        assert row.value == pytest.approx(scoped - plain)
    known = gains.dropna(subset=["value"])
    assert (known.low <= known.value + 1e-12).all() and (known.value <= known.high + 1e-12).all()


def test_the_interval_of_a_gain_is_that_of_resampled_answers(gains: pd.DataFrame) -> None:
    frame = rows("safety", "negation")
    hits = {
        rule: np.array(
            [read_closed(r.text, "safety", rule) == r.answer for r in frame.itertuples()], float
        )
        for rule in ("scoped", "substring")
    }
    rng = np.random.default_rng(5)
    drawn = rng.integers(len(frame), size=(4000, len(frame)))
    low, high = np.quantile((hits["scoped"] - hits["substring"])[drawn].mean(1), [0.025, 0.975])
    row = gains[
        (gains.task == "safety") & (gains.phenomenon == "negation") & (gains.plain == "substring")
    ].iloc[0]
    assert (row.low, row.high) == pytest.approx((low, high), abs=0.06)


@pytest.mark.parametrize(
    ("text", "first", "substring"),
    [
        ("Yes.", "safe", "abstain"), ("No, it is not safe.", "unsafe", "safe"),
        ("It is UNSAFE", "abstain", "unsafe"), ("Nobody is there, yes", "safe", "abstain"),
        ("I know, I know", "abstain", "abstain"), ("safe and unsafe", "abstain", "unsafe"),
    ],
)  # fmt: skip
def test_the_plain_rules_of_safety(text: str, first: str, substring: str) -> None:
    assert read_closed(text, "safety", "first word") == first
    assert read_closed(text, "safety", "substring") == substring


def test_unknown_tasks_and_rules_are_named() -> None:
    with pytest.raises(UserError, match="did you mean 'safety'"):
        read_closed("Yes.", "safty", "scoped")
    with pytest.raises(UserError, match="unknown rule 'substring' of presence"):
        read_closed("Yes.", "presence", "substring")


@pytest.mark.parametrize(("value", "units"), [(0.0, 7), (1.0, 7), (1.0, 200)])
def test_tightened_is_clopper_and_pearson(value: float, units: int) -> None:
    exact = binomtest(int(value * units), units).proportion_ci(0.95, "exact")
    assert tightened(value, value, value, units) == pytest.approx((value, exact.low, exact.high))
    assert tightened(0.4, 0.3, 0.5, units) == (0.4, 0.3, 0.5)
