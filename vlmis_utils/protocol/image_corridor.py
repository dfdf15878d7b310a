"""The reference safety label of a photograph whose camera is not known: a trapezoid ahead of it.

It is the lane, from the lower edge of the image to the stopping distance, as a typical camera
behind a windscreen sees it: its sides run to the horizon, so at each row, the lowest too, it is as
wide as the lane. A scene is *unsafe* if road users cover enough of it. Whoever comes nearer along
the lane covers more, as long as the foot can be seen and the camera is as supposed.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vlmis_utils.core.errors import UserError
from vlmis_utils.protocol.classes import IGNORE, LANGUAGE_NAMES, TRAIN_CLASSES
from vlmis_utils.protocol.safety_label import CORRIDOR_HALF_WIDTH, ROAD_USERS, STOPPING_DISTANCE

__all__ = [
    "CAMERA_HEIGHT", "FOCAL", "HORIZON", "IMAGE_THRESHOLD", "corridor_mask", "corridor_shares",
    "corridor_top", "image_rule",
]  # fmt: skip

# A typical camera behind a windscreen: height above the ground (m), focal length (widths of the
# image; 64 degrees from left to right), and where the horizon lies (share of the height, 0 = top).
CAMERA_HEIGHT, FOCAL, HORIZON = 1.3, 0.8, 0.45
# The least share of the trapezoid that road users must cover: a pedestrian does from 13 m on. With
# more, the rule passes most that geometry calls unsafe in the training scenes of StreetWorld.
IMAGE_THRESHOLD = 0.005


def corridor_top(height: int, width: int) -> float:
    """Row of the stopping distance in an image, pixels from the top.

    >>> round(corridor_top(256, 512) / 256, 2)
    0.57
    """
    return HORIZON * height + FOCAL * width * CAMERA_HEIGHT / STOPPING_DISTANCE


def corridor_mask(height: int, width: int, scale: float = 1.0) -> NDArray[np.bool_]:
    """The trapezoid of the image rule, bool (height, width).

    A row r below the horizon h lies at the depth f H / (r - h), where half a lane w is
    w / H (r - h) wide: its sides need no focal length.

    Args:
        height, width: of the image, pixels.
        scale: factor on the trapezoid's widths; the rows between which it lies stay.

    >>> bool(corridor_mask(256, 512, 2.0).sum() > corridor_mask(256, 512).sum())
    True
    """
    row = np.arange(height)[:, None] + 0.5
    column = np.arange(width)[None] + 0.5
    half = scale * CORRIDOR_HALF_WIDTH / CAMERA_HEIGHT * (row - HORIZON * height)
    return (row >= corridor_top(height, width)) & (np.abs(column - width / 2) <= half)


def corridor_shares(labels: NDArray[np.uint8], scale: float = 1.0) -> dict[str, float]:
    """Return the share of the trapezoid's labelled pixels that each kind of road user covers.

    Args:
        labels: train ids, uint8 (H, W), 255 = ignore (counted as nothing).
        scale: factor on the trapezoid's widths.

    Returns:
        train class -> share in [0, 1], for each of `safety_label.ROAD_USERS`.

    Raises:
        UserError: if `labels` is not two-dimensional.
    """
    if labels.ndim != 2:
        raise UserError(f"labels have shape {labels.shape}: pass one label map (H, W)")
    inside = labels[corridor_mask(*labels.shape, scale)]
    known = max(1, int((inside != IGNORE).sum()))
    counts = np.bincount(inside, minlength=256)
    return {name: float(counts[TRAIN_CLASSES.index(name)] / known) for name in ROAD_USERS}


def image_rule(
    labels: NDArray[np.uint8], threshold: float = IMAGE_THRESHOLD, scale: float = 1.0
) -> tuple[bool, str]:
    """Judge a label map without geometry: unsafe if road users cover enough of the trapezoid.

    The colour of a traffic light cannot be told from labels, so this rule ignores lights.

    Args:
        labels: train ids, uint8 (H, W), 255 = ignore (counted as nothing).
        threshold: least share of the trapezoid's labelled pixels, in [0, 1].
        scale: factor on the trapezoid's widths.

    Returns:
        safe, and the reason: "clear" or for example "pedestrian covers 7.1% of the corridor".

    Raises:
        UserError: if `labels` is not two-dimensional.
    """
    shares = corridor_shares(labels, scale)
    total = sum(shares.values())
    if total < threshold:
        return True, "clear"
    first = max(shares, key=lambda name: shares[name])
    return False, f"{LANGUAGE_NAMES[first]} covers {total:.1%} of the corridor"
