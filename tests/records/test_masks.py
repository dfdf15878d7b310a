"""Masks kept beside the counts: what is drawn is what was predicted."""

from __future__ import annotations

import io

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from vlmis_utils.protocol.classes import PALETTE, TRAIN_CLASSES
from vlmis_utils.records.masks import NO_CLASS, mask_png

MAPS = arrays(
    np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9)),
    elements=st.sampled_from([*range(len(TRAIN_CLASSES)), 255]),
)  # fmt: skip


def opened(labels: np.ndarray, **options: int) -> Image.Image:
    return Image.open(io.BytesIO(mask_png(labels, **options)))


@given(MAPS)
def test_a_mask_holds_the_train_ids_and_shows_their_colours(labels: np.ndarray) -> None:
    picture = opened(labels)
    kept = np.array(picture)
    assert np.array_equal(kept, np.where(labels == 255, NO_CLASS, labels))
    shown = np.array(picture.convert("RGBA"))
    known = labels != 255
    assert np.array_equal(shown[known][:, :3], PALETTE[labels[known]])
    assert (shown[known][:, 3] == 255).all() and (shown[~known][:, 3] == 0).all()


@given(MAPS, st.integers(1, 9))
def test_a_large_map_is_thinned_evenly(labels: np.ndarray, longest: int) -> None:
    kept = np.array(opened(labels, longest=longest))
    assert max(kept.shape) <= longest
    step = next(k for k in range(1, 10) if np.array_equal(
        kept, np.minimum(labels[::k, ::k], NO_CLASS)))  # fmt: skip
    assert step == 1 or max(labels[:: step - 1, :: step - 1].shape) > longest
