"""kill -9 at 50 random moments: whatever was under way, the records end up the same."""

from __future__ import annotations

import os
import random
import shutil
import signal
import time
from collections import Counter
from multiprocessing.process import BaseProcess
from pathlib import Path

import pandas as pd

from tests.helpers import children
from vlmis_utils.records.integrity import intact
from vlmis_utils.runner import run

KILLS = 50
LIMIT = 60.0  # seconds after which a run hangs


class Killer:
    """Starts runs of one study from a process that has everything imported, and kills them."""

    def __init__(self, folder: Path, seed: int = 6) -> None:
        self.folder = folder
        self.random = random.Random(seed)
        self.kills: Counter[str] = Counter()

    def start(self) -> BaseProcess:
        (self.folder / "phase").write_bytes(b"--")
        process = children.context().Process(target=children.run, args=(self.folder,), daemon=True)
        process.start()
        return process

    def phase(self) -> str:
        mark = (self.folder / "phase").read_bytes().decode()
        return next((name for name in children.PHASES if name.startswith(mark)), "planning")

    def missed(self) -> list[str]:
        """Return the phases in which no run was killed yet."""
        return [phase for phase in children.PHASES if phase not in self.kills]

    def kill(self, wanted: str | None, seconds: float) -> bool:
        """Kill a run ``seconds`` after its start, or after the phase wanted begins.

        Returns:
            False where the run was done before that.
        """
        process = self.start()
        end = time.monotonic() + LIMIT
        while wanted is not None and process.is_alive() and self.phase() != wanted:
            assert time.monotonic() < end
            time.sleep(0.0005)
        process.join(seconds)
        if not process.is_alive():
            assert process.exitcode == 0
            return False
        phase = self.phase()
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:  # killed before it had a group of its own
            process.kill()
        process.join()
        assert process.exitcode in (0, -signal.SIGKILL)
        if process.exitcode:
            self.kills[phase] += 1
        return bool(process.exitcode)


def tables(folder: Path) -> dict[str, pd.DataFrame]:
    records = children.study_in(folder).records
    found = {t: pd.read_parquet(records / f"{t}.parquet") for t in run.TABLES}
    return {name: f.drop(columns="seconds", errors="ignore") for name, f in found.items()}


def test_fifty_kills_change_nothing(tmp_path: Path, capsys) -> None:
    killer, study = Killer(tmp_path), children.study_in(tmp_path)
    log = tmp_path / "computed"

    def fresh() -> None:
        shutil.rmtree(study.folder, ignore_errors=True)
        log.write_text("")

    assert not killer.kill(None, LIMIT)  # once to warm up, once to measure
    fresh()
    start = time.monotonic()
    assert not killer.kill(None, LIMIT)
    whole = time.monotonic() - start
    expected, shards = tables(tmp_path), len(log.read_text().splitlines())
    assert shards == len(list(study.folder.glob("shards/*/*.parquet")))

    kills = studies = again = of_study = 0
    fresh()
    while kills < KILLS or of_study or killer.missed():
        assert kills < 2 * KILLS, f"never killed while {killer.missed()}"
        if kills < KILLS:
            wanted = children.PHASES[kills // 2 % len(children.PHASES)] if kills % 2 else None
            seconds = killer.random.uniform(0, 0.01 if wanted else whole)
        elif missed := killer.missed():  # a short phase may be over by then: at once
            wanted, seconds = missed[0], 0.0
        else:
            wanted, seconds = None, LIMIT
        if killer.kill(wanted, seconds):
            kills, of_study = kills + 1, of_study + 1
            for path in study.folder.glob("shards/*/*.parquet"):
                assert intact(path.read_bytes()), path
            continue
        for name, frame in tables(tmp_path).items():
            pd.testing.assert_frame_equal(frame, expected[name])
        begun = log.read_text().splitlines()
        assert len(set(begun)) == shards and len(begun) <= shards + of_study
        assert not list(study.folder.rglob(".*.parquet.*"))
        studies, again, of_study = studies + 1, again + len(begun) - shards, 0
        fresh()
    assert not killer.missed() and killer.kills.total() == kills
    with capsys.disabled():
        told = ", ".join(f"{count} {phase}" for phase, count in killer.kills.items())
        print(
            f"\n{kills} kills ({told}) in {studies} studies of {shards} shards: "
            f"{again} shards begun again"
        )
