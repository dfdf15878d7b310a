"""The reference safety label of a photograph whose camera is known: the corridor on flat ground.

A road user stands where its lowest pixels meet the ground. On flat ground each pixel below the
horizon is one place (x to the right, z ahead, metres), so the ego corridor |x| <= half a lane,
nearer than the stopping distance, is a region of the image; a scene is *unsafe* if a road user has
its foot in it. The region is as wide as the lane at every distance, and whatever stands in it
stays in it as it comes nearer along the lane, as long as its foot can be seen.

What the rule cannot know: hills, the colour of lights, the vehicle's own path where the street
bends. A car's lowest pixels are its bumper, a little above ground, so it seems a little farther.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from vlmis_utils.core.errors import UserError
from vlmis_utils.protocol.classes import LANGUAGE_NAMES, TRAIN_CLASSES
from vlmis_utils.protocol.safety_label import CORRIDOR_HALF_WIDTH, ROAD_USERS, STOPPING_DISTANCE

__all__ = [
    "CAMERAS",
    "CAMVID_CAMERAS",
    "CITYSCAPES_CAMERA",
    "MIN_FOOT",
    "Camera",
    "camera_of",
    "ground_mask",
    "ground_rule",
    "places",
]

# Metres of foot that count: less is a stray pixel, a mirror, or the edge of a label.
MIN_FOOT = 0.15

_ROAD_USERS = np.array([TRAIN_CLASSES.index(name) for name in ROAD_USERS])


@dataclass(frozen=True)
class Camera:
    """A pinhole camera without roll, in terms that do not depend on the size of the image.

    Attributes:
        focal: focal length as a share of the image's width.
        height: above the ground, m.
        pitch: downward turn of the optical axis, radians.
        column: where straight ahead lies, share of the width.
        row: where the optical axis lies, share of the height.
    """

    focal: float
    height: float
    pitch: float
    column: float = 0.5
    row: float = 0.5

    def __post_init__(self) -> None:
        if not (self.focal > 0 and self.height > 0 and abs(self.pitch) < 0.5):
            raise UserError(
                f"camera with focal {self.focal}, height {self.height}, pitch {self.pitch}: give"
                " the focal length in widths and the height in metres, both above 0, and the pitch"
                " in radians, within 0.5"
            )


# The calibration that Cityscapes gives with most of its frames (`camera/*.json`): fx 2262.52 and
# principal point (1096.98, 513.14) at 2048 x 1024, height 1.22 m, pitch 0.038, yaw -0.0195 (to the
# right, so that straight ahead lies to the left of the principal point).
CITYSCAPES_CAMERA = Camera(
    focal=2262.52 / 2048,
    height=1.22,
    pitch=0.038,
    column=(1096.98 - 2262.52 * 0.0195) / 2048,
    row=513.14 / 1024,
)

# CamVid prints no calibration. These are estimates: the height in pixels of 360 pedestrians (taken
# as 1.70 m) and cars (1.48 m) in its label maps grows with the row of their feet as (row - horizon)
# over the camera's height (single-view metrology: Criminisi, Reid and Zisserman 2000; Hoiem, Efros
# and Hebert 2008). At a height of 1.25 m, fitted by least absolute deviation, the horizon lies at
# row 178 of 360 by day and at 225 in the dusk drive 0001TP, whose camera looks up. The focal length
# is that of a lens of 58 degrees, the wide end of the camcorder used; only distances depend on it.
_CAMVID_DAY = Camera(focal=0.9, height=1.25, pitch=0.005)
CAMVID_CAMERAS: dict[str, Camera] = {
    "0001TP": replace(_CAMVID_DAY, pitch=-0.104),
    "0006R0": _CAMVID_DAY,
    "0016E5": _CAMVID_DAY,
}

# dataset -> the camera that its makers publish
CAMERAS: dict[str, Camera] = {"cityscapes": CITYSCAPES_CAMERA}


def camera_of(
    dataset: str,
    focal: float | None = None,
    height: float | None = None,
    pitch: float | None = None,
) -> Camera | None:
    """Return the camera of a dataset's photographs; None where no one camera is known.

    Args:
        dataset: one of `protocol.datasets.DATASETS`.
        focal, height, pitch: as of `Camera`; None for the published one's.

    Raises:
        UserError: some are given but not all, of a dataset without a published camera; or
            StreetWorld has one given, whose safety label is geometric.

    >>> camera_of("cityscapes", pitch=0.05).height, camera_of("camvid")
    (1.22, None)
    """
    given = {"focal": focal, "height": height, "pitch": pitch}
    told = {key: value for key, value in given.items() if value is not None}
    own = CAMERAS.get(dataset)
    if not told:
        return own
    if dataset == "streetworld":
        raise UserError(
            f"camera_{next(iter(told))}: streetworld's safety label is made of its geometry, a"
            " camera is for photographs: remove it"
        )
    if own is not None:
        return replace(own, **told)
    missing = [f"camera_{key}" for key in given if key not in told]
    if missing:
        raise UserError(
            f"{' and '.join(missing)} missing: {dataset} has no published camera, so give"
            " camera_focal, camera_height and camera_pitch, or none of them"
        )
    return Camera(**told)


def places(camera: Camera, height: int, width: int) -> tuple[NDArray, NDArray]:
    """Return where the pixels of an image lie on flat ground.

    Args:
        camera: the camera; pixels are taken to be square.
        height, width: of the image, pixels.

    Returns:
        ahead float64 (H,), metres of each row, inf from the horizon up; across float64 (H, W),
        metres to the right, undefined (inf or NaN) where ahead is inf.

    >>> ahead, across = places(Camera(1.0, 1.2, 0.0), 100, 200)
    >>> bool((np.diff(ahead[50:]) < 0).all())
    True
    """
    focal = camera.focal * width
    below = np.arctan((np.arange(height) + 0.5 - camera.row * height) / focal) + camera.pitch
    with np.errstate(divide="ignore", invalid="ignore"):
        ahead = np.where(below > 1e-6, camera.height / np.tan(np.maximum(below, 1e-6)), np.inf)
        # Depth along the optical axis, which is what an offset in columns scales with.
        depth = np.where(np.isfinite(ahead), np.hypot(ahead, camera.height), np.inf) * np.cos(
            below - camera.pitch
        )
        across = (np.arange(width) + 0.5 - camera.column * width)[None] / focal * depth[:, None]
    return ahead, across


def ground_mask(
    camera: Camera,
    height: int,
    width: int,
    half_width: float = CORRIDOR_HALF_WIDTH,
    limit: float = STOPPING_DISTANCE,
) -> NDArray[np.bool_]:
    """Return the pixels that lie in the corridor on flat ground, bool (height, width).

    Args:
        camera: that took the photograph.
        height, width: of the image, pixels.
        half_width: of the corridor, m.
        limit: stopping distance, m.

    >>> bool(ground_mask(CITYSCAPES_CAMERA, 320, 640)[-1].any())
    True
    """
    ahead, across = places(camera, height, width)
    return (ahead <= limit)[:, None] & (np.abs(across) <= half_width)


def ground_rule(
    labels: NDArray[np.uint8],
    camera: Camera = CITYSCAPES_CAMERA,
    half_width: float = CORRIDOR_HALF_WIDTH,
    limit: float = STOPPING_DISTANCE,
) -> tuple[bool, str]:
    """Judge a label map: unsafe if a road user's foot is in the corridor and nearer than ``limit``.

    A foot is a road user's pixel above anything that is none, the lower edge of the image included:
    whoever stands so near that the foot is out of sight is judged by the lowest row seen.

    Args:
        labels: train ids, uint8 (H, W), 255 = ignore.
        camera: that took the photograph.
        half_width: of the corridor, m.
        limit: stopping distance, m.

    Returns:
        safe, and the reason: "clear" or for example "pedestrian in corridor at 9.3 m".

    Raises:
        UserError: if `labels` is not two-dimensional.
    """
    if labels.ndim != 2:
        raise UserError(f"labels have shape {labels.shape}: pass one label map (H, W)")
    ahead, _ = places(camera, *labels.shape)
    users = np.isin(labels, _ROAD_USERS)
    feet = users & ~np.vstack([users[1:], np.zeros_like(users[:1])])
    inside = feet & ground_mask(camera, *labels.shape, half_width, limit)
    if not inside.any():
        return True, "clear"
    rows, columns = np.nonzero(inside)
    metres = ahead[rows] / (camera.focal * labels.shape[1])  # that one pixel is wide
    nearest = None
    for user in np.unique(labels[rows, columns]):
        own = labels[rows, columns] == user
        if metres[own].sum() >= MIN_FOOT:
            distance = float(ahead[rows[own]].min())
            if nearest is None or distance < nearest[0]:
                nearest = distance, LANGUAGE_NAMES[TRAIN_CLASSES[user]]
    if nearest is None:
        return True, "clear"
    return False, f"{nearest[1]} in corridor at {nearest[0]:.1f} m"
