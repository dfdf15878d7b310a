"""Without photographs a study goes on with what is kept of it, read in any way; else it runs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from tests.helpers.studies import write_edge
from vlmis_utils.analysis.open_results import open_results
from vlmis_utils.core.errors import UserError
from vlmis_utils.protocol.parameters import load_study
from vlmis_utils.protocol.study import Study
from vlmis_utils.records import kept
from vlmis_utils.runner.adopt import adopt, kept_records
from vlmis_utils.runner.preflight import dataset


@pytest.fixture
def study(tmp_path: Path) -> Study:
    """A study on photographs, of which records are kept below ``kept``, not yet run."""
    records = write_edge(tmp_path / "city", "one photograph, clean alone")
    run = replace(load_study(records.parent / "study.yaml"), dataset="cityscapes", split="val")
    kept.keep(run, tmp_path / "kept")
    return replace(run, build_root=str(tmp_path / "build"))


def test_kept_records_are_read_as_the_study_says(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CITYSCAPES_DATASET", raising=False)
    assert adopt(replace(study, top_k=5), tmp_path / "kept")
    results = open_results(study.records)
    assert results.reading.top_k == 5
    assert results.run["parameters"]["top_k"] == 5, "the status page tells what this run read with"
    before = open_results(tmp_path / "city/records", top_k=5).vlm_by_condition()
    pd.testing.assert_frame_equal(results.vlm_by_condition(), before)


def test_a_study_with_photographs_or_with_nothing_kept_runs(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CITYSCAPES_DATASET", raising=False)
    root = tmp_path / "kept"
    assert not adopt(replace(study, data_root=str(tmp_path)), root)
    assert not adopt(replace(study, study="other"), root)
    assert not adopt(replace(study, dataset="streetworld"), root)
    monkeypatch.setenv("CITYSCAPES_DATASET", str(tmp_path))
    assert not adopt(study, root)
    assert not Path(study.records).exists()


def test_a_folder_that_is_not_there_is_told_with_the_way_without_it(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CITYSCAPES_DATASET", str(tmp_path / "gone"))
    for wrong in (study, replace(study, data_root=str(tmp_path / "gone"))):
        with pytest.raises(UserError, match=r"no folder .*gone.* or leave it out .*kept"):
            adopt(wrong, tmp_path / "kept")


def test_check_and_show_know_that_records_stand_in(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CITYSCAPES_DATASET", raising=False)
    monkeypatch.setattr(dataset, "kept_records", lambda s: kept_records(s, tmp_path / "kept"))
    (finding,) = dataset.dataset_findings(study)
    assert finding.status == "ok" and "no model runs" in finding.found
