"""Scores that are no numbers, and columns that older records lack."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from tests.helpers import fakes
from vlmis_utils.analysis.results import Results
from vlmis_utils.models.vlm.decoded import length, to_answers
from vlmis_utils.protocol.answer import Answer
from vlmis_utils.protocol.prompts import PROMPTS
from vlmis_utils.records.run_info import read_run
from vlmis_utils.records.schema import SCHEMAS
from vlmis_utils.records.store import Store, read_table
from vlmis_utils.runner import run as engine
from vlmis_utils.runner.answer_watch import AnswerWatch
from vlmis_utils.runner.context import Loaders

NEW = [column.name for column in SCHEMAS["answers"] if column.later]


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_an_answer_without_finite_numbers_is_none(number: float) -> None:
    scored = Answer(labels=("yes", "no"), scores=(1.0, number))
    spoken = Answer("Yes!!!!", p_yes=number, p_no=0.1)
    for answer, text in ((scored, None), (spoken, "")):
        none = answer.finite()
        assert (none.text, none.labels, none.scores, none.p_yes) == (text, (), (), None)
        assert none.finish_reason == "not finite"
    whole = Answer(labels=("yes", "no"), scores=(1.0, 2.0))
    assert whole.finite() is whole


class Overflowing(fakes.FakeVlm):
    """Scores like a contrastive model whose half precision overflows on some prompts."""

    def _one(self, grey: float, prompt: str) -> Answer:
        answer = super()._one(grey, prompt)
        if prompt not in ("safety", "presence/car"):
            return answer
        return replace(answer, scores=(math.nan, *answer.scores[1:]))


def test_a_study_names_scores_that_are_no_numbers(
    tmp_path: Path, capfd: pytest.CaptureFixture
) -> None:
    study = fakes.make_study(tmp_path, 3, vlms=("scorer",), conditions=("clean", "LL3"))
    engine.run(
        study,
        loaders=Loaders(fakes.load_segmenter, lambda entry, device="cpu": Overflowing(entry.name)),
    )
    shown = capfd.readouterr().err
    assert "model scorer: scores that are no numbers (NaN or infinite)" in shown
    assert "a_00 under clean, prompt presence/car" in shown
    table = read_table(study.records, "answers")
    lost = table[table.finish_reason == "not finite"]
    assert set(lost.prompt) == {"safety", "presence/car"} and len(lost) == 3 * 3 * 2
    assert not lost.labels.map(len).any() and not lost.scores.map(len).any()
    assert read_run(study.records)["answers"]["scorer"]["not_finite"] == len(lost)
    results = Results(study.records, bootstrap=20)
    assert (results.vlm_per_image().decision == "abstain").all()
    heard = results.presence_answers()
    assert set(heard.word[heard["class"] == "car"]) == {"unknown"}


def test_what_a_model_wrote_without_numbers_means_nothing() -> None:
    shares = torch.tensor([[0.5, 0.25, 0.25], [math.nan] * 3])
    said = to_answers(["a b", "!!"], [[1, 1], [0, 0]], shares, {"yes": [0], "no": [1]}, {2},
                      [(), ()], [True, True], [7, 7])  # fmt: skip
    assert said[0] == Answer("a b", p_yes=0.5, p_no=0.25, finish_reason="length",
                             prompt_tokens=7, completion_tokens=2)  # fmt: skip
    assert said[1] == Answer("", finish_reason="not finite")


@pytest.mark.parametrize(
    ("tokens", "decisive", "expected"),
    [
        ([5, 6, 2], (), (3, True)), ([5, 6, 7], (), (3, False)), ([2, 0, 0], (), (1, True)),
        ([9, 0, 0], (9,), (1, True)), ([5, 9, 2], (9,), (3, True)), ([], (), (0, False)),
    ],
)  # fmt: skip
def test_tokens_are_counted_to_the_end(tokens: list, decisive: tuple, expected: tuple) -> None:
    assert length(tokens, {2}, decisive) == expected


def test_local_states_are_said_once() -> None:
    entry = fakes.ModelEntry("talker", "vlm", "transformers-vlm", "x")
    rows = pd.DataFrame({"vlm": "talker", "scene_id": "a", "condition": "clean", "prompt": "safety",
                         "text": ["A ca", "Yes."], "labels": [[], []],
                         "finish_reason": ["length", "stop"]})  # fmt: skip
    watch = AnswerWatch(entry)
    assert list(watch.lines(rows)) == [
        "talker: of 2 answers 1 cut at the limit of tokens; the end of the run counts all"
    ]
    assert list(watch.lines(rows)) == []


def test_records_from_before_the_new_columns_are_read(tmp_path: Path, counts) -> None:
    study = fakes.make_study(tmp_path, 3, conditions=("clean",))
    engine.run(study, loaders=fakes.LOADERS)
    assert counts()
    files = [*(study.folder / "shards" / "answers").iterdir(), study.records / "answers.parquet"]
    for path in files:
        pq.write_table(pq.read_table(path).drop_columns(NEW).replace_schema_metadata(None), path)
    table = read_table(study.records, "answers")
    assert list(table.columns) == [column.name for column in SCHEMAS["answers"]]
    assert table[NEW].isna().all(axis=None) and len(table) == 3 * 2 * 2 * len(PROMPTS)
    engine.run(study, loaders=fakes.LOADERS)
    assert counts() == {}  # nothing is computed again
    assert pq.read_table(study.records / "answers.parquet").column_names == list(table.columns)
    Results(study.records, bootstrap=20).vlm_by_condition()


def test_a_column_that_was_always_there_may_not_be_missing(tmp_path: Path) -> None:
    store = Store(tmp_path)
    path = store.path("answers", "k")
    path.parent.mkdir(parents=True)
    names = [c for c in SCHEMAS["answers"] if c.name != "text"]
    schema = pa.schema([(c.name, c.type) for c in names])
    pq.write_table(schema.empty_table(), path)
    assert store.read("answers", "k") is None and store.damaged == [path]
