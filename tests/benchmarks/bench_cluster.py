"""The cost of a Ray cluster: the same units, with two local processes and on two nodes of one core.

Units of about a second that sleep (as one that waits for an accelerator) or keep a core busy. Both
ways are started, and have loaded their model, before the clock runs.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from paired import Row, paired, publish

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # worker processes inherit it

from tests.helpers import fakes, slow
from tests.helpers.nodes import Nodes
from vlmis_utils.protocol.models import load_catalogue
from vlmis_utils.runner.context import Loaders, RunContext
from vlmis_utils.runner.local import computing
from vlmis_utils.runner.outcome import Compute
from vlmis_utils.runner.tasks import Task

UNITS, SCENES, WORKERS = 8, 2, 2
GOAL = 0.95  # local / ray: less than 5 % more


def main() -> None:
    """Time both ways in turn and print the table."""
    rows: list[Row] = []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        nodes = stack.enter_context(Nodes(WORKERS))
        os.environ["RAY_ADDRESS"] = nodes.address
        local = fakes.make_study(
            folder, UNITS * SCENES, batch_size=1, shard_size=SCENES, workers=WORKERS
        )
        ways = {
            engine: stack.enter_context(
                computing(RunContext(replace(local, engine=engine), fakes.LOADERS, "cpu"))
            )
            for engine in ("local", "ray")
        }
        for name, loaders in (("sleep", slow.SLEEPING), ("compute", slow.BUSY)):
            local_way, ray_way = (_timed(way, local, loaders) for way in ways.values())
            inputs = f"{UNITS} units of 1 s, {WORKERS} cores"
            subject = f"units that {name}, on Ray"
            rows.append(
                paired(subject, inputs, "local processes", ray_way, local_way, rounds=3, goal=GOAL)
            )
    publish("cluster", rows)
    for row in rows:
        print(f"{row.subject}: {100 * (row.ours_ms / row.peer_ms - 1):+.1f} % over local")


def _timed(way: Compute, study, loaders: Loaders) -> Callable[[], int]:
    entry = load_catalogue(study.models)["blocks"]
    tasks = [
        Task(study, "segmentation", "clean", start, start + SCENES, entry, "cpu", loaders)
        for start in range(0, UNITS * SCENES, SCENES)
    ]

    def work() -> int:
        frames = [frame for _, frame in way(tasks)]
        assert sum(map(len, frames)) == UNITS * SCENES
        return len(frames)

    return work


if __name__ == "__main__":
    main()
