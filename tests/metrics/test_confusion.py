"""Confusion counts, compiled and not, against torchmetrics; the rest is in test_metrics."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import confusion_matrix
from torchmetrics.functional.classification import multiclass_confusion_matrix

from tests.helpers.maps import random_maps
from vlmis_utils.core.errors import UserError
from vlmis_utils.metrics import confusion as counts_of
from vlmis_utils.metrics.confusion import confusion, confusion_within


def maps(shape: tuple[int, ...], run: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Label maps with runs of about ``run`` pixels, some of them ignored, and a mask."""
    rng = np.random.default_rng(seed)
    size = int(np.prod(shape))

    def one(values: np.ndarray) -> np.ndarray:
        drawn = rng.choice(values, size // run + 1)
        return np.repeat(drawn, run)[:size].reshape(shape)

    ids = np.array([*range(19), 255], dtype=np.uint8)
    return one(ids), one(ids), one(np.array([False, True]))


def oracle(labels: np.ndarray, predictions: np.ndarray) -> np.ndarray:
    known = predictions != 255
    return multiclass_confusion_matrix(
        torch.from_numpy(predictions[known]).long(), torch.from_numpy(labels[known]).long(),
        num_classes=19, ignore_index=255,
    ).numpy()  # fmt: skip


@pytest.fixture(params=["compiled", "numpy"])
def way(request, monkeypatch) -> str:
    if request.param == "numpy":
        monkeypatch.setattr(counts_of, "_compiled", lambda: None)
    elif counts_of._compiled() is None:
        pytest.skip("numba does not work here")
    return request.param


@settings(max_examples=60, deadline=None)
@given(
    shape=st.one_of(
        st.tuples(st.integers(1, 70)),
        st.tuples(st.integers(1, 30), st.integers(1, 30)),
        st.tuples(st.integers(1, 3), st.integers(1, 9), st.integers(1, 9)),
    ),
    run=st.integers(1, 40),
    seed=st.integers(0, 999),
)
def test_counts_are_those_of_torchmetrics(shape, run, seed) -> None:
    labels, predictions, inside = maps(shape, run, seed)
    whole, part = confusion_within(labels, predictions, inside)
    assert whole.dtype == part.dtype == np.int64
    assert np.array_equal(whole, oracle(labels, predictions))
    assert np.array_equal(confusion(labels, predictions), whole)
    assert np.array_equal(part, oracle(labels[inside], predictions[inside]))
    slow = [counts_of._by_numpy(labels[at], predictions[at], 19) for at in (..., inside)]
    assert np.array_equal(slow, (whole, part))


def test_views_and_other_types(way: str) -> None:
    labels, predictions, inside = maps((61, 83), 7, 1)
    expected = oracle(labels[::2, 5:], predictions[::2, 5:])
    assert np.array_equal(confusion(labels[::2, 5:], predictions[::2, 5:]), expected)
    frozen = labels.copy()
    frozen.setflags(write=False)
    assert np.array_equal(confusion(frozen, predictions), oracle(labels, predictions))
    whole, part = confusion_within(labels.astype(int), predictions, inside)
    assert np.array_equal(whole, oracle(labels, predictions))
    assert np.array_equal(part, oracle(labels[inside], predictions[inside]))
    flat = np.frombuffer(b"\0" + labels.tobytes(), np.uint8)[1:]  # no word begins at an address / 8
    assert np.array_equal(confusion(flat, predictions.ravel()), oracle(labels, predictions))


def test_empty_maps_and_few_classes(way: str) -> None:
    none = np.zeros((0, 5), np.uint8)
    assert confusion(none, none).sum() == 0
    labels = np.array([0, 1, 1], np.uint8)
    assert confusion(labels, labels, classes=2).tolist() == [[1, 0], [0, 2]]


@pytest.mark.parametrize(
    ("labels", "predictions", "words"),
    [
        ([0, 19, 30], [0, 0, 0], "labels hold the id 30: use 0 to 18, or 255"),
        ([0, 1, 255], [0, 21, 40], "predictions hold the id 21"),
    ],
)
def test_an_unknown_id_is_named(labels, predictions, words, way) -> None:
    with pytest.raises(UserError, match=words):
        confusion(np.array(labels, np.uint8), np.array(predictions, np.uint8))


def test_shapes_must_agree() -> None:
    zeros = np.zeros((4, 4), np.uint8)
    with pytest.raises(UserError, match="differ in shape"):
        confusion_within(zeros, zeros, np.zeros((4, 5), dtype=bool))
    with pytest.raises(UserError, match="resize the predictions"):
        confusion(zeros, zeros[:2])


@pytest.mark.parametrize("seed", range(3))
def test_confusion_matches_scikit_learn_and_torchmetrics(seed: int) -> None:
    labels, predictions = random_maps(seed)
    counts = confusion(labels, predictions)
    assert counts.shape == (19, 19) and counts.dtype == np.int64
    known = labels != 255
    expected = confusion_matrix(labels[known], predictions[known], labels=range(19))
    assert np.array_equal(counts, expected)
    other = multiclass_confusion_matrix(
        torch.from_numpy(predictions).long(),
        torch.from_numpy(labels).long(),
        num_classes=19,
        ignore_index=255,
    )
    assert np.array_equal(counts, other.numpy())
    parts = sum(confusion(a, b) for a, b in zip(labels, predictions, strict=True))
    assert np.array_equal(counts, parts)
    assert np.array_equal(confusion(predictions, labels), counts.T)


def test_ignore_is_left_out_on_both_sides() -> None:
    labels, predictions = np.array([0, 1, 255, 2, 255]), np.array([0, 255, 1, 2, 255])
    counts = confusion(labels, predictions)
    assert counts.sum() == 2 and counts[0, 0] == counts[2, 2] == 1


def test_torch_maps_are_taken_too() -> None:
    labels, predictions = random_maps(2)
    counts = confusion(torch.from_numpy(labels), torch.from_numpy(predictions))
    assert np.array_equal(counts, confusion(labels, predictions))
