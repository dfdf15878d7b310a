"""Table 1 of the paper: which corruptions, how strong, and why. Code and book both read it here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from vlmis_utils.core.errors import UserError, closest

__all__ = [
    "BLANK", "BLUR_SCALES", "CONDITIONS", "CONDITION_NAMES", "CORRUPTION_BACKENDS", "FAMILIES",
    "NOISE_SIGMA", "PAPER_WIDTH", "TABLE1", "Row", "blur_length", "condition_row", "ladder",
    "ordered",
]  # fmt: skip

# Width in pixels of the Cityscapes images for which the paper's kernel sizes were chosen.
PAPER_WIDTH = 2048

# Standard deviation of the noise in [0, 1] units: 5, 10 and 15 grey levels. The paper prints none.
# Behind its gammas a mid-grey surface (0.5) is left with a signal-to-noise ratio of 16, 5 and 2:
# above, below and far below the ratio of 10 at which ISO 12232 calls an exposure acceptable.
NOISE_SIGMA = (0.02, 0.04, 0.06)

BLUR_SCALES = ("absolute", "relative")

# What degrades: compiled loops on a CPU, Kornia on any device, or the faster one; the same bytes.
CORRUPTION_BACKENDS = ("auto", "kornia", "compiled")

# The control arm, a condition for VLMs only: a uniform grey image instead of the scene.
BLANK = "blank"

# Families of conditions, in the order of the paper's result tables.
FAMILIES: dict[str, str] = {"LL": "low light", "MB": "motion blur", "OCC": "occlusion"}
CONDITION_NAMES: dict[str, str] = {
    "clean": "clean",
    **{f"{key}{level}": f"{FAMILIES[key]} {level}" for key in FAMILIES for level in (1, 2, 3)},
    BLANK: "blank image",
}


@dataclass(frozen=True)
class Row:
    """One row of Table 1.

    Attributes:
        condition: ``MB1`` … ``OCC3``, the key in the records.
        corruption: ``motion blur``, ``low light`` or ``occlusion``.
        severity: 1, 2 or 3.
        motivation: what it stands for on the road, after the paper's last column.
        kernel: length of the horizontal blur in pixels at `PAPER_WIDTH`; odd.
        gamma: exponent applied to intensities in [0, 1].
        share: share of the image area behind the occluder.
    """

    condition: str
    corruption: str
    severity: int
    motivation: str
    kernel: int | None = None
    gamma: float | None = None
    share: float | None = None


TABLE1: tuple[Row, ...] = (
    Row("MB1", "motion blur", 1, "slight shake, a slow turn", kernel=7),
    Row("MB2", "motion blur", 2, "own speed, or traffic close by", kernel=15),
    Row("MB3", "motion blur", 3, "hard braking or acceleration, vibration", kernel=25),
    Row("LL1", "low light", 1, "dusk, or a street in shade", gamma=1.6),
    Row("LL2", "low light", 2, "a city night under street lamps", gamma=2.2),
    Row("LL3", "low light", 3, "hardly any light, a noisy sensor", gamma=3.0),
    Row("OCC1", "occlusion", 1, "a vehicle or pedestrian hides a part", share=0.08),
    Row("OCC2", "occlusion", 2, "a fair part of the view is blocked", share=0.15),
    Row("OCC3", "occlusion", 3, "a large object close to the camera", share=0.25),
)

# The order of the paper's result tables.
CONDITIONS: tuple[str, ...] = (
    "clean", "LL1", "LL2", "LL3", "MB1", "MB2", "MB3", "OCC1", "OCC2", "OCC3",
)  # fmt: skip

_ROWS = {row.condition: row for row in TABLE1}


def condition_row(condition: str) -> Row | None:
    """Return the row of Table 1 for a condition, None for ``clean``.

    Raises:
        UserError: no such condition; the message names the closest one.

    >>> condition_row("MB3").kernel
    25
    """
    if condition not in CONDITIONS:
        raise UserError(f"unknown condition {condition!r}{closest(condition, CONDITIONS)}")
    return _ROWS.get(condition)


def blur_length(kernel: int, width: int, blur_scale: str = "absolute") -> float:
    """Return the length in pixels of the horizontal blur on an image of a given width.

    ``absolute`` is the paper's kernel in pixels. ``relative`` spans the angle of view that the
    kernel spans on an image `PAPER_WIDTH` wide: ``kernel * width / PAPER_WIDTH``, exactly, with a
    part of a pixel at each end (see `corruptions.box`). A blur shorter than one pixel changes
    nothing: with MB1 below a width of 293.

    >>> [blur_length(k, 512, "relative") for k in (7, 15, 25)]
    [1.75, 3.75, 6.25]
    """
    return float(kernel) if blur_scale == "absolute" else kernel * width / PAPER_WIDTH


def ordered(conditions: Iterable[str]) -> list[str]:
    """Return the given conditions once each, in the order of the paper's tables.

    >>> ordered(["OCC1", "clean", "OCC1", "blank", "LL2"])
    ['clean', 'LL2', 'OCC1', 'blank']
    """
    given = set(conditions)
    return [name for name in CONDITION_NAMES if name in given]


def ladder(family: str, conditions: Iterable[str]) -> list[tuple[int, str]]:
    """Return (severity, condition) from clean, severity 0, up a family, as far as there are any.

    >>> ladder("MB", ["clean", "MB1", "MB3", "LL1"])
    [(0, 'clean'), (1, 'MB1'), (3, 'MB3')]
    """
    given = set(conditions)
    steps = ["clean", *(f"{family}{level}" for level in (1, 2, 3))]
    return [(level, name) for level, name in enumerate(steps) if name in given]
