"""The actors of a run: hired as the cluster has room, given units, replaced when they die."""

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
    from vlmis_utils.runner.local import Outcome
    from vlmis_utils.runner.tasks import Task

__all__ = ["Crew"]

_DEATHS = 3  # of workers over one unit, before it is given up
_AHEAD = 2  # units that a worker has at hand, so that it never waits for the next
_TICK = 2.0  # seconds between two looks at the cluster
_WORD = 30.0  # seconds without any worker, before that is said
_PATIENCE = 900.0  # seconds without any worker, before the run ends


@dataclass
class _Member:
    """An actor, the reference of its first word until heard, and its tasks, oldest first."""

    actor: object
    hello: object | None
    name: str = ""
    tasks: dict[object, int] = field(default_factory=dict)


class Crew:
    """The actors of a run.

    Args:
        ray: the module, connected.
        workers: how many at most; 0 for all that the cluster has room for.
        unit: GPU or CPU, what an actor takes one of. An actor with a GPU takes a core too.
    """

    def __init__(self, ray: ModuleType, workers: int, unit: str) -> None:
        self.ray, self.workers, self.unit = ray, workers, unit
        self.members: list[_Member] = []
        self._stillborn = 0
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
            while waiting or any(member.tasks for member in self.members):
                self._hire(len(tasks))
                self._hand_out(tasks, waiting)
                member, reference = self._heard()
                if member is None:
                    continue
                try:
                    answer = self.ray.get(reference)
                except self.ray.exceptions.RayTaskError as error:
                    raise _own(error, member) from None
                except self.ray.exceptions.RayError as error:
                    for place in self._bury(member, error, waiting, deaths):
                        yield place, lost(tasks[place], f"its worker died {_DEATHS} times")
                    continue
                if reference is member.hello:
                    self._welcome(member, answer)
                else:
                    yield member.tasks.pop(reference), answer
        finally:
            self._drop([member for member in self.members if member.tasks])

    def dismiss(self) -> None:
        """End all actors."""
        self._drop(list(self.members))

    def _hire(self, most: int) -> None:
        """Ask for as many actors as the cluster has room for, and never for more than tasks."""
        now = time.monotonic()
        if any(member.hello is None for member in self.members):
            self._since, self._said = now, False
        if self.members and now - self._looked < _TICK:
            return
        self._looked = now
        wanted = max(1, min(self.workers or self._count(self.ray.cluster_resources), most))
        gpus = 1 if self.unit == "GPU" else 0
        for _ in range(wanted - len(self.members)):
            hired = self.ray.remote(num_cpus=1, num_gpus=gpus, max_restarts=0)(Worker)
            actor = hired.remote(os.getcwd(), environment())
            self.members.append(_Member(actor, actor.facts.remote()))
        if now - self._since > _PATIENCE:
            raise RunError(f"no worker in {_PATIENCE / 60:.0f} minutes: {self._room()}")
        if now - self._since > _WORD and not self._said:
            self._said = True
            say(f"waiting for a worker: {self._room()}")

    def _hand_out(self, tasks: Sequence[Task], waiting: deque[int]) -> None:
        """Give each worker its next tasks, one round after the other."""
        for depth in range(_AHEAD):
            for member in self.members:
                if waiting and member.hello is None and len(member.tasks) <= depth:
                    place = waiting.popleft()
                    task = tasks[place]
                    if task.device.startswith("cuda"):  # Ray shows an actor its own GPU only
                        task = replace(task, device="cuda")
                    member.tasks[member.actor.compute.remote(task)] = place

    def _heard(self) -> tuple[_Member | None, object]:
        """Return who has answered and the reference of the answer; wait a little for it."""
        asked = {m.hello: m for m in self.members if m.hello is not None}
        asked |= {reference: m for m in self.members for reference in m.tasks}
        ready, _ = self.ray.wait(list(asked), num_returns=1, timeout=_TICK)
        return (asked[ready[0]], ready[0]) if ready else (None, None)

    def _welcome(self, member: _Member, theirs: dict[str, str]) -> None:
        """Let a worker begin if it has the code and the versions that are here.

        Raises:
            RunError: it has others.
        """
        member.name = f"{theirs['process']} on node {theirs['node']}"
        member.hello, self._stillborn = None, 0
        for name, ours in facts().items():
            if theirs.get(name) != ours:
                raise RunError(
                    f"node {theirs['node']} has {name} {theirs.get(name, 'none')[:12]}, the run "
                    f"has {ours[:12]}: install the same vlmis and requirements.lock on every node"
                )

    def _bury(
        self, member: _Member, error: Exception, waiting: deque[int], deaths: Counter[int]
    ) -> list[int]:
        """Put a dead worker's tasks first in line; return those that too many workers died of.

        The oldest was under way, so the death counts for it alone.

        Raises:
            RunError: workers die before they are heard of.
        """
        places = list(member.tasks.values())
        member.tasks.clear()
        self._drop([member])
        self._looked -= _TICK
        if member.hello is not None:
            self._stillborn += 1
            if self._stillborn >= _DEATHS:
                raise RunError(f"workers end as soon as they start: {last_line(error)}") from None
            return []
        deaths.update(places[:1])
        again = [place for place in places if deaths[place] < _DEATHS]
        waiting.extendleft(reversed(again))
        say(f"worker {member.name} died: others compute its units again ({len(again)})")
        return [place for place in places if place not in again]

    def _drop(self, members: list[_Member]) -> None:
        for member in members:
            self.members.remove(member)
            self.ray.kill(member.actor)

    def _room(self) -> str:
        have, free = map(self._count, (self.ray.cluster_resources, self.ray.available_resources))
        return f"the cluster has {have} {self.unit}, {free} of them free; see 'ray status'"

    def _count(self, look: object) -> int:
        return int(look().get(self.unit, 0))


def _own(error: Exception, member: _Member) -> Exception:
    """Return what a worker raised as if it had been raised here, with the worker's name."""
    known = isinstance(error.cause, UserError | RunError)
    kind = type(error.cause) if known else RunError
    return kind(f"worker {member.name}: {last_line(error.cause if known else error)}")
