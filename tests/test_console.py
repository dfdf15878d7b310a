"""A console that lacks a character shows a replacement: no command ends in a traceback."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.helpers import fakes
from vlmis_utils.__main__ import main
from vlmis_utils.protocol.study import flat
from vlmis_utils.runner import run

CITY = "城市 Ζάκυνθος ✓"


class Console:
    """Standard streams in an encoding, as a terminal or a pipe has them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, encoding: str) -> None:
        self.raw = {name: io.BytesIO() for name in ("stdout", "stderr")}
        for name, raw in self.raw.items():
            stream = io.TextIOWrapper(raw, encoding=encoding, write_through=True)
            monkeypatch.setattr(sys, name, stream)

    def text(self, name: str) -> str:
        return self.raw[name].getvalue().decode("latin-1")


@pytest.fixture
def params(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A study of which every path has characters that few encodings hold."""
    folder = tmp_path / CITY
    folder.mkdir()
    study = fakes.make_study(folder, 3, study=CITY.replace(" ", "_"))
    path = folder / "tiny.yaml"
    path.write_text(yaml.safe_dump(flat(study)), encoding="utf-8")
    whole, plan = run.run, run.plan
    monkeypatch.setattr(run, "run", lambda s, tables=None: whole(s, tables, fakes.LOADERS))
    monkeypatch.setattr(run, "plan", lambda s: plan(s, fakes.LOADERS))
    return path


@pytest.mark.parametrize("encoding", ["cp1252", "ascii", "cp932", "koi8-r", "utf-8"])
def test_every_command(monkeypatch, params: Path, tmp_path: Path, encoding: str) -> None:
    commands = [
        (["show", params], 0, "stdout"),
        (["check", params], 2, "stdout"),  # its checkpoints hold no weights
        (["run", params, "--no-book"], 0, "stderr"),
        (["run", params, "--no-book", "-p", "top_k", CITY], 2, "stderr"),
        (["book", params, "--only", CITY], 2, "stderr"),
        (["show", params.with_name(f"{CITY}.yaml")], 2, "stderr"),
        (["check", params.with_name(f"{CITY}.yaml")], 2, "stdout"),
        (["convert", "deeplabv3plus", params.with_name("none.pth"), tmp_path / "out"], 2, "stderr"),
        (["convert", CITY, "a", "b"], 2, "stderr"),
    ]
    for words, code, where in commands:
        console = Console(monkeypatch, encoding)
        assert main([str(word) for word in words]) == code, words
        said = console.text(where)
        assert said and "Traceback" not in console.text("stderr")
        assert ("?" in said) or encoding == "utf-8" or words[0] == "run", words


def test_a_stream_that_is_closed_or_missing_is_no_matter(monkeypatch, params: Path) -> None:
    monkeypatch.setattr(sys, "stderr", None)
    assert main(["show", str(params)]) == 0


def test_a_real_process_with_another_encoding(tmp_path: Path) -> None:
    missing = tmp_path / f"{CITY}.yaml"
    for encoding in ("cp1252", "ascii:strict"):
        done = subprocess.run(
            [sys.executable, "-m", "vlmis_utils", "show", str(missing)], capture_output=True,
            env={**os.environ, "PYTHONIOENCODING": encoding}, check=False,
        )  # fmt: skip
        assert done.returncode == 2 and b"Traceback" not in done.stderr
        assert done.stderr.startswith(b"error: no parameter file ") and b"?" in done.stderr
