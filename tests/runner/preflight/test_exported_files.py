"""What `vlmis check` says of an exported segmenter."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import yaml

from tests.helpers.exported_files import write_onnx
from vlmis_utils.protocol.study import Study
from vlmis_utils.runner.preflight.models import model_findings


def test_a_file_that_opens_is_ok_and_a_missing_runtime_is_named(tmp_path: Path, monkeypatch):
    path = write_onnx(tmp_path / "m.onnx", np.ones((19, 3)), (1, 3, 8, 8))
    models = tmp_path / "models.yaml"

    def write(**options: object) -> None:
        entry = {"library": "onnx", "checkpoint": str(path), "options": options}
        models.write_text(yaml.safe_dump({"mine": entry}))

    write(mean=[0, 0, 0])
    study = Study(segmenters=["mine"], vlms=[], models=str(models))
    (finding,), _ = model_findings(study)
    assert finding.status == "fail" and "mean and std go together" in finding.found
    write()
    (finding,), _ = model_findings(study)
    assert finding.status == "fail" and "mean and std" in finding.remedy
    write(mean=[0, 0, 0], std=[1, 1, 1])
    (finding,), (need,) = model_findings(study)
    assert finding.status == "ok" and "m.onnx" in finding.found
    assert need.memory == path.stat().st_size
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    (finding,), _ = model_findings(study)
    assert finding.status == "fail"
    assert "vlmis[onnx]" in finding.found + finding.remedy
    path.unlink()
    (finding,), _ = model_findings(study)
    assert finding.status == "fail" and "no checkpoint" in finding.found
