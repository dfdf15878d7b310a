"""The actors of a run: started as the cluster has room, given units, replaced when they die."""

from __future__ import annotations

import os
import time
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from types import ModuleType
from typing import TYPE_CHECKING

from vlmis_utils.core.errors import RunError, UserError
from vlmis_utils.core.progress import say
from vlmis_utils.runner.ray.actor import Worker, environment, facts
from vlmis_utils.runner.ray.connection import last_line

if TYPE_CHECKING:
    from vlmis_utils.runner.outcome import Outcome
    from vlmis_utils.runner.tasks import Task

__all__ = ["ActorPool"]

_MOST_DEATHS = 3  # of actors over one unit, before it is given up
_QUEUE = 2  # units that an actor has at hand, so that it never waits for the next
_POLL = 2.0  # seconds between two looks at the cluster
_NOTICE = 30.0  # seconds without any actor, before that is said
_TIMEOUT = 900.0  # seconds without any actor, before the run ends


@dataclass
class _Actor:
    """An actor, the reference of its first reply until that is there, its tasks, oldest first."""

    handle: object
    starting: object | None
    name: str = ""
    tasks: dict[object, int] = field(default_factory=dict)


class ActorPool:
    """The actors of a run.

    Args:
        ray: the module, connected.
        workers: how many at most; 0 for all that the cluster has room for.
        unit: GPU or CPU, what an actor takes one of. An actor with a GPU takes a core too.
    """

    def __init__(self, ray: ModuleType, workers: int, unit: str) -> None:
        self.ray, self.workers, self.unit = ray, workers, unit
        self.actors: list[_Actor] = []
        self._failed_starts = 0
        self._looked = self._since = time.monotonic()
        self._said = False

    def compute(self, tasks: Sequence[Task]) -> Iterator[tuple[int, Outcome]]:
        """Yield each task's place and outcome, in any order; see `runner.local`.

        Raises:
            UserError, RunError: what a worker raised, or no worker can work.
        """
        from vlmis_utils.runner.outcome import lost

        waiting, deaths = deque(range(len(tasks))), Counter()
        self._since = time.monotonic()
        try:
            while waiting or any(actor.tasks for actor in self.actors):
                self._start(len(tasks))
                self._submit(tasks, waiting)
                actor, reference = self._wait()
                if actor is None:
                    continue
                try:
                    answer = self.ray.get(reference)
                except self.ray.exceptions.RayTaskError as error:
                    raise _own(error, actor) from None
                except self.ray.exceptions.RayError as error:
                    for place in self._on_death(actor, error, waiting, deaths):
                        yield place, lost(tasks[place], f"its worker died {_MOST_DEATHS} times")
                    continue
                if reference is actor.starting:
                    self._on_ready(actor, answer)
                else:
                    yield actor.tasks.pop(reference), answer
        finally:
            self._kill([actor for actor in self.actors if actor.tasks])

    def shutdown(self) -> None:
        """End all actors."""
        self._kill(list(self.actors))

    def _start(self, most: int) -> None:
        """Ask for as many actors as the cluster has room for, and never for more than tasks."""
        now = time.monotonic()
        if any(actor.starting is None for actor in self.actors):
            self._since, self._said = now, False
        if self.actors and now - self._looked < _POLL:
            return
        self._looked = now
        wanted = max(1, min(self.workers or self._count(self.ray.cluster_resources), most))
        gpus = 1 if self.unit == "GPU" else 0
        for _ in range(wanted - len(self.actors)):
            remote = self.ray.remote(num_cpus=1, num_gpus=gpus, max_restarts=0)(Worker)
            handle = remote.remote(os.getcwd(), environment())
            self.actors.append(_Actor(handle, handle.facts.remote()))
        if now - self._since > _TIMEOUT:
            raise RunError(f"no worker in {_TIMEOUT / 60:.0f} minutes: {self._room()}")
        if now - self._since > _NOTICE and not self._said:
            self._said = True
            say(f"waiting for a worker: {self._room()}")

    def _submit(self, tasks: Sequence[Task], waiting: deque[int]) -> None:
        """Give each worker its next tasks, one round after the other."""
        for depth in range(_QUEUE):
            for actor in self.actors:
                if waiting and actor.starting is None and len(actor.tasks) <= depth:
                    place = waiting.popleft()
                    task = tasks[place]
                    if task.device.startswith("cuda"):  # Ray shows an actor its own GPU only
                        task = replace(task, device="cuda")
                    actor.tasks[actor.handle.compute.remote(task)] = place

    def _wait(self) -> tuple[_Actor | None, object]:
        """Return who has answered and the reference of the answer; wait a little for it."""
        asked = {m.starting: m for m in self.actors if m.starting is not None}
        asked |= {reference: m for m in self.actors for reference in m.tasks}
        ready, _ = self.ray.wait(list(asked), num_returns=1, timeout=_POLL)
        return (asked[ready[0]], ready[0]) if ready else (None, None)

    def _on_ready(self, actor: _Actor, theirs: dict[str, str]) -> None:
        """Let a worker begin if it has the code and the versions that are here.

        Raises:
            RunError: it has others.
        """
        actor.name = f"{theirs['process']} on node {theirs['node']}"
        actor.starting, self._failed_starts = None, 0
        for name, ours in facts().items():
            if theirs.get(name) != ours:
                raise RunError(
                    f"node {theirs['node']} has {name} {theirs.get(name, 'none')[:12]}, the run "
                    f"has {ours[:12]}: install the same vlmis and requirements.lock on every node"
                )

    def _on_death(
        self, actor: _Actor, error: Exception, waiting: deque[int], deaths: Counter[int]
    ) -> list[int]:
        """Put a dead worker's tasks first in line; return those that too many workers died of.

        The oldest was under way, so the death counts for it alone.

        Raises:
            RunError: workers die before they are heard of.
        """
        places = list(actor.tasks.values())
        actor.tasks.clear()
        self._kill([actor])
        self._looked -= _POLL
        if actor.starting is not None:
            self._failed_starts += 1
            if self._failed_starts >= _MOST_DEATHS:
                raise RunError(f"workers end as soon as they start: {last_line(error)}") from None
            return []
        deaths.update(places[:1])
        again = [place for place in places if deaths[place] < _MOST_DEATHS]
        waiting.extendleft(reversed(again))
        say(f"worker {actor.name} died: others compute its units again ({len(again)})")
        return [place for place in places if place not in again]

    def _kill(self, actors: list[_Actor]) -> None:
        for actor in actors:
            self.actors.remove(actor)
            self.ray.kill(actor.handle)

    def _room(self) -> str:
        have, free = map(self._count, (self.ray.cluster_resources, self.ray.available_resources))
        return f"the cluster has {have} {self.unit}, {free} of them free; see 'ray status'"

    def _count(self, look: object) -> int:
        return int(look().get(self.unit, 0))


def _own(error: Exception, actor: _Actor) -> Exception:
    """Return what a worker raised as if it had been raised here, with the worker's name."""
    known = isinstance(error.cause, UserError | RunError)
    kind = type(error.cause) if known else RunError
    return kind(f"worker {actor.name}: {last_line(error.cause if known else error)}")
