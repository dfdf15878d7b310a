"""Corruptions in time: how a condition of Table 1 becomes a condition of a whole sequence.

The noise of low light is new in every frame, as a sensor's is. The occluder is dirt on the lens,
fixed for the whole sequence, or it moves through the picture. Blur has the length of Table 1, or
one that goes with the speed of the ego car. And the degradation holds from the start, sets in at
once (``step``), or climbs through the lower severities (``ramp``).
"""

from __future__ import annotations

from dataclasses import dataclass

from vlmis_utils.protocol.conditions import BLANK, condition_row
from vlmis_utils.protocol.safety_label import SPEED

__all__ = ["BLURS", "OCCLUDERS", "ONSETS", "RAMP", "InTime", "Timing", "condition_at"]

ONSETS = ("none", "step", "ramp")
BLURS = ("fixed", "speed")
OCCLUDERS = ("lens", "moving")
RAMP = 1.5  # s that the severities of a ramp share equally; the last one stays
_CROSSING = 3.0  # s that a moving occluder takes from one side to the other


@dataclass(frozen=True)
class InTime:
    """Where a picture stands in its sequence.

    Attributes:
        sequence: unique name.
        frame: from 0.
        time: seconds since the first frame.
        speed: of the ego car, m/s; None where it is not known.
    """

    sequence: str
    frame: int
    time: float
    speed: float | None = None


@dataclass(frozen=True)
class Timing:
    """How conditions hold over a sequence; see `protocol.study.Study` for each.

    Attributes:
        onset, onset_time: one of `ONSETS`, and the second at which the degradation begins.
        blur: one of `BLURS`; occluder: one of `OCCLUDERS`.
    """

    onset: str = "none"
    onset_time: float = 1.0
    blur: str = "fixed"
    occluder: str = "lens"

    def blur_factor(self, speed: float | None) -> float:
        """Return by how much a blur is longer than Table 1's: the speed in units of 30 km/h.

        >>> Timing(blur="speed").blur_factor(30 / 3.6), Timing().blur_factor(1.0)
        (1.0, 1.0)
        """
        return 1.0 if self.blur == "fixed" or speed is None else speed / SPEED

    def shifted(
        self, box: tuple[int, int, int, int], time: float, width: int
    ) -> tuple[int, int, int, int]:
        """Return an occluder (top, left, height, width) at a time, clipped to the image's width.

        A moving one enters at the left again where it has left at the right.

        >>> Timing(occluder="moving").shifted((5, 80, 10, 20), 1.0, 100)
        (5, 0, 10, 20)
        """
        if self.occluder == "lens":
            return box
        top, left, tall, wide = box
        way = width + wide
        place = (left + wide + round(way * time / _CROSSING)) % way - wide
        start = min(max(place, 0), width - 1)
        stop = max(min(place + wide, width), start + 1)
        return top, start, tall, stop - start


def condition_at(condition: str, time: float, timing: Timing) -> str:
    """Return the condition that a frame has under a condition of its sequence.

    >>> ramp = Timing("ramp", 1.0)
    >>> [condition_at("LL3", t, ramp) for t in (0.5, 1.0, 1.5, 2.0, 2.75)]
    ['clean', 'LL1', 'LL2', 'LL3', 'LL3']
    """
    row = None if condition == BLANK else condition_row(condition)
    if row is None or timing.onset == "none":
        return condition
    since = time - timing.onset_time + 1e-9
    if since < 0:
        return "clean"
    if timing.onset == "step":
        return condition
    level = min(row.severity, 1 + int(since / (RAMP / row.severity)))
    return f"{condition[:-1]}{level}"
