"""Where a scene stands in its sequence, which scenes came before it, and what hides part of it."""

from __future__ import annotations

from vlmis_utils.corruptions.in_time import occluder_at
from vlmis_utils.corruptions.occluder import occluder
from vlmis_utils.datasets.registry import Scene
from vlmis_utils.protocol.conditions import BLANK, condition_row
from vlmis_utils.protocol.study import Study
from vlmis_utils.protocol.timing import InTime

__all__ = ["in_time", "occluder_of", "placed", "timed", "with_history"]


def in_time(scene: Scene) -> InTime | None:
    """Return where a scene stands in its sequence; None for a single picture."""
    return getattr(scene, "in_time", None)


def placed(scene: Scene) -> dict[str, object]:
    """Return the columns sequence and frame of a scene's rows; empty for a single picture."""
    place = in_time(scene)
    return {} if place is None else {"sequence": place.sequence, "frame": place.frame}


def timed(scene: Scene) -> dict[str, object]:
    """Return the same with time and speed."""
    place = in_time(scene)
    return {} if place is None else placed(scene) | {"time": place.time, "speed": place.speed}


def with_history(scenes: list[Scene], start: int, stop: int) -> tuple[list[Scene], int]:
    """Return scenes start to stop with those before them in the first one's sequence.

    Returns:
        The scenes, and how many of them come before ``start``.
    """
    first = start
    sequence = in_time(scenes[start]).sequence
    while first and in_time(scenes[first - 1]).sequence == sequence:
        first -= 1
    return [scenes[i] for i in range(first, min(stop, len(scenes)))], start - first


def occluder_of(
    study: Study, scene: Scene, condition: str, shape: tuple[int, int]
) -> tuple[int, int, int, int] | None:
    """Return the black rectangle of a picture (top, left, height, width); None without one.

    Args:
        study: whose seed and timing say where it lies.
        scene, condition: which picture.
        shape: its height and width.
    """
    place = in_time(scene)
    if place is not None:
        return occluder_at(condition, place, study.timing, *shape, study.seed)
    row = None if condition == BLANK else condition_row(condition)
    if row is None or row.share is None:
        return None
    return occluder(scene.scene_id, row.severity, *shape, study.seed)
