"""Signals of a synthetic run: each from its own table, and none that knows its own scene."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from sklearn.covariance import LedoitWolf

from tests.helpers.synthetic import write_records
from vlmis_utils.analysis.results import Results
from vlmis_utils.analysis.warnings.answers import distances
from vlmis_utils.analysis.warnings.evaluation import evaluate
from vlmis_utils.analysis.warnings.pictures import disagreement, tempered
from vlmis_utils.analysis.warnings.refusal import conformal, curves, refusals
from vlmis_utils.analysis.warnings.signals import SIGNALS, TARGETS, Warnings, load_warnings
from vlmis_utils.protocol.image_corridor import corridor_mask
from vlmis_utils.protocol.signals import COARSE
from vlmis_utils.records.schema import SCHEMAS


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_records(tmp_path_factory.mktemp("warnings") / "records", scenes=12)


@pytest.fixture(scope="module")
def watched(records: Path) -> Warnings:
    return load_warnings(Results(records, bootstrap=50))


def test_every_signal_is_there_and_the_pictures_are_in_one_order(watched: Warnings) -> None:
    assert watched.known() == list(SIGNALS)
    size = 12 * 10
    assert len(watched.pictures) == len(watched.miou) == size
    assert not watched.pictures.duplicated(["scene_id", "condition"]).any()
    for vlm in watched.vlms:
        assert len(watched.signals[vlm]) == len(watched.targets[vlm]) == size
    assert pd.Series(watched.fold).groupby(watched.scene).nunique().eq(1).all()


def test_contradictions_are_those_of_a_picture_by_hand(records: Path, watched: Warnings) -> None:
    results = Results(records, bootstrap=50)
    rows = results.vlm_per_image()
    row = rows[(rows.vlm == "clip") & (rows.condition == "LL2")].iloc[3]
    table = results.segmentation
    same = (table.scene_id == row.scene_id) & (table.condition == "LL2")
    counts = table[same & (table.segmenter == watched.segmenter)].predicted.iloc[0]
    names = {11: "pedestrian", 12: "cyclist", 6: "traffic light", 7: "traffic sign"}
    share = sum(counts[i] for i, c in names.items() if c not in row.mentioned) / sum(counts)
    own = watched.signals["clip"].loc[(row.scene_id, "LL2")]
    assert own.omits_seen == pytest.approx(share)
    assert np.sign(own.safe_but_occupied) in (0, {"safe": 1, "unsafe": -1}[row.decision])


def test_false_safe_is_asked_of_calls_that_say_safe(records: Path, watched: Warnings) -> None:
    rows = Results(records, bootstrap=50).vlm_per_image()
    order = pd.MultiIndex.from_frame(watched.pictures[["scene_id", "condition"]])
    for vlm in watched.vlms:
        own = rows[rows.vlm == vlm].set_index(["scene_id", "condition"]).reindex(order)
        target = watched.targets[vlm]["false safe"].to_numpy()
        assert np.array_equal(np.isfinite(target), own.decision == "safe")
        assert np.array_equal(target == 1, (own.decision == "safe") & ~own.safe.astype(bool))


def test_distances_rest_on_clean_pictures_of_other_folds() -> None:
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(40, 4))
    fold, clean = np.repeat(np.arange(4), 10), np.tile([True, False], 20)
    kept = LedoitWolf().fit(vectors[clean & (fold != 2)])
    found = distances(vectors, fold, clean)[fold == 2]
    np.testing.assert_allclose(found**2, kept.mahalanobis(vectors[fold == 2]))
    moved = vectors.copy()
    moved[fold == 2] += 100  # its own fold changes nothing of what it is compared with
    found = distances(moved, fold, clean)[fold == 2]
    np.testing.assert_allclose(found**2, kept.mahalanobis(moved[fold == 2]))
    assert np.isnan(distances(vectors[:4], fold[:4], clean[:4])).all()


def test_a_temperature_is_chosen_on_clean_pictures_of_other_folds() -> None:
    entropies = np.arange(12.0).reshape(4, 3)
    losses = np.array([[0, 1, 1], [1, 0, 1], [1, 1, 0], [9, 9, -9]], dtype=float)
    fold, clean = np.array([0, 1, 2, 2]), np.array([True, True, False, False])
    assert tempered(entropies, losses, fold, clean).tolist() == [1, 3, 6, 9]


def test_disagreement_is_one_minus_the_mean_miou_of_pairs() -> None:
    rng = np.random.default_rng(0)
    maps = rng.integers(0, 3, (3, *COARSE)).astype(np.uint8)
    keys = {"scene_id": "s", "condition": "clean"}
    table = pd.DataFrame(
        [{"segmenter": str(i), **keys, "coarse": m.tobytes()} for i, m in enumerate(maps)]
    )
    index = pd.MultiIndex.from_tuples([("s", "clean")], names=["scene_id", "condition"])
    found = disagreement(table, index).iloc[0]
    for name, mask in (("image", np.ones(COARSE, bool)), ("corridor", corridor_mask(*COARSE))):
        scores = []
        for a, b in ((0, 1), (0, 2), (1, 2)):
            one, other = maps[a][mask], maps[b][mask]
            both = [((one == c) & (other == c)).sum() for c in range(3)]
            either = [((one == c) | (other == c)).sum() for c in range(3)]
            scores.append(np.divide(both, either).mean())
        assert found[f"disagree_{name}"] == pytest.approx(1 - np.mean(scores))
    assert disagreement(table[:1], index).empty


def test_older_records_have_the_signals_of_their_answers(records: Path, tmp_path: Path) -> None:
    for table, columns in SCHEMAS.items():
        frame = pq.read_table(records / f"{table}.parquet").to_pandas()
        older = frame[[c.name for c in columns if not c.later]]
        older.to_parquet(tmp_path / f"{table}.parquet")
    known = load_warnings(Results(tmp_path, bootstrap=50)).known()
    assert {"presence_margin", "inconsistent", "others_decide"} <= set(known)
    assert not {"sharpness", "entropy_image", "distance", "omits_seen"} & set(known)


def test_models_predict_what_a_signal_shows_and_no_shuffled_target(watched: Warnings) -> None:
    doubt = watched.signals["clip"]["entropy_image"].to_numpy()
    rng = np.random.default_rng(0)
    failed = (doubt + 0.2 * rng.normal(size=len(doubt)) > np.median(doubt)).astype(float)
    targets = {"clip": pd.DataFrame(dict.fromkeys(TARGETS, failed))}
    signals = {"clip": watched.signals["clip"]}
    changed = Warnings(
        watched.pictures, watched.scene, watched.fold, signals, targets, watched.miou,
        watched.segmenter,
    )  # fmt: skip
    found = evaluate(changed, 50)
    single = found.single.set_index(["target", "signal"]).auc
    assert single.loc["omission", "entropy_image"] > 0.75
    models = found.models.set_index(["features", "protocol", "target"]).sort_index()
    plain = models.loc["all signals", "new scenes"]
    assert (plain.auc > 0.6).all() and (plain.low < plain.auc).all()
    control = models.loc["shuffled target", "new scenes"]
    assert ((control.low < 0.5) & (control.high > 0.5)).all()
    new = found.left_out["clip", "omission"]
    clean = (watched.pictures.family == "").to_numpy()
    assert np.isnan(new[clean]).all() and np.isfinite(new[~clean]).all()
    rows = refusals(changed, found, resamples=30).set_index(["target", "score"])
    best, ours, chance = (rows.aurc.loc["wrong call", n] for n in ("truth", "all signals", "order"))
    assert best < ours < chance
    drawn = curves(changed, found, "wrong call")
    ends = drawn[drawn.coverage == 1].risk
    assert ends.to_numpy() == pytest.approx(failed.mean())


def test_a_promise_is_tested_on_scenes_that_did_not_set_it(watched: Warnings) -> None:
    found = evaluate(watched, 20, ["all signals"])
    rows = conformal(watched, found, "wrong call", 0.5, rounds=10)
    assert set(rows["where"]) >= {"clean and mild", "LL2", "LL3", "MB3", "OCC3"}
    assert rows[["plain", "risk", "refused"]].stack().between(0, 1).all()
    assert (rows.risk <= rows.plain + 1e-12).all()
    assert conformal(watched, found, "wrong call", 1e-6).refused.eq(1).all()
