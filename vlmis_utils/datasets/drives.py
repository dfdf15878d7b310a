"""Drives of StreetWorld as scenes in time: frames kept on disk, as scenes are."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vlmis_utils.datasets.rendered import Rendered, arrays_of, cache_root
from vlmis_utils.datasets.streetworld import world_seed
from vlmis_utils.protocol.timing import InTime
from vlmis_utils.streetworld.correspondence import Seen, pixels_before
from vlmis_utils.streetworld.drive import Moment, begin
from vlmis_utils.streetworld.version import drive_version

__all__ = ["DriveFrame", "drive_frames"]


@dataclass(frozen=True)
class DriveFrame(Rendered):
    """One frame of a drive; a thing has the same instance number in all of them."""

    split: str
    seed: int
    index: int
    frame: int
    rate: float

    @property
    def sequence(self) -> str:
        """Unique name of the drive, for example ``streetworld-test-0-00012``: that of its scene."""
        return f"streetworld-{self.split}-{self.seed}-{self.index:05d}"

    @property
    def scene_id(self) -> str:
        """Unique name, for example ``streetworld-test-0-00012/003``."""
        return f"{self.sequence}/{self.frame:03d}"

    @property
    def time(self) -> float:
        """Seconds since the first frame."""
        return self.frame / self.rate

    @property
    def path(self) -> Path:
        """The frame's file in the cache, named by its drive and its milliseconds."""
        folder = cache_root() / "drives" / drive_version() / self.sequence
        return folder / f"{round(1000 * self.time):06d}.npz"

    def render(self) -> dict[str, np.ndarray]:
        """Render the arrays that are kept."""
        return _arrays_of(begin(world_seed(self.split, self.seed), self.index).at(self.time))

    @property
    def in_time(self) -> InTime:
        """Where the frame stands in its drive, and how fast the ego car is."""
        return InTime(self.sequence, self.frame, self.time, float(self.read("speed")["speed"]))

    def seen(self) -> Seen:
        """What correspondence between frames is computed from."""
        found = self.read("labels", "moving", "camera", "gone")
        return Seen(
            found["labels"], self.depth(), found["moving"], tuple(found["camera"].tolist()),
            float(found["gone"]),
        )  # fmt: skip

    def pixels_before(self) -> NDArray[np.int64] | None:
        """For each pixel its place in the frame before, see `streetworld.correspondence`; None for
        the first frame."""
        if self.frame == 0:
            return None
        before = DriveFrame(self.split, self.seed, self.index, self.frame - 1, self.rate)
        return pixels_before(self.seen(), before.seen())


def drive_frames(split: str, seed: int, drives: int, frames: int, rate: float) -> list[DriveFrame]:
    """Return the frames of drives 0 to ``drives`` of a split, drive by drive; nothing is rendered.

    Args:
        frames: of each drive; rate: frames a second.

    Raises:
        UserError: an unknown split.

    >>> [one.scene_id for one in drive_frames("test", 0, 1, 2, 4.0)]
    ['streetworld-test-0-00000/000', 'streetworld-test-0-00000/001']
    """
    world_seed(split, seed)
    return [
        DriveFrame(split, seed, index, frame, float(rate))
        for index in range(drives)
        for frame in range(frames)
    ]


def _arrays_of(moment: Moment) -> dict[str, np.ndarray]:
    camera = moment.camera
    return arrays_of(moment.frame) | {
        "moving": moment.moving, "gone": np.float64(moment.gone), "speed": np.float64(moment.speed),
        "light": np.str_(moment.light or ""),
        "camera": np.array([camera.height, camera.pitch, camera.yaw, camera.fov]),
    }  # fmt: skip
