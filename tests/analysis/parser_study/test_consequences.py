"""Telling sentences and imagined rates, against direct computation."""

from __future__ import annotations

import pytest

from vlmis_utils.analysis.parser_study.accuracy import ALL, read_closed
from vlmis_utils.analysis.parser_study.consequences import (
    PLAIN_RULES,
    imagined_rates,
    telling,
)
from vlmis_utils.metrics.language import critical_omission_rate, hallucination_rate
from vlmis_utils.metrics.parsing.gold import load_labelled
from vlmis_utils.metrics.parsing.parse import mentions
from vlmis_utils.protocol.classes import CRITICAL_CLASSES, OBJECT_CLASSES


def test_telling_answers_are_misread_by_the_plain_rule_only() -> None:
    found = telling()
    frame = load_labelled().set_index(["task", "text"])
    assert {"negation", "hedge", "compound"} <= set(found[found.task == "mentions"].phenomenon)
    for row in found.itertuples():
        label = frame.loc[(row.task, row.text)]
        assert row.phenomenon in label.phenomenon and 0 < row.wrong <= row.answers
        if row.task == "mentions":
            scoped, plain = (
                mentions(row.text, rule=rule).asserted & set(OBJECT_CLASSES)
                for rule in ("scoped", PLAIN_RULES["mentions"])
            )
            assert scoped == label.asserted != plain
            assert row.plain == (", ".join(c for c in OBJECT_CLASSES if c in plain) or "nothing")
        else:
            plain = PLAIN_RULES[row.task]
            assert (
                read_closed(row.text, row.task, "scoped", label.asked or None)
                == row.label
                == label.answer
            )
            assert read_closed(row.text, row.task, plain) == row.plain != row.label


def test_imagined_rates_are_those_of_the_metrics() -> None:
    found = imagined_rates(resamples=100)
    rates = found[found.phenomenon == ALL].set_index(["metric", "reader"]).value
    frame = load_labelled()
    frame = frame[(frame.task == "mentions") & (frame.split != "development")]
    named = [row.asserted | row.negated | row.hedged for row in frame.itertuples()]
    sets = {
        rule: [mentions(t, rule=rule).asserted & set(OBJECT_CLASSES) for t in frame.text]
        for rule in ("scoped", "keyword")
    } | {"labels": list(frame.asserted)}
    for reader, said in sets.items():
        assert rates["hr", reader] == pytest.approx(hallucination_rate(said, list(frame.asserted)))
        assert rates["cor", reader] == pytest.approx(critical_omission_rate(said, named))


def test_a_careful_reader_of_true_answers_finds_no_hallucination() -> None:
    found = imagined_rates(resamples=50)
    careful = found[(found.reader == "labels") & (found.metric == "hr")]
    assert (careful.value == 0).all()
    assert (found.low <= found.value).all() and (found.value <= found.high).all()


def test_without_critical_classes_nothing_can_be_omitted() -> None:
    found = imagined_rates(critical=(), resamples=50)
    assert (found[found.metric == "cor"].value == 0).all()
    narrow = imagined_rates(critical=CRITICAL_CLASSES[:1], resamples=50)
    wide = imagined_rates(resamples=50)
    assert (narrow[narrow.metric == "cor"].value <= wide[wide.metric == "cor"].value).all()
