"""Corruptions over a sequence: what is fixed, what is new in each frame, and when it begins."""

from __future__ import annotations

import pytest
import torch

from vlmis_utils.corruptions.corrupt import corrupt
from vlmis_utils.corruptions.in_time import degrade_frames, occluder_at
from vlmis_utils.protocol.conditions import NOISE_SIGMA
from vlmis_utils.protocol.safety_label import SPEED
from vlmis_utils.protocol.timing import InTime, Timing, condition_at

FRAMES = [InTime("a", n, n / 4, speed) for n, speed in enumerate((SPEED, SPEED / 2, 0.0, None))]
NAMES = [f"a/{n}" for n in range(4)]


def street(count: int = 4) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    one = torch.randint(0, 256, (1, 3, 32, 64), dtype=torch.uint8, generator=generator)
    return one.repeat(count, 1, 1, 1)


ALWAYS = Timing()


def seen(condition: str, timing: Timing = ALWAYS, part: slice = slice(None)) -> torch.Tensor:
    return degrade_frames(
        street()[part], condition, FRAMES[part], timing, scene_ids=NAMES[part],
        noise_sigma=NOISE_SIGMA,
    )  # fmt: skip


@pytest.mark.parametrize("condition", ["clean", "LL2", "MB3", "OCC1"])
def test_a_frame_does_not_depend_on_its_batch(condition: str) -> None:
    whole = seen(condition, Timing("ramp", 0.25, "speed", "moving"))
    for n in range(4):
        alone = seen(condition, Timing("ramp", 0.25, "speed", "moving"), slice(n, n + 1))
        assert torch.equal(alone[0], whole[n])


def test_noise_is_new_in_every_frame_and_the_lens_keeps_its_dirt() -> None:
    noisy = seen("LL3")
    assert not torch.equal(noisy[0], noisy[1])
    dirty = seen("OCC3")
    assert all(torch.equal(dirty[0], frame) for frame in dirty[1:])


def test_a_moving_occluder_moves_and_stays_inside() -> None:
    moving = Timing(occluder="moving")
    boxes = [occluder_at("OCC2", InTime("a", n, n / 8), moving, 32, 64, 0) for n in range(48)]
    assert len({left for _, left, _, _ in boxes}) > 10
    for top, left, tall, wide in boxes:
        assert 0 <= left < left + wide <= 64 and wide >= 1
        assert (top, tall) == (boxes[0][0], boxes[0][2])


def test_blur_goes_with_the_speed() -> None:
    fixed, fast = seen("MB3"), seen("MB3", Timing(blur="speed"))
    assert torch.equal(fast[0], fixed[0])  # at 30 km/h
    assert torch.equal(fast[2], street()[2])  # a car that stands takes sharp pictures
    change = [(f.float() - s.float()).abs().mean() for f, s in zip(fast, street(), strict=True)]
    assert change[0] > change[1] > change[2] == 0
    assert torch.equal(fast[3], fixed[3])  # where the speed is not known


def test_a_step_is_clean_before_and_whole_after() -> None:
    step = seen("MB2", Timing("step", 0.5))
    assert torch.equal(step[:2], street()[:2])
    assert torch.equal(step[2:], corrupt(street()[2:], "MB2", scene_ids=NAMES[2:]))


def test_a_ramp_climbs_and_ends_at_its_severity() -> None:
    ramp = Timing("ramp", 1.0)
    for severity in (1, 2, 3):
        levels = [condition_at(f"OCC{severity}", t / 20, ramp) for t in range(80)]
        numbers = [0 if name == "clean" else int(name[-1]) for name in levels]
        assert numbers == sorted(numbers) and set(numbers) == set(range(severity + 1))
        assert levels[19] == "clean" and levels[20] == "OCC1"


def test_clean_and_blank_have_no_onset() -> None:
    assert condition_at("clean", 9.0, Timing("step")) == "clean"
    assert condition_at("blank", 0.0, Timing("step")) == "blank"
    assert occluder_at("blank", FRAMES[0], Timing(), 32, 64, 0) is None


@pytest.mark.parametrize("timing", [Timing("step", 0.5), Timing("ramp", 0.25, "speed", "moving")])
@pytest.mark.parametrize("condition", ["LL3", "MB3", "OCC3"])
def test_an_onset_shows_the_pictures_of_conditions_that_hold_throughout(
    condition: str, timing: Timing
) -> None:
    """So what is recorded of those stands for it: `analysis.sequences.onset`."""
    shown, always = seen(condition, timing), Timing("none", 0.0, timing.blur, timing.occluder)
    for n, frame in enumerate(FRAMES):
        now = condition_at(condition, frame.time, timing)
        assert torch.equal(shown[n], seen(now, always, slice(n, n + 1))[0])
