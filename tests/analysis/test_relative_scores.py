"""Ratios of errors against sums by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.helpers.synthetic import write_records
from vlmis_utils.analysis.relative_scores import relative_scores
from vlmis_utils.analysis.results import Results


def test_errors_are_summed_before_they_are_divided(tmp_path: Path) -> None:
    results = Results(write_records(tmp_path / "records"), bootstrap=20)
    found = relative_scores(results).set_index(["measure", "model", "family"])
    assert set(found.index.get_level_values("family")) == {"LL", "MB", "OCC"}
    means = results.vlm_by_condition().set_index(["vlm", "condition"])
    smr = [means.smr["clip", c] for c in ("LL1", "LL2", "LL3")]
    row = found.loc[("SMR", "clip", "LL")]
    assert row.to_clean == pytest.approx(sum(smr) / 3 / means.smr["clip", "clean"])
    safe = results.scenes.safe.mean()
    assert row.to_constant == pytest.approx(sum(smr) / 3 / min(safe, 1 - safe))
    quality = results.segmentation_by_condition().set_index(["segmenter", "condition"]).miou
    lost = [1 - quality["segformer", c] for c in ("OCC1", "OCC2", "OCC3")]
    row = found.loc[("1 - mIoU", "segformer", "OCC")]
    assert row.to_clean == pytest.approx(np.mean(lost) / (1 - quality["segformer", "clean"]))
    counts = np.sum(list(results.scenes.pixel_counts), axis=0)
    constant = 1 - counts.max() / counts.sum() / (counts > 0).sum()
    assert row.to_constant == pytest.approx(np.mean(lost) / constant)
