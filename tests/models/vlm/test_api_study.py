"""Studies with a hosted model: limits, interruptions, secrets, and a real server."""

from __future__ import annotations

import _thread
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
import yaml

from tests.helpers import fakes
from tests.helpers.chat_server import KEY, ChatServer, completion, failure
from vlmis_utils import __main__
from vlmis_utils.core.errors import RunError, UserError
from vlmis_utils.models.vlm.loading import load_vlm
from vlmis_utils.protocol.prompts import PROMPTS
from vlmis_utils.protocol.study import Study
from vlmis_utils.records.run_info import read_run
from vlmis_utils.runner import local as computing
from vlmis_utils.runner import run as engine
from vlmis_utils.runner.context import Loaders

LOADERS = Loaders(fakes.load_segmenter, load_vlm)
PRICES = {"price_in": 2.0, "price_out": 8.0}
SCENES = 3
# Each image and prompt once; the blank image is one for all scenes.
QUESTIONS = (SCENES * 2 + 1) * len(PROMPTS)


@pytest.fixture
def server(server: ChatServer) -> ChatServer:
    server.reply = lambda body, number: completion("Yes, a car.", usage=(500, 50))
    return server


def make_study(folder: Path, checkpoint: str = "m", **changes: object) -> Study:
    study = fakes.make_study(folder, SCENES, shard_size=2, conditions=("clean", "MB3"))
    path = folder / "models.yaml"
    catalogue = yaml.safe_load(path.read_text())
    catalogue["hosted"] = {
        "library": "openai", "checkpoint": checkpoint, "shown": "hosted",
        "options": {"concurrency": 3, "retries": 2, "max_tokens": 96, **PRICES},
    }  # fmt: skip
    path.write_text(yaml.safe_dump(catalogue))
    return replace(study, vlms=("hosted",), **changes)


def asked(server: ChatServer) -> int:
    """How many different questions the server was asked; no question may come twice."""
    contents = [str(body["messages"]) for body in server.bodies]
    assert len(set(contents)) == len(contents)
    return len(contents)


def answers(study: Study) -> pd.DataFrame:
    return pd.read_parquet(study.records / "answers.parquet")


def test_a_study_counts_what_it_took(server: ChatServer, tmp_path: Path) -> None:
    study = make_study(tmp_path)
    engine.run(study, loaders=LOADERS)
    assert asked(server) == QUESTIONS
    assert len(answers(study)) == SCENES * 3 * len(PROMPTS)
    taken = read_run(study.records)["hosted"]["hosted"]
    assert taken["requests"] == QUESTIONS
    assert taken["cost"] == pytest.approx(QUESTIONS * (500 * 2 + 50 * 8) / 1e6)
    engine.run(study, loaders=LOADERS)
    assert len(server.bodies) == QUESTIONS  # recorded: not asked again
    (study.records / "answers.parquet").unlink()
    for shard in (study.folder / "shards" / "answers").iterdir():
        shard.unlink()
    engine.run(study, loaders=LOADERS)
    assert len(server.bodies) == QUESTIONS  # paid for: not asked again even so


@pytest.mark.parametrize("limit", [{"max_requests": 20}, {"max_cost": 20 * 0.0014 + 1e-9}])
def test_a_limit_stops_a_run_that_then_goes_on(
    server: ChatServer, tmp_path: Path, limit: dict[str, float]
) -> None:
    study = make_study(tmp_path)
    name = "--" + next(iter(limit)).replace("_", "-")
    with pytest.raises(RunError, match=f"stopped at {name} .* all kept; to go on, run again"):
        engine.run(replace(study, **limit), loaders=LOADERS)
    assert asked(server) == 20
    with pytest.raises(RunError, match=name):  # the limit is of the study, not of one run
        engine.run(replace(study, **limit), loaders=LOADERS)
    assert asked(server) == 20
    engine.run(study, loaders=LOADERS)
    assert asked(server) == QUESTIONS


def test_an_interrupt_loses_no_reply(server: ChatServer, tmp_path: Path) -> None:
    def reply(body: dict, number: int) -> tuple:
        if number == 30:
            _thread.interrupt_main()
        return completion("Yes, a car.")

    server.reply = reply
    study = make_study(tmp_path)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored in a background job
    try:
        with pytest.raises(KeyboardInterrupt):
            engine.run(study, loaders=LOADERS)
    finally:
        signal.signal(signal.SIGINT, before)
    assert 30 <= asked(server) < QUESTIONS
    engine.run(study, loaders=LOADERS)
    assert asked(server) == QUESTIONS


