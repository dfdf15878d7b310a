"""A study on a Ray cluster of several nodes, some of which are killed.

The nodes are real ``ray start`` processes on addresses of this machine's loopback.
"""

from __future__ import annotations

import importlib.util
import os
import pickle
import re
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import psutil
import pytest

from tests.helpers import fakes, slow
from tests.helpers.nodes import Nodes
from vlmis_utils.core.errors import RunError, UserError
from vlmis_utils.records.schema import SCHEMAS
from vlmis_utils.records.store import read_table
from vlmis_utils.runner import run as engine
from vlmis_utils.runner.outcome import Failure
from vlmis_utils.runner.preflight.remote import elsewhere_findings
from vlmis_utils.runner.ray import executor
from vlmis_utils.runner.ray.actor import Worker, environment, facts
from vlmis_utils.runner.ray.actor_pool import ActorPool
from vlmis_utils.runner.tasks import Task

SCENES = 7


@pytest.fixture(scope="module")
def nodes() -> Iterator[Nodes]:
    pytest.importorskip("ray")
    with Nodes(workers=2) as started:
        yield started


@pytest.fixture
def cluster(nodes: Nodes, monkeypatch: pytest.MonkeyPatch) -> Nodes:
    monkeypatch.setenv("RAY_ADDRESS", nodes.address)
    return nodes


def run(study, loaders=fakes.LOADERS) -> dict[str, pd.DataFrame]:
    engine.run(study, loaders=loaders)
    return {
        table: read_table(study.records, table).drop(columns="seconds", errors="ignore")
        for table in SCHEMAS
    }


def on_cluster(study, folder: Path, **changes):
    return replace(study, engine="ray", workers=0, build_root=str(folder / "ray"), **changes)


def assert_same(first: dict[str, pd.DataFrame], second: dict[str, pd.DataFrame]) -> None:
    for name, frame in first.items():
        pd.testing.assert_frame_equal(frame, second[name])


def test_the_cluster_records_what_the_local_engine_records(
    tmp_path: Path, cluster: Nodes, counts
) -> None:
    study = fakes.make_study(tmp_path, SCENES)
    local = run(study)
    once = counts()
    other = on_cluster(study, tmp_path)
    assert_same(local, run(other))
    assert counts() == once  # no unit was computed twice, none by another way

    os.environ["RAY_ADDRESS"] = "127.0.0.2:9"  # all is recorded: no cluster is needed
    assert_same(local, run(other))
    assert counts() == {}
    key = {u.key for u in engine.plan(study, fakes.LOADERS)}
    assert key == {u.key for u in engine.plan(other, fakes.LOADERS)}


def test_a_study_survives_a_killed_worker_and_a_killed_node(
    tmp_path: Path, cluster: Nodes, capsys: pytest.CaptureFixture[str]
) -> None:
    study = fakes.make_study(tmp_path, SCENES)
    local = run(study)
    other = on_cluster(study, tmp_path)
    killed: list[object] = []

    def shards(table: str) -> int:
        return len(list((other.folder / "shards" / table).glob("*.parquet")))

    def kill_both() -> None:
        wait_for(lambda: shards("segmentation") >= 3)
        worker = wait_for(lambda: workers(cluster, "127.0.0.3"))[0]
        worker.send_signal(signal.SIGKILL)
        killed.append(worker.pid)
        wait_for(lambda: shards("answers") >= 6)
        assert wait_for(lambda: workers(cluster, "127.0.0.4"))
        cluster.kill("127.0.0.4")
        killed.append((shards("answers"), "127.0.0.4"))

    thread = threading.Thread(target=kill_both, daemon=True)
    thread.start()
    records = run(other, slow.SLOW)
    thread.join(5)
    assert len(killed) == 2 and killed[1][0] < len(local["answers"]) / 3
    assert_same(local, records)
    said = capsys.readouterr().err
    assert re.search(rf"worker {killed[0]} on node 127.0.0.3 died: others compute", said)
    assert re.search(r"worker \d+ on node 127.0.0.4 died: others compute", said)


def workers(nodes: Nodes, node: str) -> list[psutil.Process]:
    """Return the processes of our actors on a node."""
    family = psutil.Process(nodes.started[node].pid).children(recursive=True)
    return [process for process in family if process.cmdline()[:1] == ["ray::Worker"]
            or "ray::Worker" in " ".join(process.cmdline())]  # fmt: skip


def wait_for(look: Callable[[], object], seconds: float = 300) -> object:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := look():
            return found
        time.sleep(0.02)
    raise TimeoutError


def test_no_cluster_and_no_ray_are_one_line_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = on_cluster(fakes.make_study(tmp_path, SCENES), tmp_path)
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.2:9")
    with pytest.raises(UserError, match="no Ray cluster at 127.0.0.2:9 .*ray start --head"):
        run(study)
    (finding,) = elsewhere_findings(study)
    assert finding.status == "fail" and "127.0.0.2:9" in finding.found
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda n: None if n == "ray" else found(n))
    with pytest.raises(UserError, match=r"needs Ray: pip install '.\[ray\]'"):
        run(study)


def test_nothing_secret_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "s")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("OPENAI_API_KEY", "s")
    assert environment()["HF_HUB_OFFLINE"] == "1" and "s" not in environment().values()


# What follows needs no cluster: a stand-in for Ray whose actors answer at once, or die.


class Died(Exception):
    pass


