"""The reference safety label under other rules, from what the records hold of each scene.

The paper names a reference label and no rule (Section 3.5). The recorded reason gives the distance
of the nearest road user in the ego corridor and the light, so a shorter stopping distance, or fewer
lights that count, can be applied afterwards; the pixel counts of the trapezoid give the image rule
at any threshold. A longer distance cannot: users beyond the recorded one are not in the records.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vlmis_utils.core.errors import UserError
from vlmis_utils.protocol.classes import TRAIN_CLASSES
from vlmis_utils.protocol.safety_label import (
    ROAD_USERS,
    STOP_STATES,
    STOPPING_DISTANCE,
)

__all__ = ["Reason", "SafetyRule", "has_geometry", "parse_reason", "relabel"]

_USER = re.compile(r"(.+) in corridor at (-?\d+(?:\.\d+)?) m")
_LIGHT = re.compile(rf"({'|'.join(STOP_STATES)}) light")
_COVER = re.compile(r"(.+) covers (\d+)\s?% of the corridor")
_USERS = [TRAIN_CLASSES.index(name) for name in ROAD_USERS]


@dataclass(frozen=True)
class Reason:
    """A recorded safety reason, taken apart.

    Attributes:
        user: kind of the nearest road user in the corridor, empty without one.
        distance: of that user along the corridor, m, to 0.1 m; inf where there is none, NaN under
            the image rule.
        light: red, amber, or empty.
        share: of the trapezoid that road users cover, in [0, 1]; NaN under the geometric rule.
    """

    user: str = ""
    distance: float = math.inf
    light: str = ""
    share: float = math.nan


def parse_reason(text: str) -> Reason:
    """Take a ``safety_reason`` of the records apart.

    Raises:
        UserError: the text is not in the words of `protocol.safety_label`.

    >>> parse_reason("pedestrian in corridor at 9.3 m; red light")
    Reason(user='pedestrian', distance=9.3, light='red', share=nan)
    >>> parse_reason("clear")
    Reason(user='', distance=inf, light='', share=nan)
    """
    if text == "clear":
        return Reason()
    if cover := _COVER.fullmatch(text):
        return Reason(user=cover[1], distance=math.nan, share=int(cover[2]) / 100)
    user, distance, light = "", math.inf, ""
    for part in text.split("; "):
        if found := _USER.fullmatch(part):
            user, distance = found[1], float(found[2])
        elif found := _LIGHT.fullmatch(part):
            light = found[1]
        else:
            raise UserError(
                f"unknown safety reason {text!r}: known are 'clear', 'car in corridor at 9.3 m', "
                "'red light', both joined by '; ', and 'car covers 7% of the corridor'"
            )
    return Reason(user, distance, light)


@dataclass(frozen=True)
class SafetyRule:
    """A rule that can be applied to records.

    Attributes:
        limit: stopping distance, m, at most the recorded one; None for another kind of rule.
        lights: the states of a light that call for a stop.
        threshold: least share of the trapezoid that road users must cover (the image rule), in
            [0, 1]; None for another kind of rule. With neither, labels stay as recorded.

    Raises:
        UserError: a stopping distance beyond the recorded one.
    """

    limit: float | None = None
    lights: tuple[str, ...] = STOP_STATES
    threshold: float | None = None

    def __post_init__(self) -> None:
        if self.limit is not None and self.limit > STOPPING_DISTANCE:
            raise UserError(
                f"the records know road users only within {STOPPING_DISTANCE:.1f} m, so a stopping "
                f"distance of {self.limit:.1f} m cannot be applied to them"
            )


def has_geometry(scenes: pd.DataFrame) -> bool:
    """Whether some recorded reason is that of the geometric rule (a distance or a light).

    Args:
        scenes: table of the records.
    """
    reasons = [parse_reason(text) for text in scenes.safety_reason]
    return any(math.isnan(r.share) and (r.user or r.light) for r in reasons)


def relabel(scenes: pd.DataFrame, rule: SafetyRule) -> NDArray[np.bool_]:
    """Return whether each scene is safe under a rule.

    Geometric rule: unsafe if the nearest user in the corridor is within ``limit`` (by the recorded
    distance, rounded to 0.1 m) or a light of ``lights`` is on; a scene that was labelled by the
    image rule keeps its label. Image rule: unsafe if road users cover at least ``threshold`` of the
    trapezoid's labelled pixels, as `protocol.safety_label.image_rule` does.

    Args:
        scenes: table of the records.

    Returns:
        bool (N,), in the order of the table.
    """
    recorded = scenes.safe.to_numpy(dtype=bool)
    if rule.threshold is not None:
        counts = np.stack(list(scenes.corridor_counts)).astype(float)
        shares = counts[:, _USERS].sum(1) / np.maximum(counts.sum(1), 1)
        return shares < rule.threshold
    if rule.limit is None:
        return recorded
    reasons = [parse_reason(text) for text in scenes.safety_reason]
    clear = np.array([not (r.distance <= rule.limit or r.light in rule.lights) for r in reasons])
    by_image = np.array([math.isnan(r.distance) for r in reasons])
    return np.where(by_image, recorded, clear)
