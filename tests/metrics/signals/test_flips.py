"""What changes under a mirror: nothing for who sees pixels alone, all that differs in a loop."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from vlmis_utils.metrics.signals.flips import flips, mirrored
from vlmis_utils.protocol.image_corridor import corridor_mask


def test_who_judges_each_pixel_alone_never_changes() -> None:
    generator = torch.Generator().manual_seed(0)
    maps = torch.randint(0, 19, (2, 20, 30), dtype=torch.uint8, generator=generator)
    for own in flips(maps.numpy(), mirrored(maps).numpy()):
        assert own == {"flip_image": 0, "flip_corridor": 0, "flip_critical": 0}


def test_shares_are_those_of_a_loop() -> None:
    rng = np.random.default_rng(0)
    plain, turned = (rng.integers(9, 13, (1, 20, 30)).astype(np.uint8) for _ in range(2))
    changed, critical = np.zeros((20, 29), bool), np.zeros((20, 29), bool)
    for row in range(20):
        for column in range(1, 30):
            one, other = plain[0, row, column], turned[0, row, 30 - column]
            changed[row, column - 1] = one != other
            critical[row, column - 1] = bool({one, other} & {6, 7, 11, 12})
    (own,) = flips(plain, turned)
    assert own["flip_image"] == pytest.approx(changed.mean())
    assert own["flip_corridor"] == pytest.approx(changed[corridor_mask(20, 30)[:, 1:]].mean())
    assert own["flip_critical"] == pytest.approx(changed[critical].mean())


def test_without_a_critical_class_there_is_no_share() -> None:
    road = np.zeros((1, 20, 30), np.uint8)
    assert flips(road, road)[0]["flip_critical"] is None