class FakeRay:
    """As much of Ray as an actor pool uses; ``deadly`` tasks end the actor that computes them."""

    exceptions = SimpleNamespace(RayTaskError=type("RayTaskError", (Exception,), {}), RayError=Died)

    def __init__(self, cores: int = 2, deadly: frozenset[int] = frozenset(), **theirs: str) -> None:
        self.cores, self.deadly, self.theirs = cores, deadly, theirs
        self.killed: list[object] = []
        self.started = 0
        self.most = 0

    def remote(self, **options: object):
        assert options["num_cpus"] == 1
        return lambda kind: SimpleNamespace(remote=self._start)

    def _start(self, folder: str, variables: dict[str, str]) -> SimpleNamespace:
        self.started += 1
        actor = SimpleNamespace(name=self.started, dead=False, asked=0)
        theirs = {"node": "n", "process": str(self.started), **facts(), **self.theirs}
        actor.facts = SimpleNamespace(remote=lambda: Reference(actor, theirs))
        actor.compute = SimpleNamespace(remote=lambda task: self._ask(actor, task))
        return actor

    def _ask(self, actor: SimpleNamespace, task: Task) -> Reference:
        actor.asked += 1
        self.most = max(self.most, actor.asked)
        return Reference(actor, task)

    def wait(self, references, num_returns: int, timeout: float):
        assert references
        return references[:1], references[1:]

    def get(self, reference: Reference) -> object:
        if not isinstance(reference.value, Task):
            return reference.value
        reference.actor.asked -= 1
        if reference.actor.dead or reference.value.start in self.deadly:
            reference.actor.dead = True
            raise Died
        return pd.DataFrame({"start": [reference.value.start]})

    def kill(self, actor: SimpleNamespace) -> None:
        self.killed.append(actor)

    def cluster_resources(self) -> dict[str, float]:
        return {"CPU": self.cores}

    available_resources = cluster_resources


class InProcess(FakeRay):
    """Computes what it is asked; tasks and outcomes travel as bytes, as on a cluster."""

    def get(self, reference: Reference) -> object:
        if not isinstance(reference.value, Task):
            return reference.value
        reference.actor.asked -= 1
        task = pickle.loads(pickle.dumps(reference.value))
        return pickle.loads(pickle.dumps(Worker(os.getcwd(), {}).compute(task)))


class Reference:
    def __init__(self, actor: SimpleNamespace, value: object) -> None:
        self.actor, self.value = actor, value


def test_what_fails_is_reported_as_the_local_engine_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(executor, "connected", lambda: nullcontext(InProcess()))
    study = fakes.make_study(tmp_path, 4, vlms=("talker",))
    said = []
    for one in (study, on_cluster(study, tmp_path)):
        with pytest.raises(RunError, match="under LL3, model blocks: ValueError: too dark") as e:
            run(one, slow.FAILING)
        said.append(str(e.value))
        assert len(read_table(one.records, "answers"))  # the rest went on
    assert said[0] == said[1]


def tasks(tmp_path: Path, count: int) -> list[Task]:
    study = fakes.make_study(tmp_path, count)
    return [Task(study, "scenes", "", start, start + 1) for start in range(count)]


def test_every_task_is_computed_once_with_two_at_hand_for_each_worker(tmp_path: Path) -> None:
    ray = FakeRay(cores=3)
    actors = ActorPool(ray, 0, "CPU")
    outcomes = dict(actors.compute(tasks(tmp_path, 20)))
    assert {place: int(frame.start.iloc[0]) for place, frame in outcomes.items()} == {
        n: n for n in range(20)
    }
    assert ray.started == 3 and ray.most == 2
    actors.shutdown()
    assert len(ray.killed) == 3 and not actors.actors


def test_workers_are_never_more_than_asked_for_or_than_tasks(tmp_path: Path) -> None:
    for workers_key, count, started in ((2, 9, 2), (0, 3, 3)):
        ray = FakeRay(cores=64)
        list(ActorPool(ray, workers_key, "CPU").compute(tasks(tmp_path / str(count), count)))
        assert ray.started == started


def test_a_deadly_unit_is_given_up_and_no_other(tmp_path: Path) -> None:
    ray = FakeRay(cores=2, deadly=frozenset({4}))
    outcomes = dict(ActorPool(ray, 0, "CPU").compute(tasks(tmp_path, 9)))
    failed = {place for place, outcome in outcomes.items() if isinstance(outcome, Failure)}
    assert set(outcomes) == set(range(9)) and failed == {4}
    assert "scene" in outcomes[4].lines[0] and "died 3 times" in outcomes[4].lines[0]
    assert ray.started == 2 + 3


def test_a_node_with_other_code_or_versions_is_named(tmp_path: Path) -> None:
    actors = ActorPool(FakeRay(vlmis="0123456789abcdef"), 0, "CPU")
    with pytest.raises(RunError, match="node n has vlmis 0123456789ab, the run has .*install"):
        list(actors.compute(tasks(tmp_path, 3)))
    actors = ActorPool(FakeRay(torch="1.0"), 0, "CPU")
    with pytest.raises(RunError, match="node n has torch 1.0, the run has 2"):
        list(actors.compute(tasks(tmp_path, 3)))


def test_closing_ends_what_is_under_way(tmp_path: Path) -> None:
    ray = FakeRay(cores=2)
    actors = ActorPool(ray, 0, "CPU")
    outcomes = actors.compute(tasks(tmp_path, 9))
    next(outcomes)
    outcomes.close()
    assert ray.killed and all(not actor.tasks for actor in actors.actors)
