"""The units of a study on a Ray cluster: actors compute them, this process records them.

One actor for each GPU of the cluster, or for each CPU core where the models run on CPUs; it keeps
the last model it loaded. It is sent what a unit is (names and numbers), opens the dataset itself,
and returns rows; pixels never travel. Shards are written by the process that runs the study and
are the only checkpoint: nothing is left on the cluster, and a unit whose worker or node dies is
computed again by another.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from vlmis_utils.core.errors import UserError
from vlmis_utils.runner.ray.actor_pool import ActorPool
from vlmis_utils.runner.ray.connection import connected

if TYPE_CHECKING:
    from vlmis_utils.runner.context import RunContext
    from vlmis_utils.runner.outcome import Compute, Outcome
    from vlmis_utils.runner.tasks import Task

__all__ = ["computing"]


@contextmanager
def computing(context: RunContext) -> Iterator[Compute]:
    """Give what computes the tasks of a study on the cluster of ``RAY_ADDRESS``, or of this node.

    The cluster is joined for the first task; a study that is recorded needs none. The study's
    ``workers`` limits the actors; 0 takes all that the cluster has room for. What actors print
    lies in Ray's own logs, on their nodes.

    Raises:
        UserError: Ray is not installed, no cluster answers, or it has GPUs and this machine none.
        RunError: a node has other code or versions, or no worker came up.
    """
    with ExitStack() as stack:
        pools: list[ActorPool] = []

        def compute(tasks: Sequence[Task]) -> Iterator[tuple[int, Outcome]]:
            if not pools:
                pools.append(stack.enter_context(_pool(context)))
            yield from pools[0].compute(tasks)

        yield compute


@contextmanager
def _pool(context: RunContext) -> Iterator[ActorPool]:
    study, device = context.study, context.device
    with connected() as ray:
        if device == "cpu" and study.device == "auto" and ray.cluster_resources().get("GPU"):
            raise UserError(
                "the cluster has GPUs, but the machine where the study runs has none: start it on "
                "a node with a GPU, or set 'device: cpu'"
            )
        actors = ActorPool(ray, study.workers, "GPU" if device.startswith("cuda") else "CPU")
        try:
            yield actors
        finally:
            actors.shutdown()
