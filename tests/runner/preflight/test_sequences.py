"""What `vlmis check` finds of studies of sequences: their frames count, not their sequences."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.helpers.miniature import save
from vlmis_utils.datasets.registry import open_scenes
from vlmis_utils.protocol.study import Study
from vlmis_utils.runner.local import _workers
from vlmis_utils.runner.preflight import dataset, machine
from vlmis_utils.runner.preflight.finding import Finding


def of(study: Study) -> dict[str, Finding]:
    return {finding.topic: finding for finding in dataset.dataset_findings(study)}


def test_frames_of_drives_are_counted_where_they_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VLMIS_CACHE", str(tmp_path))
    study = Study(scenes=2, frames=3)
    found = of(study)
    assert found["dataset"].found == "streetworld, test: 6 frames"
    count, folder = found["scenes"].found.split("; ")[0].split(" frames rendered in ")
    assert count == "0 of 6" and open_scenes(study)[0].path.is_relative_to(folder)


def test_one_sequence_keeps_all_processes_busy() -> None:
    many, one = Study(scenes=101), Study(scenes=1, frames=101)
    assert machine.record_bytes(one) == machine.record_bytes(many)
    assert _workers(one, "cpu") == _workers(many, "cpu")


def test_sequences_are_counted_as_they_are_asked_for(tmp_path: Path) -> None:
    class_map = tmp_path / "map.yaml"
    class_map.write_text("classes: {0: road}\n", encoding="utf-8")
    for frame in range(3):
        save(np.zeros((8, 12, 3), np.uint8), tmp_path / f"images/test/a/{frame}.png")
        save(np.zeros((8, 12), np.uint8), tmp_path / f"labels/test/a/{frame}.png")
    found = of(Study(dataset="folder", data_root=str(tmp_path), class_map=str(class_map),
                     scenes=2, frames=3))["dataset"]  # fmt: skip
    assert found.status == "warn"
    assert "3 frames in 1 sequence, not the 2 asked for" in found.found
