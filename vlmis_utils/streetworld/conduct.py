"""What the road users of a composed scene do next: who walks, drives, brakes, starts or waits.

The scene says where everyone stands and faces; the motion that is drawn here goes on from there.
Walkers keep to their heading at a walker's speed (mean 1.34 m/s, standard deviation 0.26: Weidmann,
Transporttechnik der Fussgänger, 1993), vehicles keep to their lane and stop in front of a red
light, of whoever crosses, and of whatever stands in their way. Parked things stay.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from vlmis_utils.protocol.safety_label import STOP_STATES, Footprint
from vlmis_utils.streetworld.motion import Move, Pace, braking
from vlmis_utils.streetworld.scene.cast import overlap
from vlmis_utils.streetworld.scene.layout import Plan

__all__ = ["draw_light", "draw_moves", "moved"]

_VEHICLES = ("car", "truck", "bus", "tram", "motorcyclist", "cyclist")
_LANE_REACH = 1.2  # m from the middle of a lane: who is farther off is parked, or on a path
_LONGEST, _SWEEP = 40.0, 0.5  # m that a way is checked, and between the places checked
_HORIZON = 4.0  # s for which crossing walkers block the way of vehicles
_FIRM = 3.0  # m/s² of a vehicle that stops


def moved(place: Footprint, dx: float, dy: float) -> Footprint:
    """The same footprint somewhere else."""
    return replace(place, x=place.x + dx, y=place.y + dy)


def draw_light(rng: np.random.Generator, state: str | None) -> tuple[tuple[float, str | None], ...]:
    """What the light of the ego lane shows: (from second, state), the first from 0 on.

    Red turns green in three of four drives, green turns amber in three of five; amber always turns
    red, after three seconds where it was seen to begin.
    """
    chance, when = rng.random(), float(rng.uniform(0.6, 2.2))
    if state == "red" and chance < 0.75:
        return (0.0, "red"), (when, "green")
    if state == "green" and chance < 0.6:
        return (0.0, "green"), (when, "amber"), (when + 3.0, "red")
    if state == "amber":
        return (0.0, "amber"), (when, "red")
    return ((0.0, state),)


def draw_moves(
    rng: np.random.Generator, plan: Plan, places: Sequence[Footprint], light: str | None
) -> tuple[Move | None, ...]:
    """The motion of each thing of a scene; None for what never moves.

    Args:
        rng: random numbers; a scene's draws do not depend on each other's outcome.
        plan: the street.
        places: where each thing stands at the first frame.
        light: what the light of the ego lane shows then.
    """
    cruise = {lane: float(rng.uniform(4.5, 9.0)) for lane, _ in plan.lanes}
    mood = float(rng.random())  # of the traffic ahead in the ego lane: drives on, brakes, stands
    moves: list[Move | None] = []
    for place in places:
        draws = rng.random(3), rng.normal()
        if place.kind == "pedestrian":
            moves.append(_walk(plan, place, *draws))
        elif place.kind in _VEHICLES:
            moves.append(_drive(plan, place, *draws, cruise, mood, light))
        else:
            moves.append(None)
    still = [place for place, move in zip(places, moves, strict=True) if move is None]
    walkers = [
        moved(place, *move.offset(t))
        for place, move in zip(places, moves, strict=True)
        if move is not None and place.kind == "pedestrian"
        for t in np.arange(0.0, _HORIZON + 0.1, 0.5)
    ]
    for number, (place, move) in enumerate(zip(places, moves, strict=True)):
        if move is None:
            continue
        walks = place.kind == "pedestrian"
        gap = _free_way(place, move, still if walks else still + walkers)
        if walks:
            moves[number] = Move(move.direction, _ending(move.pace, gap))
        elif gap < _LONGEST and move.pace.before > 0:
            stop = braking(move.pace.before, gap - 0.5, _FIRM)
            if stop.distance(60.0) < move.pace.distance(60.0):
                moves[number] = Move(move.direction, stop)
    return tuple(moves)


def _ending(pace: Pace, reach: float) -> Pace:
    return Pace(pace.before, pace.after, pace.start, pace.rate, min(pace.reach, reach))


def _walk(plan: Plan, place: Footprint, draws: np.ndarray, normal: float) -> Move | None:
    """A walker goes on across the road, steps off the kerb, walks along the pavement, or waits."""
    speed = float(np.clip(1.34 + 0.26 * normal, 0.7, 2.0))
    ahead = -np.sin(place.heading), np.cos(place.heading)
    kerbs = -plan.left.kerb, plan.right.kerb
    if kerbs[0] < place.x < kerbs[1]:
        far = (kerbs[1] if ahead[0] > 0 else kerbs[0]) - place.x
        reach = abs(far / ahead[0]) + 1.0 if abs(ahead[0]) > 0.3 else 4.0
        return Move(ahead, Pace(speed, speed, reach=reach))
    if abs(ahead[0]) > 0.8:  # at the kerb, facing across
        towards = np.sign(ahead[0]) != np.sign(place.x)
        if not towards or draws[0] > 0.75:
            return None
        reach = kerbs[1] - kerbs[0] + 2.0
        return Move(ahead, Pace(0.0, speed, 0.2 + 1.4 * float(draws[1]), 2.0, reach))
    if draws[0] > 0.85:
        return None
    return Move((0.0, float(np.sign(ahead[1]))), Pace(speed, speed))


def _drive(
    plan: Plan, place: Footprint, draws: np.ndarray, normal: float, cruise: dict[float, float],
    mood: float, light: str | None,
) -> Move | None:  # fmt: skip
    """A vehicle goes on in its lane; two-wheelers ride wherever they are."""
    ahead = -np.sin(place.heading), np.cos(place.heading)
    lane = min(cruise, key=lambda x: abs(x - place.x))
    riding = place.kind.endswith("cyclist")
    if not riding and (abs(place.x - lane) > _LANE_REACH or abs(ahead[0]) > 0.3):
        return None
    speed = cruise[lane]
    if place.kind == "cyclist":
        speed = float(np.clip(4.5 + 0.7 * normal, 3.0, 6.0))
    elif abs(place.x) < _LANE_REACH and ahead[1] > 0.9 and not riding:
        if mood > 0.75:
            return Move(ahead, Pace(0.0, 0.0) if mood > 0.85 else Pace(0.0, speed, 1.0, 1.5))
        if mood > 0.45:
            return Move(ahead, Pace(speed, 0.0, 3.0 * (mood - 0.45), _FIRM))
    pace = Pace(speed, speed)
    cross = plan.crossing
    if cross is not None and cross.signals and light in STOP_STATES and abs(ahead[1]) > 0.9:
        behind = cross.centre + cross.half + 1.0 if cross.junction else cross.y1 + 1.0
        line = cross.stop if ahead[1] > 0 else behind
        gap = (line - place.y) * np.sign(ahead[1]) - place.length / 2
        if 0 < gap < _LONGEST:
            pace = braking(speed, gap, _FIRM)
    return Move(ahead, pace)


def _free_way(place: Footprint, move: Move, others: Sequence[Footprint]) -> float:
    """Metres that a thing can go until it would touch one of the others; `_LONGEST` at most."""
    dx, dy = move.direction
    near = []
    for other in others:
        along = (other.x - place.x) * dx + (other.y - place.y) * dy
        aside = abs((other.x - place.x) * dy - (other.y - place.y) * dx)
        room = (other.length + other.width + place.length + place.width) / 2
        if aside < room and -room < along < _LONGEST + room:
            near.append(other)
    for step in range(1, int(_LONGEST / _SWEEP) + 1):
        there = moved(place, dx * step * _SWEEP, dy * step * _SWEEP)
        if any(overlap(there, other, 0.1) and not overlap(place, other, 0.1) for other in near):
            return (step - 1) * _SWEEP
    return _LONGEST
