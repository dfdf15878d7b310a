"""IoU, mIoU, recall and accuracy against scikit-learn and cases by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, jaccard_score, recall_score

from tests.helpers.maps import random_maps
from vlmis_utils.metrics import segmentation
from vlmis_utils.metrics.confusion import confusion


@pytest.mark.parametrize("seed", range(3))
def test_iou_and_accuracy_match_scikit_learn(seed: int) -> None:
    labels, predictions = random_maps(seed)
    known = labels != 255
    counts = confusion(labels, predictions)
    truth, guess = labels[known], predictions[known]
    expected = jaccard_score(truth, guess, labels=range(19), average=None)
    assert segmentation.iou(counts) == pytest.approx(expected)
    assert segmentation.miou(counts) == pytest.approx(expected.mean())
    assert segmentation.pixel_accuracy(counts) == pytest.approx(accuracy_score(truth, guess))


def test_iou_without_union_is_nan_and_a_class_only_predicted_is_not_averaged() -> None:
    counts = np.zeros((4, 4), dtype=int)
    counts[0, 0], counts[0, 2], counts[1, 1] = 6, 2, 4
    scores = segmentation.iou(counts)
    assert scores[:3].tolist() == [0.75, 1.0, 0.0] and math.isnan(scores[3])
    assert segmentation.miou(counts) == 0.875
    assert segmentation.pixel_accuracy(counts) == pytest.approx(10 / 12)


def test_leading_axes_and_image_means() -> None:
    labels, predictions = random_maps(8)
    counts = np.stack(
        [confusion(a, b) for a, b in zip(labels, predictions, strict=True)]
        + [np.zeros((19, 19), dtype=np.int64)]
    )
    each = [segmentation.miou(matrix) for matrix in counts]
    assert segmentation.miou(counts) == pytest.approx(each, nan_ok=True)
    assert math.isnan(each[-1])
    assert segmentation.miou_image_mean(counts) == pytest.approx(np.mean(each[:-1]))
    assert segmentation.iou(counts).shape == (4, 19)
    accuracies = [segmentation.pixel_accuracy(matrix) for matrix in counts]
    assert segmentation.pixel_accuracy(counts) == pytest.approx(accuracies, nan_ok=True)


def test_recall_matches_scikit_learn() -> None:
    labels, predictions = random_maps(4)
    known = labels != 255
    found = segmentation.class_recall(segmentation.class_counts(confusion(labels, predictions)))
    expected = recall_score(labels[known], predictions[known], labels=range(19), average=None)
    assert found == pytest.approx(expected)
