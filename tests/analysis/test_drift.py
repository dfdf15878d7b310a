"""What moves between a picture and the clean one, by hand and against scipy."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.distance import cosine
from scipy.stats import spearmanr
from sklearn.metrics import roc_auc_score

from tests.helpers.synthetic import write_records
from vlmis_utils.analysis.drift import drift, drift_by_corruption
from vlmis_utils.analysis.results import Results


def test_drift_is_from_the_clean_picture_of_the_scene(tmp_path: Path) -> None:
    results = Results(write_records(tmp_path / "records"), bootstrap=50)
    moved = drift(results)
    row = moved[(moved.vlm == "clip") & (moved.condition == "OCC2")].iloc[2]
    own = results.answers.set_index(["vlm", "scene_id", "condition", "prompt"])
    pair = [own.loc[("clip", row.scene_id, c)] for c in ("OCC2", "clean")]
    one, other = (p.embedding["describe"] for p in pair)
    assert row.embedding == pytest.approx(cosine(one, other), abs=1e-5)
    gaps = [s.scores["safety"][0] - s.scores["safety"][1] for s in pair]
    clean = own.xs("clip").xs("clean", level="condition").xs("safety", level="prompt").scores
    spread = np.std([s[0] - s[1] for s in clean], ddof=1)
    assert row.margin == pytest.approx(abs(gaps[0] - gaps[1]) / spread)
    assert row.flipped == ((gaps[0] > 0) != (gaps[1] > 0))
    table = drift_by_corruption(results).set_index(["vlm", "family"])
    part = moved[(moved.vlm == "clip") & (moved.family == "LL")]
    found = table.loc[("clip", "LL")]
    assert found.rho == pytest.approx(spearmanr(part.embedding, part.margin)[0])
    assert found.auc == pytest.approx(roc_auc_score(part.flipped, part.embedding))
    assert found.flips == part.flipped.mean()
    stabler = part.sort_values("embedding").flipped[: len(part) // 2]
    assert found.stable_flips == pytest.approx(stabler.mean())


def test_answers_without_embeddings_have_no_rows(tmp_path: Path) -> None:
    results = Results(write_records(tmp_path / "records"), bootstrap=50)
    results.answers["embedding"] = None
    assert drift(results).empty and drift_by_corruption(results).empty
