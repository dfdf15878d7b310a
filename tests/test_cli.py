"""The command line: exit codes, one-line errors, and what it says."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest
import yaml

from tests.helpers import children, fakes
from vlmis_utils.__main__ import main
from vlmis_utils.protocol.study import flat
from vlmis_utils.runner import run


@pytest.fixture
def params(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A parameter file of a tiny study, run by fake models."""
    study = fakes.make_study(tmp_path, 5)
    path = tmp_path / "tiny.yaml"
    path.write_text(yaml.safe_dump(flat(study)))
    whole, plan = run.run, run.plan
    monkeypatch.setattr(run, "run", lambda s, tables=None: whole(s, tables, fakes.LOADERS))
    monkeypatch.setattr(run, "plan", lambda s: plan(s, fakes.LOADERS))
    return path


def call(capsys, *words: object) -> tuple[int, str, str]:
    code = main([str(word) for word in words])
    said = capsys.readouterr()
    return code, said.out, said.err


@pytest.mark.parametrize("words", [["--help"], ["run", "--help"], ["show", "--help"]])
def test_help_is_a_manual(capsys, words: list[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(words)
    assert left.value.code == 0
    text = capsys.readouterr().out
    assert "vlmis" in text and ("-p" in text if words[0] != "--help" else "examples:" in text)


@pytest.mark.parametrize(
    "words",
    [[], ["walk"], ["run"], ["run", "x.yaml", "-p", "top_k"], ["run", "x.yaml", "--nobook"]],
)
def test_misuse_ends_with_2(capsys, words: list[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(words)
    assert left.value.code == 2 and "usage: vlmis" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["run", "params/nothing.yaml"], "no parameter file"),
        (["run", "params/smoke.yaml", "-p", "topk", "3"], "did you mean 'top_k'"),
        (["run", "params/smoke.yaml", "-p", "top_k", "three"], "a whole number"),
        (["run", "params/smoke.yaml", "-p", "vlms", "clop"], "clip"),
        (["run", "params/smoke.yaml", "-p", "conditions", "clean,LL9"], "unknown condition"),
        (["run", "params/smoke.yaml", "-p", "critical_classes", "dog"], "unknown class"),
        (["run", "params/smoke.yaml", "-p", "dataset", "kitti"], "unknown dataset"),
        (["show", "params/smoke.yaml", "--device", "tpu"], "device"),
        (["run", "params/smoke.yaml", "--only", "99"], "no page starts with '99'"),
    ],
)
def test_bad_input_is_one_line_and_ends_with_2(capsys, words: list[str], said: str) -> None:
    code, _, error = call(capsys, *words)
    assert code == 2 and said in error
    assert error.startswith("error: ") and error.count("\n") == 1 and "Traceback" not in error


def test_debug_shows_where_an_error_comes_from() -> None:
    with pytest.raises(ValueError, match="no parameter file"):
        main(["run", "params/nothing.yaml", "--debug"])


def test_show_then_run_then_show(capsys, params: Path) -> None:
    code, out, _ = call(capsys, "show", params)
    assert code == 0 and "blocks" in out and "5 scenes of camvid" in out
    assert not (params.parent / "build" / "tiny" / "shards").exists()
    code, _, error = call(capsys, "run", params, "--no-book")
    assert code == 0 and "talker: 25/25 images" in error and "done in" in error
    assert (params.parent / "build" / "tiny" / "records" / "answers.parquet").exists()
    _, out, _ = call(capsys, "show", params)
    rows = {line.split()[0]: line.split()[1:3] for line in out.splitlines()[2:-1]}
    assert rows["scorer"] == ["25", "0"] and rows["blocks"] == ["20", "0"]


def test_an_override_of_the_analysis_runs_no_model(capsys, params: Path, counts) -> None:
    call(capsys, "run", params, "--no-book")
    counts()
    code, _, error = call(capsys, "run", params, "--no-book", "-p", "top_k", 5)
    assert code == 0 and counts() == {} and "images" not in error


def test_a_failed_run_ends_with_1(capsys, params: Path) -> None:
    image = params.parent / "data" / "test" / "a_01.png"
    image.write_bytes(image.read_bytes()[:60])
    code, _, error = call(capsys, "run", params, "--no-book")
    last = error.strip().splitlines()[-1]
    assert code == 1 and last.startswith("error: scene camvid-test-a_01: cannot read")
    assert str(image) in last
    assert "Traceback" not in error


def test_an_interrupt_says_how_to_go_on(capsys, params: Path, monkeypatch) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(run, "run", interrupted)
    code, _, error = call(capsys, "run", params)
    assert code == 130 and "run again to continue" in error


def test_a_real_interrupt_leaves_no_process_and_no_traceback(tmp_path: Path) -> None:
    study, said = fakes.make_study(tmp_path, 12, workers=2), tmp_path / "said"
    process = children.context().Process(target=children.command, args=(study, said))
    process.start()
    end = time.monotonic() + 300
    while not (said.exists() and "talker: 0/" in said.read_text()):
        assert process.is_alive() and time.monotonic() < end
        time.sleep(0.02)
    time.sleep(0.3)
    assert len(_alive(process.pid)) >= 3  # the command and its workers
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does on Ctrl-C
    process.join(60)
    assert process.exitcode == 130
    error = said.read_text()
    assert "run again to continue" in error and "Traceback" not in error
    end = time.monotonic() + 10
    while _alive(process.pid) and time.monotonic() < end:
        time.sleep(0.05)
    assert not _alive(process.pid)


def _alive(group: int) -> list[str]:
    """Processes of a session, zombies aside."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == group and fields[0] != "Z":
            found.append(stat.parent.name)
    return found
