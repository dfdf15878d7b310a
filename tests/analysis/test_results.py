"""Result frames against values worked out by hand from a handful of answers."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import balanced_accuracy_score, jaccard_score

from tests.helpers import fakes
from vlmis_utils.analysis.results import Results
from vlmis_utils.metrics import baselines
from vlmis_utils.metrics.language import f1_terms, indicators
from vlmis_utils.metrics.per_image import Reading
from vlmis_utils.protocol.classes import (
    LANGUAGE_CLASSES,
    OBJECT_CLASSES,
    TRAIN_CLASSES,
)
from vlmis_utils.protocol.prompts import PROMPTS
from vlmis_utils.records.store import BLANK, Store
from vlmis_utils.runner import run

AREA = 100 * 100
CAR, PERSON, SIGN = (TRAIN_CLASSES.index(c) for c in ("car", "person", "traffic sign"))


def counts(**pixels: int) -> list[int]:
    found = np.zeros(19, dtype=int)
    for name, number in pixels.items():
        found[TRAIN_CLASSES.index(name.replace("_", " "))] = number
    return found.tolist()


# Three scenes, one model, two conditions: what is there, what is said, what is decided.
SCENES = {
    "a": (counts(road=5000, car=500, person=100), True),
    "b": (counts(road=5000, car=500, person=3), False),  # the person is below min_share
    "c": (counts(road=9000), False),
}
SAID = {
    ("clean", "a"): ("A car and a person.", "It is safe."),
    ("clean", "b"): ("A car, a bus, possibly a truck.", "Stop, it is not safe."),
    ("clean", "c"): ("No cars, no people.", "I cannot tell."),
    ("OCC3", "a"): ("A car.", "It is unsafe."),
    ("OCC3", "b"): ("", "It is safe."),
    ("OCC3", "c"): ("A bus.", "It is safe."),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    store = Store(tmp_path)
    scenes = [
        {
            "scene_id": name, "dataset": "streetworld", "split": "test", "height": 100,
            "width": 100, "pixel_counts": pixels, "safe": safe, "safety_reason": "",
            "image_sha256": "", "labels_sha256": "", "corridor_counts": pixels,
        }
        for name, (pixels, safe) in SCENES.items()
    ]  # fmt: skip
    conditions, answers, segmentation = [], [], []
    for (condition, name), (said, decided) in SAID.items():
        pixels = list(SCENES[name][0])
        if (condition, name) == ("OCC3", "a"):
            pixels[PERSON] = 0  # fully hidden
        conditions.append(
            {
                "scene_id": name, "condition": condition, "psnr": None, "occluder": None,
                "visible_counts": pixels, "image_sha256": "",
            }
        )  # fmt: skip
        for prompt in PROMPTS:
            text = {"describe": said, "safety": decided}.get(prompt.name, "Yes.")
            answers.append(
                {
                    "vlm": "talker", "scene_id": name, "condition": condition,
                    "prompt": prompt.name, "text": text, "labels": [], "scores": [], "seconds": 0.1,
                    "p_yes": None, "p_no": None,
                }
            )  # fmt: skip
        matrix = np.zeros((19, 19), dtype=int)
        matrix[0, 0], matrix[CAR, CAR], matrix[CAR, SIGN] = 80, 15, 5
        if condition == "OCC3":
            matrix[0, CAR] = 20
        segmentation.append(
            {
                "segmenter": "blocks", "scene_id": name, "condition": condition,
                "confusion": matrix.ravel(), "corridor_confusion": matrix.ravel(), "seconds": 0.1,
            }
        )  # fmt: skip
    frames = {
        "scenes": scenes, "conditions": conditions, "answers": answers,
        "segmentation": segmentation,
    }  # fmt: skip
    for table, rows in frames.items():
        store.write(table, "all", pd.DataFrame(rows), {})
        store.consolidate(table, ["all"])
    return tmp_path / "records"


def test_language_metrics_by_hand(folder: Path) -> None:
    rows = Results(folder, bootstrap=50).vlm_by_condition().set_index("condition")
    clean, hidden = rows.loc["clean"], rows.loc["OCC3"]
    assert clean.hr == pytest.approx((0 + 1 / 2 + 0) / 3, abs=1e-5)
    assert clean.cor == 0 and hidden.cor == pytest.approx(1 / 3)
    assert hidden.cor_conditional == 1 and hidden.n_critical == 1
    assert hidden.cor_visible == 0  # nobody could have seen that person
    assert hidden.hr == pytest.approx(1 / 3, abs=1e-5)
    assert clean.smr == pytest.approx(1 / 3) and clean.abstained == pytest.approx(1 / 3)
    assert clean.parse_success == pytest.approx(2 / 3)
    assert hidden.smr == 1
    assert hidden.false_alarm == pytest.approx(1 / 3) and hidden.false_safe == pytest.approx(2 / 3)
    assert clean.mentions == pytest.approx((2 + 2 + 0) / 3)
    assert clean.coverage == 1 and hidden.coverage == pytest.approx((1 / 2 + 0) / 2)
    assert clean.f1 == pytest.approx((1 + 2 / 3 + 1) / 3)
    assert hidden.delta_cor == pytest.approx(1 / 3) and clean.delta_cor == 0
    assert clean.safety_balanced_accuracy == pytest.approx((1 + 1 / 2) / 2)


@pytest.mark.parametrize(
    ("reading", "hr"),
    [
        ({"count_hedged": True}, (0 + 2 / 3 + 0) / 3),
        ({"parser": "keyword"}, (0 + 2 / 3 + 1) / 3),
        ({"epsilon": 1.0}, (0 + 1 / 3 + 0) / 3),
    ],
)
def test_how_answers_are_read_is_a_parameter(folder: Path, reading: dict, hr: float) -> None:
    rows = Results(folder, bootstrap=50, **reading).vlm_by_condition().set_index("condition")
    assert rows.hr["clean"] == pytest.approx(hr, abs=1e-5)


def test_what_is_present_and_critical_are_parameters(folder: Path) -> None:
    everyone = Results(folder, bootstrap=50, min_share=0.0001).vlm_by_condition()
    assert everyone.set_index("condition").n_critical["clean"] == 2
    cars = Results(folder, bootstrap=50, critical_classes=["car"]).vlm_by_condition()
    assert cars.set_index("condition").cor["OCC3"] == pytest.approx(1 / 3)


def test_parts_add_up_and_intervals_enclose(folder: Path) -> None:
    rows = Results(folder, bootstrap=200).vlm_by_condition()
    assert np.allclose(rows.smr, rows.false_safe + rows.false_alarm + rows.abstained)
    for name in baselines.MEANS:
        assert (rows[f"{name}_low"] <= rows[name] + 1e-12).all()
        assert (rows[name] <= rows[f"{name}_high"] + 1e-12).all()


def test_segmentation_by_hand(folder: Path) -> None:
    rows = Results(folder, bootstrap=50).segmentation_by_condition().set_index("condition")
    clean, hidden = rows.loc["clean"], rows.loc["OCC3"]
    assert clean.iou_road == 1 and clean.iou_car == pytest.approx(15 / 20)
    assert clean["iou_traffic sign"] == 0 and np.isnan(clean.iou_bus)
    assert clean.miou == pytest.approx((1 + 0.75) / 2) == clean.miou_image_mean
    assert clean.pixel_accuracy == pytest.approx(95 / 100)
    assert hidden.iou_car == pytest.approx(15 / 40)
    assert hidden.delta_miou == pytest.approx(clean.miou - hidden.miou)


def test_iou_agrees_with_scikit_learn(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    truth, output = rng.integers(0, 19, (2, 4000))
    matrix = np.zeros((19, 19), dtype=int)
    np.add.at(matrix, (truth, output), 1)
    row = {
        "segmenter": "s", "scene_id": "a", "condition": "clean", "confusion": matrix.ravel(),
        "corridor_confusion": matrix.ravel(), "seconds": 0.1,
    }  # fmt: skip
    store = Store(tmp_path)
    store.write("segmentation", "k", pd.DataFrame([row]), {})
    store.consolidate("segmentation", ["k"])
    noted = json.dumps({"annotated_classes": LANGUAGE_CLASSES})
    (tmp_path / "records" / "run.json").write_text(noted)
    frame = Results(tmp_path / "records", bootstrap=10).segmentation_by_condition()
    assert frame.miou[0] == pytest.approx(jaccard_score(truth, output, average="macro"))
    assert frame.pixel_accuracy[0] == pytest.approx((truth == output).mean())


def test_classes_that_are_not_annotated_have_no_iou(folder: Path) -> None:
    """A predicted traffic sign counts against the car it was taken from, not as a class at 0."""
    whole = Results(folder, bootstrap=10).segmentation_by_condition()
    assert whole["iou_traffic sign"][0] == 0
    noted = json.dumps({"annotated_classes": ["road", "car", "pedestrian"]})
    (folder / "run.json").write_text(noted)
    results = Results(folder, bootstrap=10)
    frame = results.segmentation_by_condition()
    assert np.isnan(frame["iou_traffic sign"][0]) and frame.iou_car[0] == 0.75
    assert frame.miou[0] == whole.miou[0] == pytest.approx((1 + 0.75) / 2)
    assert results.reading.vocabulary == ("pedestrian", "car")


def test_presence_against_scikit_learn(folder: Path) -> None:
    results = Results(folder, bootstrap=10)
    rows = results.presence().set_index(["condition", "class"])
    answers = results.presence_answers()
    part = answers[(answers.condition == "clean") & (answers["class"] == "car")]
    expected = balanced_accuracy_score(part.truth, part.word == "yes")
    assert rows.balanced_accuracy["clean", "car"] == pytest.approx(expected) == 0.5
    assert rows.auc["clean", "car"] == 0.5 and rows.yes_share["clean", "car"] == 1
    assert np.isnan(rows.auc["clean", "bus"])  # no scene has one
    means = results.presence_by_condition().set_index("condition")
    assert means.classes["clean"] == 2 and means.balanced_accuracy["clean"] == 0.5


def test_baselines_never_look(folder: Path) -> None:
    rows = Results(folder, bootstrap=10).baselines().set_index("baseline")
    assert rows.cor["names every class"] == 0 and rows.hr["says nothing"] == 0
    assert rows.coverage["names every class"] == 1 and rows.coverage["says nothing"] == 0
    assert rows.smr["always safe"] == pytest.approx(2 / 3)
    assert rows.smr["always unsafe"] == pytest.approx(1 / 3)
    assert (rows.safety_balanced_accuracy.dropna() == 0.5).all()
    best = rows.loc["best constant caption"]
    assert best.f1 == rows.f1.max() and best.caption == "car"


def test_the_best_caption_beats_all_others() -> None:
    rng = np.random.default_rng(0)
    vocabulary = OBJECT_CLASSES[:5]
    scenes = [frozenset(c for c in vocabulary if rng.random() < 0.4) for _ in range(30)]
    best = baselines.best_caption(scenes, vocabulary)

    def mean_f1(caption: frozenset[str]) -> float:
        return f1_terms(*indicators([caption] * len(scenes), scenes)).mean()

    score = mean_f1(best)
    for _ in range(200):
        other = frozenset(c for c in vocabulary if rng.random() < 0.5)
        assert mean_f1(other) <= score + 1e-12


def test_pairs_join_quality_and_misalignment(folder: Path) -> None:
    results = Results(folder, bootstrap=10)
    assert len(results.pairs()) == 2
    assert {"miou", "delta_miou", "hr", "delta_hr", "smr"} <= set(results.pairs())


def test_frames_are_copies(folder: Path) -> None:
    results = Results(folder, bootstrap=10)
    results.vlm_by_condition().loc[:, "hr"] = 9.0
    assert (results.vlm_by_condition().hr < 9).all()


def test_a_whole_run_reads_back(tmp_path: Path) -> None:
    study = fakes.make_study(tmp_path, 4)
    run.run(study, loaders=fakes.LOADERS)
    results = Results(study.records, bootstrap=20, top_k=2)
    rows = results.vlm_by_condition().set_index(["vlm", "condition"])
    assert set(rows.index.get_level_values("condition")) == {*study.conditions, BLANK}
    assert (rows.loc["scorer"].mentions <= 2).all()
    # CamVid annotates neither bicycles nor trucks: they are left out of the vocabulary
    assert set(results.reading.vocabulary) == {"pedestrian", "cyclist", "car", "traffic sign"}
    assert BLANK not in set(results.pairs().condition)


def test_reading_scores_takes_the_best(tmp_path: Path) -> None:
    answer = fakes.FakeVlm("scorer")._one(50.0, "describe")
    assert Reading(top_k=3).mentions(answer) == frozenset(OBJECT_CLASSES[:3])
    word, score = Reading().presence(fakes.FakeVlm("scorer")._one(50.0, "presence/car"), "car")
    assert word == "yes" and score == pytest.approx(10)
