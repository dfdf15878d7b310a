"""The reference safety label under other rules, from what the records hold of each scene.

The paper names a reference label and no rule (Section 3.5). The recorded reason gives the distance
of the nearest road user in the ego corridor, those who come into it with distance and time, the
light and the STOP sign. So a shorter stopping distance or time, or fewer lights and signs that
count, can be applied afterwards; the pixel counts of the trapezoid give the image rule at any
threshold. A longer distance cannot: users beyond the recorded one are not in the records.
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
    STOPPING_TIME,
)

__all__ = ["Reason", "SafetyRule", "has_geometry", "parse_reason", "relabel"]

_USER = re.compile(r"(.+) in corridor at (-?\d+(?:\.\d+)?) m")
_COMES = re.compile(r"(.+) enters corridor at (\d+(?:\.\d+)?) m in (\d+(?:\.\d+)?) s")
_SIGN = re.compile(r"stop sign at (\d+(?:\.\d+)?) m")
_LIGHT = re.compile(rf"({'|'.join(STOP_STATES)}) light")
_COVER = re.compile(r"(.+) covers (\d+(?:\.\d+)?)\s?% of the corridor")
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
        coming: those who come into the corridor: kind, distance (m) and time (s), to 0.1.
        stop_sign: distance to it, m; inf where none counts.
    """

    user: str = ""
    distance: float = math.inf
    light: str = ""
    share: float = math.nan
    coming: tuple[tuple[str, float, float], ...] = ()
    stop_sign: float = math.inf


def parse_reason(text: str) -> Reason:
    """Take a ``safety_reason`` of the records apart.

    Raises:
        UserError: the text is not in the words of `protocol.safety_label`.

    >>> parse_reason("pedestrian in corridor at 9.3 m; red light")
    Reason(user='pedestrian', distance=9.3, light='red', share=nan, coming=(), stop_sign=inf)
    >>> parse_reason("cyclist enters corridor at 12.0 m in 0.8 s; stop sign at 9.0 m").coming
    (('cyclist', 12.0, 0.8),)
    """
    if text == "clear":
        return Reason()
    if cover := _COVER.fullmatch(text):
        return Reason(user=cover[1], distance=math.nan, share=float(cover[2]) / 100)
    user, distance, light, coming, sign = "", math.inf, "", [], math.inf
    for part in text.split("; "):
        if found := _USER.fullmatch(part):
            user, distance = found[1], float(found[2])
        elif found := _COMES.fullmatch(part):
            coming.append((found[1], float(found[2]), float(found[3])))
        elif found := _LIGHT.fullmatch(part):
            light = found[1]
        elif found := _SIGN.fullmatch(part):
            sign = float(found[1])
        else:
            raise UserError(
                f"unknown safety reason {text!r}: known are 'clear', 'car in corridor at 9.3 m', "
                "'car enters corridor at 9.3 m in 0.8 s', 'red light', 'stop sign at 9.0 m', these "
                "joined by '; ', and 'car covers 7% of the corridor'"
            )
    return Reason(user, distance, light, coming=tuple(coming), stop_sign=sign)


@dataclass(frozen=True)
class SafetyRule:
    """A rule that can be applied to records.

    Attributes:
        limit: stopping distance, m, at most the recorded one; None for another kind of rule.
        lights: the states of a light that call for a stop.
        horizon: stopping time, s, at most the recorded one; 0 judges what is, not what comes.
        signs: whether a STOP sign calls for a stop.
        threshold: least share of the trapezoid that road users must cover (the image rule), in
            [0, 1]; None for another kind of rule. With neither, labels stay as recorded.

    Raises:
        UserError: a stopping distance beyond the recorded one.
    """

    limit: float | None = None
    lights: tuple[str, ...] = STOP_STATES
    horizon: float = STOPPING_TIME
    signs: bool = True
    threshold: float | None = None

    def __post_init__(self) -> None:
        if self.limit is not None and self.limit > STOPPING_DISTANCE:
            raise UserError(
                f"the records know road users only within {STOPPING_DISTANCE:.1f} m, so a stopping "
                f"distance of {self.limit:.1f} m cannot be applied to them"
            )
        if self.horizon > STOPPING_TIME:
            raise UserError(
                f"the records know who comes within {STOPPING_TIME:.1f} s, so a stopping time of "
                f"{self.horizon:.1f} s cannot be applied to them"
            )


def has_geometry(scenes: pd.DataFrame) -> bool:
    """Whether some recorded reason is that of the geometric rule (a distance or a light).

    Args:
        scenes: table of the records.
    """
    reasons = [parse_reason(text) for text in scenes.safety_reason]
    return any(r != Reason() and math.isnan(r.share) for r in reasons)


def relabel(scenes: pd.DataFrame, rule: SafetyRule) -> NDArray[np.bool_]:
    """Return whether each scene is safe under a rule.

    Geometric rule: unsafe if the nearest user in the corridor is within ``limit`` (by the recorded
    distance, rounded to 0.1 m), another comes into it within ``limit`` and ``horizon``, a light of
    ``lights`` is on, or a STOP sign counts; a scene that was labelled by the image rule keeps its
    label. Who comes into the corridor is taken to cross it, at the distance recorded. Image rule:
    unsafe if road users cover at least ``threshold`` of the trapezoid's labelled pixels, as
    `protocol.image_corridor.image_rule` does.

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
    clear = np.array([not _stops(reason, rule) for reason in reasons])
    by_image = np.array([math.isnan(r.distance) for r in reasons])
    return np.where(by_image, recorded, clear)


def _stops(reason: Reason, rule: SafetyRule) -> bool:
    """Whether a rule of geometry calls for a stop. (Nothing comes in no time at all.)"""
    limit = rule.limit or 0.0
    coming = any(y <= limit and 0 < rule.horizon >= time for _, y, time in reason.coming)
    sign = rule.signs and math.isfinite(reason.stop_sign)
    return reason.distance <= limit or coming or reason.light in rule.lights or sign
