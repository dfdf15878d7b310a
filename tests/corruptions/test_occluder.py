"""The occluder: its area, its place, and three severities one inside the other."""

from __future__ import annotations

import unicodedata

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from vlmis_utils.core.errors import UserError
from vlmis_utils.corruptions.corrupt import corrupt
from vlmis_utils.corruptions.occluder import occluder
from vlmis_utils.protocol.conditions import condition_row

SIZES = [(256, 512), (360, 480), (1024, 2048), (512, 256), (64, 64), (9, 300), (300, 9)]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("severity", [1, 2, 3])
def test_it_has_its_area_and_lies_inside(size: tuple[int, int], severity: int) -> None:
    height, width = size
    share = condition_row(f"OCC{severity}").share
    for number in range(50):
        top, left, tall, wide = occluder(f"scene {number}", severity, height, width, seed=number)
        assert top >= 0 and left >= 0 and tall >= 1 and wide >= 1
        assert top + tall <= height and left + wide <= width
        assert abs(tall * wide - share * height * width) <= wide / 2 + 0.5


@settings(max_examples=400, deadline=None, derandomize=True)
@given(
    name=st.text(max_size=8), seed=st.integers(0, 2**40), height=st.integers(1, 400),
    width=st.integers(1, 700),
)  # fmt: skip
def test_a_severity_hides_all_that_the_one_before_it_hides(
    name: str, seed: int, height: int, width: int
) -> None:
    hidden = []
    for severity in (1, 2, 3):
        top, left, tall, wide = occluder(name, severity, height, width, seed)
        assert 0 <= top and top + tall <= height and 0 <= left and left + wide <= width
        area = condition_row(f"OCC{severity}").share * height * width
        slack = wide / 2 + 1 if min(height, width) > 22 else 1.5 * wide + tall + 1
        assert abs(tall * wide - area) <= slack
        mask = np.zeros((height, width), bool)
        mask[top : top + tall, left : left + wide] = True
        hidden.append(mask)
    assert not (hidden[0] & ~hidden[1]).any() and not (hidden[1] & ~hidden[2]).any()


@pytest.mark.parametrize("size", SIZES)
def test_the_centre_moves_only_where_the_frame_demands_it(size: tuple[int, int]) -> None:
    height, width = size
    kept = 0
    for number in range(200):
        first = occluder(f"s{number}", 1, height, width)
        for severity in (2, 3):
            box = occluder(f"s{number}", severity, height, width)
            for side, frame in ((0, height), (1, width)):
                start, length = box[side], box[side + 2]
                gap = (start + length / 2) - (first[side] + first[side + 2] / 2)
                if start > 0 and start + length < frame:
                    kept += 1
                    assert abs(gap) <= 0.5
                elif abs(gap) > 0.5:  # it touches the frame, and moved away from it
                    assert (gap > 0) == (start == 0) or start + length == frame
    assert kept > 100 or min(size) == 9


def test_it_spreads_over_places_and_shapes() -> None:
    boxes = np.array([occluder(f"s{n}", 1, 256, 512) for n in range(2000)], dtype=float)
    top, left, tall, wide = boxes.T
    down, across = top / (256 - tall + 1), left / (512 - wide + 1)
    assert stats.kstest(down, "uniform").pvalue > 1e-4
    assert stats.kstest(across, "uniform").pvalue > 1e-4
    aspect = np.log2(wide / tall)
    assert stats.kstest(aspect, "uniform", args=(-1, 2)).pvalue > 1e-4
    assert -1.05 < aspect.min() < -0.9 and 0.9 < aspect.max() < 1.05
    assert abs(np.corrcoef(down, across)[0, 1]) < 0.1
    assert abs(np.corrcoef(down, aspect)[0, 1]) < 0.1
    other = np.array([occluder(f"s{n}", 1, 256, 512, seed=1) for n in range(2000)])
    assert (boxes != other).any(axis=1).mean() > 0.99


def test_severities_share_one_shape() -> None:
    for number in range(200):
        boxes = [occluder(f"s{number}", severity, 1024, 2048) for severity in (1, 2, 3)]
        aspects = [wide / tall for _, _, tall, wide in boxes]
        assert max(aspects) / min(aspects) < 1.01


@pytest.mark.parametrize("name", ["zürich_000001", "Ōsaka/한국", "Å", "한국-é"])
def test_a_name_in_any_normal_form_is_one_scene(name: str) -> None:
    forms = {unicodedata.normalize(form, name) for form in ("NFC", "NFD")}
    grey = torch.full((1, 3, 40, 60), 90, dtype=torch.uint8)
    for condition in ("OCC1", "OCC3", "LL2"):
        made = [corrupt(grey, condition, scene_ids=[form]) for form in forms]
        assert all(torch.equal(made[0], one) for one in made)
    assert len({occluder(form, 2, 300, 500) for form in forms}) == 1
    assert occluder(name, 2, 300, 500) != occluder(f"{name}x", 2, 300, 500)


def test_an_unknown_severity_and_an_empty_frame_are_named() -> None:
    with pytest.raises(UserError, match="severity"):
        occluder("a", 4, 10, 10)
    with pytest.raises(UserError, match="no room"):
        occluder("a", 1, 0, 10)