def test_prices_are_missed_before_any_work(server: ChatServer, tmp_path: Path, counts) -> None:
    study = make_study(tmp_path, max_cost=1.0)
    text = Path(study.models).read_text()
    Path(study.models).write_text(re.sub(r"^.*price_in.*\n", "", text, flags=re.M))
    with pytest.raises(UserError, match="--max-cost needs its prices"):
        engine.run(study, loaders=LOADERS)
    assert counts() == {} and not server.bodies


def test_the_key_is_in_no_file_and_on_no_screen(
    server: ChatServer, tmp_path: Path, capfd: pytest.CaptureFixture, monkeypatch
) -> None:
    monkeypatch.setattr(engine, "LOADERS", LOADERS)
    monkeypatch.setattr(engine.run, "__defaults__", (None, LOADERS))
    study = make_study(tmp_path)
    params = tmp_path / "study.yaml"
    keys = {"study", "dataset", "data_root", "scenes", "conditions", "segmenters", "vlms",
            "models", "build_root", "shard_size", "workers", "device"}  # fmt: skip
    given = {key: getattr(study, key) for key in keys}
    params.write_text(yaml.safe_dump({k: list(v) if isinstance(v, tuple) else v
                                      for k, v in given.items()}))  # fmt: skip
    replies = [failure(500), failure(429), completion(None, refusal="No."),
               failure(400, "content_filter"), completion("A car.")]  # fmt: skip
    server.reply = lambda body, n: replies[n - 1] if n <= len(replies) else failure(401)
    assert __main__.main(["run", str(params), "--no-book"]) == 2
    server.reply = lambda body, n: failure(500)
    with pytest.raises(RunError) as caught:
        __main__.main(["run", str(params), "--no-book", "--debug"])
    shown = "".join(capfd.readouterr()) + repr(caught.value) + repr(caught.value.__cause__)
    server.reply = lambda body, n: completion("A car.")
    assert __main__.main(["run", str(params), "--no-book", "--max-requests", "999"]) == 0
    shown += "".join(capfd.readouterr())
    assert "hosted" in shown and KEY not in shown
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert any(path.name == "replies.jsonl" for path in files)
    for path in files:
        assert KEY.encode() not in path.read_bytes(), path
    assert len(answers(study)) == SCENES * 3 * len(PROMPTS)


def test_hosted_models_are_asked_from_one_process(
    server: ChatServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else each worker would ask for as many answers at once as the entry allows."""
    study = make_study(tmp_path)
    engine.run(study, tables=["conditions"], loaders=LOADERS)
    monkeypatch.setattr(computing, "pool", pytest.fail)
    engine.run(replace(study, workers=2), tables=["answers"], loaders=LOADERS)
    assert asked(server) == QUESTIONS and server.most <= 3


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Give the folder of the embedded Qwen2-VL, which transformers' own server then serves."""
    pytest.importorskip("fastapi")
    folder = Path("vlmis_utils/training/checkpoints/qwen2-vl").resolve()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        str(Path(sys.executable).with_name("transformers")), "serve", str(folder),
        "--device", "cpu", "--dtype", "float32", "--host", "127.0.0.1", "--port", str(port),
    ]  # fmt: skip
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "NO_PROXY": "127.0.0.1"}
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("OPENAI_BASE_URL", f"http://127.0.0.1:{port}/v1")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with (tmp_path / "server.log").open("w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
        try:
            for _ in range(600):
                assert process.poll() is None, (tmp_path / "server.log").read_text()[-2000:]
                try:
                    urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=1)
                    break
                except OSError:
                    time.sleep(0.25)
            yield folder
        finally:
            process.terminate()
            process.wait(timeout=30)


def test_a_real_server_says_what_the_model_says_here(served: Path, tmp_path: Path) -> None:
    study = make_study(tmp_path, str(served))
    catalogue = yaml.safe_load(Path(study.models).read_text())
    catalogue["local"] = {"library": "transformers-vlm", "checkpoint": str(served)}
    Path(study.models).write_text(yaml.safe_dump(catalogue))
    engine.run(replace(study, scenes=1, vlms=("local", "hosted")), loaders=LOADERS)
    table = answers(study).set_index(["scene_id", "condition", "prompt"])
    local, hosted = (table[table.vlm == name].text for name in ("local", "hosted"))
    assert len(local) == 3 * len(PROMPTS)
    assert hosted.to_dict() == local.to_dict()
    run = read_run(study.records)
    taken = run["hosted"]["hosted"]
    assert taken["requests"] == 3 * len(PROMPTS)
    assert taken["answer_tokens"] > taken["requests"] and taken["cost"] > 0
    seen = run["models"]["local"]["visual_tokens"]
    assert seen == {"24x32": 140}  # 320 x 448 pixels, a token for 32 x 32
    assert taken["prompt_tokens"] > 140 * taken["requests"]  # the server counts them, too
