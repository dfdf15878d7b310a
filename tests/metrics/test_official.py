"""IoU and mIoU against the official Cityscapes evaluator, on files in the official layout."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from cityscapesscripts.evaluation import evalPixelLevelSemanticLabeling as evaluator
from cityscapesscripts.helpers import labels as official

from tests.helpers.miniature import save
from vlmis_utils.datasets.cityscapes import LABEL_IDS, TRAIN_IDS
from vlmis_utils.datasets.registry import open_dataset
from vlmis_utils.metrics import segmentation
from vlmis_utils.metrics.confusion import confusion
from vlmis_utils.protocol.classes import IGNORE, TRAIN_CLASSES

HEIGHT, WIDTH = 48, 96
OWN = np.array([own for own, train in TRAIN_IDS.items() if train != IGNORE])


def test_the_label_table_is_the_official_one() -> None:
    drawn = {label.id: label for label in official.labels if label.id >= 0}
    assert {number: name for number, name in enumerate(LABEL_IDS)} == {
        number: label.name for number, label in drawn.items()
    }
    for number, train in TRAIN_IDS.items():
        assert drawn[number].trainId == train
        assert drawn[number].ignoreInEval == (train == IGNORE)
        if train != IGNORE:
            assert drawn[number].name == TRAIN_CLASSES[train]


def write(root: Path, truths: list[np.ndarray], outputs: list[np.ndarray]) -> tuple[list, list]:
    """Write ground truth (label ids), images and predictions (label ids); return their paths."""
    predicted, true = [], []
    for number, (truth, output) in enumerate(zip(truths, outputs, strict=True)):
        stem = f"bonn_{number:06d}_000019"
        image = root / f"leftImg8bit/val/bonn/{stem}_leftImg8bit.png"
        save(np.zeros((*truth.shape, 3), np.uint8), image)
        true.append(str(root / f"gtFine/val/bonn/{stem}_gtFine_labelIds.png"))
        predicted.append(str(root / f"results/{stem}_pred.png"))
        save(truth, Path(true[-1]))
        save(output, Path(predicted[-1]))
    return predicted, true


def judged(predicted: list[str], true: list[str]) -> dict:
    """Return what the official evaluator makes of them."""
    args = SimpleNamespace(
        evalInstLevelScore=False, evalPixelAccuracy=False, evalLabels=[], quiet=True,
        JSONOutput=False,
    )  # fmt: skip
    return evaluator.evaluateImgLists(predicted, true, args)


def ours(root: Path, outputs: list[np.ndarray]) -> np.ndarray:
    """Return the confusion of train ids over the same scenes, as the engine adds it up."""
    table = np.array([TRAIN_IDS[own] for own in range(len(LABEL_IDS))], np.uint8)
    scenes = open_dataset("cityscapes", root=root, split="val")
    return sum(
        confusion(scene.labels(), table[output])
        for scene, output in zip(scenes, outputs, strict=True)
    )


def made_up(seed: int, known: np.ndarray, skill: float) -> tuple[list, list]:
    """Return label maps of all 34 official ids and predictions of evaluated classes."""
    rng = np.random.default_rng(seed)
    truths, outputs = [], []
    for _ in range(4):
        blocks = rng.choice(known, (HEIGHT // 4, WIDTH // 4)).astype(np.uint8)
        truth = np.kron(blocks, np.ones((4, 4), np.uint8))
        guess = rng.choice(OWN, truth.shape).astype(np.uint8)
        right = (rng.random(truth.shape) < skill) & np.isin(truth, OWN)
        truths.append(truth)
        outputs.append(np.where(right, truth, guess))
    return truths, outputs


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("skill", [0.0, 0.6, 1.0])
def test_iou_and_miou_are_those_of_the_official_evaluator(
    tmp_path: Path, seed: int, skill: float
) -> None:
    truths, outputs = made_up(seed, np.arange(len(LABEL_IDS)), skill)
    theirs = judged(*write(tmp_path, truths, outputs))
    counts = ours(tmp_path, outputs)
    scores = [theirs["classScores"][name] for name in TRAIN_CLASSES]
    np.testing.assert_allclose(segmentation.iou(counts), scores, rtol=0, atol=1e-12)
    assert segmentation.miou(counts) == pytest.approx(theirs["averageScoreClasses"], abs=1e-12)


def test_a_class_that_is_only_predicted_is_a_zero_for_them_and_left_out_by_us(
    tmp_path: Path,
) -> None:
    """On the whole validation split, which has every class, the two means are the same."""
    absent = {OWN[-1], OWN[-3]}
    known = np.array([own for own in range(len(LABEL_IDS)) if own not in absent])
    truths, outputs = made_up(0, known, 0.6)
    theirs = judged(*write(tmp_path, truths, outputs))
    counts = ours(tmp_path, outputs)
    scores = np.array([theirs["classScores"][name] for name in TRAIN_CLASSES])
    np.testing.assert_allclose(segmentation.iou(counts), scores, atol=1e-12)
    assert np.mean(scores) == pytest.approx(theirs["averageScoreClasses"])
    assert segmentation.miou(counts) == pytest.approx(scores[counts.sum(1) > 0].mean())
    assert segmentation.miou(counts) > theirs["averageScoreClasses"]


def test_a_class_in_neither_is_not_averaged_by_either(tmp_path: Path) -> None:
    some = OWN[:5]
    rng = np.random.default_rng(0)
    truths = [rng.choice(some, (HEIGHT, WIDTH)).astype(np.uint8)]
    outputs = [rng.choice(some, (HEIGHT, WIDTH)).astype(np.uint8)]
    theirs = judged(*write(tmp_path, truths, outputs))
    counts = ours(tmp_path, outputs)
    scores = [theirs["classScores"][name] for name in TRAIN_CLASSES]
    np.testing.assert_allclose(segmentation.iou(counts), scores, atol=1e-12)
    assert segmentation.miou(counts) == pytest.approx(theirs["averageScoreClasses"], abs=1e-12)
