"""A task is computed, or what of it fails is named: scene, condition, model and error.

A model that raises on one image of a batch, or runs out of memory, is tried again image by image.
What succeeds alone is right, as no result depends on the batch; what fails alone is named.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import pandas as pd
import torch

from vlmis_utils.core.errors import RunError, StopError, UserError, unwritable
from vlmis_utils.models.batching import out_of_memory
from vlmis_utils.runner import tasks
from vlmis_utils.runner.context import hosted
from vlmis_utils.runner.tasks import Task

__all__ = ["Compute", "Failure", "Outcome", "attempt", "joined", "lost"]

_LENGTH = 200  # of an error's own words
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)


@dataclass(frozen=True)
class Failure:
    """What of a task could not be computed.

    Attributes:
        lines: one for each scene that fails: scene, condition, model, and why.
        whole: whether no scene of the task could be computed.
    """

    lines: tuple[str, ...]
    whole: bool = False


Outcome = pd.DataFrame | Failure

# Takes tasks of one table and model; yields each one's place and outcome once, in any order. What
# it raises ends the run. Closed early, it stops what is under way.
Compute = Callable[[Sequence[Task]], Iterator[tuple[int, Outcome]]]


def attempt(task: Task) -> Outcome:
    """Return the rows of a task, or which of its scenes fail and why.

    Raises:
        UserError: the study asks for something that is not there.
        RunError: what no other task would escape: a full disk, a hosted model out of reach.
    """
    if task.entry is not None:
        try:
            _ = task.model
        except Exception as error:
            return Failure(
                (f"model {task.entry.name} cannot be loaded: {_why(task, error)}",), True
            )
    try:
        return tasks.rows(task)
    except Exception as error:
        why = _why(task, error)
    _free()
    alone = [replace(task, start=i, stop=i + 1) for i in range(task.start, task.stop)]
    if len(alone) == 1:
        return Failure((f"{_where(task)}: {why}",), True)
    return joined([_alone(one) for one in alone])


def lost(task: Task, why: str) -> Failure:
    """Return the failure of a task whose worker died."""
    return Failure((f"{_where(task)}: {why}",), True)


def joined(outcomes: Sequence[Outcome]) -> Outcome:
    """Put the outcomes of a task's parts together, in the order of its scenes."""
    failures = [outcome for outcome in outcomes if isinstance(outcome, Failure)]
    if failures:
        lines = tuple(line for failure in failures for line in failure.lines)
        return Failure(lines, all(isinstance(o, Failure) and o.whole for o in outcomes))
    return pd.concat(outcomes, ignore_index=True)


def _alone(task: Task) -> Outcome:
    try:
        return tasks.rows(task)
    except Exception as error:
        why = _why(task, error)
    _free()
    return Failure((f"{_where(task)}: {why}",), True)


def _why(task: Task, error: Exception) -> str:
    """Return an error in a line; raise it if the whole run has to end."""
    remote = hosted(task.entry) and isinstance(error, RunError)
    if isinstance(error, UserError | StopError) or remote:
        raise error
    if isinstance(error, OSError) and error.errno in _NO_ROOM:
        raise unwritable(error.filename or "a file", error) from error
    if isinstance(error, RunError):
        return " ".join(str(error).split())
    if out_of_memory(error):
        return f"out of memory on {task.device}: use a smaller model, or a larger machine"
    return " ".join(f"{type(error).__name__}: {error}".split())[:_LENGTH]


def _where(task: Task) -> str:
    """Return which scenes, condition and model a task is about."""
    first, last = task.scenes[0].scene_id, task.scenes[-1].scene_id
    words = f"scene {first}" if first == last else f"scenes {first} to {last}"
    words += f" under {task.condition}" if task.condition else ""
    return words + (f", model {task.entry.name}" if task.entry is not None else "")


def _free() -> None:
    """Give memory back that a failed batch left in torch's cache."""
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
