"""Where a scene stands in its sequence, and which scenes came before it."""

from __future__ import annotations

from vlmis_utils.datasets.registry import Scene
from vlmis_utils.protocol.timing import InTime

__all__ = ["in_time", "placed", "with_history"]


def in_time(scene: Scene) -> InTime | None:
    """Return where a scene stands in its sequence; None for a single picture."""
    return getattr(scene, "in_time", None)


def placed(scene: Scene) -> dict[str, object]:
    """Return the columns sequence and frame of a scene's rows; empty for a single picture."""
    place = in_time(scene)
    return {} if place is None else {"sequence": place.sequence, "frame": place.frame}


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
