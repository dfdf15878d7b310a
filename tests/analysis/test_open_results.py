"""Results open as the run's own parameters say; a keyword replaces one of them."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pandas as pd
import pytest
import yaml

from tests.helpers.synthetic import write_records
from vlmis_utils import load_study, open_results
from vlmis_utils.analysis import open_results as opening
from vlmis_utils.analysis.results import Results
from vlmis_utils.core.errors import UserError
from vlmis_utils.protocol.parameters import recorded_parameters, write_study
from vlmis_utils.protocol.study import READING, Study


def study_in(folder: Path, **changes: object) -> Study:
    return dataclasses.replace(Study(study="synthetic", build_root=str(folder)), **changes)


def test_parameters_come_from_the_run(tmp_path: Path) -> None:
    study = study_in(
        tmp_path, top_k=2, parser="keyword", count_hedged=True, critical_classes=("cyclist",),
        min_share=0.01, epsilon=0.5, bootstrap=33,
    )  # fmt: skip
    write_study(study)
    write_records(study.records, scenes=2)
    results = open_results(study.records)
    reading = results.reading
    assert (reading.top_k, reading.parser, reading.count_hedged) == (2, "keyword", True)
    assert (reading.critical_classes, reading.min_share) == (("cyclist",), 0.01)
    assert (reading.epsilon, results.bootstrap) == (0.5, 33)


def test_a_keyword_replaces_one_parameter_and_leaves_the_others(tmp_path: Path) -> None:
    study = study_in(tmp_path, top_k=2, bootstrap=33)
    write_study(study)
    write_records(study.records, scenes=2)
    results = open_results(study.records, top_k=7)
    assert (results.reading.top_k, results.bootstrap) == (7, 33)


def test_prepared_results_are_those_of_the_records_read_in_the_same_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "_PREPARED", {})
    study = study_in(tmp_path, bootstrap=20)
    write_study(study)
    write_records(study.records, scenes=2)
    opening.prepare(study.records)
    prepared = open_results(study.records)
    assert open_results(str(study.records)) is prepared
    fresh = Results(study.records, bootstrap=20)
    pd.testing.assert_frame_equal(prepared.vlm_by_condition(), fresh.vlm_by_condition())
    assert open_results(study.records, top_k=2).reading.top_k == 2
    write_study(dataclasses.replace(study, bootstrap=21))
    assert open_results(study.records).bootstrap == 21


def test_older_records_have_the_defaults(tmp_path: Path) -> None:
    known = recorded_parameters(tmp_path / "records", READING)
    assert known == {key: getattr(Study(), key) for key in READING}


@pytest.mark.parametrize("key", ["topk", "critical", "boot_strap", "dataset"])
def test_an_unknown_keyword_names_the_closest(tmp_path: Path, key: str) -> None:
    with pytest.raises(UserError, match=key) as caught:
        open_results(tmp_path / "records", **{key: 1})
    assert "did you mean" in str(caught.value) or "known: " in str(caught.value)


@pytest.mark.parametrize(
    ("text", "word"), [("a: [", "YAML"), ("- 1", "key: value"), ("top_k: many", "top_k")]
)
def test_a_damaged_study_file_is_named(tmp_path: Path, text: str, word: str) -> None:
    path = tmp_path / "study.yaml"
    path.write_text(text)
    with pytest.raises(UserError, match=word) as caught:
        open_results(tmp_path / "records")
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


def test_what_is_written_makes_the_same_study_again(tmp_path: Path) -> None:
    study = load_study("params/smoke.yaml", {"top_k": 3, "build_root": str(tmp_path)})
    write_study(study)
    assert load_study(study.folder / "study.yaml") == study
    assert "top_k: 3" in (study.folder / "study.yaml").read_text()


def test_it_lies_beside_records_that_lie_elsewhere(tmp_path: Path) -> None:
    study = study_in(tmp_path / "build", records_root=str(tmp_path / "store"), top_k=9)
    write_study(study)
    texts = [(root / "study.yaml").read_text() for root in (study.folder, study.store)]
    assert texts[0] == texts[1] and yaml.safe_load(texts[0])["top_k"] == 9
    assert recorded_parameters(study.records, ["top_k"]) == {"top_k": 9}


def test_records_on_an_object_store(tmp_path: Path) -> None:
    study = study_in(tmp_path, records_root="memory://results", study="far", top_k=6)
    write_study(study)
    assert recorded_parameters("memory://results/far/records", ["top_k"]) == {"top_k": 6}


def test_the_numbers_are_those_of_the_parameters(tmp_path: Path) -> None:
    records = write_records(tmp_path / "synthetic" / "records")
    write_study(study_in(tmp_path, top_k=1, bootstrap=20))
    one = open_results(records).vlm_by_condition()
    assert one.equals(Results(records, top_k=1, bootstrap=20).vlm_by_condition())
    five = open_results(records, top_k=5).vlm_by_condition()
    assert five.equals(Results(records, top_k=5, bootstrap=20).vlm_by_condition())
    assert not one.equals(five)
