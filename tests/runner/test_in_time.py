"""Rows of frames: the same however a task is cut, and a running mean that is one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
import torch

from vlmis_utils.protocol.timing import InTime
from vlmis_utils.runner.in_time import placed, with_history
from vlmis_utils.runner.segmenting_in_time import predictions

HEIGHT, WIDTH = 4, 6


@dataclass(frozen=True)
class Frame:
    sequence: str
    frame: int

    @property
    def in_time(self) -> InTime:
        return InTime(self.sequence, self.frame, self.frame / 4)

    def pixels_before(self) -> np.ndarray | None:
        if self.frame == 0:
            return None
        there = np.arange(HEIGHT * WIDTH).reshape(HEIGHT, WIDTH)
        return np.where(there % 3 == 0, -1, np.roll(there, 1, 1))


class Model:
    """Two classes; the score of the second is the red channel less a half."""

    def scores(self, images: torch.Tensor) -> torch.Tensor:
        red = images[:, 0].float() / 255 - 0.5
        return torch.stack([torch.zeros_like(red), red], 1)

    def labels_of(self, scores: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
        return scores.argmax(1).to(torch.uint8)


class LabelsAlone:
    def predict(self, images: torch.Tensor) -> torch.Tensor:
        return (images[:, 0] > 127).to(torch.uint8)


SCENES = [Frame(s, n) for s in "ab" for n in range(5)]
PICTURES = torch.randint(
    0, 256, (10, 3, HEIGHT, WIDTH), dtype=torch.uint8, generator=torch.Generator().manual_seed(1)
)


def run(model: object, start: int, stop: int) -> list:
    scenes, before = with_history(SCENES, start, stop)
    pairs = ((s, PICTURES[SCENES.index(s)]) for s in scenes)
    return list(predictions(model, pairs, 0.5))[before:]


def test_a_task_that_starts_in_mid_sequence_gives_the_same_rows() -> None:
    whole = run(Model(), 0, 10)
    for start, stop in ((0, 3), (3, 7), (7, 10), (9, 10)):
        for part, all_of in zip(run(Model(), start, stop), whole[start:stop], strict=True):
            assert np.array_equal(part.labels, all_of.labels)
            assert np.array_equal(part.smoothed, all_of.smoothed)
            assert (part.flips, part.raw_flips) == (all_of.flips, all_of.raw_flips)


def test_the_running_mean_and_the_flips_by_hand() -> None:
    found = run(Model(), 5, 10)
    red = PICTURES[5:10, 0].numpy() / 255 - 0.5
    mean = red[0]
    for n, one in enumerate(found):
        mean = red[n] if n == 0 else 0.5 * red[n] + 0.5 * mean
        assert np.array_equal(one.labels, red[n] > 0)
        assert np.array_equal(one.smoothed, mean > 0)
    assert found[0].flips is None and found[0].raw_flips is None
    there = np.arange(HEIGHT * WIDTH).reshape(HEIGHT, WIDTH)
    kept = there % 3 > 0
    differ = (red[1] > 0) != np.roll(red[0] > 0, 1, 1)
    assert found[1].flips[:2] == [int(kept.sum()), int(differ[kept].sum())]
    assert found[1].raw_flips[:2] == [kept.size, int(((red[1] > 0) != (red[0] > 0)).sum())]


def test_a_model_of_labels_alone_has_no_running_mean() -> None:
    found = run(LabelsAlone(), 0, 3)
    assert all(one.smoothed is None for one in found)
    assert len(found[1].flips) == 2 and found[0].flips is None


@pytest.mark.parametrize("start", range(10))
def test_history_is_of_one_sequence(start: int) -> None:
    scenes, before = with_history(SCENES, start, start + 1)
    assert scenes[before:] == [SCENES[start]] and before == SCENES[start].frame
    assert {s.sequence for s in scenes} == {SCENES[start].sequence}


def test_single_pictures_have_no_place() -> None:
    assert placed(object()) == {} and placed(SCENES[6]) == {"sequence": "b", "frame": 1}
